"""What labels mean, in a line each: a model can start from that before a row is labelled."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from smarttriage.domain.configuration import Section
from smarttriage.domain.errors import InvalidInput

# Tables of a taxonomy file, and the target that each describes.
_TAXONOMY = {"kinds": "kind", "categories": "category"}
# Title, symptoms and cause; of 0 and 400 the better one for categories and sub-categories of the seed incidents.
ARTICLE_CHARACTERS = 400
Descriptions = dict[str, list["Description"]]


@dataclass(frozen=True, slots=True)
class Description:
    """One line about a label. A label may have several; the first is its own, others are further texts of its kind.

    Attributes:
        label: Its name.
        text: What it means; may be empty, then the name speaks alone.
        parent: The label above it, where its target stands below another one.
    """

    label: str
    text: str
    parent: str | None = None


def descriptions_from_toml(values: Mapping[str, Any], file: str) -> Descriptions:
    """Return target -> descriptions of a taxonomy file, or of tables [target] with a line `label = "description"` for each.

    Raises:
        ConfigurationError: A key has the wrong kind of value.
    """
    top, found = Section(values, file), Descriptions()
    for name in values:
        if name == "version":
            continue
        if name in _TAXONOMY:
            for section in top.tables(name):
                label = section.text("name")
                found.setdefault(_TAXONOMY[name], []).append(Description(label, section.text("description")))
                for sub in section.tables("sub_categories"):
                    below = Description(sub.text("name"), sub.text("description"), label)
                    found.setdefault("sub_category", []).append(below)
        else:
            section = top.table(name)
            found[name] = [Description(label, section.text(label)) for label in section.values]
    return found


def descriptions_from_rows(rows: Iterable[Mapping[str, str | None]], *, target: str) -> Descriptions:
    """Return target -> descriptions of rows with the columns label and description, and optionally target and parent.

    A row that names no target is about `target`.
    """
    found = Descriptions()
    for row in rows:
        label, parent = (row.get("label") or "").strip(), (row.get("parent") or "").strip()
        if label:
            about = (row.get("target") or "").strip() or target
            found.setdefault(about, []).append(Description(label, (row.get("description") or "").strip(), parent or None))
    return found


def with_articles(descriptions: Mapping[str, list[Description]], articles: Iterable[Mapping[str, Any]]) -> Descriptions:
    """Return the descriptions and, behind them, the articles that name a described label of a target (category, say) as theirs."""
    found = {target: list(items) for target, items in descriptions.items()}
    parents = {target: {one.label: one.parent for one in items} for target, items in descriptions.items()}
    for article in articles:
        text = f"{article.get('title') or ''}\n{(article.get('body') or '')[:ARTICLE_CHARACTERS]}"
        for target, known in parents.items():
            if (label := article.get(target)) in known:
                found[target].append(Description(label, text, known[label]))
    return found


def described(descriptions: Mapping[str, list[Description]], targets: Iterable[str], file: str) -> Descriptions:
    """Return the descriptions of the targets.

    Raises:
        InvalidInput: None of the targets is described.
    """
    wanted = list(targets)
    found = {target: descriptions[target] for target in wanted if descriptions.get(target)}
    if not found:
        message = (
            f"{file} describes {sorted(descriptions) or 'nothing'}, none of the targets {wanted}; name the table after a target."
        )
        raise InvalidInput(message, field="descriptions")
    return found

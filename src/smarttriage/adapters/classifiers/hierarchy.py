"""Targets below other targets: the order to fit them in, and which label belongs under which."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from smarttriage.domain.errors import InvalidInput
from smarttriage.ports import DescribedLabels


def parents_first(parents: Mapping[str, str | None]) -> list[str]:
    """Return the targets, each behind its parent.

    Raises:
        InvalidInput: A parent is not among the targets, or the parents go round in a circle.
    """
    order: list[str] = []
    waiting = list(parents)
    while waiting:
        ready = [name for name in waiting if parents[name] is None or parents[name] in order]
        if not ready:
            name = waiting[0]
            raise InvalidInput(f"Target {name!r} is below {parents[name]!r}, which is not trained with it; add it.", field=name)
        order += ready
        waiting = [name for name in waiting if name not in order]
    return order


def parents_of(name: str, labels: Sequence[str | None], above: Sequence[str | None]) -> dict[str, str]:
    """Return label -> label of the parent target, read off the rows that carry both.

    Raises:
        InvalidInput: A label stands under two parents, or under none in any row.
    """
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    for label, parent in zip(labels, above, strict=True):
        if label and parent:
            seen[label][parent] += 1
    for label in sorted({label for label in labels if label}):
        if len(seen[label]) != 1:
            found = f"under {sorted(seen[label])}" if seen[label] else "in no row beside a label of its parent target"
            raise InvalidInput(f"Label {label!r} of target {name!r} stands {found}; it must have exactly one parent.", field=name)
    return {label: next(iter(parents)) for label, parents in seen.items()}


def known_parents(
    name: str, above: str, labels: Mapping[str, Sequence[str | None]], described: DescribedLabels | None
) -> dict[str, str]:
    """Return label -> label of the target above, as the rows and the descriptions say.

    Raises:
        InvalidInput: A label stands under two parents, or under none.
    """
    found = {**(described.parents if described else {}), **parents_of(name, labels[name], labels[above])}
    if described and (orphans := sorted(set(described.labels) - set(found))):
        message = f"Label {orphans[0]!r} of target {name!r} is described without its {above}; add that as its parent."
        raise InvalidInput(message, field=name)
    return found

"""What an incident can be: kinds, categories with their sub-categories, and the support group of each."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from smarttriage.domain.configuration import Section


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of message. `work_item` is false where there is nothing to do (thanks, out of office, spam)."""

    name: str
    description: str
    work_item: bool


@dataclass(frozen=True, slots=True)
class SubCategory:
    """A finer label below a category; `support_group` is None where the category's group takes it."""

    name: str
    description: str
    support_group: str | None = None


@dataclass(frozen=True, slots=True)
class Category:
    """A category, who takes it first and where it escalates, nearest step first."""

    name: str
    description: str
    support_group: str
    escalation: tuple[str, ...]
    sub_categories: tuple[SubCategory, ...]


@dataclass(frozen=True)
class Taxonomy:
    """All labels of an installation. Sub-category names are unique over all categories."""

    label: str
    kinds: tuple[Kind, ...]
    categories: tuple[Category, ...]

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any], file: str = "taxonomy.toml") -> "Taxonomy":
        """Return the checked taxonomy of a parsed file. Raises ConfigurationError naming file, key and way out."""
        top = Section(values, file)
        top.only(["version", "kinds", "categories"])
        kinds = tuple(_kind(section) for section in top.tables("kinds"))
        categories = tuple(_category(section) for section in top.tables("categories"))
        for name, items in (("kinds", kinds), ("categories", categories)):
            if not items:
                top.fail(name, f"is empty; add at least one [[{name}]]")
            _unique(top, name, [item.name for item in items])
        if not any(kind.work_item for kind in kinds):
            top.fail("kinds", "none is a work item; remove work_item = false from at least one")
        _unique(top, "categories", [sub.name for category in categories for sub in category.sub_categories])
        return cls(top.text("version"), kinds, categories)

    @cached_property
    def version(self) -> str:
        """The file's version and a hash of its content: two taxonomies with one version are the same."""
        content = json.dumps([[_plain(kind) for kind in self.kinds], [_plain(category) for category in self.categories]])
        return f"{self.label}-{hashlib.sha256(content.encode()).hexdigest()[:12]}"

    @cached_property
    def parents(self) -> Mapping[str, str]:
        """Sub-category name -> name of its category."""
        return {sub.name: category.name for category in self.categories for sub in category.sub_categories}

    @cached_property
    def work_item_kinds(self) -> frozenset[str]:
        """Names of the kinds that mean work."""
        return frozenset(kind.name for kind in self.kinds if kind.work_item)

    def names(self, target: str) -> tuple[str, ...] | None:
        """Return the permitted labels of "kind", "category" or "sub_category"; None for any other target."""
        return self._names.get(target)

    @cached_property
    def _names(self) -> Mapping[str, tuple[str, ...]]:
        return {
            "kind": tuple(kind.name for kind in self.kinds),
            "category": tuple(category.name for category in self.categories),
            "sub_category": tuple(self.parents),
        }

    def category(self, name: str) -> Category | None:
        """Return the category of that name, or None."""
        return next((category for category in self.categories if category.name == name), None)

    def route(self, category: str | None, sub_category: str | None) -> tuple[str | None, tuple[str, ...]]:
        """Return (support group, escalation path), both empty where the category is not known."""
        found = self.category(category) if category else None
        if found is None:
            return None, ()
        for sub in found.sub_categories:
            if sub.name == sub_category and sub.support_group and sub.support_group != found.support_group:
                path = tuple(group for group in (found.support_group, *found.escalation) if group != sub.support_group)
                return sub.support_group, path
        return found.support_group, found.escalation


def _kind(section: Section) -> Kind:
    section.only(["name", "description", "work_item"])
    return Kind(section.text("name"), section.text("description"), section.flag("work_item", default=True))


def _category(section: Section) -> Category:
    section.only(["name", "description", "support_group", "escalation", "sub_categories"])
    subs = tuple(_sub_category(sub) for sub in section.tables("sub_categories"))
    return Category(
        section.text("name"), section.text("description"), section.text("support_group"), section.texts("escalation"), subs
    )


def _sub_category(section: Section) -> SubCategory:
    section.only(["name", "description", "support_group"])
    group = section.text("support_group") if "support_group" in section.values else None
    return SubCategory(section.text("name"), section.text("description"), group)


def _unique(section: Section, key: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            section.fail(key, f'"{name}" stands there {names.count(name)} times; give each its own name')


def _plain(item: Kind | Category | SubCategory) -> Any:
    if isinstance(item, Category):
        return [
            "category",
            item.name,
            item.description,
            item.support_group,
            item.escalation,
            [_plain(s) for s in item.sub_categories],
        ]
    if isinstance(item, SubCategory):
        return [item.name, item.description, item.support_group]
    return ["kind", item.name, item.description, item.work_item]

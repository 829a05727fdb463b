"""Trees of labels: which target stands below which, and paths such as "Hardware > Printer > Paper jam" taken apart."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from smarttriage.domain.errors import InvalidInput

SEPARATOR = " > "


@dataclass(frozen=True, slots=True)
class TreeColumn:
    """A column whose cells are paths, and the targets that its levels become.

    A label is the whole path down to its level, so that "Hardware > Other" and "Software > Other" are two labels. A path that
    ends early says nothing of the levels below.

    Attributes:
        column: Its name.
        targets: A target for each level, highest first; empty: not decided yet.
        separator: What stands between two levels; spaces around it do not count.
    """

    column: str
    targets: tuple[str, ...] = ()
    separator: str = SEPARATOR

    def labels(self, path: str | None) -> tuple[str, ...]:
        """Return the labels of a path, highest first: the path down to each level; an empty level ends it."""
        parts: list[str] = []
        for part in (path or "").split(self.separator.strip() or self.separator):
            if not part.strip():
                break
            parts.append(part.strip())
        return tuple(self.separator.join(parts[: depth + 1]) for depth in range(len(parts)))

    def expanded(self, row: Mapping[str, str | None]) -> dict[str, str | None]:
        """Return the row with a value for each level; deeper levels than there are targets are left out."""
        found = self.labels(row.get(self.column))
        return {**row, **{target: found[level] if level < len(found) else None for level, target in enumerate(self.targets)}}

    def named(self, depth: int) -> "TreeColumn":
        """Return the column with targets for `depth` levels, column_1 and so on, unless it has its own."""
        return self if self.targets else replace(self, targets=tuple(f"{self.column}_{level + 1}" for level in range(depth)))

    @property
    def parents(self) -> dict[str, str]:
        """Target -> the one above it."""
        return dict(zip(self.targets[1:], self.targets, strict=False))


def parse_tree_column(text: str, separator: str) -> TreeColumn:
    """Return the column of "path", or of "path=category,sub_category,item" with a name for each level.

    Raises:
        InvalidInput: The column, a name or the separator is missing, or a name comes twice.
    """
    column, equals, names = (part.strip() for part in text.partition("="))
    targets = tuple(name.strip() for name in names.split(",")) if equals else ()
    if not column or not all(targets) or len(set(targets)) != len(targets):
        message = f"{text!r} is no tree column; write COLUMN, or COLUMN=FIRST,SECOND with another name for each level."
        raise InvalidInput(message, field="tree_column")
    if not separator.strip():
        raise InvalidInput(f"The separator {separator!r} is blank; give what stands between two levels.", field="separator")
    return TreeColumn(column, targets, separator)


def parse_parents(items: Iterable[str]) -> dict[str, str]:
    """Return target -> the target above it, of items such as "sub_category=category".

    Raises:
        InvalidInput: An item has another form, or a target gets two parents.
    """
    found: dict[str, str] = {}
    for item in items:
        child, _, parent = (part.strip() for part in item.partition("="))
        if not child or not parent:
            raise InvalidInput(f"{item!r} names no parent; write CHILD=PARENT, for example item=sub_category.", field="parent")
        if found.setdefault(child, parent) != parent:
            message = f"Target {child!r} is put below {found[child]!r} and below {parent!r}; it can have one parent only."
            raise InvalidInput(message, field="parent")
    return found


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
            raise _unreachable(waiting, parents)
        order += ready
        waiting = [name for name in waiting if name not in order]
    return order


def ancestors(target: str, parents: Mapping[str, str | None]) -> list[str]:
    """Return the targets above, nearest first; `parents` go round in no circle."""
    found: list[str] = []
    above = parents.get(target)
    while above is not None:
        found.append(above)
        above = parents.get(above)
    return found


def _unreachable(waiting: Sequence[str], parents: Mapping[str, str | None]) -> InvalidInput:
    for name in waiting:
        if parents[name] not in parents:
            return InvalidInput(f"Target {name!r} is below {parents[name]!r}, which is not trained with it; add it.", field=name)
    circle: list[str] = []
    name = waiting[0]
    while name not in circle:
        circle.append(name)
        name = parents[name] or name
    circle = [*circle[circle.index(name) :], name]
    return InvalidInput(
        f"The targets {' below '.join(map(repr, circle))} go round in a circle; leave out one parent.", field=name
    )

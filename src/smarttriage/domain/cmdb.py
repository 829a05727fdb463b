"""Services, configuration items (CIs) and what needs what: how far a failure reaches, and what stands behind it."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from smarttriage.domain.access import EVERYONE
from smarttriage.domain.errors import InvalidInput
from smarttriage.domain.item_names import is_host_pattern

# A walk over dependencies ends here, whatever the graph looks like; what was left out is said.
MAX_DEPTH = 8
MAX_REACHED = 500
# So many services at once are more than a team's trouble, though none of them is of high criticality.
MANY_SERVICES = 3


class ItemKind(StrEnum):
    """What an item is. Stable codes."""

    SERVICE = "service"
    CI = "ci"


class Criticality(StrEnum):
    """How much the business depends on an item. Stable codes, least first."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Item:
    """A service or a configuration item.

    Attributes:
        id: The customer's own, unique in the tenant.
        tenant: Owner.
        kind: A service that people use, or something that carries it.
        name: As people write it.
        created_at: When it was stored here, UTC.
        updated_at: When it last changed here, UTC.
        type: What sort of thing it is ("server", "database"), in the customer's words.
        aliases: Other names.
        host_patterns: Host names with `*` (any characters but a dot) and `#` (digits), for example "web-##".
        criticality: How much the business depends on it; None: not said.
        owner_group: The support group that looks after it.
        depends_on: Ids of what it cannot run without.
        retired: Whether it is gone; it is then no longer found in texts and carries nothing.
        audiences: Who inside the tenant may see it; empty means nobody.
        version: Counts changes from 1; the ETag.
    """

    id: str
    tenant: str
    kind: ItemKind
    name: str
    created_at: datetime
    updated_at: datetime
    type: str | None = None
    aliases: tuple[str, ...] = ()
    host_patterns: tuple[str, ...] = ()
    criticality: Criticality | None = None
    owner_group: str | None = None
    depends_on: tuple[str, ...] = ()
    retired: bool = False
    audiences: frozenset[str] = frozenset({EVERYONE})
    version: int = 1

    def __post_init__(self) -> None:
        """Raise InvalidInput naming the field that cannot be."""
        for name in ("id", "name"):
            if not getattr(self, name).strip():
                raise InvalidInput(f"{name} is empty; give the item one", field=name)
        if self.id in self.depends_on:
            raise InvalidInput(f'{self.id} depends on itself; leave it out of its own "depends_on"', field="depends_on")
        for pattern in self.host_patterns:
            if not is_host_pattern(pattern):
                raise InvalidInput(
                    f'host pattern "{pattern}": begin with at least 3 letters, digits, - or . before the first * or #, '
                    'for example "web-##" or "srv-db-*"',
                    field="host_patterns",
                )

    def says_the_same(self, other: "Item") -> bool:
        """Return whether the other one differs in nothing but when and how often it was written."""
        return all(getattr(self, name) == getattr(other, name) for name in _CONTENT)


_CONTENT = (
    "id",
    "tenant",
    "kind",
    "name",
    "type",
    "aliases",
    "host_patterns",
    "criticality",
    "owner_group",
    "depends_on",
    "retired",
    "audiences",
)


@dataclass(frozen=True, slots=True)
class ItemChange:
    """A change that was made to an item: what, and when.

    Attributes:
        id: The customer's own, unique in the tenant.
        tenant: Owner.
        item_id: What was changed.
        at: When, UTC.
        what: What was done, in one line.
    """

    id: str
    tenant: str
    item_id: str
    at: datetime
    what: str

    def __post_init__(self) -> None:
        """Raise InvalidInput naming the field that cannot be."""
        for name in ("id", "item_id", "what"):
            if not getattr(self, name).strip():
                raise InvalidInput(f"{name} is empty; give the change one", field=name)


@dataclass(frozen=True, slots=True)
class Reached:
    """An item on a walk: how many steps away, and over which item it was come to."""

    item: Item
    distance: int
    through: str


@dataclass(frozen=True, slots=True)
class Reach:
    """What a walk found, nearest first; `truncated` where a bound ended it."""

    items: tuple[Reached, ...] = ()
    truncated: bool = False

    @property
    def services(self) -> tuple[Item, ...]:
        """The services among them, the most critical first."""
        found = [each.item for each in self.items if each.item.kind is ItemKind.SERVICE]
        return tuple(sorted(found, key=lambda item: (-_rank(item.criticality), item.name)))


class Graph:
    """Items and their dependencies, both ways. Immutable; cycles are no harm to its walks."""

    def __init__(self, items: Iterable[Item]) -> None:
        self.items: Mapping[str, Item] = {item.id: item for item in items}
        needed_by: dict[str, list[str]] = {}
        for item in self.items.values():
            for needed in item.depends_on:
                needed_by.setdefault(needed, []).append(item.id)
        self._needed_by = needed_by

    def dependents(self, item_id: str, visible: Callable[[Item], bool]) -> Reach:
        """Return what fails with the item, directly or through others; nothing is walked through that is not visible."""
        return self._walk(item_id, lambda id_: self._needed_by.get(id_, ()), visible)

    def dependencies(self, item_id: str, visible: Callable[[Item], bool]) -> Reach:
        """Return what the item cannot run without, directly or through others."""
        return self._walk(item_id, lambda id_: self.items[id_].depends_on if id_ in self.items else (), visible)

    def _walk(self, start: str, steps: Callable[[str], Sequence[str]], visible: Callable[[Item], bool]) -> Reach:
        found: dict[str, Reached] = {}
        waiting: deque[tuple[str, int]] = deque([(start, 0)])
        truncated = False
        while waiting:
            here, distance = waiting.popleft()
            for id_ in steps(here):
                item = self.items.get(id_)
                if item is None or id_ in found or id_ == start or item.retired or not visible(item):
                    continue
                if distance == MAX_DEPTH or len(found) == MAX_REACHED:
                    truncated = True
                    break
                found[id_] = Reached(item, distance + 1, here)
                waiting.append((id_, distance + 1))
        return Reach(tuple(found.values()), truncated)


class Severity(StrEnum):
    """How much of the business a failure touches at least, by what it carries."""

    NOTHING_SAID = "nothing_said"
    SERIOUS = "serious"
    GREATEST = "greatest"


@dataclass(frozen=True, slots=True)
class Consequence:
    """What a failing item means, with the sentence that says why; the sentence is empty where nothing is said."""

    severity: Severity = Severity.NOTHING_SAID
    because: str = ""


def consequence(item: Item, reach: Reach) -> Consequence:
    """Return what it means that the item has failed: the most critical of what it is and carries decides.

    One critical service: the greatest. One of high criticality, or `MANY_SERVICES` services: serious.
    """
    carried = reach.services
    ranked = sorted((item, *carried), key=lambda each: -_rank(each.criticality))
    worst = ranked[0]
    if worst.criticality is Criticality.CRITICAL:
        severity = Severity.GREATEST
    elif worst.criticality is Criticality.HIGH or len(carried) >= MANY_SERVICES:
        severity = Severity.SERIOUS
    else:
        return Consequence()
    return Consequence(severity, _sentence(item, carried))


def _sentence(item: Item, carried: Sequence[Item]) -> str:
    own = f", {item.criticality}," if item.criticality in (Criticality.HIGH, Criticality.CRITICAL) else ""
    subject = f"{item.kind if item.kind is ItemKind.SERVICE else item.kind.upper()} {item.name}{own} has failed"
    if not carried:
        return f"{subject}."
    named = [f"{one.name} ({one.criticality})" if one.criticality else one.name for one in carried[:3]]
    more = f" and {len(carried) - 3} more" if len(carried) > 3 else ""
    return f"{subject}; it carries {len(carried)} service{'s' if len(carried) > 1 else ''}: {', '.join(named)}{more}."


def _rank(criticality: Criticality | None) -> int:
    return list(Criticality).index(criticality) if criticality else -1


@dataclass(frozen=True, slots=True)
class Mention:
    """An item that an incident is about.

    Attributes:
        item: Which.
        how: By which name it was found, or "given" where the platform named it.
        start: Where it stands in the model text; None where it was given.
        end: Where it ends there.
    """

    item: Item
    how: str
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class ItemFinding:
    """A mentioned item as a suggestion shows it.

    Attributes:
        id: Which.
        kind: Service or CI.
        name: Its name.
        how: By which name it was found, or "given".
        criticality: How much the business depends on it.
        owner_group: Who looks after it.
        services: Names of the services that it carries, the most critical first.
        n_services: How many these are.
        recent_changes: What was changed lately on it or on what it depends on, newest first.
    """

    id: str
    kind: str
    name: str
    how: str
    criticality: str | None = None
    owner_group: str | None = None
    services: tuple[str, ...] = ()
    n_services: int = 0
    recent_changes: tuple["RecentChange", ...] = field(default=())


@dataclass(frozen=True, slots=True)
class RecentChange:
    """A change near the time of an incident."""

    id: str
    item_id: str
    at: datetime
    what: str

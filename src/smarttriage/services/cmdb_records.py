"""Reading and writing the CMDB through the API, and which items keep failing."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from smarttriage.domain.access import Principal, Scope
from smarttriage.domain.cmdb import Item, ItemChange, ItemKind, Reach
from smarttriage.domain.errors import InvalidInput, NotFound, VersionMismatch
from smarttriage.domain.incident import Incident
from smarttriage.ports import Clock, IncidentFilter, Page, Records, Store
from smarttriage.services.cmdb import Directory, visible_to

_PAGE = 500
# ITIL's problem management asks for trends, not for a number; three in two different weeks is no single bad day.
RECURRING_INCIDENTS = 3
RECURRING_WEEKS = 2


@dataclass(frozen=True, slots=True)
class Impact:
    """What fails with an item, and what it cannot run without."""

    item: Item
    dependents: Reach
    dependencies: Reach


@dataclass(frozen=True, slots=True)
class ItemRecord:
    """How often an item was named in incidents.

    Attributes:
        item: Which.
        n_incidents: How many named it.
        n_open: How many of them are open.
        n_weeks: In how many different weeks they were reported.
        first_at: The first report.
        last_at: The last one.
        mean_between: From one to the next on average; None for a single one.
        n_after_change: How many came soon after a change to it.
        recurring: Whether it is a candidate for problem management.
        incident_ids: The latest of them, newest first.
    """

    item: Item
    n_incidents: int
    n_open: int
    n_weeks: int
    first_at: datetime
    last_at: datetime
    mean_between: timedelta | None
    n_after_change: int
    recurring: bool
    incident_ids: tuple[str, ...]


class CmdbService:
    """Items by the customer's ids. Relations to items that the caller may not see are neither shown nor lost."""

    def __init__(self, *, store: Store, clock: Clock, directory: Directory) -> None:
        self._store = store
        self._clock = clock
        self.directory = directory

    def item(self, principal: Principal, item_id: str) -> Item:
        """Return the item with the relations that the principal may see. Raises NotFound."""
        with self._store.begin() as records:
            return _shown(records, self._stored(records, principal, item_id), principal)

    def items(self, principal: Principal, *, kind: ItemKind | None, limit: int, cursor: str | None) -> Page:
        """Return a page of items, by id."""
        with self._store.begin() as records:
            page = records.items(principal, kind=kind, limit=limit, cursor=cursor)
            return Page([_shown(records, item, principal) for item in page.items], page.next_cursor)

    def put(self, principal: Principal, item: Item, *, version: int | None) -> tuple[Item, bool]:
        """Return the item as it is stored now, and whether it is new; what says the same is left as it is.

        Raises:
            NotFound: The id is taken by an item that the principal may not see.
            VersionMismatch: The stored version is another than `version`.
            InvalidInput: A relation to an item that is not there.
        """
        principal.require(Scope.REVIEW)
        with self._store.begin(write=True) as records:
            stored = records.items_by_id([item.id], principal.tenant).get(item.id)
            if stored is not None and not principal.sees(stored.tenant, stored.audiences):
                raise _missing(item.id)
            if version is not None and version != (stored.version if stored else 0):
                raise VersionMismatch(
                    f"item {item.id} is at version {stored.version if stored else 0}; read it again and repeat the change",
                    field="If-Match",
                )
            wanted = _related(records, item, stored, principal)
            if stored is not None:
                wanted = replace(wanted, version=stored.version + 1, created_at=stored.created_at)
                if wanted.says_the_same(stored):
                    return _shown(records, stored, principal), False
            records.put_items([wanted], key_id=principal.key_id)
            return _shown(records, wanted, principal), stored is None

    def impact(self, principal: Principal, item_id: str) -> Impact:
        """Return what depends on the item and what it depends on, both within bounds. Raises NotFound."""
        with self._store.begin() as records:
            item = _shown(records, self._stored(records, principal, item_id), principal)
        self.directory.renew(principal.tenant)
        graph, sees = self.directory.view(principal.tenant).graph, visible_to(principal)
        return Impact(item, graph.dependents(item_id, sees), graph.dependencies(item_id, sees))

    def put_change(self, principal: Principal, change: ItemChange) -> tuple[ItemChange, bool]:
        """Return the change and whether it is new or differs from what was there. Raises InvalidInput for an unknown item."""
        principal.require(Scope.WRITE)
        with self._store.begin(write=True) as records:
            if records.item(change.item_id, principal) is None:
                raise InvalidInput(
                    f'there is no item "{change.item_id}"; PUT /v1/cmdb/items/{change.item_id} stores one', field="item_id"
                )
            return change, records.put_item_changes([change], key_id=principal.key_id) == 1

    def changes(self, principal: Principal, item_id: str, *, limit: int) -> Sequence[ItemChange]:
        """Return the item's changes, newest first. Raises NotFound."""
        with self._store.begin() as records:
            self._stored(records, principal, item_id)
            return records.item_changes(principal.tenant, item_id=item_id, limit=limit)

    def failing(
        self, principal: Principal, *, reported_from: datetime | None, reported_before: datetime | None
    ) -> list[ItemRecord]:
        """Return the items that incidents name, the most often named first; incidents are read page by page."""
        view = self.directory.view(principal.tenant)
        of_item: defaultdict[str, list[Incident]] = defaultdict(list)
        if view.graph.items:
            where = IncidentFilter(reported_from=reported_from, reported_before=reported_before)
            for incident in self._incidents(principal, where):
                for id_ in view.items_of(incident, principal):
                    of_item[id_].append(incident)
        found = []
        for id_, incidents in of_item.items():
            n_after = sum(bool(view.changed(id_, before=incident.reported_at)) for incident in incidents)
            found.append(_record(view.graph.items[id_], incidents, n_after))
        return sorted(found, key=lambda record: (-record.n_incidents, record.item.id))

    def _incidents(self, principal: Principal, where: IncidentFilter) -> Iterator[Incident]:
        cursor: str | None = None
        while True:
            with self._store.begin() as records:
                page = records.incidents(principal, where, limit=_PAGE, cursor=cursor)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    @staticmethod
    def _stored(records: Records, principal: Principal, item_id: str) -> Item:
        item = records.item(item_id, principal)
        if item is None:
            raise _missing(item_id)
        return item


def _missing(item_id: str) -> NotFound:
    return NotFound(f"there is no item {item_id}; PUT /v1/cmdb/items/{{item_id}} stores one", field="item_id")


def _shown(records: Records, item: Item, principal: Principal) -> Item:
    """Return the item without relations to what the principal may not see."""
    needed = records.items_by_id(item.depends_on, principal.tenant) if item.depends_on else {}
    sees = visible_to(principal)
    return replace(item, depends_on=tuple(id_ for id_ in item.depends_on if id_ in needed and sees(needed[id_])))


def _related(records: Records, item: Item, stored: Item | None, principal: Principal) -> Item:
    """Return the item with the relations that it names and those that its author could not see."""
    before = stored.depends_on if stored else ()
    known, sees = records.items_by_id({*item.depends_on, *before}, principal.tenant), visible_to(principal)
    for id_ in item.depends_on:
        if id_ not in known or not sees(known[id_]):
            raise InvalidInput(f'there is no item "{id_}"; store it first, or leave it out of depends_on', field="depends_on")
    hidden = [id_ for id_ in before if id_ not in known or not sees(known[id_])]
    return replace(item, depends_on=tuple(sorted({*item.depends_on, *hidden})))


def _record(item: Item, incidents: Sequence[Incident], n_after_change: int) -> ItemRecord:
    latest = sorted(incidents, key=lambda incident: incident.reported_at, reverse=True)
    first_at, last_at, n = latest[-1].reported_at, latest[0].reported_at, len(latest)
    n_weeks = len({incident.reported_at.isocalendar()[:2] for incident in latest})
    return ItemRecord(
        item=item,
        n_incidents=n,
        n_open=sum(incident.is_open for incident in latest),
        n_weeks=n_weeks,
        first_at=first_at,
        last_at=last_at,
        mean_between=(last_at - first_at) / (n - 1) if n > 1 else None,
        n_after_change=n_after_change,
        recurring=n >= RECURRING_INCIDENTS and n_weeks >= RECURRING_WEEKS,
        incident_ids=tuple(incident.id for incident in latest[:10]),
    )

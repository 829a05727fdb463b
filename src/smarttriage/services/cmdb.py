"""The CMDB as processes read it: a tenant's graph and names in memory, renewed when the store has newer ones."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

from smarttriage.domain.access import Principal
from smarttriage.domain.cmdb import Graph, Item, ItemChange, Mention
from smarttriage.domain.incident import Incident
from smarttriage.domain.item_names import NO_WORDS, ItemNames, Named, NameWords
from smarttriage.ports import Store
from smarttriage.services.item_closure import ItemClosure

GIVEN = "given"
# A change by another process is seen after this long at the latest, as a change of the index is.
CHECK_S = 0.4
# Past incidents whose items are kept: what one suggestion reads of its neighbours is mostly what the one before read.
_REMEMBERED = 20_000
# A name that more items share than this says nothing of which one is meant.
MAX_NAMESAKES = 3
# Incidents that a change brings come within days: the longest of three days is what recent_changes shows.
RECENT = timedelta(days=3)


# Working out what stands around an item with 100 others costs a request 0.2 ms more than with none (benchmarks/cmdb.py).
HUB = 50
MAX_PREPARED = 50
# One of a hub that carries 500 services holds half a thousand ids.
MAX_CLOSURES = 2_000
# Item, tenant, audiences.
_Asked: TypeAlias = tuple[str, str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class CmdbView:
    """A tenant's CMDB at one moment.

    Attributes:
        seq: The store's counter that it was read at.
        graph: Items and dependencies.
        names: Finds them in texts.
        called: Folded id, name or alias -> ids, for what a platform names.
        changes: Item -> the changes made to it, newest first.
    """

    seq: int
    graph: Graph
    names: ItemNames
    called: Mapping[str, tuple[str, ...]]
    changes: Mapping[str, Sequence[ItemChange]]
    _seen: dict[tuple[str, int], frozenset[str]] = field(default_factory=dict)
    _closures: dict[_Asked, ItemClosure] = field(default_factory=dict)

    @classmethod
    def of(cls, items: Sequence[Item], changes: Sequence[ItemChange], *, seq: int, words: NameWords) -> "CmdbView":
        """Return the view of these records; retired items are known, but are found nowhere."""
        present = [item for item in items if not item.retired]
        called: defaultdict[str, list[str]] = defaultdict(list)
        by_item: defaultdict[str, list[ItemChange]] = defaultdict(list)
        for item in present:
            for name in dict.fromkeys(text.casefold().strip() for text in (item.id, item.name, *item.aliases)):
                called[name].append(item.id)
        for change in changes:
            by_item[change.item_id].append(change)
        named = [Named(item.id, (item.name, *item.aliases), item.host_patterns) for item in present]
        return cls(seq, Graph(items), ItemNames(named, words), {name: tuple(ids) for name, ids in called.items()}, by_item)

    def mentions(self, text: str, given: Sequence[str], principal: Principal) -> list[Mention]:
        """Return the items that the platform names or the text does, each once, that the principal may see."""
        if not self.graph.items:
            return []
        found: dict[str, Mention] = {}
        for name in given:
            for item in self._visible(self.called.get(name.casefold().strip(), ()), principal):
                found.setdefault(item.id, Mention(item, GIVEN))
        for match in self.names.find(text):
            for item in self._visible(match.ids, principal):
                found.setdefault(item.id, Mention(item, text[match.start : match.end], match.start, match.end))
        return list(found.values())

    def items_of(self, incident: Incident, principal: Principal) -> frozenset[str]:
        """Return the ids of the items that a stored incident is about, as far as the principal may see them."""
        key = (incident.id, incident.version)
        ids = self._seen.get(key)
        if ids is None:
            if len(self._seen) >= _REMEMBERED:
                self._seen.clear()
            names = (*incident.configuration_items, *incident.affected_services)
            called = [self.called.get(name.casefold().strip(), ()) for name in names]
            in_text = [match.ids for match in self.names.find(incident.text)]
            ids = self._seen[key] = frozenset(id_ for some in (*called, *in_text) for id_ in some if len(some) <= MAX_NAMESAKES)
        return frozenset(id_ for id_ in ids if self.sees(principal, id_))

    def closure(self, item_id: str, principal: Principal) -> ItemClosure:
        """Return what stands around an item, as far as the principal may see it; worked out once for each audience."""
        return self._closure((item_id, principal.tenant, principal.audiences))

    def prepare(self, before: "CmdbView") -> None:
        """Work out the closures of the hubs that were asked for in the view that this one replaces."""
        # The list is made at one stroke: requests add to it meanwhile.
        asked = [asked for asked, closure in list(before._closures.items()) if closure.size >= HUB]
        for each in asked[-MAX_PREPARED:]:
            if each[0] in self.graph.items:
                self._closure(each)

    def _closure(self, asked: _Asked) -> ItemClosure:
        found = self._closures.get(asked)
        if found is None:
            if len(self._closures) >= MAX_CLOSURES:
                self._closures.clear()
            item_id, tenant, audiences = asked
            found = self._closures[asked] = ItemClosure.of(
                self.graph.items[item_id],
                self.graph,
                visible=lambda item: item.tenant == tenant and not audiences.isdisjoint(item.audiences),
                changed=self.changes.keys(),
            )
        return found

    def changed(self, item_id: str, *, before: datetime) -> list[ItemChange]:
        """Return the changes to the item in the `RECENT` time before an instant, newest first."""
        return [change for change in self.changes.get(item_id, ()) if before - RECENT <= change.at <= before]

    def sees(self, principal: Principal, item_id: str) -> bool:
        """Return whether there is such an item for the principal."""
        item = self.graph.items.get(item_id)
        return item is not None and principal.sees(item.tenant, item.audiences)

    def _visible(self, ids: Sequence[str], principal: Principal) -> list[Item]:
        visible = [self.graph.items[id_] for id_ in ids if self.sees(principal, id_)]
        return visible if len(visible) <= MAX_NAMESAKES else []


NO_CMDB = CmdbView.of((), (), seq=0, words=NO_WORDS)


def visible_to(principal: Principal) -> Callable[[Item], bool]:
    """Return what tells the items that the principal may see."""
    return lambda item: principal.sees(item.tenant, item.audiences)


class Directory:
    """Holds each tenant's view. A view that has become old is served while the next one is made in the background.

    `run` starts a piece of work somewhere else; tests run it at once.
    """

    def __init__(
        self,
        *,
        store: Store,
        words: NameWords = NO_WORDS,
        check_s: float = CHECK_S,
        run: Callable[[Callable[[], None]], None] | None = None,
    ) -> None:
        self._store = store
        self._words = words
        self._check_s = check_s
        self._run = run or _in_background
        self._views: dict[str, CmdbView] = {}
        self._checked: dict[str, float] = {}
        self._turn = threading.Lock()

    def view(self, tenant: str) -> CmdbView:
        """Return the tenant's view, at most `check_s` and the making of it behind the store."""
        present, now = self._views.get(tenant), time.monotonic()
        if present is None:
            return self._renewed(tenant)
        if now - self._checked.get(tenant, 0.0) >= self._check_s:
            self._checked[tenant] = now
            self._run(lambda: self.renew(tenant))
            present = self._views[tenant]
        return present

    def renew(self, tenant: str) -> None:
        """Read the tenant's CMDB anew if it has changed."""
        with self._turn:
            self._renewed(tenant)

    def _renewed(self, tenant: str) -> CmdbView:
        present = self._views.get(tenant)
        with self._store.begin() as records:
            seq = records.cmdb_seq(tenant)
            if present is not None and present.seq == seq:
                return present
            items, changes = records.all_items(tenant), records.item_changes(tenant)
        made = CmdbView.of(items, changes, seq=seq, words=self._words)
        if present is not None:
            made.prepare(present)
        self._views[tenant] = made
        self._checked[tenant] = time.monotonic()
        return made


def _in_background(work: Callable[[], None]) -> None:
    threading.Thread(target=work, name="cmdb-view", daemon=True).start()

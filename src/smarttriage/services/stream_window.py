"""The latest reports of one stream with their vectors: one product tells how near a new one is to each of them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from smarttriage.domain.access import Principal
from smarttriage.domain.cmdb import Item, ItemKind
from smarttriage.domain.incident import Incident
from smarttriage.domain.streams import ClusterKind
from smarttriage.ports import Vectors
from smarttriage.services.landscape import NOWHERE, Landscape, visible_to

# Four weeks at 2,000 incidents a week (kpi_servicenow has 1,900); one look at so many costs about a millisecond and 12 MB.
CAPACITY = 8_192
# Custom labels that name where somebody is.
_SITES = ("site", "location")
# A place that so many reports name (the network that everything needs) tells nothing of what they have in common.
_COMMON = 0.25
_FEW = 40
# Which dependencies count as the same trouble: the machine below a service, the storage below the machine.
NEAR = 2


@dataclass(frozen=True, slots=True)
class Report:
    """What the detector reads of an incident.

    Attributes:
        places: Services, CIs, what these need to run, and sites, each with what it is in front.
    """

    id: str
    tenant: str
    audiences: frozenset[str]
    at: datetime
    title: str
    reporter: str | None = None
    services: frozenset[str] = frozenset()
    places: frozenset[str] = frozenset()
    priority: str | None = None
    category: str | None = None
    kind: str | None = None
    is_open: bool = True

    @classmethod
    def of(cls, incident: Incident, cmdb: Landscape = NOWHERE) -> "Report":
        """Return what the detector reads of the incident; the CMDB finds items in its text, and what they need to run."""
        services, labels = frozenset(incident.affected_services), incident.labels
        places = {called(item) for item in items_of(incident, cmdb, _stream(incident), near=NEAR)}
        places |= {f"service {name}" for name in services} | {f"CI {name}" for name in incident.configuration_items}
        places |= {f"site {labels.custom[name]}" for name in _SITES if name in labels.custom}
        return cls(
            incident.id,
            incident.tenant,
            incident.audiences,
            incident.reported_at,
            incident.heading,
            incident.reporter,
            services,
            frozenset(places),
            incident.priority,
            labels.category,
            labels.kind,
            incident.is_open,
        )


def items_of(incident: Incident, cmdb: Landscape, principal: Principal, *, near: int = 0) -> list[Item]:
    """Return the items that the incident is about as far as the principal may see them, and what they need, so many steps away."""
    found = {id_: cmdb.graph.items[id_] for id_ in sorted(cmdb.items_of(incident, principal))} if cmdb.graph.items else {}
    for id_ in list(found) if near else ():
        reach = cmdb.graph.dependencies(id_, visible_to(principal))
        found.update((each.item.id, each.item) for each in reach.items if each.distance <= near)
    return list(found.values())


def _stream(incident: Incident) -> Principal:
    return Principal("detector", incident.tenant, incident.audiences)


def called(item: Item) -> str:
    """Return the item's name with what it is in front."""
    return f"{'service' if item.kind is ItemKind.SERVICE else 'CI'} {item.name}"


@dataclass(frozen=True, slots=True)
class Usual:
    """What the time before a report says about it.

    Attributes:
        level: The cosine from which another says the same as it.
        share: The part of the reports before that did.
    """

    level: float
    share: float


@dataclass(slots=True)
class Entry:
    """A report in the window, the cluster of each kind that it is in, and what was usual when it came, once that was asked."""

    report: Report
    clusters: dict[ClusterKind, str] = field(default_factory=dict)
    usual: Usual | None = None


class Window:
    """Reports and vectors side by side, unordered; the oldest quarter goes when it is full."""

    def __init__(self, dim: int, capacity: int = CAPACITY) -> None:
        self._vectors = np.zeros((capacity, dim), dtype=np.float32)
        self._at = np.zeros(capacity)
        self._places: dict[str, int] = {}
        self._named: Counter[str] = Counter()
        self.entries: list[Entry] = []

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def at(self) -> NDArray[np.float64]:
        """Return the (n,) instants of the reports in seconds."""
        return self._at[: len(self.entries)]

    def nearness(self, vector: Vectors) -> NDArray[np.float32]:
        """Return the (n,) cosines."""
        return np.asarray(self._vectors[: len(self.entries)] @ vector, dtype=np.float32)

    def vector(self, place: int) -> Vectors:
        """Return the (dim,) vector of a report."""
        found: Vectors = self._vectors[place]
        return found

    def shared(self, one: Report, other: Report) -> list[str]:
        """Return the places that both name and not everybody does."""
        most = max(_FEW, _COMMON * len(self.entries))
        return sorted(place for place in one.places & other.places if self._named[place] <= most)

    def find(self, incident_id: str) -> int | None:
        """Return the report's place."""
        return self._places.get(incident_id)

    def put(self, entry: Entry, vector: Vectors) -> int:
        """Add the report; return its place."""
        self.make_room()
        place = len(self.entries)
        self.entries.append(entry)
        self._vectors[place], self._at[place] = vector, entry.report.at.timestamp()
        self._places[entry.report.id] = place
        self._named.update(entry.report.places)
        return place

    def remove(self, incident_id: str) -> None:
        """Forget a report."""
        self._keep(place for place, entry in enumerate(self.entries) if entry.report.id != incident_id)

    def make_room(self) -> None:
        """Forget the oldest quarter if the window is full; places change then."""
        if len(self.entries) < len(self._vectors):
            return
        order = np.argsort(self.at, kind="stable")
        self._keep(sorted(order[len(order) // 4 or 1 :].tolist()))

    def _keep(self, places: Iterable[int]) -> None:
        kept = list(places)
        self._vectors[: len(kept)], self._at[: len(kept)] = self._vectors[kept], self._at[kept]
        self.entries = [self.entries[place] for place in kept]
        self._places = {entry.report.id: place for place, entry in enumerate(self.entries)}
        self._named = Counter(name for entry in self.entries for name in entry.report.places)

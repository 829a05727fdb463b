"""What speaks for a cluster: who reports, since when, which services, CIs and sites, and what was changed there before."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from smarttriage.domain.access import Principal
from smarttriage.domain.cmdb import Item
from smarttriage.domain.incident import Incident
from smarttriage.domain.streams import Cluster
from smarttriage.domain.text import telling_words
from smarttriage.ports import IncidentFilter, Records
from smarttriage.services.landscape import NOWHERE, Landscape, visible_to
from smarttriage.services.stream_window import NEAR, Report, called, items_of

# How long before the first report work counts as what may have caused it: a working day and the night before it.
BEFORE = timedelta(hours=24)
_N_READ = 200
_N_WORDS = 8
_N_NAMED = 20
# A word is the cluster's if so many of its reports have it.
_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Named:
    """A name and how many reports have it."""

    name: str
    n: int


@dataclass(frozen=True, slots=True)
class PriorWork:
    """Something done to the same service, CI or site, or to what these need, shortly before the first report.

    Attributes:
        kind: "change" of the CMDB, or "incident": a request, or one that was resolved.
        id: Which.
        title: What was done or asked for.
        at: When.
        shared: What both name.
    """

    kind: str
    id: str
    title: str
    at: datetime
    shared: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClusterEvidence:
    """Counted over the present members that the principal may see.

    Attributes:
        since: The first report.
        last_at: The last report.
        n_reports: Reports.
        n_open: Those still open.
        reporters: Who reports, most often first.
        places: Services, CIs and sites, most often first.
        priorities: Priorities, most often first.
        carried: Services that run on what they name, the most critical first.
        words: What most of them say.
        changed: What was done there before.
    """

    since: datetime
    last_at: datetime
    n_reports: int
    n_open: int
    reporters: tuple[Named, ...]
    places: tuple[Named, ...]
    priorities: tuple[Named, ...]
    carried: tuple[str, ...]
    words: tuple[str, ...]
    changed: tuple[PriorWork, ...]


def evidence_of(
    records: Records, principal: Principal, cluster: Cluster, members: Sequence[Incident], cmdb: Landscape = NOWHERE
) -> ClusterEvidence:
    """Return the evidence of the members as far as the principal may see it."""
    at = sorted(one.reported_at for one in members) or [cluster.began_at]
    places = Counter(place for one in members for place in _places(one, cmdb, principal, near=0))
    items = {item.id: item for one in members for item in items_of(one, cmdb, principal, near=NEAR)}
    changed = [*_changes(cmdb, items, at[0]), *_prior_work(records, principal, at[0], members, cmdb)]
    return ClusterEvidence(
        since=at[0],
        last_at=at[-1],
        n_reports=len(members),
        n_open=sum(one.is_open for one in members),
        reporters=_counted(one.reporter for one in members),
        places=_named(places),
        priorities=_counted(one.priority for one in members),
        carried=_carried(cmdb, principal, members),
        words=_words(members),
        changed=tuple(sorted(changed, key=lambda each: (each.at, each.id), reverse=True)[:_N_NAMED]),
    )


def _places(incident: Incident, cmdb: Landscape, principal: Principal, *, near: int) -> frozenset[str]:
    return Report.of(incident).places | {called(item) for item in items_of(incident, cmdb, principal, near=near)}


def _carried(cmdb: Landscape, principal: Principal, members: Sequence[Incident]) -> tuple[str, ...]:
    """Return the services on what at least half of the reports name."""
    named = Counter(item.id for one in members for item in items_of(one, cmdb, principal))
    found: dict[str, None] = {}
    for id_, n in named.most_common(_N_NAMED):
        if n >= _SHARE * len(members):
            found |= dict.fromkeys(item.name for item in cmdb.graph.dependents(id_, visible_to(principal)).services)
    return tuple(found)[:_N_NAMED]


def _changes(cmdb: Landscape, items: Mapping[str, Item], since: datetime) -> list[PriorWork]:
    return [
        PriorWork("change", change.id, change.what, change.at, (called(item),))
        for item in items.values()
        for change in cmdb.changed(item.id, before=since)
    ]


def _words(members: Sequence[Incident]) -> tuple[str, ...]:
    having = Counter(word for one in members for word in dict.fromkeys(word.lower() for word in telling_words(one.text)))
    return tuple(word for word, n in having.most_common() if n >= max(2, _SHARE * len(members)))[:_N_WORDS]


def _prior_work(
    records: Records, principal: Principal, since: datetime, members: Sequence[Incident], cmdb: Landscape
) -> list[PriorWork]:
    places = frozenset(place for one in members for place in _places(one, cmdb, principal, near=NEAR))
    if not places:
        return []
    before, ids = IncidentFilter(reported_from=since - BEFORE, reported_before=since), {one.id for one in members}
    found = []
    for one in records.incidents(principal, before, limit=_N_READ, cursor=None).items:
        shared = places & _places(one, cmdb, principal, near=0)
        ended = one.resolution is not None and one.resolution.resolved_at <= since
        if shared and one.id not in ids and (ended or one.labels.kind == "request"):
            at = one.resolution.resolved_at if one.resolution is not None and ended else one.reported_at
            found.append(PriorWork("incident", one.id, one.heading, at, tuple(sorted(shared))))
    return found


def _counted(names: Iterable[str | None]) -> tuple[Named, ...]:
    return _named(Counter(name for name in names if name))


def _named(counted: Counter[str]) -> tuple[Named, ...]:
    return tuple(Named(name, n) for name, n in sorted(counted.items(), key=lambda each: (-each[1], each[0]))[:_N_NAMED])

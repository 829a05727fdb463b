"""Whether an arriving incident belongs to others: text similarity x time x service, CI and site, one report at a time."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from smarttriage.domain.stream_rules import Facts, StreamPolicy, StreamRule
from smarttriage.domain.streams import ClusterKind, ProposalKind, cluster_id
from smarttriage.domain.surprise import surprise
from smarttriage.ports import Vectors
from smarttriage.services.stream_window import CAPACITY, Entry, Report, Usual, Window

# A report joins the cluster whose nearest members are near it on average: one odd member must not pull in the rest of the desk.
N_NEAREST = 3
# How many reports before are like this one is never known to be none: half a report more (Jeffreys' prior of a rate).
_PRIOR = 0.5
# Fewer reports before than this do not tell what is rare; then only the cosine counts.
_LEAST_HISTORY = 300
# Seconds: a burst of a few seconds must not make a rate out of nothing.
_SHORTEST_BURST = 600.0
_WEEK = 7 * 86_400.0
STORM_KINDS = (ProposalKind.EMERGING, ProposalKind.MAJOR)


@dataclass(frozen=True, slots=True)
class Join:
    """The report belongs to a cluster.

    Attributes:
        cluster_id: Which.
        kind: Of which kind.
        founded: Whether the cluster begins with this report.
        incident_ids: Who comes in: the report, and those with which it founds the cluster.
        first: The earliest report among them.
        score: How near it is, 0..1.
        because: Why, in words.
        facts: What rules were asked of.
        rule: The rule that fits now and has not said so of this cluster before.
    """

    cluster_id: str
    kind: ClusterKind
    founded: bool
    incident_ids: tuple[str, ...]
    first: Report
    score: float
    because: str
    facts: Facts
    rule: StreamRule | None


class StreamDetector:
    """The windows of all streams; a stream is what the same keys of one tenant may see. Not thread-safe.

    The same reports in the same order give the same clusters under the same ids.
    """

    def __init__(self, *, policy: StreamPolicy, dim: int, capacity: int = CAPACITY) -> None:
        self._policy = policy
        self._dim = dim
        self._capacity = capacity
        self._windows: dict[tuple[str, frozenset[str]], Window] = {}
        self._closed: set[str] = set()
        self._said: defaultdict[str, set[ProposalKind]] = defaultdict(set)

    def knows(self, incident_id: str) -> bool:
        """Return whether the report is in a window."""
        return self._holding(incident_id) is not None

    def close(self, cluster: str) -> None:
        """Let the cluster take in nothing more."""
        self._closed.add(cluster)

    def said(self, cluster: str, kind: ProposalKind) -> None:
        """Take note that this was proposed of the cluster already."""
        self._said[cluster].add(kind)

    def remember(self, report: Report, vector: Vectors, clusters: Mapping[ClusterKind, str]) -> None:
        """Put a report of the past into its window as the store knows it."""
        self._window(report).put(Entry(report, dict(clusters)), vector)

    def update(self, report: Report) -> bool:
        """Take note of what an incident has become; return False if others may see it now, which ends its memberships."""
        window = self._holding(report.id)
        place = window.find(report.id) if window is not None else None
        if window is None or place is None:
            return True
        entry = window.entries[place]
        if (entry.report.tenant, entry.report.audiences) != (report.tenant, report.audiences):
            vector = window.vector(place).copy()
            window.remove(report.id)
            self._window(report).put(Entry(report), vector)
            return False
        entry.report = replace(report, at=entry.report.at)
        return True

    def arrive(self, report: Report, vector: Vectors) -> list[Join]:
        """Return what the report belongs to, and keep it in its window; `vector` is (dim,)."""
        window = self._window(report)
        window.make_room()
        look = _Look(Entry(report), window.nearness(vector), np.abs(report.at.timestamp() - window.at))
        window.put(look.entry, vector)
        found = [self._duplicate(window, look), self._storm(window, look)] if report.is_open else []
        return [join for join in (*found, self._recurring(window, look)) if join is not None]

    def _window(self, report: Report) -> Window:
        stream = (report.tenant, report.audiences)
        if stream not in self._windows:
            self._windows[stream] = Window(self._dim, self._capacity)
        return self._windows[stream]

    def _holding(self, incident_id: str) -> Window | None:
        return next((window for window in self._windows.values() if window.find(incident_id) is not None), None)

    # storms

    def _storm(self, window: Window, look: "_Look") -> Join | None:
        linking, entry = self._policy.linking, look.entry
        if entry.report.kind in linking.not_kinds:
            return None
        entry.usual = self._usual(window, entry, look.near)
        above: defaultdict[tuple[str, str], list[tuple[float, int]]] = defaultdict(list)
        for place in look.places(linking.floor - linking.shared_place, linking.gap):
            other = window.entries[place]
            cluster = other.clusters.get(ClusterKind.STORM)
            if other.report.is_open and other.report.kind not in linking.not_kinds and cluster not in self._closed:
                shared = linking.shared_place if window.shared(other.report, entry.report) else 0.0
                level = (entry.usual.level + self._usual_of(window, place).level) / 2
                above[cluster or "", "" if cluster else other.report.id].append((float(look.near[place]) + shared - level, place))
        best, key = max(((_mean([margin for margin, _ in each]), key) for key, each in above.items()), default=(-1.0, ("", "")))
        if best < 0.0:
            return None
        place = max(above[key])[1]
        joined = _joined(entry, ClusterKind.STORM, key[0] or None, [window.entries[place]])
        facts, score = self._storm_facts(window, entry, joined.cluster), float(look.near[place])
        nearest = window.entries[place].report
        because = _why_storm(nearest, entry.report, window.shared(nearest, entry.report), score)
        return self._said_of(joined, score, because, facts, STORM_KINDS)

    def _storm_facts(self, window: Window, entry: Entry, cluster: str) -> Facts:
        now, burst = entry.report.at.timestamp(), self._policy.linking.burst.total_seconds()
        lately = np.flatnonzero((window.at > now - burst) & (window.at <= now)).tolist()
        members = [place for place in lately if window.entries[place].clusters.get(ClusterKind.STORM) == cluster]
        reports = [window.entries[place].report for place in members]
        first = min(float(window.at[place]) for place in members)
        began = min(first, now - _SHORTEST_BURST)
        n_others = sum(1 for place in lately if window.at[place] >= began) - len(members)
        usual = (n_others + 1) * sum(self._usual_of(window, place).share for place in members) / len(members)
        # The first report cannot surprise: whatever it says, something had to be said first.
        return _facts(reports, surprise(len(members) - 1, usual), usual)

    def _usual_of(self, window: Window, place: int) -> Usual:
        entry = window.entries[place]
        if entry.usual is None:
            entry.usual = self._usual(window, entry, window.nearness(window.vector(place)))
        return entry.usual

    def _usual(self, window: Window, entry: Entry, near: NDArray[np.float32]) -> Usual:
        """Return from which cosine on another says the same, and how many of those before did; `near` is to them all."""
        linking, at = self._policy.linking, entry.report.at.timestamp()
        then = window.at[: len(near)]
        earlier = then < at - linking.gap.total_seconds()
        before = near[earlier & (then >= at - linking.history.total_seconds())]
        if len(before) < _LEAST_HISTORY:  # a young installation: what is older tells more of what is rare than nothing
            before = near[earlier]
        level = linking.cosine
        if linking.rarity > 0 and len(before) >= _LEAST_HISTORY:
            nth = len(before) - max(1, int(linking.rarity * len(before)))
            level = min(level, max(linking.floor, float(np.partition(before, nth)[nth])))
        return Usual(level, (int(np.count_nonzero(before >= level)) + _PRIOR) / (len(before) + 1))

    # duplicates of an open incident

    def _duplicate(self, window: Window, look: "_Look") -> Join | None:
        for rule in self._policy.of_kind(ProposalKind.DUPLICATE):
            within = rule.within or self._policy.linking.gap
            for place in sorted(look.places(rule.least["cosine"], within), key=lambda each: (-look.near[each], each)):
                other = window.entries[place]
                cluster = other.clusters.get(ClusterKind.DUPLICATES)
                if other.report.is_open and cluster not in self._closed:
                    return self._duplicate_of(look.entry, other, cluster, float(look.near[place]))
        return None

    def _duplicate_of(self, entry: Entry, other: Entry, cluster: str | None, cosine: float) -> Join | None:
        facts = replace(_facts([other.report, entry.report]), cosine=cosine)
        if self._policy.decide((ProposalKind.DUPLICATE,), facts) is None:
            return None
        joined = _joined(entry, ClusterKind.DUPLICATES, cluster, [other])
        because = f"says what the open incident {other.report.id} says (cosine {cosine:.2f})"
        return self._said_of(joined, cosine, because, facts, (ProposalKind.DUPLICATE,))

    # problems that come again

    def _recurring(self, window: Window, look: "_Look") -> Join | None:
        for rule in self._policy.of_kind(ProposalKind.RECURRING):
            if look.entry.report.kind in rule.not_kinds:
                continue
            places = look.places(rule.least["cosine"], self._policy.linking.history)
            alike = [place for place in places if self._may_recur(window.entries[place], rule)]
            if alike and (join := self._recurring_of(window, look, alike)) is not None:
                return join
        return None

    def _may_recur(self, entry: Entry, rule: StreamRule) -> bool:
        return entry.report.kind not in rule.not_kinds and entry.clusters.get(ClusterKind.RECURRING) not in self._closed

    def _recurring_of(self, window: Window, look: "_Look", alike: list[int]) -> Join | None:
        others = [window.entries[place] for place in alike]
        score = _mean([float(look.near[place]) for place in alike])
        facts = _recurring_facts([*others, look.entry], score)
        known = Counter(one.clusters[ClusterKind.RECURRING] for one in others if ClusterKind.RECURRING in one.clusters)
        cluster = min(known, key=lambda one: (-known[one], one)) if len(alike) >= N_NEAREST and known else None
        if cluster is None and (known or self._policy.decide((ProposalKind.RECURRING,), facts) is None):
            return None
        joined = _joined(look.entry, ClusterKind.RECURRING, cluster, others)
        because = f"the like of it came {facts.n_reports - 1} times before, in {facts.n_weeks} weeks with this one ({score:.2f})"
        return self._said_of(joined, score, because, facts, (ProposalKind.RECURRING,))

    def _said_of(self, joined: "_Joined", score: float, because: str, facts: Facts, kinds: tuple[ProposalKind, ...]) -> Join:
        rule, said = self._policy.decide(kinds, facts), self._said[joined.cluster]
        if rule is not None and (rule.kind in said or ProposalKind.MAJOR in said):
            rule = None
        if rule is not None:
            said.add(rule.kind)
        return Join(
            joined.cluster, joined.kind, joined.founded, joined.coming, joined.first, round(score, 4), because, facts, rule
        )


@dataclass(frozen=True, slots=True)
class _Look:
    """A new report beside those that stood in the window before: how near, and how many seconds apart."""

    entry: Entry
    near: NDArray[np.float32]
    apart: NDArray[np.float64]

    def places(self, cosine: float, within: timedelta) -> list[int]:
        """Return those near enough in text and time."""
        found: list[int] = np.flatnonzero((self.near >= cosine) & (self.apart <= within.total_seconds())).tolist()
        return found


@dataclass(frozen=True, slots=True)
class _Joined:
    cluster: str
    kind: ClusterKind
    founded: bool
    coming: tuple[str, ...]
    first: Report


def _joined(entry: Entry, kind: ClusterKind, cluster: str | None, others: list[Entry]) -> _Joined:
    """Put the report into the cluster, or found one with the others where there is none."""
    if cluster is not None:
        entry.clusters[kind] = cluster
        return _Joined(cluster, kind, False, (entry.report.id,), entry.report)
    founded = cluster_id(entry.report.tenant, kind, entry.report.id)
    coming = [*others, entry]
    for one in coming:
        one.clusters[kind] = founded
    first = min((one.report for one in coming), key=lambda report: (report.at, report.id))
    return _Joined(founded, kind, True, tuple(one.report.id for one in coming), first)


def _facts(reports: list[Report], unusual: float = 0.0, usual: float = 0.0) -> Facts:
    return Facts(
        n_reports=len(reports),
        n_reporters=len({one.reporter or f"\x1f{one.id}" for one in reports}),
        n_services=len({name for one in reports for name in one.services}),
        surprise=unusual,
        usual=usual,
        priorities=frozenset(one.priority for one in reports if one.priority),
        categories=frozenset(one.category for one in reports if one.category),
        kinds=frozenset(one.kind for one in reports if one.kind),
    )


def _recurring_facts(entries: list[Entry], score: float) -> Facts:
    """Return the facts of a problem: a storm is one event, however many report it."""
    events = {entry.clusters.get(ClusterKind.STORM, entry.report.id) for entry in entries}
    weeks = {int(entry.report.at.timestamp() // _WEEK) for entry in entries}
    return replace(_facts([entry.report for entry in entries]), n_reports=len(events), n_weeks=len(weeks), cosine=score)


def _mean(scores: list[float]) -> float:
    best = sorted(scores, reverse=True)[:N_NEAREST]
    return sum(best) / len(best)


def _why_storm(other: Report, report: Report, shared: list[str], score: float) -> str:
    minutes = abs((report.at - other.at).total_seconds()) / 60
    also = f", both name {', '.join(shared)}" if shared else ""
    return f"reported {minutes:.0f} minutes from {other.id} in like words ({score:.2f}){also}"

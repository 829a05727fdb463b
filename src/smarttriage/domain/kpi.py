"""The desk's key figures, from what the record says of each incident; no figure names or ranks a person."""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from smarttriage.domain.interval import clopper_pearson

# Below this a share says more about single incidents than about the desk: it is shown as a count, without a percentage.
SMALL_GROUP = 5
_SECONDS_PER_HOUR = 3600
_MEDIAN, _P90 = 0.5, 0.9


@dataclass(frozen=True, slots=True)
class IncidentFacts:
    """What the key figures need to know of one incident; None is unknown and counts in no share. Who worked on it is not asked.

    Attributes:
        id: The incident.
        opened_at: When the desk was told, UTC.
        detected_at: When monitoring or the reporter noticed, UTC.
        resolved_at: When it was resolved for the last time, UTC; None while it is open.
        priority: As the desk wrote it.
        category: What it is.
        group: The support group that has it.
        problem: What makes two incidents the same problem: the article that solved them.
        known_problem: The recurring problem that it was recognised as one of, whether an article solved it or not.
        n_reopened: How often it was reopened.
        n_reassigned: How often it went to another group.
        due_at: When its target falls due, UTC; the business calendar is in it already.
        met_sla: Whether it kept its target.
        used_article: Whether an article was used.
        reopened_soon: Whether it was reopened within the recurrence window after a resolution.
        had_suggestion: Whether the service had suggested something for it before it was resolved.
    """

    id: str
    opened_at: datetime
    detected_at: datetime | None = None
    resolved_at: datetime | None = None
    priority: str | None = None
    category: str | None = None
    group: str | None = None
    problem: str | None = None
    known_problem: str | None = None
    n_reopened: int | None = None
    n_reassigned: int | None = None
    due_at: datetime | None = None
    met_sla: bool | None = None
    used_article: bool | None = None
    reopened_soon: bool | None = None
    had_suggestion: bool | None = None

    @property
    def hours_to_resolve(self) -> float | None:
        """Hours from report to resolution, round the clock; None while it is open."""
        return None if self.resolved_at is None else _hours(self.resolved_at - self.opened_at)

    @property
    def problems(self) -> tuple[tuple[str, str], ...]:
        """What it is one of, each with how that is known; an article and a recognised problem may have the same name."""
        named = (("article", self.problem), ("recognised", self.known_problem))
        return tuple((how, name) for how, name in named if name is not None)

    @property
    def first_contact(self) -> bool | None:
        """Whether the group that had it first resolved it for good: neither reassigned nor reopened; None where that is not known."""
        if self.n_reopened is None or self.n_reassigned is None:
            return None
        return not self.n_reopened and not self.n_reassigned

    @property
    def hours_to_detect(self) -> float | None:
        """Hours from what was noticed to the report; None where nobody wrote down when it was noticed."""
        return None if self.detected_at is None else _hours(self.opened_at - self.detected_at)


class Grouping(StrEnum):
    """What figures are split by. There is no splitting by person."""

    PRIORITY = "priority"
    CATEGORY = "category"
    GROUP = "group"


@dataclass(frozen=True, slots=True)
class Share:
    """`n_yes` of the `n` incidents of which it is known; the 95 % interval is exact (Clopper-Pearson)."""

    n_yes: int
    n: int

    @property
    def is_small(self) -> bool:
        """Whether there are too few incidents for a percentage."""
        return self.n < SMALL_GROUP

    @property
    def value(self) -> float | None:
        """The share, None of nothing."""
        return self.n_yes / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float]:
        """Where the share lies, 0..1."""
        return clopper_pearson(self.n_yes, self.n)


@dataclass(frozen=True, slots=True)
class Durations:
    """How long something took, in hours; None where nothing was measured. Negative ones are counted and left out."""

    n: int
    n_negative: int
    mean: float | None
    median: float | None
    p90: float | None


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """The figures of one priority, category or group."""

    name: str
    n: int
    time_to_resolve: Durations
    met_sla: Share


@dataclass(frozen=True, slots=True)
class Backlog:
    """Incidents that are open at an instant, and how long they have been."""

    n: int
    age: Durations


@dataclass(frozen=True, slots=True)
class Kpis:
    """Every key figure of a set of incidents.

    Attributes:
        n: Incidents.
        n_resolved: Those that are resolved.
        time_to_detect: From noticed to reported (MTTD).
        time_to_resolve: From reported to resolved, round the clock (MTTR).
        met_sla: Of all whose SLA is known, open ones too.
        met_sla_resolved: Of the resolved ones.
        reopened: Reopened at least once.
        reassigned: Went to another group at least once.
        first_contact: Neither reassigned nor reopened: resolved by the group that had it first.
        used_article: Solved with an article.
        reopened_soon: Reopened within the recurrence window; of incidents that have had the time to be.
        recurred: Same problem reported again within the recurrence window after it was resolved.
        backlog: Open at the end of the record.
        groups: The figures split, largest first.
        opened_by_month: "2026-01" -> incidents.
    """

    n: int
    n_resolved: int
    time_to_detect: Durations
    time_to_resolve: Durations
    met_sla: Share
    met_sla_resolved: Share
    reopened: Share
    reassigned: Share
    first_contact: Share
    used_article: Share
    reopened_soon: Share
    recurred: Share
    backlog: Backlog
    groups: dict[Grouping, tuple[GroupFigures, ...]]
    opened_by_month: dict[str, int]


# ITIL practice looks 30 days ahead; the mission's recurrence goal names the same window.
RECURRENCE_WINDOW = timedelta(days=30)


def kpis(incidents: Sequence[IncidentFacts], *, now: datetime) -> Kpis:
    """Return the key figures of the incidents as they stood at `now` (for the age of the backlog)."""
    resolved = [one for one in incidents if one.resolved_at is not None]
    waiting = [one for one in incidents if one.resolved_at is None]
    return Kpis(
        n=len(incidents),
        n_resolved=len(resolved),
        time_to_detect=durations(one.hours_to_detect for one in incidents),
        time_to_resolve=durations(one.hours_to_resolve for one in resolved),
        met_sla=share(incidents, lambda one: one.met_sla),
        met_sla_resolved=share(resolved, lambda one: one.met_sla),
        reopened=share(incidents, _was_reopened),
        reassigned=share(incidents, _was_reassigned),
        first_contact=share(incidents, lambda one: one.first_contact),
        used_article=share(incidents, lambda one: one.used_article),
        reopened_soon=share(incidents, lambda one: one.reopened_soon),
        recurred=recurrence(resolved, incidents, until=now),
        backlog=Backlog(len(waiting), durations(_hours(now - one.opened_at) for one in waiting)),
        groups={by: _groups(incidents, by) for by in Grouping},
        opened_by_month=dict(sorted(Counter(f"{one.opened_at:%Y-%m}" for one in incidents).items())),
    )


def share(incidents: Iterable[IncidentFacts], of: Callable[[IncidentFacts], bool | None]) -> Share:
    """Return of how many incidents it is true, among those of which it is known."""
    known = [answer for answer in map(of, incidents) if answer is not None]
    return Share(sum(known), len(known))


def durations(hours: Iterable[float | None]) -> Durations:
    """Return the summary of the durations that are known; quantiles interpolate linearly (R's type 7, as pandas does)."""
    known = [value for value in hours if value is not None]
    ordered = sorted(value for value in known if value >= 0)
    if not ordered:
        return Durations(0, len(known), None, None, None)
    mean = math.fsum(ordered) / len(ordered)
    return Durations(len(ordered), len(known) - len(ordered), mean, quantile(ordered, _MEDIAN), quantile(ordered, _P90))


def quantile(ordered: Sequence[float], share_below: float) -> float:
    """Return the quantile of values in order, linearly interpolated.

    R. J. Hyndman and Y. Fan, "Sample quantiles in statistical packages", The American Statistician 50 (1996), 361-365, type 7.
    """
    place = (len(ordered) - 1) * share_below
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def recurrence(resolved: Sequence[IncidentFacts], incidents: Sequence[IncidentFacts], *, until: datetime) -> Share:
    """Return how many resolved incidents came again: the same problem was reported within the window after the resolution.

    A problem is the article that solved it or the recurring problem that it was recognised as one of. An incident counts only where
    one of them is known and the whole window lies before `until`; a younger one has not yet had the time to come again and would
    flatter the figure.
    """
    reports: dict[tuple[str, str], list[datetime]] = {}
    for one in incidents:
        for problem in one.problems:
            reports.setdefault(problem, []).append(one.opened_at)
    for instants in reports.values():
        instants.sort()

    def came_again(one: IncidentFacts) -> bool | None:
        if not one.problems or one.resolved_at is None or one.resolved_at + RECURRENCE_WINDOW > until:
            return None
        return any(_any_within(reports[problem], one.resolved_at) for problem in one.problems)

    return share(resolved, came_again)


def _any_within(instants: Sequence[datetime], after: datetime) -> bool:
    """Return whether one of the instants, in order, lies behind another by no more than the window."""
    place = bisect_right(instants, after)
    return place < len(instants) and instants[place] <= after + RECURRENCE_WINDOW


def _groups(incidents: Sequence[IncidentFacts], by: Grouping) -> tuple[GroupFigures, ...]:
    members: dict[str, list[IncidentFacts]] = {}
    for one in incidents:
        name = getattr(one, by.value)
        if name is not None:
            members.setdefault(name, []).append(one)
    figures = [_figures(name, own) for name, own in members.items()]
    return tuple(sorted(figures, key=lambda one: (-one.n, one.name)))


def _figures(name: str, own: Sequence[IncidentFacts]) -> GroupFigures:
    resolved = [one for one in own if one.resolved_at is not None]
    times = durations(one.hours_to_resolve for one in resolved)
    return GroupFigures(name, len(own), times, share(resolved, lambda one: one.met_sla))


def _was_reopened(one: IncidentFacts) -> bool | None:
    return None if one.n_reopened is None else one.n_reopened > 0


def _was_reassigned(one: IncidentFacts) -> bool | None:
    return None if one.n_reassigned is None else one.n_reassigned > 0


def _hours(span: timedelta) -> float:
    return span.total_seconds() / _SECONDS_PER_HOUR

"""What single figures do not show: days unlike others, how the mix moves, which targets were missed, what an article saved."""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median

from smarttriage.domain.kpi import IncidentFacts, quantile

# Weeks whose same weekday says what a day usually brings; fewer than three say nothing.
_WEEKS_BACK, _WEEKS_NEEDED = 8, 3
# Three standard deviations; 1.4826 makes the median absolute deviation one of a normal distribution (Rousseeuw and Croux, 1993).
_DEVIATIONS, _MAD_TO_SD = 3.0, 1.4826
_WEEK = timedelta(days=7)
_NORMAL_95 = 1.96
_SECONDS_PER_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Breach:
    """An incident that missed its target; `hours_late` is None where the record says so without naming the deadline."""

    id: str
    priority: str | None
    category: str | None
    group: str | None
    opened_at: datetime
    due_at: datetime | None
    resolved_at: datetime | None
    hours_late: float | None


@dataclass(frozen=True, slots=True)
class UnusualDay:
    """A day that brought far more or far fewer incidents than the same weekday in the weeks before."""

    day: date
    n: int
    usual: float
    limit: float


@dataclass(frozen=True, slots=True)
class MonthOfCategory:
    """How many incidents of a category a month brought, and which share of the month's they are."""

    category: str
    month: str
    n: int
    share: float


@dataclass(frozen=True, slots=True)
class Saved:
    """Hours that an article saved: incidents solved with one beside matched ones without.

    Attributes:
        n_pairs: Pairs of the same priority, category and group, nearest in time of report.
        n_unmatched: Incidents with an article for which there was no partner.
        median_hours: Half of the pairs saved more, half less; None of no pair.
        low: Lower end of the 95 % interval.
        high: Upper end.
    """

    n_pairs: int
    n_unmatched: int
    median_hours: float | None
    low: float | None
    high: float | None


def breaches(incidents: Sequence[IncidentFacts], *, now: datetime) -> list[Breach]:
    """Return every incident that missed its target, newest first."""
    missed = sorted((one for one in incidents if one.met_sla is False), key=lambda one: (one.opened_at, one.id), reverse=True)
    return [
        Breach(one.id, one.priority, one.category, one.group, one.opened_at, one.due_at, one.resolved_at, _late(one, now))
        for one in missed
    ]


def _late(one: IncidentFacts, now: datetime) -> float | None:
    if one.due_at is None:
        return None
    return max(0.0, ((one.resolved_at or now) - one.due_at).total_seconds() / _SECONDS_PER_HOUR)


def unusual_days(incidents: Sequence[IncidentFacts]) -> list[UnusualDay]:
    """Return the days whose volume lies beyond three robust standard deviations of the same weekday before, in order.

    The deviation is never taken for less than a Poisson count's own, so that a quiet weekday does not alarm at two tickets.
    Days are UTC days; the first and the last one may be cut off by the export and are not judged.
    """
    counts = Counter(one.opened_at.date() for one in incidents)
    if not counts:
        return []
    first, last = min(counts), max(counts)
    days = [first + timedelta(days=offset) for offset in range(1, (last - first).days)]
    return [found for day in days if (found := _unusual(day, counts, first)) is not None]


def _unusual(day: date, counts: Counter[date], first: date) -> UnusualDay | None:
    earlier = [day - _WEEK * weeks for weeks in range(1, _WEEKS_BACK + 1)]
    before = [counts[one] for one in earlier if one > first]
    if len(before) < _WEEKS_NEEDED:
        return None
    usual = float(median(before))
    spread = _MAD_TO_SD * median(abs(n - usual) for n in before)
    limit = _DEVIATIONS * max(spread, math.sqrt(usual), 1.0)
    return UnusualDay(day, counts[day], usual, limit) if abs(counts[day] - usual) > limit else None


def category_mix(incidents: Sequence[IncidentFacts], *, n_largest: int = 10) -> list[MonthOfCategory]:
    """Return the largest categories month by month, largest category first."""
    known = [(one.category, f"{one.opened_at:%Y-%m}") for one in incidents if one.category is not None]
    by_month = Counter(month for _, month in known)
    counts = Counter(known)
    largest = sorted(Counter(category for category, _ in known).items(), key=lambda one: (-one[1], one[0]))[:n_largest]
    return [
        MonthOfCategory(category, month, counts[category, month], counts[category, month] / n)
        for category, _ in largest
        for month, n in sorted(by_month.items())
    ]


def saved_by_articles(incidents: Sequence[IncidentFacts]) -> Saved:
    """Return how much sooner incidents with an article were resolved than matched ones without.

    Each incident with an article is paired with the one without that was reported nearest in time, of the same priority,
    category and group, none used twice. The median difference carries the interval of the sign test (order statistics), which
    supposes nothing of how durations are distributed. It shows an association: who finds an article may have had the easier
    incident.
    """
    groups: dict[tuple[str | None, ...], tuple[list[IncidentFacts], list[IncidentFacts]]] = {}
    for one in sorted(incidents, key=lambda one: (one.opened_at, one.id)):
        if one.used_article is not None and one.hours_to_resolve is not None and one.hours_to_resolve >= 0:
            pair = groups.setdefault((one.priority, one.category, one.group), ([], []))
            pair[0 if one.used_article else 1].append(one)
    differences = sorted(value for helped, alone in groups.values() for value in _differences(helped, alone))
    n_helped = sum(len(helped) for helped, _ in groups.values())
    n = len(differences)
    if not n:
        return Saved(0, n_helped, None, None, None)
    low, high = _median_interval(differences)
    return Saved(n, n_helped - n, quantile(differences, 0.5), low, high)


def _differences(helped: Sequence[IncidentFacts], alone: Sequence[IncidentFacts]) -> list[float]:
    pairs = matched_pairs(helped, alone)
    return [(partner.hours_to_resolve or 0.0) - (one.hours_to_resolve or 0.0) for one, partner in pairs]


def matched_pairs(helped: Sequence[IncidentFacts], alone: Sequence[IncidentFacts]) -> list[tuple[IncidentFacts, IncidentFacts]]:
    """Return each of `helped` with the one of `alone` that was reported nearest in time, none used twice; both come in that order."""
    free = list(alone)
    opened = [one.opened_at for one in free]
    found = []
    for one in helped:
        if not free:
            break
        place = _nearest(opened, one.opened_at)
        partner = free.pop(place)
        opened.pop(place)
        found.append((one, partner))
    return found


def _nearest(opened: Sequence[datetime], at: datetime) -> int:
    place = bisect_left(opened, at)
    near = [one for one in (place - 1, place) if 0 <= one < len(opened)]
    return min(near, key=lambda one: abs(opened[one] - at))


def _median_interval(ordered: Sequence[float]) -> tuple[float, float] | tuple[None, None]:
    """Return the 95 % interval of the median by order statistics, normal approximation; none of fewer than six.

    W. J. Conover, "Practical Nonparametric Statistics", 3rd ed., 1999, section 3.2.
    """
    n = len(ordered)
    reach = _NORMAL_95 * math.sqrt(n) / 2
    first, last = math.floor(n / 2 - reach), math.ceil(n / 2 + reach)
    return (ordered[first - 1], ordered[last]) if first >= 1 and last < n else (None, None)

"""Key figures as they go over the wire. No figure names a person."""

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from smarttriage.api.answer_schemas import Out
from smarttriage.api.schemas import Body, Instant


class InsightQuery(Body):
    """Which incidents count; default: all that the key may see."""

    reported_from: Instant | None = None
    reported_before: Instant | None = None


class KpiShareOut(Out):
    """So many of those of which it is known, with the exact (Clopper-Pearson) 95 % interval."""

    n: int
    n_yes: int
    value: float | None
    low: float
    high: float


class DurationsOut(Out):
    """Hours, round the clock."""

    n: int
    n_negative: int = Field(description="Ends before it begins; left out of the other figures.")
    mean: float | None
    median: float | None
    p90: float | None


class GroupOut(Out):
    """One priority, category or support group."""

    name: str
    n: int
    time_to_resolve: DurationsOut
    met_sla: KpiShareOut


class BacklogOut(Out):
    """What is open, and for how long."""

    n: int
    age: DurationsOut


class FiguresOut(Out):
    """Every key figure; null and n = 0 where the record does not tell."""

    n: int
    n_resolved: int
    time_to_detect: DurationsOut
    time_to_resolve: DurationsOut
    met_sla: KpiShareOut
    met_sla_resolved: KpiShareOut
    reopened: KpiShareOut
    reassigned: KpiShareOut
    first_contact: KpiShareOut
    used_article: KpiShareOut
    reopened_soon: KpiShareOut = Field(description="Reopened within 30 days, of those that have had the time to be.")
    recurred: KpiShareOut
    backlog: BacklogOut
    groups: dict[str, list[GroupOut]]
    opened_by_month: dict[str, int]


class GoalOut(Out):
    """A figure beside its target."""

    name: str
    unit: Literal["hours", "share"]
    target: str
    value: float | None
    n: int
    standing: Literal["met", "missed", "unknown"]


class SavedOut(Out):
    """Hours saved with an article, against matched incidents without one: an association, no proof."""

    n_pairs: int
    n_unmatched: int
    median_hours: float | None
    low: float | None
    high: float | None


class EstimateOut(Out):
    """A figure with its 95 % interval, by bootstrap over the pairs."""

    value: float
    low: float
    high: float


class SuggestionEffectOut(Out):
    """Incidents that had a suggestion before they were resolved, against matched ones without: an association, no proof."""

    n_with: int
    n_without: int
    n_pairs: int = Field(description="Of the same category, priority, group and month of report, nearest in time.")
    min_pairs: int = Field(description="With fewer pairs nothing is said: null.")
    saved_hours: EstimateOut | None = Field(description="Median of the hours saved; negative: resolved later.")
    n_deflection_pairs: int
    deflected: EstimateOut | None = Field(description="Share that was resolved at first contact, less that of the partners.")


class KpisOut(Out):
    """The key figures of the incidents that the key may see."""

    now: datetime
    goals: list[GoalOut]
    figures: FiguresOut
    saved: SavedOut
    suggestions: SuggestionEffectOut


class BreachOut(Out):
    """An incident that missed its target."""

    id: str
    priority: str | None
    category: str | None
    group: str | None
    opened_at: datetime
    due_at: datetime | None
    resolved_at: datetime | None
    hours_late: float | None


class BreachesOut(Out):
    """Missed targets, newest first; `n` counts those that the limit leaves out too."""

    now: datetime
    n: int
    items: list[BreachOut]


class UnusualDayOut(Out):
    """A day far from the same weekday in the weeks before."""

    day: date
    n: int
    usual: float
    limit: float


class MonthOfCategoryOut(Out):
    """A category's part of a month."""

    category: str
    month: str
    n: int
    share: float


class TrendsOut(Out):
    """How volume and mix move."""

    now: datetime
    opened_by_month: dict[str, int]
    category_mix: list[MonthOfCategoryOut]
    unusual_days: list[UnusualDayOut]

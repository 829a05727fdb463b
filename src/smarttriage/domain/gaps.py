"""What the knowledge base lacks: topics of incidents that no article helped with, and which few of them cost most of the time."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from smarttriage.domain.incident import Incident
from smarttriage.domain.outcome import FAILURES, ArticleOutcome, OutcomeKind

# The line of the Pareto chart: the few topics that make up this share of the cost (J. M. Juran, Quality Control Handbook, 1951).
VITAL_SHARE = 0.8


class Helped(StrEnum):
    """Whether articles helped with an incident. Stable codes."""

    NO_ARTICLE = "no_article"
    ONLY_FAILED = "only_failed"
    WORKED = "worked"
    NOT_SAID = "not_said"


@dataclass(frozen=True, slots=True)
class SampledIncident:
    """One incident of a topic's sample."""

    id: str
    title: str


@dataclass(frozen=True, slots=True)
class Gap:
    """A topic that no article helps with.

    Attributes:
        id: The same for the same incidents.
        words: What its incidents have in common.
        category: Their most frequent category, None if none says one.
        n: How many incidents.
        n_only_failed: How many of them had an article, which failed.
        median_hours: Handling time, report to resolution; the topic's own median, else that of all incidents.
        cost: n x median_hours.
        share: Of the cost of all topics.
        cumulative: Share of this topic and all before it.
        vital: Whether it belongs to the few that make up 80 % of the cost.
        first_at: When the first was reported, UTC.
        last_at: When the last was reported, UTC.
        sample: Incidents that show the topic: the most typical one, then those least like the ones before.
        incident_ids: All of them.
        found_now: The article that the most typical one would find today, None if none.
    """

    id: str
    words: tuple[str, ...]
    category: str | None
    n: int
    n_only_failed: int
    median_hours: float | None
    cost: float
    share: float
    cumulative: float
    vital: bool
    first_at: datetime
    last_at: datetime
    sample: tuple[SampledIncident, ...]
    incident_ids: tuple[str, ...]
    found_now: str | None


def helped(incident: Incident, shown: Sequence[str] | None, said: Iterable[ArticleOutcome]) -> Helped:
    """Return whether articles helped, by what was said of them for that incident; `shown` None: nobody asked for a suggestion."""
    outcomes = list(said)
    used = incident.resolution.article_id if incident.resolution else None
    failed = {each.article_id for each in outcomes if each.kind in FAILURES}
    worked = {each.article_id for each in outcomes if each.kind is OutcomeKind.WORKED} | ({used} if used else set())
    if worked - failed:
        return Helped.WORKED
    if failed:
        return Helped.ONLY_FAILED
    return Helped.NO_ARTICLE if shown is not None and not shown else Helped.NOT_SAID


def pareto(costs: Sequence[float]) -> list[tuple[float, float, bool]]:
    """Return for each cost, largest first, its share, the cumulative share, and whether it is one of the vital few."""
    total, so_far, rows = sum(costs), 0.0, []
    for cost in costs:
        share = cost / total if total else 0.0
        rows.append((share, so_far + share, so_far < VITAL_SHARE))
        so_far += share
    return rows


def digest_of(ids: Iterable[str]) -> str:
    """Return a short name of a set of records, the same in whatever order."""
    return hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()[:16]

"""What is found for a text: articles that may fix it, incidents that are like it, and what is going on."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from smarttriage.domain.streams import ProposalKind


class SearchCollection(StrEnum):
    """What is searched. Stable codes."""

    ARTICLES = "articles"
    INCIDENTS = "incidents"


@dataclass(frozen=True, slots=True)
class Worth:
    """What those who tried an article said of it when it was suggested.

    Attributes:
        worked: People for whom it worked at last.
        failed: People for whom it failed at last.
        usefulness: Expected share of trials in which it works, 0..1.
        low: Lower end of the 90 % credible interval.
        high: Upper end.
        confirmed_at: When it last worked, UTC; None: never.
        contradicted: Whether, after it had failed, an incident was resolved without it.
        expired: Whether its last day of validity is over.
        needs_review: Whether it failed so often that somebody must look at it.
    """

    worked: int
    failed: int
    usefulness: float
    low: float
    high: float
    confirmed_at: datetime | None
    contradicted: bool
    expired: bool
    needs_review: bool


@dataclass(frozen=True, slots=True)
class ArticleMatch:
    """An article that may fix it, with its best passage and why it was found.

    Attributes:
        id: The article.
        title: Its title.
        score: Fused score, 0..1.
        passage: Its best passage.
        why: Why it was found.
        worth: Where anything is known of what became of it.
        chance: How likely it is right, 0..1, if half of all questions have no right article; only for the best by the text.
        relevant: Whether a suggestion would show it; always true in one.
    """

    id: str
    title: str
    score: float
    passage: str
    why: str
    worth: Worth | None = None
    chance: float | None = None
    relevant: bool = True


class Relation(StrEnum):
    """How an open incident may be more than alike. Stable codes."""

    POSSIBLE_DUPLICATE = "possible_duplicate"
    SAME_OUTAGE = "same_outage"


@dataclass(frozen=True, slots=True)
class IncidentMatch:
    """A similar incident, open or resolved, which stands for all that say nearly the same.

    Attributes:
        id: Which one.
        title: Its heading.
        status: Where it stands.
        score: Fused score, 0..1.
        resolution: What ended it; None while unresolved.
        relation: What open ones among those it stands for may be to the incident asked about; None where nothing says so.
        related_ids: Those open ones, nearest first.
        n_alike: How many others that say nearly the same it stands for.
        resolved_with: The article that its resolution used.
        shared: Items of the CMDB and changes to them that it has in common with the incident asked about, in words.
        relevant: Whether a suggestion would show it; always true in one.
    """

    id: str
    title: str
    status: str
    score: float
    resolution: str | None
    relation: Relation | None = None
    related_ids: tuple[str, ...] = ()
    n_alike: int = 0
    resolved_with: str | None = None
    shared: tuple[str, ...] = ()
    relevant: bool = True


@dataclass(frozen=True, slots=True)
class OngoingMatch:
    """An open major incident or known problem that the text may be part of; it goes before any similar incident.

    Attributes:
        cluster_id: Its cluster.
        kind: Major incident or recurring problem.
        title: That of its first report.
        since: When that came.
        n_reports: How many there are.
        score: Cosine to the mean of its reports.
    """

    cluster_id: str
    kind: ProposalKind
    title: str
    since: datetime
    n_reports: int
    score: float

"""How useful an article has proved, how sure that is, and what follows from it for its place."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime

from smarttriage.domain.beta import beta_cdf, beta_quantile
from smarttriage.domain.outcome import FAILURES, ArticleOutcome, OutcomeKind

# The prior of a share of which nothing is known: H. Jeffreys, "An invariant form for the prior probability in estimation problems",
# Proc. R. Soc. Lond. A 186 (1946), 453-461; recommended for small n by Brown, Cai and DasGupta, Statistical Science 16 (2001).
PRIOR = 0.5
# An article that fails more often than it works costs more than it gives.
EVEN = 0.5
# The interval holds 90 %: an article is moved where it is 95 % sure that it fails more often than it works, and sent to review where
# that is 99 % sure.
TAIL, SURE = 0.05, 0.99
# A word counts this much less for each later word of another person, so that an article that stopped working is noticed although it
# worked for years. Chosen on train queries by benchmarks/evidence.py.
FADING = 0.85


@dataclass(frozen=True, slots=True)
class ArticleEvidence:
    """What people who tried an article say of it, each one's last word once.

    Attributes:
        worked: People for whom it worked at last.
        failed: People for whom it failed at last, or whose incident came back.
        usefulness: Expected share of trials in which it works, 0..1.
        low: Lower end of the 90 % credible interval.
        high: Upper end.
        doubt: Probability that it fails more often than it works.
        n_contradicted: Incidents that a resolution without it ended after it had failed.
        confirmed_at: When it last worked, UTC; None: never. Being shown or read confirms nothing.
    """

    worked: int
    failed: int
    usefulness: float
    low: float
    high: float
    doubt: float
    n_contradicted: int = 0
    confirmed_at: datetime | None = None

    @property
    def needs_review(self) -> bool:
        """Whether it has failed often enough for somebody to look at it."""
        return self.doubt >= SURE

    @property
    def weight(self) -> float:
        """What its score is multiplied with: 1 until it is sure that it fails more often than it works, then what it is worth."""
        return self.usefulness / EVEN if self.high < EVEN else 1.0

    @property
    def said(self) -> str:
        """The same in words, empty where nobody has tried it."""
        tried = self.worked + self.failed
        return f"worked for {self.worked} of {tried} who tried" if tried else ""


def evidence_of(outcomes: Iterable[ArticleOutcome]) -> ArticleEvidence:
    """Return what the outcomes of one article, oldest first, say: of each person the last word counts, newer ones more."""
    last: dict[str, ArticleOutcome] = {}
    contradicting: set[str] = set()
    confirmed_at: datetime | None = None
    for outcome in outcomes:
        if outcome.kind is OutcomeKind.CONTRADICTED:
            contradicting.add(outcome.incident_id or outcome.id)
        elif outcome.kind is OutcomeKind.WORKED or outcome.kind in FAILURES:
            last.pop(outcome.person, None)
            last[outcome.person] = outcome
            if outcome.kind is OutcomeKind.WORKED:
                confirmed_at = outcome.created_at
    works = [outcome.kind is OutcomeKind.WORKED for outcome in last.values()]
    return replace(judged(works), n_contradicted=len(contradicting), confirmed_at=confirmed_at)


def judged(works: list[bool], fading: float = FADING) -> ArticleEvidence:
    """Return the evidence of one word per person, oldest first."""
    yes = no = 0.0
    for worked in works:
        yes, no = yes * fading + worked, no * fading + (not worked)
    a, b = round(PRIOR + yes, 3), round(PRIOR + no, 3)
    return ArticleEvidence(
        worked=sum(works),
        failed=len(works) - sum(works),
        usefulness=a / (a + b),
        low=beta_quantile(TAIL, a, b),
        high=beta_quantile(1 - TAIL, a, b),
        doubt=beta_cdf(EVEN, a, b),
    )


NOTHING = judged([])
# An article that must be looked at again gives way to one that is as near; the step is the least that the interval takes below even.
EXPIRED_WEIGHT = judged([False] * 3).high / EVEN


def is_expired(valid_until: date | None, today: date) -> bool:
    """Return whether an article may no longer be trusted unseen."""
    return valid_until is not None and valid_until < today

"""Evidence beside the search: what those who tried an article say moves it, as far as that is sure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date

from smarttriage.domain.article_evidence import EXPIRED_WEIGHT, NOTHING, ArticleEvidence, evidence_of, is_expired
from smarttriage.domain.matches import Worth
from smarttriage.ports import Records
from smarttriage.services.catalogue import ArticleEntry
from smarttriage.services.retrieval import SearchResult

# How many results are ranked anew, so that there is another to take the place of one that fails.
N_WEIGHED = 10


def read_evidence(records: Records, ids: Collection[str] | None = None) -> dict[str, ArticleEvidence]:
    """Return article id -> its evidence, of all or of `ids`; an article of which nothing is said is left out."""
    said = records.outcomes(ids) if ids is None or ids else {}
    return {article_id: evidence_of(outcomes) for article_id, outcomes in said.items() if outcomes}


def weighed(results: Sequence[SearchResult], entries: Mapping[str, ArticleEntry], k: int, *, today: date) -> list[SearchResult]:
    """Return the k best, each score multiplied with the article's weight; those that need a review come last.

    While nothing is known of any, they are as they were.
    """
    moved = [
        result if (weight := _weight(entries[result.id], today)) == 1.0 else replace(result, score=result.score * weight)
        for result in results
    ]
    moved.sort(key=lambda result: (entries[result.id].evidence.needs_review, -result.score))
    return moved[:k]


def worth(entry: ArticleEntry, *, today: date) -> Worth | None:
    """Return what is shown of an article's evidence, None where nobody has tried it and it is valid."""
    said, expired = entry.evidence, is_expired(entry.valid_until, today)
    if said is NOTHING and not expired:
        return None
    return Worth(
        worked=said.worked,
        failed=said.failed,
        usefulness=round(said.usefulness, 4),
        low=round(said.low, 4),
        high=round(said.high, 4),
        confirmed_at=said.confirmed_at,
        contradicted=said.n_contradicted > 0,
        expired=expired,
        needs_review=said.needs_review,
    )


def _weight(entry: ArticleEntry, today: date) -> float:
    weight = entry.evidence.weight
    return weight * EXPIRED_WEIGHT if is_expired(entry.valid_until, today) else weight

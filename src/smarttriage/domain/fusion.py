"""One ranking out of two: dense (cosine) and lexical (BM25) hits over the same records."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, Protocol

# Cormack, Clarke, Buettcher: Reciprocal rank fusion outperforms Condorcet and individual rank learning methods, SIGIR 2009.
RRF_K = 60

Scored = Sequence[tuple[str, float]]
NO_HANDICAPS: Mapping[str, float] = MappingProxyType({})


class Owners(Protocol):
    """Whose a part is; a dictionary is one."""

    def get(self, part: str, default: str, /) -> str:
        """Return the record of a part, `default` for one that is its own record."""
        ...


class Candidate(NamedTuple):
    """A record that at least one side found; the side that did not find it says None."""

    id: str
    dense: float | None
    lexical: float | None
    score: float


def reciprocal_rank(dense: Scored, lexical: Scored, *, k: int = RRF_K) -> list[Candidate]:
    """Return the union by the sum of 1 / (k + rank), best first, ties by id."""
    scores: dict[str, float] = {}
    for ranking in (dense, lexical):
        for rank, (record, _) in enumerate(ranking, 1):
            scores[record] = scores.get(record, 0.0) + 1 / (k + rank)
    return _ordered(scores, dict(dense), dict(lexical))


def convex(
    dense: Scored,
    lexical: Scored,
    *,
    dense_weight: float,
    dense_least: float = 0.0,
    lexical_least: float = 0.0,
    handicaps: Mapping[str, float] = NO_HANDICAPS,
    at_most: int | None = None,
) -> list[Candidate]:
    """Return the union by `dense_weight` x cosine + (1 - dense_weight) x BM25 scaled to 0..1, best first, ties by id.

    The cosine is taken as it is (0 where negative): it has a scale of its own, so a query whose hits stand apart in meaning is
    decided by meaning and one whose hits are all alike by words. BM25 has no scale; its best becomes 1, `lexical_least` 0.
    Bruch, Gai, Ingber: An analysis of fusion functions for hybrid retrieval, ACM TOIS 42 (2023), sections 3 and 4.

    Args:
        dense: (record, cosine), best first.
        lexical: (record, BM25), best first.
        dense_weight: Share of the cosine, 0..1.
        dense_least: Cosine given to what only the lexical side found: the least of a cut list, as nothing behind has more.
        lexical_least: BM25 that becomes 0: the least of a cut list, 0 for a complete one.
        handicaps: Record -> what is taken from its score; 0 for one that is not named. No score falls below 0.
        at_most: How many of the best are wanted; None: all.
    """
    near, worded = dict(dense), dict(lexical)
    span = max(worded.values(), default=0.0) - lexical_least
    scores = {record: dense_weight * max(0.0, cosine) for record, cosine in near.items()}
    unfound, rest = dense_weight * max(0.0, dense_least), 1 - dense_weight
    for record, bm25 in worded.items():
        words = min(1.0, max(0.0, bm25 - lexical_least) / span) if span > 0 else 1.0
        scores[record] = scores.get(record, unfound) + rest * words
    for record in handicaps.keys() & scores.keys():
        scores[record] = max(0.0, scores[record] - handicaps[record])
    return _ordered(scores, near, worded, at_most)


def best_of_each(hits: Scored, owner: Owners) -> tuple[list[tuple[str, float]], dict[str, str]]:
    """Return (record, score of its best part), best first, and record -> that part; the first of equal parts stands.

    A part that `owner` does not name is a record of its own.
    """
    best: dict[str, float] = {}
    parts: dict[str, str] = {}
    for part, score in hits:
        record = owner.get(part, part)
        if record not in best or score > best[record]:
            best[record], parts[record] = score, part
    return sorted(best.items(), key=lambda item: (-item[1], item[0])), parts


def _ordered(
    scores: Mapping[str, float], dense: Mapping[str, float], lexical: Mapping[str, float], at_most: int | None = None
) -> list[Candidate]:
    # Plain pairs are sorted without a call of Python for each.
    order = sorted([(-score, record) for record, score in scores.items()])[:at_most]
    return [Candidate(record, dense.get(record), lexical.get(record), scores[record]) for _, record in order]

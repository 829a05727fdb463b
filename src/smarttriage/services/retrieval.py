"""Hybrid search over one collection: dense and lexical candidates, one ranking, and a floor below which nothing is said."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np

from smarttriage.domain.fusion import Candidate, best_of_each, convex
from smarttriage.ports import Hit, LexicalSearcher, Vectors, VectorSearcher

# Candidates from each side; deeper ones change nDCG@10 by less than 0.002 (benchmarks/retrieval.py).
DEPTH = 100
# Share of the cosine in the fused score, the rest being BM25 over the query's best BM25. One value for every collection, chosen
# on the train queries of kb_msoffice, runbooks_alerts and gitbugs_duplicates (benchmarks/retrieval.py).
DENSE_WEIGHT = 0.9
# A cosine below this is no suggestion (benchmarks/retrieval.py: queries whose article was taken away, against those that have one).
RELEVANCE_FLOOR = 0.5


@dataclass(frozen=True, slots=True)
class FusionSettings:
    """How a collection is searched.

    Attributes:
        dense_weight: Share of the cosine in the fused score, 0..1.
        floor: Least cosine of a result; what only shares words has none and stays out unless the floor is 0.
        depth: Candidates from each side.
    """

    dense_weight: float = DENSE_WEIGHT
    floor: float = RELEVANCE_FLOOR
    depth: int = DEPTH


@dataclass(frozen=True, slots=True)
class SearchResult:
    """One found record.

    Attributes:
        id: The record, for passages their article.
        score: Fused score, 0..1.
        dense: Cosine; None if only the lexical side found it.
        lexical: BM25; None if only the dense side found it.
        part: The best part (passage) of the record; the record itself where it has no parts.
    """

    id: str
    score: float
    dense: float | None
    lexical: float | None
    part: str


@dataclass(frozen=True, slots=True)
class HybridSearch:
    """A fixed state of one collection. Immutable; safe to search from many threads.

    Attributes:
        vectors: Dense side.
        texts: Lexical side, over the same ids.
        owners: Part id -> record id where records are indexed by parts; a part that is not named is its own record.
        settings: Fusion and floor.
    """

    vectors: VectorSearcher
    texts: LexicalSearcher
    owners: Mapping[str, str] = field(default_factory=dict)
    settings: FusionSettings = FusionSettings()

    def search(self, text: str, vector: Vectors, k: int, *, allowed: Collection[str]) -> list[SearchResult]:
        """Return at most k visible records at or above the floor, best first, ties by id. `vector` is (dim,)."""
        depth = max(k, self.settings.depth)
        dense = self.vectors.search(np.ascontiguousarray(vector[None]), depth, allowed=allowed)[0]
        lexical = self.texts.search([text], depth, allowed=allowed)[0]
        near, dense_parts = self._records(dense)
        worded, lexical_parts = self._records(lexical)
        fused = convex(near, worded, dense_weight=self.settings.dense_weight)
        kept = [candidate for candidate in fused if (candidate.dense or 0.0) >= self.settings.floor][:k]
        return [_result(candidate, dense_parts.get(candidate.id) or lexical_parts[candidate.id]) for candidate in kept]

    def _records(self, hits: list[Hit]) -> tuple[list[tuple[str, float]], dict[str, str]]:
        scored = [(hit.id, hit.score) for hit in hits]
        return best_of_each(scored, {part: self.owners.get(part, part) for part, _ in scored})


def _result(candidate: Candidate, part: str) -> SearchResult:
    return SearchResult(candidate.id, candidate.score, candidate.dense, candidate.lexical, part)

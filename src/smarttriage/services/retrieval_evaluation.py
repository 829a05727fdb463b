"""What a search is worth on judged queries: dense, lexical and hybrid over the same indexes, with what one query costs."""

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from smarttriage.domain.article import passages, searched_texts
from smarttriage.domain.incident_parts import INCIDENT_OF_PART
from smarttriage.domain.text import model_text
from smarttriage.ports import Encoder, LexicalIndex, VectorCache, VectorIndex, Vectors
from smarttriage.services.collections import incident_documents
from smarttriage.services.ranking_metrics import K, RankingScores, score_rankings
from smarttriage.services.retrieval import EVERYTHING, HybridSearch, Ranking, lexical_text
from smarttriage.services.training import Progress, embed

# Records of a ranking that are kept; MAP is cut there.
RANKED = 50
LABEL = "evaluation"
ALLOWED: Collection[str] = frozenset({LABEL})

# text, its vector, how many records, records to leave out -> record ids
Side = Callable[[str, Vectors, int, Collection[str]], list[str]]


@dataclass(frozen=True, slots=True)
class Document:
    """A record of a corpus."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class JudgedQueries:
    """Query id -> text, and query id -> record id -> grade (0: not relevant)."""

    texts: Mapping[str, str]
    qrels: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Fold:
    """Part `at` of `n` of judged queries, for example those that an encoder was not trained on.

    A query goes with the record that answers it best, so that what asks for the same stays on one side.
    """

    at: int
    n: int

    @classmethod
    def parse(cls, text: str) -> "Fold":
        """Return the fold of "0/4". Raises ValueError."""
        at, n = map(int, text.split("/"))
        return cls(at, n)

    def holds(self, query: str, judged: JudgedQueries) -> bool:
        """Return whether the query belongs to the fold."""
        grades = judged.qrels.get(query, {})
        best = min(grades, key=lambda record: (-grades[record], record), default=query)
        return int(hashlib.sha256(best.encode()).hexdigest(), 16) % self.n == self.at


@dataclass(frozen=True, slots=True)
class SideScores:
    """Quality and cost of one way to search; milliseconds for one query on one thread, its encoding not counted."""

    ranking: RankingScores
    latency_ms_p50: float
    latency_ms_p95: float

    def as_json(self) -> dict[str, float]:
        """Return the metrics by their usual names."""
        scores = self.ranking
        return {
            "map": scores.map,
            "mrr@10": scores.mrr,
            "recall@10": scores.recall,
            "ndcg@10": scores.ndcg,
            "n_queries": scores.n_queries,
            "latency_ms_p50": self.latency_ms_p50,
            "latency_ms_p95": self.latency_ms_p95,
        }


@dataclass(frozen=True, slots=True)
class Parts:
    """A corpus cut into what the indexes hold, side by side.

    Attributes:
        owners: Part id -> record id.
        texts: What the encoder reads.
        words: What the lexical side reads; None where it reads nothing, as of a title alone.
        sizes: Record id -> how many parts it has, for articles; empty for incidents, which have two at most.
    """

    owners: Mapping[str, str]
    texts: Sequence[str]
    words: Sequence[str | None]
    sizes: Mapping[str, int] = field(default_factory=dict[str, int])


def parts_of(documents: Sequence[Document], *, as_incidents: bool = False) -> Parts:
    """Return the documents by passages and titles, as articles are indexed, or whole and with what stands far back, as incidents are."""
    if as_incidents:
        return _incident_parts(documents)
    pieces = [
        (document, part)
        for document in documents
        for part in searched_texts(document.id, document.title, passages(document.id, document.text))
    ]
    return Parts(
        owners={part.id: document.id for document, part in pieces},
        texts=[part.text for _, part in pieces],
        words=[None if part.is_title else lexical_text(document.title, part.text) for document, part in pieces],
        sizes=Counter(document.id for document, _ in pieces),
    )


def _incident_parts(documents: Sequence[Document]) -> Parts:
    pieces = [
        part
        for document in documents
        for part in incident_documents(document.id, document.title, model_text(document.title, document.text), frozenset())
    ]
    return Parts(
        owners={part.id: INCIDENT_OF_PART.get(part.id, part.id) for part in pieces},
        texts=[part.text for part in pieces],
        words=[lexical_text(part.title, part.text) if part.is_worded else None for part in pieces],
    )


def build_search(parts: Parts, vectors: Vectors, *, dense: VectorIndex, lexical: LexicalIndex) -> HybridSearch:
    """Fill both indexes with the parts and return a search over them that has no floor."""
    ids, labels = list(parts.owners), [ALLOWED] * len(parts.owners)
    dense.add(ids, vectors, labels)
    worded = [(part, words) for part, words in zip(ids, parts.words, strict=True) if words is not None]
    lexical.add([part for part, _ in worded], [words for _, words in worded], [ALLOWED] * len(worded))
    return HybridSearch(dense.snapshot(), lexical.snapshot(), parts.owners, EVERYTHING, sizes=parts.sizes)


def evaluate_retrieval(
    documents: Sequence[Document],
    queries: JudgedQueries,
    *,
    encoder: Encoder,
    dense: VectorIndex,
    lexical: LexicalIndex,
    exclude_self: bool,
    timer: Callable[[], float],
    cache: VectorCache | None = None,
    progress: Progress | None = None,
) -> dict[str, SideScores]:
    """Return the scores of "dense", "lexical" and "hybrid".

    Args:
        documents: What is searched.
        queries: What is asked and what is right.
        encoder: Encodes both.
        dense: An empty index.
        lexical: An empty index.
        exclude_self: The records are incidents, searched as such, and each query is one: leave it out of its ranking.
        timer: Seconds, monotonic.
        cache: Keeps vectors.
        progress: Told how far the encoding is.
    """
    parts = parts_of(documents, as_incidents=exclude_self)
    search = build_search(
        parts, embed(parts.texts, encoder=encoder, cache=cache, progress=progress), dense=dense, lexical=lexical
    )
    vectors = embed(list(queries.texts.values()), encoder=encoder, cache=cache, progress=progress)
    return score_sides(search, queries, vectors, exclude_self=exclude_self, timer=timer)


def score_sides(
    search: HybridSearch, queries: JudgedQueries, vectors: Vectors, *, exclude_self: bool, timer: Callable[[], float]
) -> dict[str, SideScores]:
    """Return the scores of "dense", "lexical" and "hybrid"; `vectors` are those of the queries, in their order."""
    sides: dict[str, Side] = {
        "dense": lambda text, vector, k, own: _ids(search.nearest(vector, k, allowed=ALLOWED, without=own)),
        "lexical": lambda text, vector, k, own: _ids(search.worded(text, k, allowed=ALLOWED, without=own)),
        "hybrid": lambda text, vector, k, own: [
            result.id for result in search.search(text, vector, k, allowed=ALLOWED, without=own)
        ],
    }
    return {name: _scored(side, queries, vectors, exclude_self=exclude_self, timer=timer) for name, side in sides.items()}


def _scored(
    side: Side, queries: JudgedQueries, vectors: Vectors, *, exclude_self: bool, timer: Callable[[], float]
) -> SideScores:
    """Time the search as it is served, for the first K records; behind them the ranking goes on for MAP."""
    rankings: dict[str, list[str]] = {}
    spent = []
    for (query, text), vector in zip(queries.texts.items(), vectors, strict=True):
        own = (query,) if exclude_self else ()
        started = timer()
        first = side(text, vector, K, own)[:K]
        spent.append((timer() - started) * 1_000)
        rankings[query] = list(dict.fromkeys([*first, *side(text, vector, RANKED, own)]))[:RANKED]
    p50, p95 = np.percentile(spent, [50, 95]) if spent else (0.0, 0.0)
    return SideScores(score_rankings(rankings, queries.qrels), float(p50), float(p95))


def _ids(ranking: Ranking) -> list[str]:
    return [record for record, _ in ranking.records]

"""Metrics of a ranking against graded relevance judgements; each names its source."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

K = 10


@dataclass(frozen=True, slots=True)
class RankingScores:
    """Means over queries.

    Attributes:
        map: Mean average precision over the whole ranking that was given.
        mrr: Mean reciprocal rank at 10.
        recall: Recall at 10.
        ndcg: Normalised discounted cumulative gain at 10.
        n_queries: Queries with at least one relevant record.
    """

    map: float
    mrr: float
    recall: float
    ndcg: float
    n_queries: int


def average_precision(ranking: Sequence[str], judged: Mapping[str, int]) -> float:
    """Return the mean over the relevant records of the precision at their rank, 0 for those that are not ranked.

    Manning, Raghavan, Schuetze: Introduction to Information Retrieval (2008), section 8.4.
    """
    relevant = _relevant(judged)
    total, n_found = 0.0, 0
    for rank, record in enumerate(ranking, 1):
        if record in relevant:
            n_found += 1
            total += n_found / rank
    return total / len(relevant) if relevant else 0.0


def reciprocal_rank_at(ranking: Sequence[str], judged: Mapping[str, int], k: int = K) -> float:
    """Return 1 / the rank of the first relevant record, 0 if none is among the first k. Voorhees, TREC-8 (1999)."""
    relevant = _relevant(judged)
    return next((1 / rank for rank, record in enumerate(ranking[:k], 1) if record in relevant), 0.0)


def recall_at(ranking: Sequence[str], judged: Mapping[str, int], k: int = K) -> float:
    """Return the share of the relevant records among the first k. Manning, Raghavan, Schuetze (2008), section 8.3."""
    relevant = _relevant(judged)
    return len(relevant.intersection(ranking[:k])) / len(relevant) if relevant else 0.0


def ndcg_at(ranking: Sequence[str], judged: Mapping[str, int], k: int = K) -> float:
    """Return DCG over the best possible DCG, the gain being the grade: sum of grade / log2(rank + 1).

    Jaervelin, Kekaelaeinen: Cumulated gain-based evaluation of IR techniques, ACM TOIS 20 (2002); linear gain as in trec_eval.
    """
    ideal = _dcg(sorted(judged.values(), reverse=True)[:k])
    return _dcg([judged.get(record, 0) for record in ranking[:k]]) / ideal if ideal > 0 else 0.0


def score_rankings(rankings: Mapping[str, Sequence[str]], qrels: Mapping[str, Mapping[str, int]]) -> RankingScores:
    """Return the means over the queries that have a relevant record; a query without a ranking scores 0."""
    pairs = [(rankings.get(query, ()), judged) for query, judged in qrels.items() if _relevant(judged)]
    if not pairs:
        return RankingScores(0.0, 0.0, 0.0, 0.0, 0)
    return RankingScores(
        map=fmean(average_precision(*pair) for pair in pairs),
        mrr=fmean(reciprocal_rank_at(*pair) for pair in pairs),
        recall=fmean(recall_at(*pair) for pair in pairs),
        ndcg=fmean(ndcg_at(*pair) for pair in pairs),
        n_queries=len(pairs),
    )


def _dcg(grades: Sequence[int]) -> float:
    return sum(max(grade, 0) / math.log2(rank + 1) for rank, grade in enumerate(grades, 1))


def _relevant(judged: Mapping[str, int]) -> set[str]:
    return {record for record, grade in judged.items() if grade > 0}

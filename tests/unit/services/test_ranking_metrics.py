import math

import pytest

from smarttriage.services.ranking_metrics import average_precision, ndcg_at, recall_at, reciprocal_rank_at, score_rankings

# Worked by hand: relevant a (grade 2), b (1), c (1); z is judged and not relevant.
JUDGED = {"a": 2, "b": 1, "c": 1, "z": 0}
RANKING = ["x", "b", "z", "a"]


def test_average_precision_by_hand() -> None:
    assert average_precision(RANKING, JUDGED) == pytest.approx((1 / 2 + 2 / 4 + 0) / 3)


def test_reciprocal_rank_by_hand() -> None:
    assert reciprocal_rank_at(RANKING, JUDGED) == 1 / 2
    assert reciprocal_rank_at(RANKING, JUDGED, 1) == 0


def test_recall_by_hand() -> None:
    assert recall_at(RANKING, JUDGED) == pytest.approx(2 / 3)
    assert recall_at(RANKING, JUDGED, 2) == pytest.approx(1 / 3)


def test_graded_ndcg_by_hand() -> None:
    gained = 1 / math.log2(3) + 2 / math.log2(5)
    ideal = 2 / math.log2(2) + 1 / math.log2(3) + 1 / math.log2(4)
    assert ndcg_at(RANKING, JUDGED) == pytest.approx(gained / ideal)


def test_a_perfect_ranking_scores_one_everywhere() -> None:
    scores = score_rankings({"q": ["a", "b", "c"]}, {"q": JUDGED})
    assert (scores.map, scores.mrr, scores.recall, scores.ndcg) == pytest.approx((1, 1, 1, 1))


def test_what_is_behind_the_tenth_counts_for_map_only() -> None:
    ranking = [f"x{number}" for number in range(10)] + ["a"]
    assert average_precision(ranking, {"a": 1}) == pytest.approx(1 / 11)
    assert reciprocal_rank_at(ranking, {"a": 1}) == recall_at(ranking, {"a": 1}) == ndcg_at(ranking, {"a": 1}) == 0


def test_a_query_without_a_ranking_scores_0_and_one_without_a_relevant_record_is_left_out() -> None:
    scores = score_rankings({"found": ["a"]}, {"found": {"a": 1}, "missed": {"b": 1}, "unjudged": {"c": 0}})
    assert (scores.map, scores.mrr, scores.recall, scores.ndcg, scores.n_queries) == pytest.approx((0.5, 0.5, 0.5, 0.5, 2))


def test_no_judged_query_scores_nothing() -> None:
    assert score_rankings({}, {}).n_queries == 0

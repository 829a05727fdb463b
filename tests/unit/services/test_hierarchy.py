"""Scores of a tree, against what they are by hand."""

import numpy as np
import pytest

from smarttriage.domain.errors import InvalidInput
from smarttriage.ports import TargetCard
from smarttriage.services.hierarchy import answers, consistency, known_path, score_hierarchy, set_scores

TOP = TargetCard("top", ("a", "b", "c"), {"a": 0.5, "b": 0.5, "c": 0.5}, 0.9)
SUB = TargetCard("sub", ("a1", "a2", "b1"), {"a1": 0.5, "a2": 0.5, "b1": 0.5}, 0.9, "top", {"a1": "a", "a2": "a", "b1": "b"})
LEAF = TargetCard("leaf", ("a1x", "b1x"), {"a1x": 0.5, "b1x": 0.2}, 0.9, "sub", {"a1x": "a1", "b1x": "b1"})
CARDS = [TOP, SUB, LEAF]
PROBABILITIES = {
    "top": np.array([[0.9, 0.1, 0.0], [0.4, 0.35, 0.25], [0.1, 0.0, 0.9], [0.2, 0.8, 0.0]]),
    # In the second row the likeliest of all is b1, which does not stand below the a that is chosen above it.
    "sub": np.array([[0.7, 0.2, 0.1], [0.3, 0.1, 0.35], [0.05, 0.05, 0.0], [0.1, 0.1, 0.8]]),
    "leaf": np.array([[0.4, 0.1], [0.3, 0.35], [0.05, 0.0], [0.1, 0.8]]),
}


def test_each_level_is_chosen_below_the_one_above_and_the_tree_may_end_early() -> None:
    found = answers(CARDS, PROBABILITIES)
    assert found.paths == [("a", "a1", "a1x"), ("a", "a1", "a1x"), ("c",), ("b", "b1", "b1x")]
    assert found.depths.tolist() == [2, 0, 1, 3]
    assert found.stopped == [("a", "a1"), (), ("c",), ("b", "b1", "b1x")]
    assert consistency(CARDS, found.paths) == 1.0
    assert consistency(CARDS, [("a", "b1"), ("b", "b1")]) == 0.5


def test_hierarchical_scores_count_shared_ancestors() -> None:
    # Shared 2 + 1 + 0; answered 3 + 2 + 1; true 3 + 2 + 2.
    scores = set_scores([("a", "a1", "x"), ("a", "a2"), ("c",)], [("a", "a1", "y"), ("a", "a1"), ("b", "b1")])
    assert (scores.precision, scores.recall) == (pytest.approx(3 / 6), pytest.approx(3 / 7))
    assert scores.f1 == pytest.approx(2 * (3 / 6) * (3 / 7) / (3 / 6 + 3 / 7))


def test_scores_are_of_each_level_of_the_whole_and_of_what_is_answered() -> None:
    truth = [("a", "a1", "a1x"), ("b", "b1", "b1x"), ("c",), ("b", "b1", "b1x"), ()]
    rows = {name: np.vstack([part, part[:1]]) for name, part in PROBABILITIES.items()}
    scores = score_hierarchy(CARDS, rows, truth)
    assert scores.n == 4
    assert [level.n for level in scores.levels.values()] == [4, 3, 3]
    assert [level.accuracy for level in scores.levels.values()] == pytest.approx([3 / 4, 2 / 3, 2 / 3])
    assert [level.coverage for level in scores.levels.values()] == [0.75, 0.5, 0.25]
    assert [level.precision for level in scores.levels.values()] == [1.0, 1.0, 1.0]
    assert scores.mean_depth == 1.5
    assert list(scores.depths) == [0.25, 0.25, 0.25, 0.25]
    assert scores.deepest_right == 1.0
    assert (scores.stopped.precision, scores.stopped.recall) == (1.0, pytest.approx(6 / 10))
    assert scores.whole.precision == pytest.approx(7 / 10)


def test_nothing_answered_has_no_precision() -> None:
    shy = [TargetCard("top", ("a", "b"), {"a": 1.01, "b": 1.01}, 0.9)]
    scores = score_hierarchy(shy, {"top": np.array([[0.9, 0.1]])}, [("a",)])
    assert (scores.stopped.precision, scores.stopped.recall, scores.deepest_right) == (None, 0.0, None)


def test_labels_above_a_known_one_follow_from_it() -> None:
    assert known_path(CARDS, [None, None, "b1x"]) == ("b", "b1", "b1x")
    assert known_path(CARDS, ["a", None, None]) == ("a",)
    assert known_path(CARDS, [None, None, None]) == ()


def test_rows_without_labels_are_refused() -> None:
    with pytest.raises(InvalidInput, match="No row has a label of 'top'"):
        score_hierarchy(CARDS, PROBABILITIES, [(), (), (), ()])

"""Doubts about labels: who is ranked first, what is suggested, and who votes."""

import numpy as np
import pytest

from smarttriage.services import label_errors
from smarttriage.services.label_errors import label_doubts, neighbour_votes


def test_the_row_whose_label_is_least_believed_comes_first_with_the_better_label() -> None:
    told = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.3, 0.7], [0.02, 0.98], [0.45, 0.55]])
    doubts = label_doubts(told, np.array([0, 0, 1, 1, 0, 1]), None)
    assert doubts.ranked().tolist() == [4]
    assert (doubts.suggested[4], doubts.confidence[4]) == (1, pytest.approx(0.98))


def test_a_class_that_is_never_sure_is_not_doubted_for_being_unsure() -> None:
    told = np.array([[0.5, 0.3, 0.2], [0.4, 0.35, 0.25], [0.02, 0.95, 0.03], [0.03, 0.94, 0.03]])
    assert label_doubts(told, np.array([0, 0, 1, 1]), None).ranked().tolist() == []


def test_neighbours_can_overrule_a_lukewarm_model() -> None:
    told = np.array([[0.55, 0.45], [0.9, 0.1], [0.2, 0.8], [0.1, 0.9]])
    votes = np.array([[0.01, 0.99], [0.9, 0.1], [0.1, 0.9], [0.1, 0.9]])
    truth = np.array([0, 0, 1, 1])
    assert label_doubts(told, truth, None).ranked().tolist() == []
    assert label_doubts(told, truth, votes).ranked().tolist() == [0]


def test_nobody_votes_for_themselves_and_near_ones_weigh_more() -> None:
    angles = np.array([0.0, 0.05, 0.1, 1.5, 1.55, 1.6])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    votes = neighbour_votes(vectors, np.array([1, 0, 0, 1, 1, 1]), 2, seed=0)
    assert votes.sum(axis=1) == pytest.approx(np.ones(6))
    assert votes[0].argmax() == 0  # its own label is 1, all that is near it says 0
    assert votes[3:].argmax(axis=1).tolist() == [1, 1, 1]


def test_with_too_many_rows_a_seeded_sample_votes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label_errors, "MAX_REFERENCES", 40)
    truth = np.arange(200) % 2
    angles = truth * 1.5 + np.random.default_rng(0).normal(0, 0.05, 200)
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    votes = neighbour_votes(vectors, truth, 2, seed=1)
    assert (votes.argmax(axis=1) == truth).all()
    assert np.array_equal(votes, neighbour_votes(vectors, truth, 2, seed=1))

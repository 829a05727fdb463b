"""The metrics equal scikit-learn's, and the ones it lacks equal a count by hand."""

import numpy as np
import pytest
from sklearn import metrics

from smarttriage.domain.errors import InvalidInput
from smarttriage.ports import Probabilities, TargetCard
from smarttriage.services.evaluation import accuracy_at_coverage, expected_calibration_error, score

LABELS = ("low", "medium", "high")


def card(threshold: float = 0.5, *, ordered: bool = True) -> TargetCard:
    return TargetCard("impact", LABELS, dict.fromkeys(LABELS, threshold), 0.9, ordered=ordered)


def sample(n: int = 400) -> tuple[Probabilities, list[str]]:
    random = np.random.default_rng(0)
    truth = random.integers(0, 3, n)
    probabilities = random.dirichlet(np.ones(3), n) + 0.7 * np.eye(3)[truth]
    return probabilities / probabilities.sum(axis=1, keepdims=True), [LABELS[column] for column in truth]


def test_scores_equal_those_of_scikit_learn() -> None:
    probabilities, truth = sample()
    found = score(card(), probabilities, truth)
    predicted = [LABELS[column] for column in probabilities.argmax(axis=1)]
    assert found.accuracy == pytest.approx(metrics.accuracy_score(truth, predicted))
    assert found.macro_f1 == pytest.approx(metrics.f1_score(truth, predicted, average="macro"))
    assert found.balanced_accuracy == pytest.approx(metrics.balanced_accuracy_score(truth, predicted))
    places = {label: place for place, label in enumerate(LABELS)}
    kappa = metrics.cohen_kappa_score(
        [places[label] for label in truth], [places[label] for label in predicted], weights="quadratic"
    )
    assert found.quadratic_kappa == pytest.approx(kappa)
    table = metrics.precision_recall_fscore_support(truth, predicted, labels=LABELS)
    for place, label in enumerate(LABELS):
        row = found.per_class[label]
        assert (row.precision, row.recall, row.f1, row.support) == pytest.approx([column[place] for column in table])


def test_coverage_and_its_precision_follow_the_thresholds() -> None:
    probabilities = np.array([[0.9, 0.1, 0.0], [0.6, 0.4, 0.0], [0.2, 0.7, 0.1], [0.4, 0.3, 0.3]])
    truth = ["low", "medium", "medium", "low"]
    found = score(TargetCard("x", LABELS, {"low": 0.8, "medium": 0.6, "high": 1.01}, 0.9), probabilities, truth)
    assert found.coverage == 0.5
    assert found.precision_at_thresholds == 1.0
    assert found.per_class["low"].n_at_threshold == 1
    assert found.per_class["high"].precision_at_threshold is None
    assert found.majority_accuracy == 0.5
    assert found.quadratic_kappa is None


def test_equal_mass_bins_measure_the_gap_of_confidence_and_accuracy() -> None:
    confidence = np.array([0.6] * 10 + [0.9] * 10)
    right = np.array([True] * 5 + [False] * 5 + [True] * 10)
    assert expected_calibration_error(confidence, right, n_bins=2) == pytest.approx((0.1 + 0.1) / 2)
    assert expected_calibration_error(np.array([0.8]), np.array([True])) == pytest.approx(0.2)


def test_accuracy_at_coverage_keeps_the_confident_rows() -> None:
    confidence, right = np.linspace(1, 0, 10), np.array([True] * 8 + [False] * 2)
    assert accuracy_at_coverage(confidence, right, 0.8) == 1.0
    assert accuracy_at_coverage(confidence, right, 1.0) == 0.8


def test_a_label_the_model_does_not_know_is_missed_not_ignored() -> None:
    probabilities, truth = sample(10)
    found = score(card(), probabilities, ["unheard", *truth[1:]])
    assert found.per_class["unheard"].recall == 0.0
    assert found.per_class["unheard"].support == 1


def test_nothing_to_compare_is_refused() -> None:
    with pytest.raises(InvalidInput, match="nothing to compare"):
        score(card(), np.zeros((0, 3)), [])
    with pytest.raises(InvalidInput, match="2 labels and 1"):
        score(card(), np.ones((1, 3)) / 3, ["low", "low"])


def test_scores_are_json() -> None:
    probabilities, truth = sample(20)
    content = score(card(), probabilities, truth).as_json()
    keys = [
        "n",
        "n_classes",
        "accuracy",
        "macro_f1",
        "balanced_accuracy",
        "ece",
        "majority_accuracy",
        "coverage",
        "accuracy_at_coverage_80",
        "per_class",
    ]
    assert set(keys) <= content.keys()
    assert {"precision", "recall", "f1", "support", "threshold"} <= content["per_class"]["low"].keys()  # type: ignore[index]

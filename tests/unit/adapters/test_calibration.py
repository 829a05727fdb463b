"""Calibration repairs confidence, folds keep groups whole."""

import numpy as np
import pytest
from scipy.optimize import check_grad

from smarttriage.adapters.classifiers.calibration import _brier, cross_calibrated, fit_calibration
from smarttriage.adapters.classifiers.folds import N_FOLDS, assign_folds, folds_to_fit, text_groups
from smarttriage.adapters.classifiers.heads import softmax, under_parent
from smarttriage.ports import TargetCard
from smarttriage.services.evaluation import expected_calibration_error


def overconfident(n: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """Scores three times too large for labels that were drawn from softmax(scores)."""
    random = np.random.default_rng(0)
    scores = random.normal(size=(n, 3)) * 1.5
    truth = (softmax(scores).cumsum(axis=1) > random.random((n, 1))).argmax(axis=1)
    return 3 * scores, truth


def ece(probabilities: np.ndarray, truth: np.ndarray) -> float:
    return expected_calibration_error(probabilities.max(axis=1), probabilities.argmax(axis=1) == truth)


@pytest.mark.parametrize("with_bias", [False, True])
def test_overconfident_scores_are_calibrated_on_rows_held_out(with_bias: bool) -> None:
    scores, truth = overconfident()
    parts = np.arange(len(truth)) % 5
    calibrated = cross_calibrated(scores, np.zeros_like(scores), truth, parts, with_bias=with_bias)
    assert ece(softmax(scores), truth) > 0.1
    assert ece(calibrated, truth) < 0.02


def test_a_perfect_record_of_few_rows_is_no_certainty() -> None:
    truth = np.array([0, 1] * 10)
    scores = np.eye(2)[truth]
    assert 0.9 < fit_calibration(scores, 0 * scores, truth, with_bias=False).probabilities(scores, 0 * scores).max() < 0.99


def test_a_bias_restores_the_frequencies() -> None:
    scores, truth = overconfident()
    shifted = scores / 3 + np.array([2.0, 0.0, 0.0])
    plain, biased = (fit_calibration(shifted, 0 * shifted, truth, with_bias=flag) for flag in (False, True))
    assert ece(biased.probabilities(shifted, 0 * shifted), truth) < ece(plain.probabilities(shifted, 0 * shifted), truth) / 2
    assert biased.bias[0] < min(biased.bias[1:])


def test_the_order_of_the_labels_of_a_row_stays() -> None:
    scores, truth = overconfident()
    fitted = fit_calibration(scores, np.zeros_like(scores), truth, with_bias=False)
    np.testing.assert_array_equal(fitted.probabilities(scores, 0 * scores).argmax(axis=1), scores.argmax(axis=1))


@pytest.mark.parametrize("parameters", [[1.0, 0.5, 0.3], [1.3, 0.5, -0.4, 0.1, -0.2, 0.3]])
def test_the_gradient_is_the_gradient(parameters: list[float]) -> None:
    random = np.random.default_rng(0)
    linear, network, hot = random.normal(size=(40, 3)), random.normal(size=(40, 3)), np.eye(3)[random.integers(0, 3, 40)]
    error = check_grad(
        lambda x: _brier(x, linear, network, hot)[0], lambda x: _brier(x, linear, network, hot)[1], np.array(parameters)
    )
    assert error < 1e-6


def test_groups_stay_whole_and_labels_spread_over_the_folds() -> None:
    texts = [f"{word} {number}" for word in map(chr, range(97, 122)) for number in range(4)]
    labels = ["x" if text < "m" else "y" for text in texts]
    groups = text_groups(texts)
    folds = assign_folds(groups, labels, seed=3)
    assert len(set(groups)) == 25
    for group in set(groups):
        assert len({fold for fold, name in zip(folds, groups, strict=True) if name == group}) == 1
    for fold in range(N_FOLDS):
        assert {labels[row] for row in np.flatnonzero(folds == fold)} == {"x", "y"}
    np.testing.assert_array_equal(folds, assign_folds(groups, labels, seed=3))


def test_texts_that_differ_in_case_digits_and_space_are_one_group() -> None:
    assert len(set(text_groups(["Disk 95% full\n", "disk 7% FULL", "disk  12%  full"]))) == 1


def test_many_rows_hold_out_fewer_folds() -> None:
    assert [len(folds_to_fit(n)) for n in (100, 10_000, 36_000, 1_000_000)] == [5, 5, 2, 1]


def test_a_parent_without_sub_labels_keeps_its_mass() -> None:
    card = TargetCard("sub", ("x", "y"), {}, 0.9, parent="top", parents={"x": "a", "y": "b"})
    child, parent = np.array([[0.5, 0.5]]), np.array([[0.6, 0.2, 0.2]])
    np.testing.assert_allclose(under_parent(child, parent, card, ("a", "b", "c")), [[0.6, 0.2]])

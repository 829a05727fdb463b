"""Precision bounds: exact, held by fresh rows as often as promised, and blind to who was right when cuts are chosen."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest

from smarttriage.adapters.classifiers.classifier import SklearnClassifier
from smarttriage.adapters.classifiers.contracts import (
    bounds,
    clopper_pearson,
    group_numbers,
    label_cuts,
    next_rows,
    precision_curve,
)
from smarttriage.adapters.classifiers.sklearn import SklearnTrainer
from smarttriage.adapters.encoders.hashing import HashingEncoder
from smarttriage.cli.contracts import contract_lines
from smarttriage.domain.contract import NEVER, last_that_holds
from smarttriage.ports import LabelledTexts


def counts(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)


@given(n=st.integers(1, 2_000), share=st.floats(0, 0.6))
def test_the_first_bound_is_clopper_and_pearsons(n: int, share: float) -> None:
    errors = int(share * n)
    expected = binomtest(n - errors, n, alternative="greater").proportion_ci(0.95, method="exact").low
    assert clopper_pearson(counts(n), counts(errors), doubt=0.05)[0] == pytest.approx(expected, abs=1e-9)


def test_the_second_bound_is_undercut_by_the_next_rows_no_more_often_than_promised() -> None:
    for n, errors in ((30, 0), (90, 1), (300, 12), (1_500, 100)):
        m = round(n / 3)
        allowed = round((1 - next_rows(counts(n), counts(errors), doubt=0.05)[0]) * m)
        rates = np.linspace(0.0005, 0.6, 4_000)
        broken = binom.cdf(errors, n, rates) * binom.sf(allowed, m, rates)
        assert broken.max() <= 0.0505
        stricter = binom.cdf(errors, n, rates) * binom.sf(allowed - 1, m, rates)
        assert stricter.max() > 0.05


def test_more_labels_more_errors_and_more_confidence_each_lower_the_bound() -> None:
    base = bounds(counts(200), counts(4), doubt=0.1, n_tested=5)[0]
    assert bounds(counts(200), counts(4), doubt=0.1, n_tested=50)[0] < base
    assert bounds(counts(200), counts(8), doubt=0.1, n_tested=5)[0] < base
    assert bounds(counts(200), counts(4), doubt=0.02, n_tested=5)[0] < base


def test_contracts_hold_on_fresh_rows_where_uncorrected_thresholds_do_not() -> None:
    random, met, filled, naive_met = np.random.default_rng(0), 0, 0, 0
    n, target = 450, 0.9
    for _ in range(100):
        confidences = random.beta(6, 0.9, n + n // 3)
        wrong = random.random(len(confidences)) > confidences - 0.1 * (1 - confidences)
        seen, fresh = slice(0, n), slice(n, None)
        cut = last_that_holds(label_cuts(confidences[seen], wrong[seen], np.arange(n), doubt=0.1, n_tested=4), target)
        order = np.argsort(-confidences[seen])
        fine = np.flatnonzero(np.cumsum(wrong[seen][order]) <= (1 - target) * np.arange(1, n + 1))
        naive = confidences[seen][order][fine[-1]]
        naive_met += wrong[fresh][confidences[fresh] >= naive].mean() <= 1 - target
        if cut is not None:
            filled += 1
            met += wrong[fresh][confidences[fresh] >= cut.threshold].mean() <= 1 - target
    assert filled > 60
    assert met / filled >= 0.95
    assert naive_met / 100 < 0.85


def test_cuts_are_chosen_without_a_look_at_who_was_right() -> None:
    random = np.random.default_rng(1)
    confidences, groups = random.beta(6, 1, 400), np.arange(400)
    right = label_cuts(confidences, np.zeros(400, bool), groups, doubt=0.1, n_tested=1)
    wrong = label_cuts(confidences, np.ones(400, bool), groups, doubt=0.1, n_tested=1)
    assert [cut.threshold for cut in right] == [cut.threshold for cut in wrong]
    assert max(cut.bound for cut in wrong) < 0.01 < 0.9 < right[0].bound


def test_rows_of_equal_confidence_pass_together() -> None:
    cuts = label_cuts(np.full(40, 0.8), np.zeros(40, bool), np.arange(40), doubt=0.1, n_tested=1)
    assert [(cut.n_rows, cut.threshold) for cut in cuts] == [(40, 0.8)]


def test_near_duplicates_count_once_and_share_their_errors() -> None:
    confidences, wrong = np.full(60, 0.9), np.array([True] * 10 + [False] * 50)
    alone = label_cuts(confidences, wrong, np.arange(60), doubt=0.1, n_tested=1)[-1]
    together = label_cuts(confidences, wrong, np.array([0] * 20 + list(range(1, 41))), doubt=0.1, n_tested=1)[-1]
    assert (alone.n, alone.n_errors, alone.n_rows) == (60, 10, 60)
    assert (together.n, together.n_errors, together.n_rows) == (41, 0.5, 60)


def test_a_curve_covers_every_label_and_rare_ones_take_no_share_of_the_doubt() -> None:
    truth = np.array([0] * 100 + [1] * 100 + [2] * 5)
    probabilities = np.full((205, 4), 0.02)
    probabilities[np.arange(205), truth] = 0.94
    curve = precision_curve(("a", "b", "rare", "absent"), probabilities, truth, np.arange(205), confidence=0.9)
    assert (curve.n_tested, curve.n_predicted) == (2, {"a": 100, "b": 100, "rare": 5, "absent": 0})
    found = curve.contracts(0.9)
    assert found["a"].met
    assert found["a"].precision_bound == pytest.approx(0.94, abs=0.03)
    assert (found["rare"].threshold, found["rare"].met, found["absent"].coverage) == (NEVER, False, 0.0)
    assert curve.coverage(0.9) == pytest.approx(200 / 205)


def test_as_many_right_rows_as_are_said_to_be_needed_meet_the_target() -> None:
    for target in (0.8, 0.9, 0.95):
        truth, probabilities = np.zeros(20, dtype=int), np.tile([0.9, 0.1], (20, 1))
        needed = precision_curve(("a", "b"), probabilities, truth, np.arange(20), confidence=0.9).rows_needed(target)
        for n, met in ((needed, True), (needed // 2, False)):
            rows = np.tile([0.9, 0.1], (n, 1))
            curve = precision_curve(("a", "b"), rows, np.zeros(n, dtype=int), np.arange(n), confidence=0.9)
            assert curve.contracts(target)["a"].met is met, (target, n)


def test_groups_are_numbered_by_name() -> None:
    assert group_numbers(["x", "y", "x"]).tolist() == [0, 1, 0]


def scarce(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities and truth of n rows of twelve labels, each as sure as it is right."""
    random = np.random.default_rng(seed)
    sure, winners = random.uniform(0.7, 1.0, n), random.integers(0, 12, n)
    probabilities = np.tile((1 - sure[:, None]) / 11, (1, 12))
    probabilities[np.arange(n), winners] = sure
    right = random.random(n) < sure
    return probabilities, np.where(right, winners, (winners + 1) % 12)


def test_labels_too_rare_for_a_promise_each_share_one_that_fresh_rows_keep() -> None:
    labels = [f"label {place}" for place in range(12)]
    kept = []
    for seed in range(20):
        probabilities, truth = scarce(400, seed)
        each, together = (
            precision_curve(labels, probabilities, truth, np.arange(400), confidence=0.9, together=shared)
            for shared in (False, True)
        )
        assert together.coverage(0.8) > each.coverage(0.8) + 0.3
        contracts = together.contracts(0.8)
        (threshold,) = {contract.threshold for contract in contracts.values()}
        assert sum(contract.coverage for contract in contracts.values()) == pytest.approx(together.coverage(0.8))
        fresh, truly = scarce(20_000, 1_000 + seed)
        filled = fresh.max(axis=1) >= threshold
        kept.append((fresh.argmax(axis=1) == truly)[filled].mean() >= 0.8)
    assert np.mean(kept) >= 0.9


def test_too_few_rows_promise_nothing_together_either() -> None:
    probabilities, truth = scarce(10, 0)
    curve = precision_curve(
        [f"label {place}" for place in range(12)], probabilities, truth, np.arange(10), confidence=0.9, together=True
    )
    assert {contract.threshold for contract in curve.contracts(0.5).values()} == {NEVER}


def test_a_bundle_remembers_that_its_labels_promise_together() -> None:
    encoder = HashingEncoder()
    texts = [f"{word} {row}" for row in range(40) for word in ("printer paper jam", "password login locked")]
    examples = LabelledTexts(texts, encoder.encode(texts), {"category": ["hardware", "access"] * 40})
    classifier = SklearnTrainer(encoder_id=encoder.encoder_id, target_precision=0.8, together=True).fit(examples, seed=0)
    card = SklearnClassifier.from_files(classifier.to_files(), version="1").cards["category"]
    assert card.curve is not None
    assert card.curve.together
    assert card.contracts == classifier.cards["category"].contracts
    first, second, *_ = contract_lines(card)
    assert "all labels together guarantee a precision of 0.8" in first
    assert "at least" not in second

"""The comparisons of the promotion gate: one target, two models, the same rows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from smarttriage.ports import Probabilities, TargetCard
from smarttriage.services.evaluation import confusion, expected_calibration_error, macro_f1
from smarttriage.services.paired import Discordance

N_RESAMPLES = 1_000


@dataclass(frozen=True, slots=True)
class GateRules:
    """How much worse is still "no worse", and how sure the gate must be.

    Attributes:
        margin: Accuracy over all rows of a target.
        class_margin: Recall of one label.
        macro_f1_margin: Macro-F1; only a loss that the resamples confirm counts.
        ece_margin: Calibration error.
        confidence: Of every one-sided bound. All checks must pass, so none needs a correction for the number of checks
            (intersection-union test: Berger, 1982, Technometrics 24, 295-300).
        power: Chance with which an equally good candidate should pass the check of a label; labels with fewer rows than that
            takes are only refused where the loss is shown.
    """

    margin: float = 0.01
    class_margin: float = 0.03
    macro_f1_margin: float = 0.02
    ece_margin: float = 0.02
    confidence: float = 0.95
    power: float = 0.8


class Rule(StrEnum):
    """What a check asks for."""

    SHOWN_NO_WORSE = "shown_no_worse"
    NOT_SHOWN_WORSE = "not_shown_worse"
    WITHIN_MARGIN = "within_margin"
    STILL_THERE = "still_there"


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison.

    Attributes:
        target: The target.
        measure: "accuracy", "recall of LABEL", "macro_f1", "ece", "wrongly filled in", "label" or "target".
        n: Rows it rests on.
        current: The current model's figure; None where it has none.
        candidate: The candidate's.
        difference: Candidate less current.
        lower: One-sided lower bound on the difference; None where the rule needs none.
        upper: One-sided upper bound.
        margin: What the rule allows.
        rule: What is asked for.
        passed: Whether it is met.
        because: Why not, and what would help; empty where it is met.
    """

    target: str
    measure: str
    n: int
    current: float | None
    candidate: float | None
    difference: float | None
    lower: float | None
    upper: float | None
    margin: float
    rule: Rule
    passed: bool
    because: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """What one model says of n rows of one target."""

    card: TargetCard
    labels: NDArray[np.str_]
    confidence: NDArray[np.float64]
    filled: NDArray[np.bool_] = field(repr=False)

    @classmethod
    def of(cls, card: TargetCard, probabilities: Probabilities) -> "Answered":
        """Return the most likely label of each row, how sure it is, and whether it would be filled in."""
        best, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
        bounds = np.array([card.thresholds.get(label, np.inf) for label in card.labels])
        return cls(card, np.array(card.labels)[best], confidence, confidence >= bounds[best])


def compare(current: Answered, candidate: Answered, truth: Sequence[str], *, rules: GateRules, seed: int = 0) -> list[Check]:
    """Return the checks of one target on n rows: accuracy, recall of each label, macro-F1, calibration, wrong values."""
    true = np.array(truth)
    old, new = current.labels == true, candidate.labels == true
    target = current.card.name
    checks = [_accuracy(target, old, new, rules)]
    for label in sorted(set(truth)):
        mine = true == label
        checks.append(_recall(target, label, old[mine], new[mine], rules))
    checks.append(_macro_f1(target, (true, current.labels, candidate.labels), rules, seed))
    checks.append(_calibration(target, (current.confidence, old), (candidate.confidence, new), rules))
    unharmed = _Comparison(target, "nothing wrong filled in", ~(current.filled & ~old), ~(candidate.filled & ~new), rules.margin)
    checks.append(_not_worse(unharmed, rules))
    return checks


def beats_commonest(candidate: Answered, truth: Sequence[str], rules: GateRules) -> Check:
    """Return the check of a target that the current model does not predict: no worse than always saying the commonest label."""
    true = np.array(truth)
    names, counts = np.unique(true, return_counts=True)
    commonest, new = true == names[counts.argmax()], candidate.labels == true
    return _no_worse(_Comparison(candidate.card.name, "accuracy beside the commonest label", commonest, new, rules.margin), rules)


@dataclass(frozen=True, slots=True)
class _Comparison:
    """What was right by both models on the rows of one check, and how much worse is allowed."""

    target: str
    measure: str
    current: NDArray[np.bool_]
    candidate: NDArray[np.bool_]
    margin: float

    @property
    def pairs(self) -> Discordance:
        return Discordance.of(self.current, self.candidate)

    def check(self, rules: GateRules, rule: Rule, because: str) -> Check:
        pairs = self.pairs
        lower, upper = pairs.bounds(rules.confidence)
        return Check(
            target=self.target,
            measure=self.measure,
            n=pairs.n,
            current=float(self.current.mean()),
            candidate=float(self.candidate.mean()),
            difference=pairs.difference,
            lower=lower,
            upper=upper,
            margin=self.margin,
            rule=rule,
            passed=not because,
            because=because,
        )


def _accuracy(target: str, old: NDArray[np.bool_], new: NDArray[np.bool_], rules: GateRules) -> Check:
    return _no_worse(_Comparison(target, "accuracy", old, new, rules.margin), rules)


def _recall(target: str, label: str, old: NDArray[np.bool_], new: NDArray[np.bool_], rules: GateRules) -> Check:
    """Return the check of one label: shown no worse where the rows suffice for that, else not shown worse."""
    comparison = _Comparison(target, f"recall of {label}", old, new, rules.class_margin)
    needed = comparison.pairs.rows_needed(rules.class_margin, confidence=rules.confidence, power=rules.power)
    return (_no_worse if len(old) >= needed else _not_worse)(comparison, rules)


def _no_worse(comparison: _Comparison, rules: GateRules) -> Check:
    pairs, margin = comparison.pairs, comparison.margin
    lower, upper = pairs.bounds(rules.confidence)
    because = ""
    if upper < 0 and lower <= -margin:
        because = f"it is worse: at least {-upper:.3f} lower"
    elif lower <= -margin:
        needed = pairs.rows_needed(margin, confidence=rules.confidence, power=rules.power)
        more = f"; an equally good model needs about {needed:,} rows" if needed > pairs.n else ""
        because = f"not shown to be no worse: it may be {-lower:.3f} lower, {margin:g} is allowed{more}"
    return comparison.check(rules, Rule.SHOWN_NO_WORSE, because)


def _not_worse(comparison: _Comparison, rules: GateRules) -> Check:
    pairs = comparison.pairs
    p_lost = pairs.p_lost()
    worse = pairs.difference < -comparison.margin and p_lost < 1 - rules.confidence
    because = f"it is worse: {pairs.lost} rows lost, {pairs.gained} gained (p = {p_lost:.4f})" if worse else ""
    return comparison.check(rules, Rule.NOT_SHOWN_WORSE, because)


def _macro_f1(
    target: str, labels: tuple[NDArray[np.str_], NDArray[np.str_], NDArray[np.str_]], rules: GateRules, seed: int
) -> Check:
    """Return the check by a paired bootstrap over rows (Efron and Tibshirani, 1993, "An Introduction to the Bootstrap")."""
    names, codes = np.unique(np.concatenate(labels), return_inverse=True)
    true, old, new = np.split(codes, 3)
    n, n_labels = len(true), len(names)
    weights = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=N_RESAMPLES)
    scores = [(macro_f1(confusion(true, old, n_labels)), macro_f1(confusion(true, new, n_labels)))]
    gaps = [_weighted_f1(true, new, n_labels, row) - _weighted_f1(true, old, n_labels, row) for row in weights]
    lower, upper = np.quantile(gaps, [1 - rules.confidence, rules.confidence]).tolist()
    difference = scores[0][1] - scores[0][0]
    passed = not (difference < -rules.macro_f1_margin and upper < 0)
    because = (
        ""
        if passed
        else f"it is worse: {-difference:.3f} lower, and at least {-upper:.3f} in {rules.confidence:.0%} of resamples"
    )
    margin, rule = rules.macro_f1_margin, Rule.NOT_SHOWN_WORSE
    return Check(target, "macro_f1", n, *scores[0], difference, lower, upper, margin, rule, passed, because)


def _weighted_f1(true: NDArray[np.int_], predicted: NDArray[np.int_], n_labels: int, weights: NDArray[np.int_]) -> float:
    hits = np.bincount(true[true == predicted], weights=weights[true == predicted], minlength=n_labels)
    both = np.bincount(true, weights=weights, minlength=n_labels) + np.bincount(predicted, weights=weights, minlength=n_labels)
    return float((2 * hits[both > 0] / both[both > 0]).mean())


def _calibration(
    target: str,
    current: tuple[NDArray[np.float64], NDArray[np.bool_]],
    candidate: tuple[NDArray[np.float64], NDArray[np.bool_]],
    rules: GateRules,
) -> Check:
    old, new = expected_calibration_error(*current), expected_calibration_error(*candidate)
    passed = new - old <= rules.ece_margin
    because = "" if passed else f"its confidence is {new - old:.3f} further from the truth, {rules.ece_margin:g} is allowed"
    n, margin = len(current[0]), rules.ece_margin
    return Check(target, "ece", n, old, new, new - old, None, None, margin, Rule.WITHIN_MARGIN, passed, because)

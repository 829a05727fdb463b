"""Precision bounds for every label, or for all of them together, from rows that the model was not fitted on.

A cut's bound is the smaller of two, each with half of the doubt 1 - confidence, which is divided by the number of labels
(Bonferroni), so that both hold for all labels at once:

1. The true precision from the cut on: the exact lower bound of Clopper and Pearson (1934, Biometrika 26, 404-413).
2. The share right among the next rows, `WINDOW` times as many as were measured: the largest share that, whatever the true
   error rate is, is undercut with at most that probability while the held-out rows look as good as they did. Without it a
   contract whose truth is just met would be seen broken about every second time.

Which cuts are tried, and in which order, depends on confidences alone, never on who was right. Given the confidences, the
errors are independent with unequal chances, for which the binomial tail below the mean is no smaller (Hoeffding, 1956, Annals
of Mathematical Statistics 27). Near-duplicates are not independent; each group of them counts once.

A promise for each label needs dozens of rows of each. With fewer, all labels can share one cut and one promise: of everything
that is filled in, so much is right. A weak label may then fall short of it, made up for by a strong one.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaincinv

from smarttriage.domain.contract import WINDOW, Cut, PrecisionCurve
from smarttriage.ports import Probabilities, TargetCard

Counts = NDArray[np.float64]
# A label of fewer held-out predictions meets no target of .8 or more at a confidence of .9, so it takes no share of the doubt.
LEAST_ROWS = 14
# Each cut takes in a twentieth more rows than the one before.
_GROWTH = 1.05
_RATES = np.concatenate([np.geomspace(1e-5, 1e-2, 60), np.linspace(0.0102, 0.999, 300)])


def precision_curve(
    labels: Sequence[str],
    probabilities: Probabilities,
    truth: NDArray[np.int_],
    groups: NDArray[np.int_],
    *,
    confidence: float,
    together: bool = False,
) -> PrecisionCurve:
    """Return the tested cuts of every label.

    Args:
        labels: In column order.
        probabilities: (n, n_labels) held-out probabilities.
        truth: The right column of each row.
        groups: Near-duplicates share a number.
        confidence: How sure the bounds are to be.
        together: Bound the precision of all labels taken together instead.
    """
    winners = probabilities.argmax(axis=1)
    predicted = [len(np.unique(groups[winners == column])) for column in range(len(labels))]
    known = dict(zip(labels, predicted, strict=True))
    if together:
        shared = _shared_cuts(labels, probabilities, winners != truth, groups, doubt=1 - confidence)
        return PrecisionCurve(confidence, len(truth), 1, known, shared, together=True)
    n_tested = sum(n >= LEAST_ROWS for n in predicted)
    cuts = {}
    for column, label in enumerate(labels):
        rows = np.flatnonzero(winners == column)
        if predicted[column] >= LEAST_ROWS:
            confidences = probabilities[rows, column]
            cuts[label] = label_cuts(confidences, truth[rows] != column, groups[rows], doubt=1 - confidence, n_tested=n_tested)
    return PrecisionCurve(confidence, len(truth), n_tested, known, cuts)


def under_contract(card: TargetCard, curve: PrecisionCurve) -> TargetCard:
    """Return the card with the thresholds that the curve gives at its target precision."""
    contracts = curve.contracts(card.target_precision)
    thresholds = {label: contract.threshold for label, contract in contracts.items()}
    return replace(card, thresholds=thresholds, contracts=contracts, curve=curve)


def group_numbers(groups: Sequence[str]) -> NDArray[np.int_]:
    """Return a number for each row, the same for rows of one group."""
    numbers = {group: place for place, group in enumerate(dict.fromkeys(groups))}
    return np.array([numbers[group] for group in groups], dtype=np.int_)


def label_cuts(
    confidences: Probabilities, wrong: NDArray[np.bool_], groups: NDArray[np.int_], *, doubt: float, n_tested: int
) -> list[Cut]:
    """Return the cuts of one label in the order of testing.

    The first is the one whose bound would be best if the confidences were right; from there each takes in more rows.
    """
    order = np.argsort(-confidences, kind="stable")
    ranked, members = confidences[order], groups[order]
    ends = _ends(ranked)
    n, errors = _grouped(wrong[order].astype(np.float64), members, ends)
    _, expected = _grouped(1 - ranked, members, ends)
    start = int(np.argmax(bounds(n, expected, doubt=doubt, n_tested=n_tested)))
    found = bounds(n[start:], errors[start:], doubt=doubt, n_tested=n_tested)
    return [
        Cut(_floored(ranked[end - 1]), int(end), int(count), round(float(error), 3), _floored(bound))
        for end, count, error, bound in zip(ends[start:], n[start:], errors[start:], found, strict=True)
    ]


def _shared_cuts(
    labels: Sequence[str], probabilities: Probabilities, wrong: NDArray[np.bool_], groups: NDArray[np.int_], *, doubt: float
) -> dict[str, list[Cut]]:
    """Return label -> the cuts that all labels share, each with the label's own counts; none where rows are too few."""
    if len(np.unique(groups)) < LEAST_ROWS:
        return {}
    winners, confidences = probabilities.argmax(axis=1), probabilities.max(axis=1)
    cuts = label_cuts(confidences, wrong, groups, doubt=doubt, n_tested=1)
    order = np.argsort(-confidences, kind="stable")
    found = {}
    for column, label in enumerate(labels):
        mine = winners[order] == column
        ends = np.array([mine[: cut.n_rows].sum() for cut in cuts])
        n, errors = _grouped(wrong[order][mine].astype(np.float64), groups[order][mine], ends)
        counts = zip(cuts, ends.tolist(), n.tolist(), errors.tolist(), strict=True)
        found[label] = [Cut(cut.threshold, end, int(count), round(error, 3), cut.bound) for cut, end, count, error in counts]
    return found


def bounds(n: Counts, errors: Counts, *, doubt: float, n_tested: int) -> Counts:
    """Return the guaranteed precision for counts of rows and errors, one label of `n_tested`."""
    share = doubt / 2 / max(1, n_tested)
    return np.minimum(clopper_pearson(n, errors, doubt=share), next_rows(n, errors, doubt=share))


def clopper_pearson(n: Counts, errors: Counts, *, doubt: float) -> Counts:
    """Return the one-sided exact lower bound of the precision."""
    right = np.maximum(n - errors, 1e-9)
    return np.asarray(np.where(errors < n, betaincinv(right, errors + 1, doubt), 0.0))


def next_rows(n: Counts, errors: Counts, *, doubt: float) -> Counts:
    """Return the share right among the next `WINDOW` * n rows that is undercut with a probability of at most `doubt`."""
    m = np.maximum(1.0, np.round(n * WINDOW))
    # P(no more errors were seen than these), by true error rate.
    seen = betainc(np.maximum(n - errors, 1e-9)[:, None], errors[:, None] + 1, 1 - _RATES[None, :])
    low, high = np.full(len(n), -1.0), m.copy()
    while (high - low > 1).any():  # the least allowance is in (low, high]
        middle = np.floor((low + high) / 2)
        more = betainc(middle[:, None] + 1, np.maximum(m - middle, 1e-9)[:, None], _RATES[None, :])
        fine = (seen * more).max(axis=1) <= doubt
        high, low = np.where(fine, middle, high), np.where(fine, low, middle)
    return np.asarray(1 - high / m)


def _ends(confidences: Probabilities) -> NDArray[np.int_]:
    """Return how many rows each cut takes in; rows of equal confidence pass together."""
    wanted, size = [], float(min(LEAST_ROWS, len(confidences)))
    while size < len(confidences):
        wanted.append(math.floor(size))
        size = max(size + 1, size * _GROWTH)
    ends = np.array([*wanted, len(confidences)])
    return np.unique(np.searchsorted(-confidences, -confidences[ends - 1], side="right"))


def _grouped(values: Counts, groups: NDArray[np.int_], ends: NDArray[np.int_]) -> tuple[Counts, Counts]:
    """Return for each cut the number of groups in it and the sum over them of their mean value."""
    n, totals = np.empty(len(ends)), np.empty(len(ends))
    _, numbers = np.unique(groups, return_inverse=True)
    for place, end in enumerate(ends):
        sizes = np.bincount(numbers[:end])
        sums = np.bincount(numbers[:end], weights=values[:end])
        n[place] = (sizes > 0).sum()
        totals[place] = (sums[sizes > 0] / sizes[sizes > 0]).sum()
    return n, totals


def _floored(value: float) -> float:
    return math.floor(float(value) * 1e6) / 1e6

"""Calibration on rows that the scores' models were not fitted on."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from smarttriage.adapters.classifiers.heads import Calibration, Scores, softmax
from smarttriage.ports import Probabilities

# Pulls bend and biases to 0 about as hard as one row does, so that a label without a held-out row stays finite.
_RIDGE = 1.0


def fit_calibration(linear: Scores, network: Scores, truth: NDArray[np.int_], *, with_bias: bool) -> Calibration:
    """Return the calibration with the least Brier score on held-out scores.

    The Brier score, not log loss: on folds of it_ticket_category's train part it left half the calibration error on the
    other folds, because a few mislabelled rows do not outweigh the rest.

    Args:
        linear: (n, n_labels) scores of the linear part.
        network: The same of the networks; all zero where there are none.
        truth: The right column of each row.
        with_bias: Whether each label gets a bias, which restores the labels' frequencies after a weighted fit.
    """
    n_labels = linear.shape[1]
    n_biases = n_labels if with_bias else 0
    # A perfect record of n rows is no proof of certainty: Platt's targets (1999), (n + 1) / (n + 2) instead of 1.
    doubt = 1.0 / (len(truth) + 2)
    hot = (1 - doubt) * np.eye(n_labels)[truth] + doubt / n_labels
    start = np.concatenate([[1.0, 0.5 if network.any() else 0.0, 0.0], np.zeros(n_biases)])
    bounds = [(0.0, 100.0), (0.0, 100.0), (-2.0, 2.0)] + [(-20.0, 20.0)] * n_biases
    arguments = (linear, network, hot)
    found = minimize(_brier, start, args=arguments, jac=True, method="L-BFGS-B", bounds=bounds).x
    # The last digits depend on how memory is aligned; a model must not.
    scale, share, bend, *biases = (round(float(value), 6) for value in found)
    return Calibration(scale, share, bend, tuple(biases) if with_bias else (0.0,) * n_labels)


def _brier(
    parameters: NDArray[np.float64], linear: Scores, network: Scores, hot: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    """Return the Brier score (mean squared distance to the truth) with its ridge, and its gradient."""
    n_rows = len(hot)
    scale, share, bend, bias = parameters[0], parameters[1], parameters[2], parameters[3:]
    scores = scale * linear + share * network + (bias if len(bias) else 0.0)
    base = softmax(scores)
    top = base.argmax(axis=1)
    certainty = base[np.arange(n_rows), top][:, None]
    factor = np.exp(bend * (2 * certainty - 1))
    probabilities = softmax(scores * factor)
    error = probabilities - hot
    value = float((error**2).sum() / n_rows + _RIDGE / n_rows * (bend**2 + bias @ bias) / 2)
    outer = 2 * error / n_rows
    inner = probabilities * (outer - (probabilities * outer).sum(axis=1, keepdims=True))
    by_factor = (inner * scores).sum(axis=1, keepdims=True)
    by_certainty = by_factor * factor * 2 * bend
    own = -base
    own[np.arange(n_rows), top] += 1.0
    by_scores = inner * factor + by_certainty * certainty * own
    gradient = [
        float((by_scores * linear).sum()),
        float((by_scores * network).sum()),
        float((by_factor * factor * (2 * certainty - 1)).sum() + _RIDGE / n_rows * bend),
    ]
    by_bias = by_scores.sum(axis=0) + _RIDGE / n_rows * bias if len(bias) else bias
    return value, np.concatenate([gradient, by_bias])


def cross_calibrated(
    linear: Scores, network: Scores, truth: NDArray[np.int_], parts: NDArray[np.int_], *, with_bias: bool
) -> Probabilities:
    """Return held-out probabilities of held-out scores: each part is calibrated by what the other parts taught."""
    probabilities = np.empty_like(linear)
    for part in np.unique(parts):
        inside = parts == part
        fitted_on = ~inside if (~inside).any() else inside
        calibration = fit_calibration(linear[fitted_on], network[fitted_on], truth[fitted_on], with_bias=with_bias)
        probabilities[inside] = calibration.probabilities(linear[inside], network[inside])
    return probabilities

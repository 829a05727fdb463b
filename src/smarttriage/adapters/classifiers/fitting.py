"""Fitting one target: choose a recipe on held-out rows, calibrate on held-out rows, then fit on all of them."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from smarttriage.adapters.classifiers.calibration import cross_calibrated, fit_calibration
from smarttriage.adapters.classifiers.feature_fitting import Matrix
from smarttriage.adapters.classifiers.folds import folds_to_fit
from smarttriage.adapters.classifiers.heads import Calibration, LinearHead, MlpHead, Scores, softmax
from smarttriage.adapters.classifiers.recipes import (
    Recipe,
    design,
    fit_linear,
    fit_network,
    linear_head,
    network_scores,
)
from smarttriage.domain.errors import InvalidInput
from smarttriage.ports import LabelledTexts, Probabilities, Vectors

MIN_ROWS = 10


@dataclass(frozen=True, slots=True)
class Task:
    """Everything that fitting one target reads.

    Attributes:
        name: The target.
        matrix: Features of all rows.
        inputs: Network inputs of all rows, or None where no target is large enough.
        folds: The fold of each row.
        truth: Column of each row's label; -1 where the row has none.
        labels: The labels in column order.
        recipes: What to choose from.
    """

    name: str
    matrix: Matrix
    inputs: Vectors | None
    folds: NDArray[np.int_]
    truth: NDArray[np.int_]
    labels: tuple[str, ...]
    recipes: Sequence[Recipe]
    seed: int
    n_threads: int


@dataclass(frozen=True, slots=True)
class HeldOutScores:
    """Scores of rows by models that did not see their group; `rows` are positions in the training input."""

    rows: NDArray[np.int_]
    linear: Scores
    network: Scores


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted target before thresholds: parts for serving, and held-out probabilities of every row of the held-out folds."""

    recipe: Recipe
    linear: LinearHead
    networks: tuple[MlpHead, ...]
    calibration: Calibration
    rows: NDArray[np.int_]
    raw: Probabilities
    calibrated: Probabilities


def column_of(labels: Sequence[str | None], order: Sequence[str]) -> NDArray[np.int_]:
    """Return the column of each label, -1 for none."""
    columns = {label: place for place, label in enumerate(order)}
    return np.array([columns[label] if label else -1 for label in labels], dtype=np.int_)


def fit_target(task: Task) -> Fitted:
    """Return the fitted target.

    Raises:
        InvalidInput: Too few labelled rows, one label only, or too few groups to hold any out.
    """
    _check(task)
    n_labelled = int((task.truth >= 0).sum())
    recipes = task.recipes
    held_out = _held_out_scores(task, recipes, folds_to_fit(n_labelled))
    best = max(range(len(recipes)), key=lambda place: _criterion(task, held_out[place]))
    recipe, scores = recipes[best], held_out[best]
    calibration, calibrated = _calibrate(task, scores)
    linear, networks = _fit_on(task, recipe, np.flatnonzero(task.truth >= 0))
    raw = softmax(scores.linear + scores.network)
    return Fitted(recipe, linear, networks, calibration, scores.rows, raw, calibrated)


def _check(task: Task) -> None:
    labelled = task.truth >= 0
    n_rows, n_labels = int(labelled.sum()), len(np.unique(task.truth[labelled]))
    if n_rows < MIN_ROWS:
        raise InvalidInput(f"Target {task.name!r} has {n_rows} labelled rows; at least {MIN_ROWS} are needed.", field=task.name)
    if n_labels < 2:
        message = f"Target {task.name!r} has one label only ({task.labels[0]!r}); there is nothing to tell apart."
        raise InvalidInput(message, field=task.name)
    if not _usable_folds(task, folds_to_fit(n_rows)):
        message = f"Target {task.name!r}: the rows are too alike to hold some out; add texts that differ, or other groups."
        raise InvalidInput(message, field=task.name)


def _usable_folds(task: Task, folds: range) -> list[int]:
    """Return the folds that leave at least two labels to fit on and hold at least one labelled row out."""
    labelled = task.truth >= 0
    return [
        fold
        for fold in folds
        if (labelled & (task.folds == fold)).any() and len(np.unique(task.truth[labelled & (task.folds != fold)])) > 1
    ]


def _held_out_scores(task: Task, recipes: Sequence[Recipe], folds: range) -> list[HeldOutScores]:
    usable = _usable_folds(task, folds)
    designs = {recipe: design(task.matrix, recipe) for recipe in recipes}
    jobs = [(recipe, designs[recipe], fold) for recipe in recipes for fold in usable]
    with ThreadPoolExecutor(task.n_threads) as pool:
        parts = list(pool.map(lambda job: _score_fold(task, *job), jobs))
    rows = np.concatenate([np.flatnonzero(task.folds == fold) for fold in usable])
    scores = []
    for place in range(len(recipes)):
        mine = parts[place * len(usable) : (place + 1) * len(usable)]
        scores.append(HeldOutScores(rows, np.vstack([part[0] for part in mine]), np.vstack([part[1] for part in mine])))
    return scores


def _score_fold(task: Task, recipe: Recipe, rows: sp.csr_matrix, fold: int) -> tuple[Scores, Scores]:
    seen = np.flatnonzero((task.truth >= 0) & (task.folds != fold))
    unseen = np.flatnonzero(task.folds == fold)
    weights, biases = fit_linear(rows[seen], task.truth[seen], len(task.labels), recipe, seed=task.seed)
    linear = np.asarray(rows[unseen] @ weights + biases, dtype=np.float64)
    heads = _fit_networks(task, recipe, seen)
    if task.inputs is None or not heads:
        return linear, np.zeros_like(linear)
    return linear, network_scores(heads, task.inputs[unseen])


def _fit_networks(task: Task, recipe: Recipe, rows: NDArray[np.int_]) -> tuple[MlpHead, ...]:
    if task.inputs is None:
        return ()
    inputs, truth = task.inputs[rows], task.truth[rows]
    seeds = range(task.seed, task.seed + recipe.n_networks)
    with ThreadPoolExecutor(task.n_threads) as pool:
        return tuple(pool.map(lambda seed: fit_network(inputs, truth, len(task.labels), seed=seed), seeds))


def _fit_on(task: Task, recipe: Recipe, rows: NDArray[np.int_]) -> tuple[LinearHead, tuple[MlpHead, ...]]:
    design_rows = design(task.matrix, recipe)[rows]
    with ThreadPoolExecutor(1) as pool:  # beside the networks: both release the interpreter while they compute
        pending = pool.submit(fit_linear, design_rows, task.truth[rows], len(task.labels), recipe, seed=task.seed)
        networks = _fit_networks(task, recipe, rows)
        weights, biases = pending.result()
    return linear_head(weights, biases, task.matrix, recipe), networks


def _criterion(task: Task, scores: HeldOutScores) -> float:
    """Return the mean of accuracy and macro-F1: the first serves most tickets, the second keeps small teams in sight."""
    truth = task.truth[scores.rows]
    return _mean_score(truth, scores.linear + scores.network)


def _mean_score(truth: NDArray[np.int_], scores: Scores) -> float:
    labelled = truth >= 0
    winners = scores[labelled].argmax(axis=1)
    macro = f1_score(truth[labelled], winners, average="macro", zero_division=0.0)
    return float((winners == truth[labelled]).mean() + macro) / 2


def _calibrate(task: Task, scores: HeldOutScores) -> tuple[Calibration, Probabilities]:
    """Return the calibration and cross-fitted probabilities.

    Label biases are used only where they raise the score by more than one standard error (the rule of Breiman et al.,
    1984, "Classification and Regression Trees", 3.4.3).
    """
    truth, parts = task.truth[scores.rows], task.folds[scores.rows]
    if len(np.unique(parts)) == 1:  # one fold held out: calibrate in five parts of it, rows dealt in turn
        parts = np.arange(len(parts)) % 5
    labelled = truth >= 0
    arguments = (scores.linear[labelled], scores.network[labelled], truth[labelled])
    found = {}
    for with_bias in (False, True):
        calibration = fit_calibration(*arguments, with_bias=with_bias)
        probabilities = calibration.probabilities(scores.linear, scores.network)
        probabilities[labelled] = cross_calibrated(*arguments, parts[labelled], with_bias=with_bias)
        found[with_bias] = (_mean_score(truth, np.log(probabilities + 1e-300)), calibration, probabilities)
    plain, biased = found[False][0], found[True][0]
    standard_error = float(np.sqrt(plain * (1 - plain) / labelled.sum()))
    _, calibration, probabilities = found[biased > plain + standard_error]
    return calibration, probabilities


def check_lengths(examples: LabelledTexts) -> None:
    """Raise InvalidInput if texts, vectors, labels and groups do not belong together."""
    n_rows = len(examples.texts)
    if len(examples.vectors) != n_rows:
        raise InvalidInput(f"{n_rows} texts but {len(examples.vectors)} vectors.", field="vectors")
    if not examples.labels:
        raise InvalidInput("There is no target to learn.", field="target")
    for name, column in examples.labels.items():
        if len(column) != n_rows:
            raise InvalidInput(f"{n_rows} texts but {len(column)} labels of target {name!r}.", field=name)
    if examples.groups is not None and len(examples.groups) != n_rows:
        raise InvalidInput(f"{n_rows} texts but {len(examples.groups)} groups.", field="groups")

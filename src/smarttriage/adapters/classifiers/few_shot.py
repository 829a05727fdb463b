"""Few labels or none: a linear model over words, characters and the embedding that starts from names and descriptions.

What it does was chosen on the development sets of benchmarks/cold_start.py (`--development`), never on those it reports:
- no label: ridge regression on the descriptions, which begins what the unlabelled texts go on with;
- from one label: logistic regression, in which a label's description weighs as much as `DESCRIPTION_WEIGHT` rows;
- below `SELF_TRAINED` labels for each label: the surest unlabelled texts of each label join in with little weight.
The result is the same kind of head that many rows give, so serving, explanation and bundles know nothing of it.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve, solve_triangular
from sklearn.linear_model import LogisticRegression

from smarttriage.adapters.classifiers.calibration import fit_calibration
from smarttriage.adapters.classifiers.feature_fitting import Matrix, fit_features
from smarttriage.adapters.classifiers.features import ExtraFeatures, TextFeatures
from smarttriage.adapters.classifiers.fitting import Fitted, Task
from smarttriage.adapters.classifiers.folds import N_FOLDS
from smarttriage.adapters.classifiers.heads import Calibration, LinearHead, Scores, softmax
from smarttriage.adapters.classifiers.recipes import Learner, Recipe, design, linear_head
from smarttriage.domain.errors import InvalidInput
from smarttriage.ports import DescribedLabels, LabelledTexts, Vectors

# Mean labels for each label from which the recipes for many rows win (`cold_start.py --development`, column "many rows").
FEW = 50
# The logistic fit costs the cube of the rows; beyond these the recipes for many rows take over.
MOST_ROWS = 2_500
DESCRIPTION_WEIGHT = 4.0
SELF_TRAINED = 5
RECIPE = Recipe(Learner.LOGISTIC, c=3.0, balance=0.0, char=True, embedding=1.0)
_RIDGE = 0.3
# Squared length of the centred embedding beside the two text blocks, which have 1 each.
_EMBEDDING = 1.5
_ROUNDS = 2
_SUREST = 3
_UNLABELLED_WEIGHT = 0.2
# How many texts the mean of the descriptions counts for in the mean of the texts.
_PRIOR_TEXTS = 10
# Below these held-out rows a calibration would be noise.
_CALIBRATED_ROWS = 30
_LEAST_SCALE = 0.1
# Of 0.5 to 14 the factors with the least Brier score on most development sets; ridge scores are small.
_ZERO_SHOT = Calibration(linear=14.0, network=0.0, bend=0.0, bias=())
_UNMEASURED = Calibration(linear=2.0, network=0.0, bend=0.0, bias=())
Truth = NDArray[np.int_]
Weights = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Described:
    """Features of names and descriptions, and the label of each; a label's first one is its own, others are further texts."""

    matrix: Matrix
    labels: tuple[str, ...]

    def columns(self, labels: Sequence[str]) -> Truth:
        """Return the column of each row's label."""
        return np.array([labels.index(label) for label in self.labels], dtype=np.int_)

    def weights(self) -> NDArray[np.float64]:
        """Return what each row counts for."""
        first = [label not in self.labels[:place] for place, label in enumerate(self.labels)]
        return np.where(first, DESCRIPTION_WEIGHT, 1.0)


def is_few(labels: Sequence[str | None], described: DescribedLabels | None, few: int) -> bool:
    """Return whether a target has fewer labelled rows than `few` for each label in the mean."""
    rows = [label for label in labels if label]
    known = {*rows, *(described.labels if described else ())}
    return len(rows) < min(few * len(known), MOST_ROWS)


def described_features(
    examples: LabelledTexts, descriptions: Mapping[str, DescribedLabels], extra: ExtraFeatures | None
) -> tuple[TextFeatures, Matrix, dict[str, Described]]:
    """Return the blocks fitted on all texts, descriptions among them, the rows' features, and each target's descriptions."""
    texts = [*examples.texts, *(text for part in descriptions.values() for text in part.texts)]
    vectors = np.concatenate([examples.vectors, *(part.vectors for part in descriptions.values())])
    features, matrix = fit_features(texts, vectors, extra)
    start, found = len(examples.texts), {}
    for name, part in descriptions.items():
        end = start + len(part.texts)
        found[name] = Described(_part(matrix, start, end), tuple(part.labels))
        start = end
    return features, _part(matrix, 0, len(examples.texts)), found


def fit_few(task: Task, described: Described | None) -> Fitted:
    """Return the fitted target.

    Raises:
        InvalidInput: Fewer than two labels are known, or all rows are alike and no label is described.
    """
    _check(task, described)
    fit = _Fit.of(task, described)
    labelled = np.flatnonzero(task.truth >= 0)
    held = [fit.spared(labelled, labelled[task.folds[labelled] == fold]) for fold in range(N_FOLDS)]
    held = [rows for rows in held if len(rows)]
    weights, biases = fit.weights(labelled)
    scores = [fit.scores(fit.weights(np.setdiff1d(labelled, rows)), rows) for rows in held]
    rows = np.concatenate(held) if held else np.zeros(0, dtype=np.int_)
    linear = np.vstack(scores) if scores else np.zeros((0, len(task.labels)))
    calibration, calibrated = _calibrate(task, linear, rows, zero_shot=not len(labelled) and not fit.joined(labelled))
    head = fit.head(weights, biases, task.matrix)
    return Fitted(RECIPE, head, (), calibration, rows, softmax(linear), calibrated)


def _check(task: Task, described: Described | None) -> None:
    if len(task.labels) < 2:
        known = f"one label only ({task.labels[0]!r})" if task.labels else "0 labelled rows"
        message = f"Target {task.name!r} has {known}; there is nothing to tell apart: label more rows, or describe the labels."
        raise InvalidInput(message, field=task.name)
    if described is None and len(np.unique(task.folds[task.truth >= 0])) == 1:
        message = (
            f"Target {task.name!r}: the rows are too alike to tell labels apart; add texts that differ, or describe the labels."
        )
        raise InvalidInput(message, field=task.name)


@dataclass(frozen=True, slots=True)
class _Fit:
    """The rows of one target as one design matrix: n rows, then the descriptions.

    Attributes:
        rows: (n + n_described, n_columns); the embedding is centred and scaled.
        truth: Columns of the labels, -1 for none.
        prior: Weights of the descriptions.
        n_labels: Columns.
        center: What was taken from a text's embedding.
        scale: What the centred embedding was multiplied by.
    """

    rows: sp.csr_matrix
    truth: Truth
    prior: NDArray[np.float64]
    n_labels: int
    center: Vectors
    scale: float

    @classmethod
    def of(cls, task: Task, described: Described | None) -> "_Fit":
        texts = task.matrix.embedding
        parts, truth, prior = [task.matrix], task.truth, np.zeros(0)
        center = texts.mean(axis=0) if len(texts) else np.zeros(texts.shape[1], dtype=np.float32)
        if described:
            mean = described.matrix.embedding.mean(axis=0)
            center = (texts.sum(axis=0) + _PRIOR_TEXTS * mean) / (len(texts) + _PRIOR_TEXTS)
            # Descriptions are another kind of text: half of their own mean goes, so that no label is near just for its style.
            parts.append(_shifted(described.matrix, (center + mean) / 2))
            truth = np.concatenate([truth, described.columns(task.labels)])
            prior = described.weights()
        parts[0] = _shifted(task.matrix, center)
        length = np.mean(np.concatenate([(part.embedding**2).sum(axis=1) for part in parts]))
        scale = float(np.sqrt(_EMBEDDING / max(float(length), 1e-6)))
        stacked = sp.vstack([design(part, replace(RECIPE, embedding=scale)) for part in parts], format="csr")
        return cls(stacked.astype(np.float64), truth, prior, len(task.labels), center, scale)

    def spared(self, labelled: Truth, rows: Truth) -> Truth:
        """Return those of the rows whose label has another labelled row or a description: a label's last row is never held out."""
        left = self._known(np.setdiff1d(labelled, rows))
        return rows[np.isin(self.truth[rows], self.truth[left])]

    def weights(self, labelled: Truth) -> Weights:
        """Return (n_columns, n_labels) weights and the biases, fitted on the labelled rows and the descriptions."""
        known = self._known(labelled)
        truth, weight = self.truth[known], np.concatenate([np.ones(len(labelled)), self.prior])
        if len(labelled):
            fitted = _logistic(self.rows[known], truth, weight, self.n_labels)
        else:
            fitted = _ridge(self.rows[known], truth, self.n_labels)
        each = self.joined(labelled)
        if not each:
            return fitted
        unlabelled = np.flatnonzero(self.truth < 0)
        for turn in range(1, _ROUNDS + 1):
            scores = self.scores(fitted, unlabelled)
            sure = _surest(softmax(scores), each * turn)
            more = np.concatenate([weight, np.full(len(sure), _UNLABELLED_WEIGHT)])
            joined = np.concatenate([truth, scores[sure].argmax(axis=1)])
            fitted = _logistic(self.rows[np.concatenate([known, unlabelled[sure]])], joined, more, self.n_labels)
        return fitted

    def joined(self, labelled: Truth) -> int:
        """Return how many unlabelled texts of each label join in at first; 0 where labels are many or texts are few."""
        each = max(_SUREST, len(labelled) // self.n_labels)
        enough = int((self.truth < 0).sum()) >= each * self.n_labels
        return each if enough and len(labelled) < SELF_TRAINED * self.n_labels else 0

    def scores(self, fitted: Weights, rows: Truth) -> Scores:
        """Return (n, n_labels) scores of some rows."""
        weights, biases = fitted
        return np.asarray(self.rows[rows] @ weights + biases, dtype=np.float64)

    def head(self, weights: NDArray[np.float64], biases: NDArray[np.float64], matrix: Matrix) -> LinearHead:
        """Return the head over the plain features: the centre goes into the biases, the scale into the weights."""
        head = linear_head(weights.astype(np.float32), biases.astype(np.float32), matrix, replace(RECIPE, embedding=self.scale))
        dim = len(self.center)
        return replace(head, bias=(head.bias - self.center @ head.dense[:dim]).astype(np.float32))

    def _known(self, labelled: Truth) -> Truth:
        first = len(self.truth) - len(self.prior)
        return np.concatenate([labelled, np.arange(first, len(self.truth))])


def _logistic(rows: sp.csr_matrix, truth: Truth, weight: NDArray[np.float64], n_labels: int) -> Weights:
    """Return weights and biases; found in the rows' span as in `recipes.fit_linear`. A label without a row gets the least bias."""
    products = (rows @ rows.T).toarray()
    products[np.diag_indices(len(products))] += 1e-6  # identical rows make it singular
    lower = cholesky(products, lower=True)
    with warnings.catch_warnings():
        # One row for each label is what this is for.
        warnings.filterwarnings("ignore", message="The number of unique classes", category=UserWarning)
        model = LogisticRegression(C=RECIPE.c, max_iter=1_000, tol=1e-3).fit(lower, truth, sample_weight=weight)
    columns = model.classes_
    found = rows.T @ solve_triangular(lower.T, model.coef_.T)
    biases = model.intercept_
    if len(model.classes_) == 2:
        found, biases = np.hstack([-found, found]) / 2, np.concatenate([-biases, biases]) / 2
    weights, all_biases = np.zeros((rows.shape[1], n_labels)), np.full(n_labels, biases.min() - 10.0)
    weights[:, columns], all_biases[columns] = found, biases
    return weights, all_biases


def _ridge(rows: sp.csr_matrix, truth: Truth, n_labels: int) -> Weights:
    """Return ridge weights towards 1 for a row's own label; every label has a bias of 0."""
    products = (rows @ rows.T).toarray()
    products[np.diag_indices(len(products))] += _RIDGE
    found = rows.T @ solve(products, np.eye(n_labels)[truth] - 1 / n_labels, assume_a="pos")
    return found, np.zeros(n_labels)


def _surest(probabilities: Scores, each: int) -> Truth:
    """Return the rows of each predicted label that lead its runner-up by most."""
    ranked = np.sort(probabilities, axis=1)
    lead, winners = ranked[:, -1] - ranked[:, -2], probabilities.argmax(axis=1)
    chosen = [np.flatnonzero(winners == column) for column in range(probabilities.shape[1])]
    return np.concatenate([rows[np.argsort(-lead[rows], kind="stable")[:each]] for rows in chosen])


def _calibrate(task: Task, linear: Scores, rows: Truth, *, zero_shot: bool) -> tuple[Calibration, Scores]:
    """Return the calibration and cross-fitted probabilities of the held-out rows."""
    n_labels = len(task.labels)
    if len(rows) < _CALIBRATED_ROWS:
        plain = _ZERO_SHOT if zero_shot else _UNMEASURED
        calibration = replace(plain, bias=(0.0,) * n_labels)
        return calibration, _probabilities(calibration, linear)
    truth, folds = task.truth[rows], task.folds[rows]
    calibrated = np.empty_like(linear)
    for fold in np.unique(folds):
        inside = folds == fold
        others = ~inside if (~inside).any() else inside
        calibrated[inside] = _probabilities(_scaled(linear[others], truth[others]), linear[inside])
    return _scaled(linear, truth), calibrated


def _scaled(linear: Scores, truth: Truth) -> Calibration:
    """Return the calibration; a scale of 0, the best for few rows that say little, would forget which label is likelier."""
    found = fit_calibration(linear, np.zeros_like(linear), truth, with_bias=False)
    return replace(found, linear=max(found.linear, _LEAST_SCALE))


def _probabilities(calibration: Calibration, linear: Scores) -> Scores:
    return calibration.probabilities(linear, np.zeros_like(linear))


def _shifted(matrix: Matrix, center: Vectors) -> Matrix:
    return replace(matrix, embedding=(matrix.embedding - center).astype(np.float32))


def _part(matrix: Matrix, start: int, end: int) -> Matrix:
    return Matrix(matrix.word[start:end], matrix.char[start:end], matrix.embedding[start:end], matrix.extra[start:end])

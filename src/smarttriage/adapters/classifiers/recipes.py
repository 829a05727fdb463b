"""Which linear model on which blocks: the recipes that inner cross-validation chooses from, and how one is fitted."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular
from sklearn.decomposition import TruncatedSVD
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.svm import LinearSVC

from smarttriage.adapters.classifiers.feature_fitting import Matrix
from smarttriage.adapters.classifiers.heads import LinearHead, MlpHead, Projection, Scores
from smarttriage.ports import Vectors

# liblinear draws from one random state per process: two fits side by side would share it, and a seed would not fix the model.
_LIBLINEAR = threading.Lock()


class Learner(StrEnum):
    """The linear model."""

    SVM = "svm"
    LOGISTIC = "logistic"


@dataclass(frozen=True, slots=True)
class Recipe:
    """One way to fit the linear part, and how many networks stand beside it.

    Attributes:
        learner: The linear model.
        c: Its inverse regularisation.
        balance: Exponent of the label weights n / (n_labels * n_label): 0 none, 1 balanced.
        char: Whether the character block is used.
        embedding: Factor on the embedding; 0 leaves it out.
        n_networks: Networks over (projected words, embedding), averaged.
    """

    learner: Learner
    c: float
    balance: float
    char: bool
    embedding: float
    n_networks: int = 0

    def __str__(self) -> str:
        """Return the recipe as people read it in a model card; no two recipes read alike."""
        learner = {Learner.SVM: "linear SVM", Learner.LOGISTIC: "logistic regression"}[self.learner]
        blocks = ["words", *(["characters"] if self.char else []), *([f"{self.embedding} x embedding"] if self.embedding else [])]
        networks = f", with {self.n_networks} networks" if self.n_networks else ""
        return f"{learner} on {' + '.join(blocks)}, C {self.c}, label weights ^{self.balance}{networks}"


# From here networks pay (it_ticket_category, 29k rows: +.015 accuracy); on every set of 900 to 4,100 rows they cost some.
MANY_ROWS = 10_000
# With many rows the embedding helps more through the networks than in the linear part, which then errs differently.
LARGE = Recipe(Learner.SVM, c=0.3, balance=0.0, char=True, embedding=0.0, n_networks=2)
# Each of these was among the best on one of alert_severity, gcp_incident_severity, msoffice product and area,
# hadoop_priority, status_page_impact and endava ticket_kind (five folds of their train parts).
SMALL: tuple[Recipe, ...] = (
    *(
        Recipe(Learner.SVM, c=c, balance=balance, char=char, embedding=embedding)
        for char, embedding in ((False, 0.0), (True, 0.0), (True, 0.5), (False, 1.0))
        for balance in (0.5, 1.0)
        for c in (0.2, 0.8)
    ),
    Recipe(Learner.LOGISTIC, c=5.0, balance=1.0, char=True, embedding=0.5),
    Recipe(Learner.LOGISTIC, c=5.0, balance=1.0, char=True, embedding=1.0),
)
PROJECTION_DIM = 200
_HIDDEN = 256
_EPOCHS = 12
# The decomposition's cube of rows is below a second up to here.
_MOST_ROWS_IN_SPAN = 2_500


def recipes_for(n_rows: int, many_rows: int = MANY_ROWS, *, kept: str | None = None) -> Sequence[Recipe]:
    """Return the recipes to try on that many labelled rows; of several only the `kept` one (its `str`), where it is among them."""
    known = (LARGE,) if n_rows >= many_rows else SMALL
    return tuple(recipe for recipe in known if str(recipe) == kept) or known


def design(matrix: Matrix, recipe: Recipe) -> sp.csr_matrix:
    """Return the sparse design matrix of the recipe's blocks."""
    blocks = [matrix.word]
    if recipe.char:
        blocks.append(matrix.char)
    if recipe.embedding:
        blocks.append(sp.csr_matrix(matrix.embedding * np.float32(recipe.embedding)))
    if matrix.extra.shape[1]:
        blocks.append(sp.csr_matrix(matrix.extra))
    return sp.hstack(blocks, format="csr")


def fit_linear(
    rows: sp.csr_matrix, truth: NDArray[np.int_], n_labels: int, recipe: Recipe, *, seed: int
) -> tuple[Vectors, Vectors]:
    """Return (n_columns, n_labels) weights and n_labels biases; a label without a row gets the least bias of all."""
    counts = np.bincount(truth, minlength=n_labels)
    present = np.flatnonzero(counts)
    weight = {label: float(len(truth) / len(present) / counts[label]) ** recipe.balance for label in present.tolist()}
    if recipe.learner is Learner.SVM:
        with _LIBLINEAR:
            model = LinearSVC(C=recipe.c, class_weight=weight, random_state=seed, max_iter=10_000).fit(rows, truth)
        coefficients, intercepts = model.coef_, model.intercept_
    else:
        coefficients, intercepts = _fit_logistic(rows, truth, recipe.c, weight)
    if len(present) == 2:
        coefficients, intercepts = np.vstack([-coefficients, coefficients]), np.concatenate([-intercepts, intercepts])
    weights = np.zeros((rows.shape[1], n_labels), dtype=np.float32)
    biases = np.full(n_labels, intercepts.min() - 10.0, dtype=np.float32)
    weights[:, present], biases[present] = coefficients.T, intercepts
    return weights, biases


def _fit_logistic(
    rows: sp.csr_matrix, truth: NDArray[np.int_], c: float, weight: Mapping[int, float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (n_labels, n_columns) coefficients and the intercepts, or one row of each for two labels.

    With fewer rows than columns the solution lies in the rows' span (representer theorem), so it is found among as many
    coordinates as there are rows: with L L' = X X' the scores X w equal L b for w = X' inv(L') b, and |w| = |b|.
    """
    model = LogisticRegression(C=c, class_weight=weight, max_iter=1_000, tol=1e-3)
    n_rows, n_columns = rows.shape
    if n_rows > _MOST_ROWS_IN_SPAN or n_rows >= n_columns:
        model.fit(rows, truth)
        return model.coef_, model.intercept_
    exact = rows.astype(np.float64)
    products = (exact @ exact.T).toarray()
    products[np.diag_indices(n_rows)] += 1e-6  # identical rows make it singular
    lower = cholesky(products, lower=True)
    model.fit(lower, truth)
    return exact.T.dot(solve_triangular(lower.T, model.coef_.T)).T, model.intercept_


def linear_head(weights: Vectors, biases: Vectors, matrix: Matrix, recipe: Recipe) -> LinearHead:
    """Return the weights by block, those of unused blocks zero, the embedding's factor folded in."""
    n_labels = weights.shape[1]
    n_word, n_char = matrix.word.shape[1], matrix.char.shape[1]
    dim, n_extra = matrix.embedding.shape[1], matrix.extra.shape[1]
    char_end = n_word + (n_char if recipe.char else 0)
    char = weights[n_word:char_end] if recipe.char else np.zeros((n_char, n_labels), dtype=np.float32)
    embedding = np.zeros((dim, n_labels), dtype=np.float32)
    if recipe.embedding:
        embedding = weights[char_end : char_end + dim] * np.float32(recipe.embedding)
    extra = weights[weights.shape[0] - n_extra :]
    return LinearHead(weights[:n_word], char, np.concatenate([embedding, extra]), biases)


def fit_projection(matrix: Matrix, *, seed: int) -> Projection:
    """Return the truncated SVD of the words (no label is seen), in half precision: the bundle's largest array."""
    n_components = min(PROJECTION_DIM, min(matrix.word.shape) - 1)
    svd = TruncatedSVD(n_components, random_state=seed).fit(matrix.word)
    return Projection(np.ascontiguousarray(svd.components_.T.astype(np.float16).astype(np.float32)))


def network_inputs(projection: Projection, matrix: Matrix) -> Vectors:
    """Return (n, projected + dim), what `Projection.inputs` gives for each row."""
    words = matrix.word @ projection.components * np.float32(projection.word_scale)
    return np.hstack([words, matrix.embedding * np.float32(projection.embedding_scale)])


def fit_network(inputs: Vectors, truth: NDArray[np.int_], n_labels: int, *, seed: int) -> MlpHead:
    """Return one fitted network; a label without a row gets the least bias of all."""
    present = np.unique(truth)
    model = MLPClassifier((_HIDDEN,), alpha=1e-3, batch_size=min(128, len(truth)), random_state=seed)
    for _ in range(_EPOCHS):  # stopping after a few epochs is the regularisation
        model.partial_fit(inputs, truth, classes=present)
    out, out_bias = model.coefs_[1], model.intercepts_[1]
    if out.shape[1] == 1:  # two labels share one logistic unit
        out, out_bias = np.hstack([-out, out]) / 2, np.concatenate([-out_bias, out_bias]) / 2
    all_out = np.zeros((out.shape[0], n_labels), dtype=np.float32)
    all_bias = np.full(n_labels, out_bias.min() - 10.0, dtype=np.float32)
    all_out[:, present], all_bias[present] = out, out_bias
    return MlpHead(model.coefs_[0].astype(np.float32), model.intercepts_[0].astype(np.float32), all_out, all_bias)


def network_scores(heads: Sequence[MlpHead], inputs: Vectors) -> Scores:
    """Return the mean scores of the networks, (n, n_labels)."""
    return np.asarray(np.mean([head.scores(inputs) for head in heads], axis=0), dtype=np.float64)

"""Metrics of a classifier's probabilities, in NumPy; each names its source. Tested against scikit-learn."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from smarttriage.domain.errors import InvalidInput
from smarttriage.ports import Classifier, Probabilities, TargetCard, Vectors

N_BINS = 15


@dataclass(frozen=True, slots=True)
class LabelScores:
    """One label: precision, recall and F1 over all rows, and the precision of those rows its threshold lets through.

    Attributes:
        precision: Right predictions of the label by all of them; 0 where there are none.
        recall: Right predictions of the label by its rows; 0 where there are none.
        f1: Harmonic mean of both.
        support: Rows that carry the label.
        threshold: Least confidence at which it is filled in; above 1 means never.
        precision_at_threshold: Precision of the predictions at or above the threshold, None where there are none.
        n_at_threshold: How many those are.
    """

    precision: float
    recall: float
    f1: float
    support: int
    threshold: float
    precision_at_threshold: float | None
    n_at_threshold: int


@dataclass(frozen=True, slots=True)
class ClassifierScores:
    """What `smarttriage evaluate classifier` prints.

    Attributes:
        n: Rows measured.
        n_classes: Labels in the rows.
        accuracy: Share of right predictions, no abstention.
        macro_f1: Unweighted mean F1 over the labels in rows or predictions.
        balanced_accuracy: Mean recall over the labels in the rows.
        ece: Expected calibration error, 15 equal-mass bins.
        majority_accuracy: What always answering the commonest label of these rows scores.
        coverage: Share of rows whose confidence reaches the threshold of the predicted label.
        accuracy_at_coverage_80: Accuracy on the 80 % most confident rows.
        precision_at_thresholds: Accuracy on the covered rows; None where nothing is covered.
        quadratic_kappa: Agreement of an ordered target; None for others.
        per_class: Label -> its scores.
    """

    n: int
    n_classes: int
    accuracy: float
    macro_f1: float
    balanced_accuracy: float
    ece: float
    majority_accuracy: float
    coverage: float
    accuracy_at_coverage_80: float
    precision_at_thresholds: float | None
    quadratic_kappa: float | None
    per_class: Mapping[str, LabelScores]

    def as_json(self) -> dict[str, object]:
        """Return the scores as plain numbers and dictionaries."""
        return asdict(self)


def evaluate_classifier(
    classifier: Classifier, target: str, texts: Sequence[str], vectors: Vectors, truth: Sequence[str]
) -> ClassifierScores:
    """Return the scores of one target on labelled rows.

    Raises:
        InvalidInput: The model does not know the target.
    """
    if target not in classifier.cards:
        message = f"The model has no target {target!r}; it has {sorted(classifier.cards)}."
        raise InvalidInput(message, field="target")
    return score(classifier.cards[target], classifier.predict_proba(texts, vectors)[target], truth)


def score(card: TargetCard, probabilities: Probabilities, truth: Sequence[str]) -> ClassifierScores:
    """Return the scores of (n, n_labels) probabilities against n true labels; a label the model does not know is missed.

    Raises:
        InvalidInput: There is no row, or the lengths differ.
    """
    if not len(truth) or len(truth) != len(probabilities):
        raise InvalidInput(f"{len(truth)} labels and {len(probabilities)} predictions: nothing to compare.", field="truth")
    labels = [*card.labels, *sorted(set(truth) - set(card.labels))]
    columns = {label: place for place, label in enumerate(labels)}
    true = np.array([columns[label] for label in truth])
    predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    right = predicted == true
    bounds = np.array([card.thresholds.get(label, np.inf) for label in card.labels])
    covered = confidence >= bounds[predicted]
    counts = confusion(true, predicted, len(labels))
    support = counts.sum(axis=1)
    return ClassifierScores(
        n=len(truth),
        n_classes=int((support > 0).sum()),
        accuracy=float(right.mean()),
        macro_f1=macro_f1(counts),
        balanced_accuracy=balanced_accuracy(counts),
        ece=expected_calibration_error(confidence, right),
        majority_accuracy=float(support.max() / len(truth)),
        coverage=float(covered.mean()),
        accuracy_at_coverage_80=accuracy_at_coverage(confidence, right, 0.8),
        precision_at_thresholds=float(right[covered].mean()) if covered.any() else None,
        quadratic_kappa=quadratic_kappa(counts) if card.ordered else None,
        per_class=_per_class(labels, counts, card, passed=(predicted, covered, right)),
    )


def confusion(true: NDArray[np.int_], predicted: NDArray[np.int_], n_labels: int) -> NDArray[np.int_]:
    """Return (n_labels, n_labels) counts, rows the truth, columns the prediction."""
    flat = np.bincount(true * n_labels + predicted, minlength=n_labels**2)
    return flat.reshape(n_labels, n_labels)


def macro_f1(counts: NDArray[np.int_]) -> float:
    """Return the mean F1 of the labels that occur in truth or prediction (Opitz and Burst, 2019, arXiv:1911.03347)."""
    occurring = counts.sum(axis=0) + counts.sum(axis=1)
    present = occurring > 0
    return float((2 * np.diag(counts)[present] / occurring[present]).mean())


def balanced_accuracy(counts: NDArray[np.int_]) -> float:
    """Return the mean recall of the labels that occur in the truth (Brodersen et al., 2010, ICPR)."""
    support = counts.sum(axis=1)
    present = support > 0
    return float((np.diag(counts)[present] / support[present]).mean())


def expected_calibration_error(confidence: NDArray[np.float64], right: NDArray[np.bool_], n_bins: int = N_BINS) -> float:
    """Return the mean gap of confidence and accuracy over bins of equal mass (Nguyen and O'Connor, 2015, arXiv:1508.05154)."""
    order = np.argsort(confidence, kind="stable")
    bins = [rows for rows in np.array_split(order, n_bins) if len(rows)]
    gaps = [len(rows) * abs(float(confidence[rows].mean()) - float(right[rows].mean())) for rows in bins]
    return float(sum(gaps) / len(confidence))


def accuracy_at_coverage(confidence: NDArray[np.float64], right: NDArray[np.bool_], coverage: float) -> float:
    """Return the accuracy on the most confident rows (selective prediction: El-Yaniv and Wiener, 2010, JMLR 11)."""
    n_kept = max(1, round(coverage * len(confidence)))
    return float(right[np.argsort(-confidence, kind="stable")[:n_kept]].mean())


def quadratic_kappa(counts: NDArray[np.int_]) -> float:
    """Return Cohen's kappa with quadratic weights (Cohen, 1968, Psychological Bulletin 70(4)); 0 where nothing varies."""
    places = np.arange(len(counts))
    weights = (places[:, None] - places[None, :]) ** 2
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    chance = float((weights * expected).sum())
    return 1.0 - float((weights * counts).sum()) / chance if chance else 0.0


def _per_class(
    labels: Sequence[str],
    counts: NDArray[np.int_],
    card: TargetCard,
    *,
    passed: tuple[NDArray[np.int_], NDArray[np.bool_], NDArray[np.bool_]],
) -> dict[str, LabelScores]:
    predicted, covered, right = passed
    found = {}
    for place, label in enumerate(labels):
        hits, n_predicted, support = int(counts[place, place]), int(counts[:, place].sum()), int(counts[place].sum())
        filled = covered & (predicted == place)
        found[label] = LabelScores(
            precision=hits / n_predicted if n_predicted else 0.0,
            recall=hits / support if support else 0.0,
            f1=2 * hits / (n_predicted + support) if n_predicted + support else 0.0,
            support=support,
            threshold=float(card.thresholds.get(label, 1.01)),
            precision_at_threshold=float(right[filled].mean()) if filled.any() else None,
            n_at_threshold=int(filled.sum()),
        )
    return found

"""The figures of an evaluation report: what a model gets right, how sure it is, and where it goes wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smarttriage.domain.errors import InvalidInput
from smarttriage.ports import Classifier, HeldOut, Probabilities, TargetCard, Vectors
from smarttriage.services.evaluation import N_BINS, ClassifierScores, confusion, score
from smarttriage.services.operating_point import at_precision
from smarttriage.services.training import TrainingRows

MAX_ERRORS = 30
MAX_CURVE_POINTS = 200
# What the slider can be set to; finer steps than a half per cent are below what held-out rows can tell apart.
PRECISIONS = tuple(round(0.5 + step * 0.005, 3) for step in range(100))


@dataclass(frozen=True, slots=True)
class Bin:
    """One bin of the reliability diagram: equal numbers of rows, from unsure to sure.

    Attributes:
        confidence: Mean confidence.
        accuracy: Share right.
        low: Lower end of the 95 % interval of `accuracy`.
        high: Its upper end.
        n: Rows.
    """

    confidence: float
    accuracy: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Setting:
    """What thresholds bring about on the rows of the report.

    Attributes:
        asked: The precision that every filled-in label guarantees on the rows the thresholds were chosen on.
        coverage: Share of rows that are filled in.
        precision: Share of those that are right; None where nothing is filled in.
        thresholds: One for each label in the order of the card; above 1 means recommend only.
    """

    asked: float
    coverage: float
    precision: float | None
    thresholds: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Miss:
    """A row that the model got wrong."""

    text: str
    truth: str
    predicted: str
    confidence: float


@dataclass(frozen=True, slots=True)
class LearningPoint:
    """What a quick fit on so many rows scores on rows it did not see."""

    n: int
    accuracy: float
    macro_f1: float


@dataclass(frozen=True, slots=True)
class TargetReport:
    """One target.

    Attributes:
        card: What the model promises.
        scores: What it keeps.
        labels: Of the confusion matrix, the most frequent first.
        matrix: (n_labels, n_labels) counts, rows the truth.
        bins: The reliability diagram.
        curve: (coverage, precision) by one threshold for all labels, from few rows to all.
        settings: What the slider shows.
        misses: The wrong rows that the model was surest of.
        learning: The learning curve; empty where none was asked for.
    """

    card: TargetCard
    scores: ClassifierScores
    labels: tuple[str, ...]
    matrix: NDArray[np.int_]
    bins: tuple[Bin, ...]
    curve: tuple[tuple[float, float], ...]
    settings: tuple[Setting, ...]
    misses: tuple[Miss, ...]
    learning: tuple[LearningPoint, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelReport:
    """Everything that a report page shows.

    Attributes:
        manifest: What the bundle says about its making.
        rows: Which rows the figures rest on, in words.
        targets: The targets.
    """

    manifest: Mapping[str, Any]
    rows: str
    targets: tuple[TargetReport, ...]
    notes: tuple[str, ...] = field(default=())


def report_of_held_out(
    classifier: Classifier, held_out: Mapping[str, HeldOut], texts: Sequence[str], manifest: Mapping[str, Any]
) -> ModelReport:
    """Return the report of a fresh classifier on the training rows that models of the same recipe did not see."""
    targets = tuple(
        target_report(classifier.cards[name], held.calibrated, held.truth, [texts[row] for row in held.rows])
        for name, held in held_out.items()
    )
    rows = "training rows, each judged by a model of the same recipe that did not see it or its near-duplicates"
    return ModelReport(manifest, rows, targets)


def report_of_rows(classifier: Classifier, rows: TrainingRows, vectors: Vectors, manifest: Mapping[str, Any]) -> ModelReport:
    """Return the report of a model on labelled rows.

    Raises:
        InvalidInput: The model knows none of the targets.
    """
    unknown = sorted(set(rows.labels) - set(classifier.cards))
    if unknown:
        raise InvalidInput(f"the model has no target {unknown[0]!r}; it has {sorted(classifier.cards)}", field="target")
    found = classifier.predict_proba(rows.texts, vectors)
    targets = []
    for name, column in rows.labels.items():
        kept = [place for place, label in enumerate(column) if label]
        truth = [str(column[place]) for place in kept]
        texts = [rows.texts[place] for place in kept]
        targets.append(target_report(classifier.cards[name], found[name][kept], truth, texts))
    return ModelReport(manifest, "labelled rows given for this report", tuple(targets))


def target_report(card: TargetCard, probabilities: Probabilities, truth: Sequence[str], texts: Sequence[str]) -> TargetReport:
    """Return the figures of one target on n rows."""
    labels = [*card.labels, *sorted(set(truth) - set(card.labels))]
    columns = {label: place for place, label in enumerate(labels)}
    true = np.array([columns[label] for label in truth])
    predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    right = predicted == true
    counts = confusion(true, predicted, len(labels))
    order = np.argsort(-counts.sum(axis=1), kind="stable")
    wrong = np.flatnonzero(~right)
    surest = wrong[np.argsort(-confidence[wrong], kind="stable")][:MAX_ERRORS].tolist()
    return TargetReport(
        card=card,
        scores=score(card, probabilities, truth),
        labels=tuple(labels[place] for place in order),
        matrix=counts[np.ix_(order, order)],
        bins=_bins(confidence, right),
        curve=_curve(confidence, right),
        settings=_settings(card, predicted, confidence, right),
        misses=tuple(Miss(texts[row], truth[row], card.labels[predicted[row]], float(confidence[row])) for row in surest),
    )


def with_learning(report: ModelReport, curves: Mapping[str, Sequence[LearningPoint]]) -> ModelReport:
    """Return the report with learning curves."""
    targets = tuple(replace(target, learning=tuple(curves.get(target.card.name, ()))) for target in report.targets)
    return replace(report, targets=targets)


def wilson(hits: float, n: int, z: float = 1.96) -> tuple[float, float]:
    """Return the 95 % score interval of a share (Wilson, 1927, JASA 22, 209-212)."""
    share, spread = hits / n, z * z / n
    centre, half = share + spread / 2, z * np.sqrt(share * (1 - share) / n + spread / (4 * n))
    return float((centre - half) / (1 + spread)), float((centre + half) / (1 + spread))


def _bins(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> tuple[Bin, ...]:
    order = np.argsort(confidence, kind="stable")
    parts = [rows for rows in np.array_split(order, N_BINS) if len(rows)]
    return tuple(
        Bin(float(confidence[rows].mean()), float(right[rows].mean()), *wilson(float(right[rows].sum()), len(rows)), n=len(rows))
        for rows in parts
    )


def _curve(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> tuple[tuple[float, float], ...]:
    """Return coverage and precision at the least confidence of each place; equal confidences stand or fall together."""
    order = np.argsort(-confidence, kind="stable")
    last = np.flatnonzero(np.append(np.diff(confidence[order]) != 0, True))
    precision = np.cumsum(right[order])[last] / (last + 1)
    coverage = (last + 1) / len(order)
    kept = np.unique(np.linspace(0, len(last) - 1, min(MAX_CURVE_POINTS, len(last))).round().astype(int))
    return tuple(zip(coverage[kept].tolist(), precision[kept].tolist(), strict=True))


def _settings(
    card: TargetCard, predicted: NDArray[np.int_], confidence: NDArray[np.float64], right: NDArray[np.bool_]
) -> tuple[Setting, ...]:
    """Return one setting for each precision that can be asked for; without a stored curve only the model's own."""
    if card.curve is None:
        return (_setting(card.target_precision, card, card.thresholds, (predicted, confidence, right)),)
    found = [
        _setting(precision, card, at_precision(card, precision).thresholds, (predicted, confidence, right))
        for precision in PRECISIONS
    ]
    return tuple(found)


def _setting(
    asked: float,
    card: TargetCard,
    thresholds: Mapping[str, float],
    rows: tuple[NDArray[np.int_], NDArray[np.float64], NDArray[np.bool_]],
) -> Setting:
    predicted, confidence, right = rows
    bounds = np.array([thresholds.get(label, np.inf) for label in card.labels])
    filled = confidence >= bounds[predicted]
    precision = float(right[filled].mean()) if filled.any() else None
    return Setting(asked, float(filled.mean()), precision, tuple(min(bound, 1.01) for bound in bounds.tolist()))

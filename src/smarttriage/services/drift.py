"""Has what comes in, or what becomes of it, moved away from what the model was trained on? Plain NumPy, cheap, no label needed."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smarttriage.domain.errors import BundleError
from smarttriage.ports import HeldOut, Probabilities, TargetCard, Vectors

REFERENCE_FILE = "reference.json"
N_BINS = 10
N_DRAWS = 1_000
N_DRAWN_ROWS = 200
# One false alarm in a thousand looks at independent windows, for each signal.
LEVEL = 0.999
# Below .1 a population counts as unchanged whatever the test says (Siddiqi, 2006, "Credit Risk Scorecards", ch. 8).
LEAST_PSI = 0.1
# Share of the reference's variance by which the mean may move; measured by benchmarks/drift.py on real tickets.
LEAST_SHIFT = 0.05
MIN_ROWS = 100
# The odds of being wrong that the outcome alarm is tuned to find, and the mean number of judgements until a false alarm.
ODDS = 2.0
JUDGEMENTS_PER_FALSE_ALARM = 10_000


@dataclass(frozen=True, slots=True)
class TargetReference:
    """What a target's predictions looked like on held-out rows.

    Attributes:
        labels: Predicted label -> rows.
        edges: Inner edges of the confidence bins, deciles of the held-out rows.
        bins: Rows of each bin.
    """

    labels: Mapping[str, int]
    edges: tuple[float, ...]
    bins: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """What the training rows looked like; kept in the bundle.

    Attributes:
        n: Rows.
        mean: (dim,) mean of their vectors.
        spread: Total variance of the vectors.
        limit: The n * squared distance of the mean that samples of the rows themselves exceed once in a thousand.
        targets: Target -> its predictions.
    """

    n: int
    mean: NDArray[np.float64]
    spread: float
    limit: float
    targets: Mapping[str, TargetReference]

    @classmethod
    def of(cls, held_out: Mapping[str, HeldOut], cards: Mapping[str, TargetCard], vectors: Vectors, *, seed: int) -> "Reference":
        """Return the reference of a training; the limit is calibrated by bootstrap."""
        rows = np.asarray(vectors, dtype=np.float64)
        mean, rng = rows.mean(axis=0), np.random.default_rng(seed)
        moved = [
            N_DRAWN_ROWS * float(((rows[rng.integers(0, len(rows), N_DRAWN_ROWS)].mean(axis=0) - mean) ** 2).sum())
            for _ in range(N_DRAWS)
        ]
        targets = {name: _target_reference(cards[name], held.calibrated) for name, held in held_out.items()}
        spread = float(((rows - mean) ** 2).sum(axis=1).mean())
        return cls(len(rows), mean, spread, float(np.quantile(moved, LEVEL)), targets)

    @classmethod
    def read(cls, content: bytes | None) -> "Reference | None":
        """Return what `written` wrote; None where the bundle has none. Raises BundleError for anything else."""
        if content is None:
            return None
        try:
            found: dict[str, Any] = json.loads(content)
            targets = {
                name: TargetReference(row["labels"], tuple(row["edges"]), tuple(row["bins"]))
                for name, row in found["targets"].items()
            }
            return cls(found["n"], np.array(found["mean"]), found["spread"], found["limit"], targets)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BundleError(f"{REFERENCE_FILE} is no reference of a training ({error!r}); train the model again.") from error

    def written(self) -> bytes:
        """Return the reference as JSON."""
        targets = {
            name: {"labels": dict(row.labels), "edges": list(row.edges), "bins": list(row.bins)}
            for name, row in self.targets.items()
        }
        mean = [round(value, 6) for value in self.mean.tolist()]
        content = {"n": self.n, "mean": mean, "spread": self.spread, "limit": self.limit, "targets": targets}
        return json.dumps(content, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing that is watched.

    Attributes:
        name: "texts", "labels", "confidence" or "outcome".
        target: Of which target; None for the texts.
        n: Rows or judgements it rests on.
        value: What was measured.
        limit: From where on it is an alarm; None while there are too few rows to tell.
        alarm: Whether it is one.
    """

    name: str
    target: str | None
    n: int
    value: float
    limit: float | None
    alarm: bool


def input_signals(
    reference: Reference, vectors: Vectors, predicted: Mapping[str, tuple[TargetCard, Probabilities]]
) -> list[Signal]:
    """Return the signals of a window of n texts: their mean, and each target's predicted labels and confidences."""
    signals = [_moved(reference, vectors)]
    for name, (card, probabilities) in predicted.items():
        if name in reference.targets and len(probabilities):
            signals += _predictions(name, reference.targets[name], card, probabilities)
    return signals


def psi(reference: NDArray[np.float64], window: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the population stability index over the last axis, half a row added to each bin so that none is empty."""
    left = (reference + 0.5) / (reference + 0.5).sum(axis=-1, keepdims=True)
    right = (window + 0.5) / (window + 0.5).sum(axis=-1, keepdims=True)
    return np.asarray(((right - left) * np.log(right / left)).sum(axis=-1))


def psi_limit(reference: NDArray[np.float64], n: int) -> float:
    """Return the index that two samples of the same population exceed once in a thousand, by simulation; .1 at least."""
    rng, share = np.random.default_rng(0), (reference + 0.5) / (reference + 0.5).sum()
    before = rng.multinomial(int(reference.sum()), share, size=N_DRAWS).astype(np.float64)
    after = rng.multinomial(n, share, size=N_DRAWS).astype(np.float64)
    return max(LEAST_PSI, float(np.quantile(psi(before, after), LEVEL)))


@dataclass(slots=True)
class Outcomes:
    """A risk-adjusted CUSUM of wrong labels (Steiner et al., 2000, Biostatistics 1, 441-452).

    Each judgement is held against the confidence that was stated, so that a stream of hard tickets raises no alarm, and a
    model that overstates itself does. Under true confidences the mean run to a false alarm is at least exp(limit)
    (Lorden, 1971, Annals of Mathematical Statistics 42, 1897-1908).
    """

    n: int = 0
    wrong: int = 0
    total: float = 0.0
    alarmed: bool = False

    LIMIT = math.log(JUDGEMENTS_PER_FALSE_ALARM)

    def add(self, confidence: float, *, wrong: bool) -> None:
        """Take one judgement into account; an alarm stays until the model changes."""
        expected = min(max(1 - confidence, 0.001), 0.999)
        self.n += 1
        self.wrong += wrong
        self.total = max(0.0, self.total + math.log(ODDS if wrong else 1.0) - math.log(1 - expected + ODDS * expected))
        self.alarmed = self.alarmed or self.total >= self.LIMIT

    def signal(self, target: str) -> Signal:
        """Return where it stands."""
        return Signal("outcome", target, self.n, round(self.total, 4), round(self.LIMIT, 4), self.alarmed)


def _target_reference(card: TargetCard, probabilities: Probabilities) -> TargetReference:
    best, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    counts = np.bincount(best, minlength=len(card.labels)).tolist()
    edges = np.unique(np.quantile(confidence, np.linspace(0, 1, N_BINS + 1)[1:-1]))
    bins = np.bincount(np.searchsorted(edges, confidence, side="right"), minlength=len(edges) + 1)
    return TargetReference(dict(zip(card.labels, counts, strict=True)), tuple(edges.tolist()), tuple(bins.tolist()))


def _moved(reference: Reference, vectors: Vectors) -> Signal:
    n = len(vectors)
    if n < MIN_ROWS:
        return Signal("texts", None, n, 0.0, None, alarm=False)
    squared = float(((np.asarray(vectors, dtype=np.float64).mean(axis=0) - reference.mean) ** 2).sum())
    # The reference's own mean is uncertain too: the squared distance grows as 1 / n + 1 / n of the reference.
    limit = max(reference.limit * (1 / n + 1 / reference.n), LEAST_SHIFT * reference.spread) / reference.spread
    value = squared / reference.spread
    return Signal("texts", None, n, round(value, 4), round(limit, 4), alarm=value > limit)


def _predictions(name: str, reference: TargetReference, card: TargetCard, probabilities: Probabilities) -> list[Signal]:
    best, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    counts = np.bincount(best, minlength=len(card.labels))
    labels = np.array([reference.labels.get(label, 0) for label in card.labels], dtype=np.float64)
    bins = np.bincount(np.searchsorted(reference.edges, confidence, side="right"), minlength=len(reference.bins))
    return [
        _shifted("labels", name, labels, counts),
        _shifted("confidence", name, np.array(reference.bins, dtype=np.float64), bins),
    ]


def _shifted(name: str, target: str, reference: NDArray[np.float64], window: Sequence[int] | NDArray[np.int_]) -> Signal:
    counts = np.asarray(window, dtype=np.float64)
    n = int(counts.sum())
    value = float(psi(reference, counts))
    if n < MIN_ROWS:
        return Signal(name, target, n, round(value, 4), None, alarm=False)
    limit = psi_limit(reference, n)
    return Signal(name, target, n, round(value, 4), round(limit, 4), alarm=value > limit)

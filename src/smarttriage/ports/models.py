"""Encoders, classifiers and the bundles they come in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from smarttriage.domain.contract import ClassContract, PrecisionCurve

Vectors: TypeAlias = NDArray[np.float32]


Probabilities: TypeAlias = NDArray[np.float64]


class Clock(Protocol):
    """Tells the time."""

    def __call__(self) -> datetime:
        """Return the present instant, UTC-aware."""
        ...


class Encoder(Protocol):
    """Text to vectors. Safe to call from many threads; the same text gives the same row whatever stands beside it."""

    @property
    def encoder_id(self) -> str:
        """Name and content hash, for example "all-MiniLM-L6-v2-int8-1a2b3c4d5e6f"; vectors of two ids are never compared."""
        ...

    @property
    def dim(self) -> int:
        """Length of one vector."""
        ...

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return (len(texts), dim) float32, rows of L2 norm 1. An empty list gives (0, dim); an empty text is a text."""
        ...


@dataclass(frozen=True, slots=True)
class TargetCard:
    """What a classifier promises for one target.

    Attributes:
        name: The target, for example "category".
        labels: Column order of the probabilities.
        thresholds: For each label the least confidence at which it is filled in; above 1 means never (recommend only).
        target_precision: The precision that the thresholds were chosen for, on rows the model was not fitted on.
        contracts: Label -> what its threshold guarantees; empty in bundles older than contracts.
        curve: What thresholds for another precision or coverage are computed from, or None.
        parents: For a target below another one (sub_category under category): label -> label of `parent`.
        parent: Name of the target above, or None.
        ordered: Whether the labels are ordered (impact, urgency), lowest first.
    """

    name: str
    labels: tuple[str, ...]
    thresholds: Mapping[str, float]
    target_precision: float
    parent: str | None = None
    parents: Mapping[str, str] = field(default_factory=dict)
    ordered: bool = False
    contracts: Mapping[str, ClassContract] = field(default_factory=dict)
    curve: PrecisionCurve | None = None


@dataclass(frozen=True, slots=True)
class TextSpan:
    """A span of a model text and how much it carried a label."""

    start: int
    end: int
    weight: float
    cue: str | None = None


class Classifier(Protocol):
    """Several targets over one text and its vector. Safe to call from many threads."""

    @property
    def version(self) -> str:
        """Bundle version, for provenance."""
        ...

    @property
    def encoder_id(self) -> str | None:
        """The encoder whose vectors it was fitted on; None if it uses none."""
        ...

    @property
    def cards(self) -> Mapping[str, TargetCard]:
        """Target name -> its labels and thresholds."""
        ...

    def predict_proba(self, texts: Sequence[str], vectors: Vectors) -> Mapping[str, Probabilities]:
        """Return target -> (len(texts), len(labels)) calibrated probabilities; rows sum to 1.

        Below another target they are those of the whole path: no label is more likely than the one above it, and a row sums to
        what the labels above that have labels below them have.
        `texts` are `model_text()`s; `vectors` their (len(texts), dim) encodings. Same input, same output, one row or many.
        """
        ...

    def explain(self, text: str, target: str, label: str, n: int = 5) -> Sequence[TextSpan]:
        """Return the at most n spans of `text` that carried `label` most, in the order of their weight."""
        ...


@dataclass(frozen=True, slots=True)
class DescribedLabels:
    """What the labels of a target are called and mean, for a start with few labelled rows or none.

    Attributes:
        labels: m labels; one may stand there again with further texts, such as articles, its own description first.
        texts: m texts: name and description.
        vectors: Their (m, dim) vectors.
        parents: For a target below another one: label -> label of the target above.
    """

    labels: Sequence[str]
    texts: Sequence[str]
    vectors: Vectors
    parents: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LabelledTexts:
    """Training input: n model texts, their (n, dim) vectors and for each target n labels (None: not labelled).

    `groups` keeps near-duplicates on one side of every split; None: computed from the texts. `descriptions` by target are
    used where labelled rows are few.
    """

    texts: Sequence[str]
    vectors: Vectors
    labels: Mapping[str, Sequence[str | None]]
    groups: Sequence[str] | None = None
    descriptions: Mapping[str, DescribedLabels] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Predictions for training rows by models that did not see them or their near-duplicates.

    Attributes:
        rows: Their n positions in the training input.
        truth: Their n labels.
        raw: (n, n_labels) probabilities before calibration.
        calibrated: The same after calibration, which itself was fitted on other rows.
        recipe: What was fitted, in words.
    """

    rows: Sequence[int]
    truth: Sequence[str]
    raw: Probabilities
    calibrated: Probabilities
    recipe: str


class FittedClassifier(Classifier, Protocol):
    """A classifier fresh from training, with the evidence for its thresholds."""

    @property
    def held_out(self) -> Mapping[str, HeldOut]:
        """Target name -> held-out predictions."""
        ...


FittedT_co = TypeVar("FittedT_co", bound=FittedClassifier, covariant=True)


class Trainer(Protocol[FittedT_co]):
    """Fits classifiers. Same input and seed, same model."""

    def fit(self, examples: LabelledTexts, *, seed: int) -> FittedT_co:
        """Return a calibrated classifier of every target in `examples.labels`.

        Raises:
            InvalidInput: A target cannot be learnt: too few labelled rows, one label only, contradicting parents.
        """
        ...


class VectorCache(Protocol):
    """Vectors by encoder and text, so that a text is encoded once however often a model is trained."""

    def get(self, encoder_id: str, texts: Sequence[str]) -> Sequence[Vectors | None]:
        """Return for each text its vector, None where it is not known."""
        ...

    def put(self, encoder_id: str, texts: Sequence[str], vectors: Vectors) -> None:
        """Keep (len(texts), dim) vectors."""
        ...


class Bundles(Protocol):
    """Model bundles by version; loading checks every file against the manifest and never unpickles."""

    def load(self, version: str) -> Classifier:
        """Return the classifier. Raises BundleError, naming what does not match."""
        ...

    def current(self) -> str:
        """Return the promoted version."""
        ...

    def promote(self, version: str) -> None:
        """Make `version` the current one by an atomic replace."""
        ...

"""The ports: what the services need from the outside. Each adapter passes the contract suite of its port (`smarttriage.testing`)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

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
class Hit:
    """One result of a search; a higher score is better and is comparable only within one index."""

    id: str
    score: float


class VectorSearcher(Protocol):
    """A fixed state of a vector index. Safe to search from many threads."""

    def __len__(self) -> int:
        """Number of vectors."""
        ...

    def search(self, queries: Vectors, k: int, *, allowed: Collection[str]) -> list[list[Hit]]:
        """Return for each query row at most k hits, best first, ties by id; the score is the inner product.

        A record is visible if at least one of its labels is in `allowed`; nothing else is scored, counted or returned, and
        k visible records come back whenever there are k. No label, or nothing allowed, means no hit.
        """
        ...


class VectorIndex(VectorSearcher, Protocol):
    """A vector index that can change. One writer at a time; snapshots taken before a change do not see it."""

    @property
    def encoder_id(self) -> str:
        """Whose vectors these are."""
        ...

    def add(self, ids: Sequence[str], vectors: Vectors, labels: Sequence[Collection[str]]) -> None:
        """Add or replace by id. Raises InvalidInput on wrong shape, non-finite values or lengths that differ."""
        ...

    def remove(self, ids: Collection[str]) -> int:
        """Remove what is there; return how many were."""
        ...

    def snapshot(self) -> VectorSearcher:
        """Return the present state, which later changes leave as it is. Cheap."""
        ...

    def save(self, folder: Path, *, seq: int) -> None:
        """Write the index atomically with its checksum, its encoder id and the change-log position it holds."""
        ...

    def load(self, folder: Path) -> int:
        """Replace the content by a saved one; return its seq. Raises IndexMismatch if it is damaged or of another encoder."""
        ...


class LexicalSearcher(Protocol):
    """A fixed state of a lexical (BM25) index. Safe to search from many threads."""

    def __len__(self) -> int:
        """Number of texts."""
        ...

    def search(self, queries: Sequence[str], k: int, *, allowed: Collection[str]) -> list[list[Hit]]:
        """Return for each query text at most k hits, best first; visibility as in `VectorSearcher.search`.

        Any string is a query, none is query syntax; a query without a known word gives no hit.
        """
        ...


class LexicalIndex(LexicalSearcher, Protocol):
    """A lexical index that can change, with the verbs of `VectorIndex` over text."""

    def add(self, ids: Sequence[str], texts: Sequence[str], labels: Sequence[Collection[str]]) -> None:
        """Add or replace by id."""
        ...

    def remove(self, ids: Collection[str]) -> int:
        """Remove what is there; return how many were."""
        ...

    def snapshot(self) -> LexicalSearcher:
        """Return the present state, which later changes leave as it is."""
        ...

    def save(self, folder: Path, *, seq: int) -> None:
        """Write the index atomically with its checksum and the change-log position it holds."""
        ...

    def load(self, folder: Path) -> int:
        """Replace the content by a saved one; return its seq. Raises IndexMismatch if it is damaged."""
        ...


@dataclass(frozen=True, slots=True)
class TargetCard:
    """What a classifier promises for one target.

    Attributes:
        name: The target, for example "category".
        labels: Column order of the probabilities.
        thresholds: For each label the least confidence at which it is filled in; above 1 means never (recommend only).
        target_precision: The precision that the thresholds were chosen for, on rows the model was not fitted on.
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

        `texts` are `model_text()`s; `vectors` their (len(texts), dim) encodings. Same input, same output, one row or many.
        """
        ...

    def explain(self, text: str, target: str, label: str, n: int = 5) -> Sequence[TextSpan]:
        """Return the at most n spans of `text` that carried `label` most, in the order of their weight."""
        ...


@dataclass(frozen=True, slots=True)
class LabelledTexts:
    """Training input: n model texts, their (n, dim) vectors and for each target n labels (None: not labelled).

    `groups` keeps near-duplicates on one side of every split; None: computed from the texts.
    """

    texts: Sequence[str]
    vectors: Vectors
    labels: Mapping[str, Sequence[str | None]]
    groups: Sequence[str] | None = None


class Trainer(Protocol):
    """Fits classifiers. Same input and seed, same model."""

    def fit(self, examples: LabelledTexts, *, seed: int) -> Classifier:
        """Return a calibrated classifier of every target in `examples.labels`."""
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

"""The features that all targets of one model share: TF-IDF of words and characters, the embedding, optional extra numbers.

A service reads them without scikit-learn and SciPy, whose import takes a third of a start; fitting is `feature_fitting`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from smarttriage.adapters.classifiers.analysis import TfidfBlock
from smarttriage.domain.evidence_changes import EvidenceChange
from smarttriage.ports import TextSpan, Vectors


class ExtraFeatures(Protocol):
    """A hook for numbers computed from the text, such as cues for impact and urgency. It must be a pure function.

    A bundle keeps `name` and `columns` only: whoever loads it gives the object of that name again.
    """

    @property
    def name(self) -> str:
        """Name and version of the computation; a change of meaning needs another name."""
        ...

    @property
    def columns(self) -> Sequence[str]:
        """One name for each number."""
        ...

    def values(self, text: str) -> Sequence[float]:
        """Return one number for each column, of a size of about 0 to 1."""
        ...

    def used(self, target: str) -> Sequence[bool]:
        """Return for each column whether the target may read it."""
        ...

    def places(self, text: str) -> Sequence["Place"]:
        """Return the places that may be shown for a label; may be empty."""
        ...

    def alternatives(self, text: str) -> Sequence["Altered"]:
        """Return what the columns would be if one thing were otherwise; may be empty."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """A place of a text, column -> what its number loses without that place, and the (target, label) that it may be shown for."""

    span: TextSpan
    losses: Mapping[int, float]
    speaks_for: Collection[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Altered:
    """A change of the evidence, the places it takes away, and column -> what is added to its number."""

    change: EvidenceChange
    spans: tuple[TextSpan, ...]
    differences: Mapping[int, float]


@dataclass(frozen=True, slots=True)
class Row:
    """The features of one text: filled columns of the word and char blocks and the dense part (embedding, then extra)."""

    word_columns: NDArray[np.intp]
    word_values: Vectors
    char_columns: NDArray[np.intp]
    char_values: Vectors
    dense: Vectors


@dataclass(frozen=True, slots=True)
class TextFeatures:
    """Fitted feature blocks."""

    word: TfidfBlock
    char: TfidfBlock
    dim: int
    extra: ExtraFeatures | None = None

    @property
    def n_dense(self) -> int:
        """Length of the dense part."""
        return self.dim + (len(self.extra.columns) if self.extra else 0)

    def row(self, text: str, vector: Vectors) -> Row:
        """Return the features of one text."""
        lowered = text.lower()
        dense = np.asarray(vector, dtype=np.float32)
        if self.extra:
            dense = np.concatenate([dense, np.asarray(self.extra.values(text), dtype=np.float32)])
        return Row(*self.word.transform(lowered), *self.char.transform(lowered), dense)

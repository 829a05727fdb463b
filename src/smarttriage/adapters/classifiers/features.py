"""The features that all targets of one model share: TF-IDF of words and characters, the embedding, optional extra numbers."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from smarttriage.adapters.classifiers.analysis import CHAR_SIZES, WORD_PATTERN, WORD_SIZES, Analyser, TfidfBlock
from smarttriage.domain.errors import InvalidInput
from smarttriage.domain.evidence_changes import EvidenceChange
from smarttriage.ports import TextSpan, Vectors

# Beyond these the score on clusters held out of it_ticket_category's train part no longer rose.
MAX_WORD_TERMS = 40_000
MAX_CHAR_TERMS = 30_000
# From this many rows a term seen once is noise (it_ticket_category); below, it may be the name of a product.
MANY_ROWS = 3_000
# Up to here no character term may go either: a few descriptions share hardly any.
FEW_TEXTS = 200


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
class Matrix:
    """The features of n texts for fitting."""

    word: sp.csr_matrix
    char: sp.csr_matrix
    embedding: Vectors
    extra: Vectors

    def for_target(self, extra: ExtraFeatures | None, target: str) -> "Matrix":
        """Return the matrix with 0 in the extra columns that the target may not read (all, without `extra`): so are weights."""
        if extra is None:
            return replace(self, extra=np.zeros_like(self.extra))
        return replace(self, extra=self.extra * np.array(extra.used(target), dtype=np.float32))


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


def fit_features(texts: Sequence[str], vectors: Vectors, extra: ExtraFeatures | None) -> tuple[TextFeatures, Matrix]:
    """Return the blocks fitted on the texts (vocabulary and idf: no label is seen) and the texts' own features."""
    word = TfidfVectorizer(
        token_pattern=WORD_PATTERN,
        ngram_range=WORD_SIZES,
        sublinear_tf=True,
        min_df=2 if len(texts) > MANY_ROWS else 1,
        max_features=MAX_WORD_TERMS,
        dtype=np.float32,
    )
    char = TfidfVectorizer(
        analyzer=Analyser.CHAR_WB,
        ngram_range=CHAR_SIZES,
        sublinear_tf=True,
        min_df=2 if len(texts) > FEW_TEXTS else 1,
        max_features=MAX_CHAR_TERMS,
        dtype=np.float32,
    )
    try:
        word_rows, char_rows = word.fit_transform(texts), char.fit_transform(texts)
    except ValueError as error:
        raise InvalidInput(f"The texts hold no words to learn from ({error}); check the text column.", field="text") from error
    fitted = TextFeatures(_block(Analyser.WORD, word), _block(Analyser.CHAR_WB, char), vectors.shape[1], extra)
    numbers = (
        np.array([extra.values(text) for text in texts], dtype=np.float32) if extra else np.zeros((len(texts), 0), np.float32)
    )
    return fitted, Matrix(word_rows.tocsr(), char_rows.tocsr(), np.asarray(vectors, dtype=np.float32), numbers)


def _block(analyser: Analyser, vectorizer: TfidfVectorizer) -> TfidfBlock:
    vocabulary = {term: int(column) for term, column in vectorizer.vocabulary_.items()}
    return TfidfBlock(analyser, vocabulary, vectorizer.idf_.astype(np.float32))

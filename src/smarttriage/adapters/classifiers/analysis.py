"""TF-IDF of one text without scikit-learn's per-call cost, equal to what TfidfVectorizer computes (tested)."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from smarttriage.ports import Vectors

WORD_PATTERN = r"(?u)\b\w\w+\b"
WORD_SIZES = (1, 2)
CHAR_SIZES = (3, 5)
# About 5 MB of columns at the most.
_KEPT_WORDS = 20_000
_KEPT_LENGTH = 30
_WORD = re.compile(WORD_PATTERN)
_NO_COLUMNS: NDArray[np.intp] = np.empty(0, dtype=np.intp)


class Analyser(StrEnum):
    """How a text becomes terms; the values are scikit-learn's names."""

    WORD = "word"
    CHAR_WB = "char_wb"


@dataclass(frozen=True, slots=True)
class TfidfBlock:
    """A fitted TF-IDF block: sublinear term frequency, smoothed idf, L2 norm 1.

    Attributes:
        analyser: How a text becomes terms.
        vocabulary: Term -> column of the block.
        idf: Inverse document frequency by column.
        known: Columns of the character terms of words met before; most words of a text are common ones.
    """

    analyser: Analyser
    vocabulary: Mapping[str, int]
    idf: NDArray[np.float32]
    known: dict[str, NDArray[np.intp]] = field(default_factory=dict, compare=False, repr=False)

    def transform(self, lowered: str) -> tuple[NDArray[np.intp], Vectors]:
        """Return the columns that the lower-cased text fills and their values, columns ascending."""
        if self.analyser is Analyser.WORD:
            names = _word_names(lowered)
            found = np.array([column for name in names if (column := self.vocabulary.get(name)) is not None], dtype=np.intp)
        else:
            found = np.concatenate([_NO_COLUMNS, *map(self.char_columns, lowered.split())])
        columns, counts = np.unique(found, return_counts=True)
        return columns, self.weighted(columns, counts.astype(np.float32))

    def weighted(self, columns: NDArray[np.intp], counts: NDArray[np.float32]) -> Vectors:
        """Return the values of the columns of a text whose terms stand in it so often."""
        values: Vectors = (1 + np.log(counts)) * self.idf[columns]
        norm = math.sqrt(values @ values) or 1.0
        return values / np.float32(norm)

    def char_columns(self, word: str) -> NDArray[np.intp]:
        """Return the column of every occurrence of a known character term in one word, which holds no white space."""
        if (columns := self.known.get(word)) is None:
            names = _char_names(word)
            columns = np.array([column for name in names if (column := self.vocabulary.get(name)) is not None], dtype=np.intp)
            if len(word) <= _KEPT_LENGTH and len(self.known) < _KEPT_WORDS:
                self.known[word] = columns
        return columns


def words_at(lowered: str) -> Iterator[re.Match[str]]:
    """Return every word of the lower-cased text where it stands."""
    return _WORD.finditer(lowered)


def _word_names(lowered: str) -> list[str]:
    words = _WORD.findall(lowered)
    return words + [f"{first} {second}" for first, second in pairwise(words)]


def _char_names(word: str) -> list[str]:
    padded = f" {word} "
    least, most = CHAR_SIZES
    names: list[str] = []
    for size in range(least, most + 1):
        names += [padded[start : start + size] for start in range(max(1, len(padded) - size + 1))]
        if size >= len(padded):  # a word shorter than the n-gram counts once, as in scikit-learn
            break
    return names

"""TF-IDF of one text without scikit-learn's per-call cost, equal to what TfidfVectorizer computes (tested)."""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from smarttriage.ports import Vectors

WORD_PATTERN = r"(?u)\b\w\w+\b"
WORD_SIZES = (1, 2)
CHAR_SIZES = (3, 5)
_WORD = re.compile(WORD_PATTERN)


class Analyser(StrEnum):
    """How a text becomes terms; the values are scikit-learn's names."""

    WORD = "word"
    CHAR_WB = "char_wb"


@dataclass(frozen=True, slots=True)
class Term:
    """One occurrence of a term at [start, end) of the lower-cased text."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class TfidfBlock:
    """A fitted TF-IDF block: sublinear term frequency, smoothed idf, L2 norm 1.

    Attributes:
        analyser: How a text becomes terms.
        vocabulary: Term -> column of the block.
        idf: Inverse document frequency by column.
    """

    analyser: Analyser
    vocabulary: Mapping[str, int]
    idf: NDArray[np.float32]

    def names(self, lowered: str) -> list[str]:
        """Return every occurrence of every term, in the vocabulary or not."""
        return _word_names(lowered) if self.analyser is Analyser.WORD else _char_names(lowered)

    def transform(self, lowered: str) -> tuple[NDArray[np.intp], Vectors]:
        """Return the columns that the lower-cased text fills and their values, columns ascending."""
        columns, values, _ = self.counted(lowered)
        return columns, values

    def counted(self, lowered: str) -> tuple[NDArray[np.intp], Vectors, NDArray[np.float32]]:
        """Return what `transform` does, and how often the text holds each column's term."""
        vocabulary = self.vocabulary
        counts = Counter([column for name in self.names(lowered) if (column := vocabulary.get(name)) is not None])
        columns = np.array(sorted(counts), dtype=np.intp)
        occurrences = np.array([counts[column] for column in columns.tolist()], dtype=np.float32)
        values = (1 + np.log(occurrences)) * self.idf[columns]
        norm = math.sqrt(values @ values) or 1.0
        return columns, values / np.float32(norm), occurrences


def word_terms(lowered: str) -> Iterator[Term]:
    """Yield every occurrence of every word and word pair, and where it stands."""
    matches = list(_WORD.finditer(lowered))
    for match in matches:
        yield Term(match.group(), match.start(), match.end())
    for first, second in pairwise(matches):
        yield Term(f"{first.group()} {second.group()}", first.start(), second.end())


def _word_names(lowered: str) -> list[str]:
    words = _WORD.findall(lowered)
    return words + [f"{first} {second}" for first, second in pairwise(words)]


def _char_names(lowered: str) -> list[str]:
    names: list[str] = []
    least, most = CHAR_SIZES
    for chunk in lowered.split():
        padded = f" {chunk} "
        length = len(padded)
        for size in range(least, most + 1):
            names += [padded[start : start + size] for start in range(max(1, length - size + 1))]
            if size >= length:  # a word shorter than the n-gram counts once, as in scikit-learn
                break
    return names

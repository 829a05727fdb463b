"""A text cut once for all targets: where each term stands, so that scores can be told apart by place."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from smarttriage.adapters.classifiers.analysis import TfidfBlock, words_at
from smarttriage.adapters.classifiers.features import TextFeatures
from smarttriage.ports import Vectors

# str.split, which the character terms follow, also splits at the separators \x1c to \x1f; \S+ agrees with it.
_CHUNK = re.compile(r"\S+")
_EDGES = re.compile(r"^\W+|\W+$")


@dataclass(frozen=True, slots=True, eq=False)
class Occurrences:
    """The known terms of one block in one text.

    Attributes:
        columns: (u,) the block's columns that the text fills.
        values: (u,) their TF-IDF values.
        terms: (e,) for each piece of an occurrence the place of its term in `columns`; chunk after chunk.
        chunks: (e,) the chunk of the text in which that piece stands, ascending.
        shares: (e,) what part of the term's value stands there; those of one term sum to 1.
    """

    columns: NDArray[np.intp]
    values: Vectors
    terms: NDArray[np.intp]
    chunks: NDArray[np.intp]
    shares: Vectors

    def by_chunk(self, weights: Vectors, n: int) -> Vectors:
        """Return (n, n_labels): what the terms in each of n chunks add, given the (u, n_labels) weights of the columns."""
        added = np.zeros((n, weights.shape[1]), dtype=np.float32)
        if len(self.terms):
            carried = weights.take(self.terms, axis=0)
            carried *= (self.values[self.terms] * self.shares)[:, None]
            starts = np.concatenate([[0], np.flatnonzero(self.chunks[1:] != self.chunks[:-1]) + 1])
            added[self.chunks[starts]] = np.add.reduceat(carried, starts, axis=0)
        return added


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A text and its parts.

    Attributes:
        text: As it was given.
        starts: Where each chunk begins: what stands between white space, without the marks at its edges.
        ends: Where each of them ends.
        word: Occurrences of words and word pairs; a pair stands half in either of its words.
        char: Occurrences of character terms.
    """

    text: str
    starts: Sequence[int]
    ends: Sequence[int]
    word: Occurrences
    char: Occurrences

    def inside(self, start: int, end: int) -> slice:
        """Return the chunks that the span [start, end) touches."""
        first = bisect_right(self.ends, start)
        return slice(first, max(first, bisect_right(self.starts, end - 1)))


def cut(features: TextFeatures, text: str) -> Reading:
    """Return the text, cut."""
    lowered = text.lower()
    pieces = [match.span() for match in _CHUNK.finditer(lowered)]
    spans = pieces if len(text) == len(lowered) else _before_lowering(text, lowered, pieces)
    chunks = [
        (start, end) if text[start].isalnum() and text[end - 1].isalnum() else _trimmed(text, start, end) for start, end in spans
    ]
    return Reading(
        text=text,
        starts=[start for start, _ in chunks],
        ends=[end for _, end in chunks],
        word=_words(features.word, lowered, [start for start, _ in pieces]),
        char=_chars(features.char, lowered),
    )


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the span without the marks at its edges."""
    chunk = text[start:end]
    bare = _EDGES.sub("", chunk)
    start += chunk.find(bare)
    return start, start + len(bare)


def _words(block: TfidfBlock, lowered: str, starts: Sequence[int]) -> Occurrences:
    column_of = block.vocabulary.get
    found: list[int] = []
    places: list[int] = []
    before, at = "", 0
    for match in words_at(lowered):
        # Half to the first and half to the last word: a pair is shared, a word gets both halves.
        word = match.group()
        earlier, at = at, bisect_right(starts, match.start()) - 1
        if (column := column_of(word)) is not None:
            found += (column, column)
            places += (at, at)
        if (column := column_of(f"{before} {word}")) is not None:
            found += (column, column)
            places += (earlier, at)
        before = word
    chunks = np.array(places, dtype=np.intp)
    order = np.argsort(chunks, kind="stable")
    return _occurrences(block, np.array(found, dtype=np.intp)[order], chunks[order], pieces_per_term=2)


def _chars(block: TfidfBlock, lowered: str) -> Occurrences:
    words = [block.char_columns(word) for word in lowered.split()]
    chunks = np.repeat(np.arange(len(words)), [len(columns) for columns in words])
    return _occurrences(block, np.concatenate(words) if words else chunks, chunks, pieces_per_term=1)


def _occurrences(block: TfidfBlock, found: NDArray[np.intp], chunks: NDArray[np.intp], *, pieces_per_term: int) -> Occurrences:
    columns, terms, counts = np.unique(found, return_inverse=True, return_counts=True)
    pieces = counts.astype(np.float32)
    shares: Vectors = (np.float32(1) / pieces)[terms]
    values = block.weighted(columns, pieces / np.float32(pieces_per_term))
    return Occurrences(columns, values, terms, chunks, shares)


def _before_lowering(text: str, lowered: str, spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the spans of the lower-cased text in the text; they differ where "İ" becomes two characters."""
    ends = list(accumulate(len(character.lower()) for character in text))
    back = [0] * (len(lowered) + 1)
    place = 0
    for offset in range(len(lowered) + 1):
        while place < len(ends) and ends[place] <= offset:
            place += 1
        back[offset] = place
    return [(back[start], back[end]) for start, end in spans]

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
        terms: (e,) for each piece of an occurrence the place of its term in `columns`.
        chunks: (e,) the chunk of the text in which that piece stands.
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
            order = np.argsort(self.chunks, kind="stable")
            places, terms = self.chunks[order], self.terms[order]
            carried = weights[terms] * (self.values[terms] * self.shares[order])[:, None]
            starts = np.flatnonzero(np.diff(places, prepend=-1))
            added[places[starts]] = np.add.reduceat(carried, starts, axis=0)
        return added


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A text and its parts.

    Attributes:
        text: As it was given.
        chunks: Offsets of what stands between white space, without the marks at its edges.
        word: Occurrences of words and word pairs; a pair stands half in either of its words.
        char: Occurrences of character terms.
    """

    text: str
    chunks: Sequence[tuple[int, int]]
    word: Occurrences
    char: Occurrences

    def inside(self, start: int, end: int) -> slice:
        """Return the chunks that the span [start, end) touches."""
        first = bisect_right(self.chunks, start, key=lambda chunk: chunk[1])
        return slice(first, max(first, bisect_right(self.chunks, end - 1, key=lambda chunk: chunk[0])))


def cut(features: TextFeatures, text: str) -> Reading:
    """Return the text, cut."""
    lowered = text.lower()
    pieces = [(match.start(), match.end()) for match in _CHUNK.finditer(lowered)]
    back = _offsets(text, lowered)
    chunks = [_trimmed(text, back[start], back[end]) for start, end in pieces]
    return Reading(text, chunks, _words(features.word, lowered, pieces), _chars(features.char, lowered))


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    chunk = text[start:end]
    if chunk[:1].isalnum() and chunk[-1:].isalnum():
        return start, end
    bare = _EDGES.sub("", chunk)
    start += chunk.find(bare)
    return start, start + len(bare)


def _words(block: TfidfBlock, lowered: str, pieces: Sequence[tuple[int, int]]) -> Occurrences:
    starts, vocabulary = [start for start, _ in pieces], block.vocabulary
    found: list[int] = []
    places: list[int] = []
    before, at = "", 0
    for word, start, _ in words_at(lowered):
        # Half to the first and half to the last word: a pair is shared, a word gets both halves.
        earlier, at = at, bisect_right(starts, start) - 1
        for term, first in ((word, at), (f"{before} {word}", earlier)):
            if (column := vocabulary.get(term)) is not None:
                found += (column, column)
                places += (first, at)
        before = word
    return _occurrences(block, found, places, pieces_per_term=2)


def _chars(block: TfidfBlock, lowered: str) -> Occurrences:
    words = [block.char_columns(word) for word in lowered.split()]
    places = np.repeat(np.arange(len(words)), [len(columns) for columns in words])
    return _occurrences(block, [column for columns in words for column in columns], places, pieces_per_term=1)


def _occurrences(
    block: TfidfBlock, found: Sequence[int], places: Sequence[int] | NDArray[np.intp], *, pieces_per_term: int
) -> Occurrences:
    columns, terms, counts = np.unique(np.array(found, dtype=np.intp), return_inverse=True, return_counts=True)
    pieces = counts.astype(np.float32)
    shares: Vectors = (np.float32(1) / pieces)[terms]
    values = block.weighted(columns, pieces / np.float32(pieces_per_term))
    return Occurrences(columns, values, terms, np.asarray(places, dtype=np.intp), shares)


def _offsets(text: str, lowered: str) -> Sequence[int]:
    """Return for each offset of the lower-cased text the one of the text; they differ where "İ" becomes two characters."""
    if len(text) == len(lowered):
        return range(len(text) + 1)
    ends = list(accumulate(len(character.lower()) for character in text))
    back = [0] * (len(lowered) + 1)
    place = 0
    for offset in range(len(lowered) + 1):
        while place < len(ends) and ends[place] <= offset:
            place += 1
        back[offset] = place
    return back

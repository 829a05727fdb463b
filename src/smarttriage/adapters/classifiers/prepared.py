"""What a text gives a classifier without its vector, computed once for all targets: while the encoder is still at work."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from smarttriage.adapters.classifiers.features import Altered, Place, Row, TextFeatures
from smarttriage.adapters.classifiers.heads import LinearHead
from smarttriage.adapters.classifiers.reading import Reading, cut
from smarttriage.ports import Vectors


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A text, cut and scored. Labels are those of all targets, side by side.

    Attributes:
        reading: The text and where its terms stand.
        extra: (n_extra,) the extra numbers.
        terms: (n_labels,) what the terms add to each label.
        chunks: (n_chunks, n_labels) the same by the chunk in which they stand.
        places: Where the text says something that may be shown for a label.
        altered: What the extra numbers would be if one thing were otherwise.
        sizes: How far each of these changes moves the extra numbers, as an L2 norm.
        shifts: (n_altered, n_ordered) what each of them adds to each label of the ordered targets, the words that it takes away
            included; other targets are not reconsidered.
    """

    reading: Reading
    extra: Vectors
    terms: Vectors
    chunks: Vectors
    places: Sequence[Place]
    altered: Sequence[Altered]
    sizes: Sequence[float]
    shifts: Vectors

    def row(self, vector: Vectors) -> Row:
        """Return the features of the text with its (dim,) vector; the same as `TextFeatures.row`."""
        return _row(self.reading, np.concatenate([np.asarray(vector, dtype=np.float32), self.extra]))


@dataclass(frozen=True, slots=True, eq=False)
class EvidenceHead:
    """What the ordered targets, which alone are reconsidered, make of the extra numbers.

    Attributes:
        columns: (n_ordered,) their labels among those of all targets.
        weights: (n_extra, n_ordered) the weights of the numbers.
    """

    columns: NDArray[np.intp]
    weights: Vectors


def prepare(features: TextFeatures, head: LinearHead, evidence: EvidenceHead, text: str) -> Prepared:
    """Return what the text gives under the head of all targets, of which `evidence` is the part that reads evidence."""
    extra = features.extra
    numbers = np.asarray(extra.values(text) if extra else (), dtype=np.float32)
    altered = extra.alternatives(text) if extra else ()
    reading = cut(features, text)
    word, char, n = reading.word, reading.char, len(reading.starts)
    of_words, of_chars = head.word.take(word.columns, axis=0), head.char.take(char.columns, axis=0)
    chunks = word.by_chunk(of_words, n) + char.by_chunk(of_chars, n)
    moved = _moved(altered, len(numbers))
    shifts = moved @ evidence.weights
    _take_words_away(shifts, altered, reading, chunks[:, evidence.columns])
    return Prepared(
        reading=reading,
        extra=numbers,
        terms=word.values @ of_words + char.values @ of_chars,
        chunks=chunks,
        places=extra.places(text) if extra else (),
        altered=altered,
        sizes=np.linalg.norm(moved, axis=1).tolist(),
        shifts=shifts,
    )


def _moved(altered: Sequence[Altered], n_numbers: int) -> Vectors:
    """Return (n_altered, n_numbers): what each change adds to the extra numbers."""
    moved = np.zeros((len(altered), n_numbers), dtype=np.float32)
    places = [row * n_numbers + column for row, each in enumerate(altered) for column in each.differences]
    moved.ravel()[places] = [value for each in altered for value in each.differences.values()]
    return moved


def _take_words_away(shifts: Vectors, altered: Sequence[Altered], reading: Reading, chunks: Vectors) -> None:
    """Subtract from the shift of each change what the words of its spans add; several changes take the same words away."""
    carried: dict[tuple[int, int], Vectors] = {}
    for place, alternative in enumerate(altered):
        for span in alternative.spans:
            at = span.start, span.end
            if at not in carried:
                carried[at] = np.add.reduce(chunks[reading.inside(*at)])
            shifts[place] -= carried[at]


def _row(reading: Reading, dense: Vectors) -> Row:
    return Row(reading.word.columns, reading.word.values, reading.char.columns, reading.char.values, dense)

"""What a text gives a classifier without its vector, computed once for all targets: while the encoder is still at work."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smarttriage.adapters.classifiers.features import Altered, Place, Row, TextFeatures
from smarttriage.adapters.classifiers.heads import LinearHead
from smarttriage.adapters.classifiers.reading import Reading, cut
from smarttriage.ports import Vectors


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A text, cut and scored.

    Attributes:
        reading: The text and where its terms stand.
        extra: (n_extra,) the extra numbers.
        chunks: (n_chunks, n_labels) what the terms of each chunk add to each label of all targets.
        places: Where the text says something that may be shown for a label.
        altered: What the extra numbers would be if one thing were otherwise.
    """

    reading: Reading
    extra: Vectors
    chunks: Vectors
    places: Sequence[Place]
    altered: Sequence[Altered]

    def row(self, vector: Vectors) -> Row:
        """Return the features of the text with its (dim,) vector; the same as `TextFeatures.row`."""
        word, char = self.reading.word, self.reading.char
        dense = np.concatenate([np.asarray(vector, dtype=np.float32), self.extra])
        return Row(word.columns, word.values, char.columns, char.values, dense)


def prepare(features: TextFeatures, head: LinearHead, text: str) -> Prepared:
    """Return what the text gives under the head of all targets."""
    reading = cut(features, text)
    word, char, n = reading.word, reading.char, len(reading.chunks)
    chunks = word.by_chunk(head.word[word.columns], n) + char.by_chunk(head.char[char.columns], n)
    if features.extra is None:
        return Prepared(reading, np.zeros(0, dtype=np.float32), chunks, (), ())
    extra = np.asarray(features.extra.values(text), dtype=np.float32)
    return Prepared(reading, extra, chunks, features.extra.places(text), features.extra.alternatives(text))

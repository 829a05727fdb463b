"""An encoder without weights, for tests and as a lower bound: signed feature hashing of words and character n-grams."""

import re
import zlib
from collections.abc import Iterator, Sequence

import numpy as np

from smarttriage.adapters.encoders.text import tokenizable
from smarttriage.domain.errors import InvalidInput
from smarttriage.domain.text import MAX_CHARS
from smarttriage.ports import Vectors

_WORD = re.compile(r"\w+")
_NGRAM_SIZES = (3, 4, 5)
# A sentence's words should outweigh the n-grams inside them: a word of seven letters has twelve of those.
_WORD_WEIGHT = 3.0


class HashingEncoder:
    """Deterministic vectors from hashed words and character n-grams (Weinberger et al., 2009, arXiv:0902.2206)."""

    def __init__(self, *, dim: int = 384) -> None:
        if dim < 1:
            raise InvalidInput(f"dim is {dim}; a vector needs at least one number.", field="dim")
        self._dim = dim

    @property
    def encoder_id(self) -> str:
        """Name and what decides a vector; there are no weights to hash."""
        return f"hashing-{self._dim}-v1"

    @property
    def dim(self) -> int:
        """Length of one vector."""
        return self._dim

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return (len(texts), dim) float32, rows of L2 norm 1."""
        vectors = np.empty((len(texts), self._dim), dtype=np.float32)
        for row, text in enumerate(texts):
            vectors[row] = self._encode_one(tokenizable(text, MAX_CHARS))
        return vectors

    def _encode_one(self, text: str) -> Vectors:
        vector = np.zeros(self._dim, dtype=np.float64)
        for feature, weight in _features(text.lower()):
            digest = zlib.crc32(feature.encode())
            vector[digest % self._dim] += weight if digest & 0x8000_0000 else -weight
        norm = float(np.linalg.norm(vector))
        if norm == 0.0:  # no word at all, or features that cancelled out
            vector[0] = norm = 1.0
        return (vector / norm).astype(np.float32)


def _features(text: str) -> Iterator[tuple[str, float]]:
    for match in _WORD.finditer(text):
        word = match.group()
        yield word, _WORD_WEIGHT
        padded = f" {word} "
        for size in _NGRAM_SIZES:
            for start in range(len(padded) - size + 1):
                yield padded[start : start + size], 1.0

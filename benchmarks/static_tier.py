"""An encoder without a network: a text is the weighted mean of one vector a token, each of them what the shipped encoder says of that token alone.

The way of model2vec (https://github.com/MinishLab/model2vec) with the weights of smooth inverse frequency (Arora et al. 2017, "A simple but
tough-to-beat baseline for sentence embeddings"); token frequencies are counted in tickets that may ship. For benchmarks/encoders.py, which asks
whether such a third size would earn its place.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import normalize
from tokenizers import Tokenizer

from index_vectors import TICKETS
from smarttriage.adapters.encoders.manifest import TOKENIZER
from smarttriage.adapters.encoders.onnx import OnnxEncoder
from smarttriage.adapters.vector_cache import FileVectorCache
from smarttriage.bootstrap.training import read_training_rows
from smarttriage.services.training import embed

# The constant of the smooth inverse frequency, in the middle of what the paper found to make no difference (.0001 to .001).
SMOOTH = 5e-4
Vectors = NDArray[np.float32]


class StaticEncoder:
    """Encodes by looking up and adding; same rows as `Encoder` promises: (n, dim) float32 of L2 norm 1."""

    def __init__(self, folder: Path, cache: FileVectorCache) -> None:
        encoder = OnnxEncoder.open(folder, n_threads=2)
        self.encoder_id, self.dim = f"static of {encoder.encoder_id}", encoder.dim
        self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        words = [self._tokenizer.id_to_token(each) for each in range(self._tokenizer.get_vocab_size())]
        vectors = embed([word.removeprefix("##") for word in words], encoder=encoder, cache=cache)
        counts = self._counts()
        share = counts / counts.sum()
        self._rows: Vectors = ((vectors - vectors.mean(axis=0)) * (SMOOTH / (SMOOTH + share))[:, None]).astype(np.float32)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return (len(texts), dim)."""
        found = [self._tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
        sums = np.array([self._rows[ids].sum(axis=0) if ids else np.ones(self.dim) for ids in found], dtype=np.float32)
        rows: Vectors = normalize(sums)
        return rows

    @property
    def megabytes(self) -> float:
        """Size of the table at one byte a number."""
        return self._rows.size / 1e6

    def _counts(self) -> NDArray[np.int64]:
        texts = read_training_rows([TICKETS / "train.csv.gz"], ["category"], ["text"], on_problem=print).texts
        ids = [each for found in self._tokenizer.encode_batch(texts, add_special_tokens=False) for each in found.ids]
        return np.bincount(ids, minlength=self._tokenizer.get_vocab_size())

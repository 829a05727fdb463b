"""An encoder that remembers what it encoded last, by a hash of the text's content."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from hashlib import sha256

import numpy as np

from smarttriage.ports import Encoder, Vectors

# 1.5 MB of vectors of 384. An incident is asked about, stored, indexed and asked about again within minutes.
N_REMEMBERED = 1_024


class RememberingEncoder:
    """The vectors of another encoder, byte for byte; the last `n_remembered` texts cost a hash. Safe to call from many threads."""

    def __init__(self, encoder: Encoder, *, n_remembered: int = N_REMEMBERED) -> None:
        self._encoder = encoder
        self._n_remembered = n_remembered
        self._vectors: OrderedDict[bytes, Vectors] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def encoder_id(self) -> str:
        """Name and content hash of the encoder behind."""
        return self._encoder.encoder_id

    @property
    def dim(self) -> int:
        """Length of one vector."""
        return self._encoder.dim

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return (len(texts), dim) float32, rows of L2 norm 1."""
        vectors = np.empty((len(texts), self.dim), dtype=np.float32)
        digests = [sha256(text.encode("utf-8", "surrogatepass")).digest() for text in texts]
        missing = [row for row, digest in enumerate(digests) if not self._recall(digest, vectors[row])]
        if missing:
            vectors[missing] = self._encoder.encode([texts[row] for row in missing])
            self._remember([digests[row] for row in missing], vectors[missing])
        return vectors

    def _recall(self, digest: bytes, into: Vectors) -> bool:
        """Copy the vector of that text, if it is remembered; return whether it is."""
        with self._lock:
            known = self._vectors.get(digest)
            if known is None:
                return False
            self._vectors.move_to_end(digest)
        into[:] = known
        return True

    def _remember(self, digests: Sequence[bytes], vectors: Vectors) -> None:
        last = slice(max(0, len(digests) - self._n_remembered), None)
        # Copies, so that one vector does not keep a whole batch in memory.
        fresh = [(digest, vector.copy()) for digest, vector in zip(digests[last], vectors[last], strict=True)]
        with self._lock:
            self._vectors.update(fresh)
            while len(self._vectors) > self._n_remembered:
                self._vectors.popitem(last=False)

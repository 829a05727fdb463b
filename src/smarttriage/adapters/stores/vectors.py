"""The vectors of a transaction, by encoder and content hash."""

from collections.abc import Collection, Mapping

import numpy as np
from sqlalchemy import bindparam, select

from smarttriage.adapters.stores.schema import vector
from smarttriage.adapters.stores.transaction import Transaction, chunks
from smarttriage.adapters.stores.types import InsertIfNew
from smarttriage.ports import Vectors

FLOAT32 = np.dtype("<f4")

_ADD = InsertIfNew(vector)
_ALL = select(vector.c.content_hash, vector.c.floats).where(vector.c.encoder_id == bindparam("encoder_id"))
_SOME = _ALL.where(vector.c.content_hash.in_(bindparam("hashes", expanding=True)))


class VectorRecords(Transaction):
    """Vectors that need not be encoded again; one content has one vector, whoever's it is."""

    def vectors(self, encoder_id: str, hashes: Collection[str] | None = None) -> Mapping[str, Vectors]:
        """Return content hash -> (dim,) float32, read-only, of those that are stored (all, or those of `hashes`)."""
        if hashes is None:
            rows = list(self._reads.execute(_ALL, {"encoder_id": encoder_id}))
        else:
            parts = chunks(hashes)
            rows = [row for part in parts for row in self._reads.execute(_SOME, {"encoder_id": encoder_id, "hashes": part})]
        return {content_hash: np.frombuffer(floats, dtype=FLOAT32) for content_hash, floats in rows}

    def add_vectors(self, encoder_id: str, vectors: Mapping[str, Vectors]) -> None:
        """Store vectors by content hash; what is there already stays."""
        rows = [
            {"encoder_id": encoder_id, "content_hash": content_hash, "floats": row.astype(FLOAT32).tobytes()}
            for content_hash, row in vectors.items()
        ]
        if rows:
            self._writes.execute(_ADD, rows)

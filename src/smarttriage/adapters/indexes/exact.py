"""The reference vector index: NumPy, every visible vector compared, nothing clever. Small collections and tests."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np

from smarttriage.adapters.indexes.rows import Labels, best, checked_rows, checked_vectors, load_rows, save_rows
from smarttriage.ports import Hit, Vectors


class ExactSearcher:
    """A fixed state: id -> (vector, labels)."""

    def __init__(self, rows: Mapping[str, tuple[Vectors, Labels]], *, dim: int) -> None:
        self._rows = rows
        self._dim = dim

    def __len__(self) -> int:
        """Number of vectors."""
        return len(self._rows)

    def search(self, queries: Vectors, k: int, *, allowed: Collection[str]) -> list[list[Hit]]:
        """Return for each query row at most k visible hits, best first, ties by id."""
        permitted = frozenset(allowed)
        visible = [(id_, vector) for id_, (vector, labels) in self._rows.items() if labels & permitted]
        return [
            best([(float(np.dot(vector, query)), id_) for id_, vector in visible], max(k, 0))
            for query in checked_vectors(queries, self._dim)
        ]


class ExactIndex:
    """A vector index that is searched by comparing everything."""

    def __init__(self, *, encoder_id: str, dim: int) -> None:
        self._encoder_id = encoder_id
        self._dim = dim
        self._searcher = ExactSearcher({}, dim=dim)

    @property
    def encoder_id(self) -> str:
        """Whose vectors these are."""
        return self._encoder_id

    def __len__(self) -> int:
        """Number of vectors."""
        return len(self._searcher)

    def add(self, ids: Sequence[str], vectors: Vectors, labels: Sequence[Collection[str]]) -> None:
        """Add or replace by id."""
        added = checked_rows(ids, vectors, labels, self._dim)
        copies = np.array(vectors, dtype=np.float32)
        rows = {id_: (copies[row], label_set) for id_, (row, label_set) in added.items()}
        self._searcher = ExactSearcher({**self._searcher._rows, **rows}, dim=self._dim)

    def remove(self, ids: Collection[str]) -> int:
        """Remove what is there; return how many were."""
        gone = set(ids)
        kept = {id_: row for id_, row in self._searcher._rows.items() if id_ not in gone}
        n_removed = len(self) - len(kept)
        self._searcher = ExactSearcher(kept, dim=self._dim)
        return n_removed

    def snapshot(self) -> ExactSearcher:
        """Return the present state."""
        return self._searcher

    def search(self, queries: Vectors, k: int, *, allowed: Collection[str]) -> list[list[Hit]]:
        """Search the present state."""
        return self._searcher.search(queries, k, allowed=allowed)

    def save(self, folder: Path, *, seq: int) -> None:
        """Write the index atomically with its checksum, its encoder id and `seq`."""
        rows = self._searcher._rows
        vectors = np.array([vector for vector, _ in rows.values()], dtype=np.float32).reshape(len(rows), self._dim)
        labels = [label_set for _, label_set in rows.values()]
        save_rows(folder, seq=seq, encoder_id=self._encoder_id, ids=list(rows), vectors=vectors, labels=labels)

    def load(self, folder: Path) -> int:
        """Replace the content by a saved one; return its seq."""
        seq, ids, vectors, labels = load_rows(folder, encoder_id=self._encoder_id, dim=self._dim)
        rows = {id_: (vectors[row], labels[row]) for row, id_ in enumerate(ids)}
        self._searcher = ExactSearcher(rows, dim=self._dim)
        return seq

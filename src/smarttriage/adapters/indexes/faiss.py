"""The serving vector index: FAISS, in an immutable base and a small segment of recent changes.

Two segments keep a change cheap (only the small one is rebuilt) and a snapshot free (both are immutable).
"""

from collections import OrderedDict
from collections.abc import Collection, Sequence
from pathlib import Path
from threading import Lock

import faiss
import numpy as np
from numpy.typing import NDArray

from smarttriage.adapters.indexes.rows import (
    Labels,
    best,
    checked_rows,
    checked_vectors,
    read_rows,
    reading,
    write_array,
    write_rows,
)
from smarttriage.adapters.indexes.segments import Segment, Visible, nearest, visible_rows
from smarttriage.adapters.saved_folder import read_folder, write_folder
from smarttriage.ports import Hit, Vectors

# A saved folder holds the base as it is searched, so that a start makes no lists anew, and the recent rows beside it.
# The number rises when other texts are indexed under the same ids: a folder of before is refused and rebuilt from the store.
KIND = "faiss-3"
BASE, ALIVE, BASE_ROWS = "base.npy", "alive.npy", "base.json"
RECENT, RECENT_ROWS = "recent.npy", "recent.json"

# Callers' label sets whose visible rows a snapshot remembers; one set costs one bit a row.
MAX_CACHED_VISIBILITIES = 64
# The recent segment is copied on each change: 1,024 rows of 384 are 1.5 MB, below a millisecond.
MIN_RECENT, MAX_RECENT = 1_024, 8_192
# Removed rows stay in the base until they are this share of it: they cost memory and a glance, the base costs k-means.
MAX_DEAD = 0.25


class FaissSearcher:
    """A fixed state: the base, which of its rows still count, and the recent segment."""

    def __init__(self, *, base: Segment, alive: NDArray[np.bool_], recent: Segment, dim: int) -> None:
        self._base = base
        self._alive = alive
        self._recent = recent
        self._dim = dim
        self._len = int(alive.sum()) + len(recent.ids)
        self._visible: OrderedDict[Labels, tuple[Visible, Visible]] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        """Number of vectors."""
        return self._len

    def search(self, queries: Vectors, k: int, *, allowed: Collection[str]) -> list[list[Hit]]:
        """Return for each query row at most k visible hits, best first, ties by id; runs in the calling thread."""
        checked = checked_vectors(queries, self._dim)
        base, recent = self._visibility(frozenset(allowed))
        if k <= 0 or base.n + recent.n == 0:
            return [[] for _ in checked]
        faiss.omp_set_num_threads(1)  # a setting of the calling thread, so it cannot be made once at start
        return [
            best(nearest(self._base, base, query, k) + nearest(self._recent, recent, query, k), k)
            for query in checked[:, np.newaxis, :]
        ]

    def _visibility(self, allowed: Labels) -> tuple[Visible, Visible]:
        with self._lock:
            if allowed in self._visible:
                self._visible.move_to_end(allowed)
                return self._visible[allowed]
        found = visible_rows(self._base, allowed, self._alive), visible_rows(self._recent, allowed, None)
        with self._lock:
            self._visible[allowed] = found
            while len(self._visible) > MAX_CACHED_VISIBILITIES:
                self._visible.popitem(last=False)
        return found


class FaissIndex:
    """A vector index on FAISS, exact while it is small. One writer at a time, any number of readers."""

    def __init__(self, *, encoder_id: str, dim: int) -> None:
        self._encoder_id = encoder_id
        self._dim = dim
        self._searcher = self._compacted((), np.empty((0, dim), dtype=np.float32), ())

    @property
    def encoder_id(self) -> str:
        """Whose vectors these are."""
        return self._encoder_id

    def __len__(self) -> int:
        """Number of vectors."""
        return len(self._searcher)

    def snapshot(self) -> FaissSearcher:
        """Return the present state."""
        return self._searcher

    def search(self, queries: Vectors, k: int, *, allowed: Collection[str]) -> list[list[Hit]]:
        """Search the present state."""
        return self._searcher.search(queries, k, allowed=allowed)

    def add(self, ids: Sequence[str], vectors: Vectors, labels: Sequence[Collection[str]]) -> None:
        """Add or replace by id."""
        added = checked_rows(ids, vectors, labels, self._dim)
        if added:
            positions = [row for row, _ in added.values()]
            # In the precision of lists, so that no score depends on which segment a row stands in.
            rows = np.asarray(vectors)[positions].astype(np.float16).astype(np.float32)
            self._change(added.keys(), list(added), rows, [each for _, each in added.values()])

    def remove(self, ids: Collection[str]) -> int:
        """Remove what is there; return how many were."""
        before = len(self)
        if gone := set(ids):
            self._change(gone, [], np.empty((0, self._dim), dtype=np.float32), [])
        return before - len(self)

    def save(self, folder: Path, *, seq: int) -> None:
        """Write the index atomically with its checksum, its encoder id and `seq`."""
        now = self._searcher
        parts = {
            BASE: write_array(now._base.packed()),
            ALIVE: write_array(np.packbits(now._alive)),
            BASE_ROWS: write_rows(now._base.ids, now._base.labels),
            RECENT: write_array(now._recent.vectors()),
            RECENT_ROWS: write_rows(now._recent.ids, now._recent.labels),
        }
        write_folder(folder, kind=KIND, seq=seq, facts={"encoder_id": self._encoder_id, "dim": self._dim}, parts=parts)

    def load(self, folder: Path) -> int:
        """Replace the content by a saved one; return its seq."""
        saved = read_folder(folder, kind=KIND, expected={"encoder_id": self._encoder_id, "dim": self._dim})
        with reading(folder):
            base = Segment.read(*read_rows(saved.files[BASE_ROWS]), np.load(saved.files[BASE], allow_pickle=False), self._dim)
            alive = np.unpackbits(np.load(saved.files[ALIVE], allow_pickle=False), count=len(base.ids)).astype(np.bool_)
            ids, labels = read_rows(saved.files[RECENT_ROWS])
            vectors = np.load(saved.files[RECENT], allow_pickle=False)
            checked_rows(ids, vectors, labels, self._dim)
            recent = Segment.exact(ids, vectors, labels, self._dim)
        self._searcher = FaissSearcher(base=base, alive=alive, recent=recent, dim=self._dim)
        return saved.seq

    def _change(self, gone: Collection[str], ids: Sequence[str], vectors: Vectors, labels: Sequence[Labels]) -> None:
        """Publish the state without `gone` and with the new rows behind."""
        now = self._searcher
        alive = now._alive.copy()
        alive[[row for id_ in gone if (row := now._base.rows.get(id_)) is not None]] = False
        kept = [row for row, id_ in enumerate(now._recent.ids) if id_ not in gone]
        recent = Segment.exact(
            [*(now._recent.ids[row] for row in kept), *ids],
            np.concatenate([now._recent.vectors()[kept], vectors]),
            [*(now._recent.labels[row] for row in kept), *labels],
            self._dim,
        )
        searcher = FaissSearcher(base=now._base, alive=alive, recent=recent, dim=self._dim)
        self._searcher = self._settled(searcher)

    def _settled(self, state: FaissSearcher) -> FaissSearcher:
        """Return the same content with the recent rows in the base and no dead ones, once either has become many."""
        n_base = len(state._base.ids)
        n_dead = n_base - int(state._alive.sum())
        if n_dead > max(MIN_RECENT, MAX_DEAD * n_base):
            return self._compacted(*_content(state))
        if len(state._recent.ids) <= min(max(MIN_RECENT, n_base // 8), MAX_RECENT):
            return state
        if not state._base.can_grow_to(len(state)):
            return self._compacted(*_content(state))
        base = state._base.grown(state._recent)
        alive = np.concatenate([state._alive, np.ones(len(state._recent.ids), dtype=np.bool_)])
        return FaissSearcher(base=base, alive=alive, recent=self._nothing(), dim=self._dim)

    def _compacted(self, ids: Sequence[str], vectors: Vectors, labels: Sequence[Labels]) -> FaissSearcher:
        base = Segment.of(ids, vectors, labels, self._dim)
        return FaissSearcher(base=base, alive=np.ones(len(ids), dtype=np.bool_), recent=self._nothing(), dim=self._dim)

    def _nothing(self) -> Segment:
        return Segment.exact((), np.empty((0, self._dim), dtype=np.float32), (), self._dim)


def _content(state: FaissSearcher) -> tuple[list[str], Vectors, list[Labels]]:
    """Return ids, vectors and labels of every row that counts."""
    rows = np.flatnonzero(state._alive)
    base, recent = state._base, state._recent
    vectors = np.concatenate([base.vectors()[rows], recent.vectors()])
    ids = [*(base.ids[row] for row in rows), *recent.ids]
    return ids, vectors, [*(base.labels[row] for row in rows), *recent.labels]

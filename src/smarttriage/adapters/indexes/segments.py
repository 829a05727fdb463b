"""Rows of the serving vector index that never change, and how the nearest of them are found.

Below `IVF_FROM` rows a search compares the query with every row. From there it looks into the `N_PROBE` nearest of the lists that
k-means made of the rows, kept in half precision. benchmarks/index_kinds.py measured exact search, lists and graphs (HNSW), each in
single, half and 8-bit precision, from 1,000 to 1,000,000 rows. Half precision takes half the memory and two thirds of the time of
single at the same recall. Graphs are faster from 100,000 rows on, but take a third more memory, are built seven times as slowly,
find .90 to .94 of the true ten among a million, and FAISS can remove nothing from them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from smarttriage.adapters.indexes.rows import Labels
from smarttriage.domain.errors import InvalidInput
from smarttriage.ports import Vectors

# Room for ties behind the k-th hit before a wider search is needed.
TIE_MARGIN = 8
# Exact search of 10,000 takes .5 ms, lists of as many a quarter of it (benchmarks/index_kinds.py); below, there is little to win.
IVF_FROM = 10_000
# The least power of two with a recall@10 of .98 at every size (benchmarks/index_kinds.py).
N_PROBE = 64
# Callers who see less than this share of the rows have every list searched: skipping a hidden row costs next to nothing.
NARROW = 0.25
N_ITERATIONS = 10
# More rows a list make k-means slower and the lists no better (recall within .002 on 40,000 tickets).
ROWS_PER_LIST = 40
_SEED = 0


@dataclass(frozen=True, slots=True)
class Segment:
    """Rows that never change: ids, label sets and vectors side by side."""

    ids: tuple[str, ...]
    labels: tuple[Labels, ...]
    label_sets: tuple[Labels, ...]
    codes: NDArray[np.int32]
    rows: Mapping[str, int]
    index: faiss.Index

    @classmethod
    def of(cls, ids: Sequence[str], vectors: Vectors, labels: Sequence[Labels], dim: int) -> "Segment":
        """Return the segment of n ids, (n, dim) vectors and n label sets."""
        return cls._over(_index_of(np.ascontiguousarray(vectors, dtype=np.float32), dim), ids, labels)

    @classmethod
    def exact(cls, ids: Sequence[str], vectors: Vectors, labels: Sequence[Labels], dim: int) -> "Segment":
        """Return the same without lists, whatever their number: quickly made and soon replaced."""
        flat = faiss.IndexFlatIP(dim)
        flat.add(np.ascontiguousarray(vectors, dtype=np.float32))
        return cls._over(flat, ids, labels)

    @classmethod
    def read(cls, ids: Sequence[str], labels: Sequence[Labels], packed: NDArray[np.uint8], dim: int) -> "Segment":
        """Return the segment whose index was written by `packed`. Raises InvalidInput if that holds something else."""
        try:
            index = faiss.deserialize_index(packed)
        except RuntimeError as error:
            raise InvalidInput(f"The vectors cannot be read ({error}).") from error
        if (index.ntotal, index.d) != (len(ids), dim):
            raise InvalidInput(f"{index.ntotal} vectors of {index.d} dimensions for {len(ids)} ids; this index holds (n, {dim}).")
        return cls._over(index, ids, labels)

    @classmethod
    def _over(cls, index: faiss.Index, ids: Sequence[str], labels: Sequence[Labels]) -> "Segment":
        sets = {label_set: code for code, label_set in enumerate(dict.fromkeys(labels))}
        codes = np.fromiter((sets[each] for each in labels), dtype=np.int32, count=len(ids))
        return cls(tuple(ids), tuple(labels), tuple(sets), codes, {id_: row for row, id_ in enumerate(ids)}, index)

    def can_grow_to(self, n: int) -> bool:
        """Return whether there are lists already, and as many as n rows ask for: then rows can be put behind these."""
        return isinstance(self.index, faiss.IndexIVF) and self.index.nlist == n_lists(n)

    def grown(self, other: "Segment") -> "Segment":
        """Return a segment of these rows and, behind them, those of another; an id of both leads to the latter's row."""
        index = faiss.clone_index(self.index)
        index.add(other.vectors())
        return self._over(index, self.ids + other.ids, self.labels + other.labels)

    def packed(self) -> NDArray[np.uint8]:
        """Return the index as bytes."""
        found: NDArray[np.uint8] = faiss.serialize_index(self.index)
        return found

    def vectors(self) -> Vectors:
        """Return a copy of the vectors."""
        found: Vectors = self.index.reconstruct_n(0, len(self.ids))
        return found


@dataclass(frozen=True, slots=True)
class Visible:
    """The rows of a segment that one caller may see.

    Attributes:
        n: How many.
        usual: Search parameters that let just these through, None where the index needs none.
        whole: The same with every list searched, for when the usual ones find too few.
        bits: The memory that the selector reads.
    """

    n: int
    usual: faiss.SearchParameters | None = None
    whole: faiss.SearchParameters | None = None
    bits: NDArray[np.uint8] | None = None


def visible_rows(segment: Segment, allowed: Labels, alive: NDArray[np.bool_] | None) -> Visible:
    """Return the rows that carry one of the labels and are still alive."""
    seen = np.array([not allowed.isdisjoint(each) for each in segment.label_sets], dtype=np.bool_)
    rows = seen[segment.codes] if len(seen) else np.zeros(0, dtype=np.bool_)
    if alive is not None:
        rows = rows & alive
    n = int(rows.sum())
    if n == 0:
        return Visible(0)
    bits = None if n == len(rows) else np.packbits(rows, bitorder="little")
    narrow = n < NARROW * len(rows)
    whole = _parameters(segment.index, bits, whole=True)
    return Visible(n, whole if narrow else _parameters(segment.index, bits, whole=False), whole, bits)


def nearest(segment: Segment, visible: Visible, query: Vectors, k: int) -> list[tuple[float, str]]:
    """Return the k best (score, id) and whatever ties with the last, so that ids can decide; `query` is (1, dim)."""
    width = min(k + TIE_MARGIN, visible.n)
    if width == 0:
        return []
    how = visible.usual
    scores, rows = segment.index.search(query, width, params=how)
    if rows[0, -1] < 0:  # the nearest lists hold too few rows that this caller may see
        how = visible.whole
        scores, rows = segment.index.search(query, width, params=how)
    while width < visible.n and scores[0, k - 1] == scores[0, width - 1]:
        width = min(2 * width, visible.n)
        scores, rows = segment.index.search(query, width, params=visible.whole)
    # As lists first: taking numbers out of an array one by one is slow.
    return [(score, segment.ids[row]) for score, row in zip(scores[0].tolist(), rows[0].tolist(), strict=True)]


def _index_of(vectors: Vectors, dim: int) -> faiss.Index:
    flat = faiss.IndexFlatIP(dim)
    if len(vectors) < IVF_FROM:
        flat.add(vectors)
        return flat
    half = faiss.ScalarQuantizer.QT_fp16
    # The vectors themselves, not what is left of them beside their list's centre: then a score is the same in every segment.
    residual = False
    index = faiss.IndexIVFScalarQuantizer(flat, dim, n_lists(len(vectors)), half, faiss.METRIC_INNER_PRODUCT, residual)
    index.cp.niter, index.cp.seed = N_ITERATIONS, _SEED
    index.cp.max_points_per_centroid = ROWS_PER_LIST
    index.cp.min_points_per_centroid = 1  # else FAISS prints a warning where a list is small
    index.train(vectors)
    index.add(vectors)
    index.make_direct_map(True)  # from row to vector, for the next compaction
    return index


def n_lists(n_rows: int) -> int:
    """Return the power of two nearest to twice the root of the rows' number: 256 from 10,000 rows, 512 from 33,000."""
    return max(256, 1 << round(float(np.log2(2 * np.sqrt(n_rows)))))


def _parameters(index: faiss.Index, bits: NDArray[np.uint8] | None, *, whole: bool) -> faiss.SearchParameters | None:
    untyped: Any = faiss  # the stubs show the C++ constructors, not those of the Python wrapper
    selector = {} if bits is None else {"sel": untyped.IDSelectorBitmap(bits)}
    found: faiss.SearchParameters | None = untyped.SearchParameters(**selector) if selector else None
    if isinstance(index, faiss.IndexIVF):
        found = untyped.SearchParametersIVF(nprobe=index.nlist if whole else min(N_PROBE, index.nlist), **selector)
    return found

"""Rows of the serving vector index that never change, and how the nearest of them are found.

Up to `IVF_FROM` rows a search compares the query with every row. From there it looks into the `N_PROBE` nearest of the
lists that k-means made of the rows, kept in half precision: half the memory and a fifth of the exact search's time or less,
for a recall@10 of .98 of its answer (benchmarks/indexes.py, on real tickets).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from smarttriage.adapters.indexes.rows import Labels
from smarttriage.ports import Vectors

# Room for ties behind the k-th hit before a wider search is needed.
TIE_MARGIN = 8
IVF_FROM = 10_000
N_PROBE = 64
# Callers who see less than this share of the rows have every list searched: skipping a hidden row costs next to nothing.
NARROW = 0.25
_N_ITERATIONS = 10
# More rows a list make k-means slower and the lists no better (recall within .002 on 40,000 tickets).
_ROWS_PER_LIST = 40
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
        sets = {label_set: code for code, label_set in enumerate(dict.fromkeys(labels))}
        codes = np.fromiter((sets[each] for each in labels), dtype=np.int32, count=len(ids))
        index = _index_of(np.ascontiguousarray(vectors, dtype=np.float32), dim)
        return cls(tuple(ids), tuple(labels), tuple(sets), codes, {id_: row for row, id_ in enumerate(ids)}, index)

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
    return [(float(score), segment.ids[row]) for score, row in zip(scores[0], rows[0], strict=True)]


def _index_of(vectors: Vectors, dim: int) -> faiss.Index:
    flat = faiss.IndexFlatIP(dim)
    if len(vectors) < IVF_FROM:
        flat.add(vectors)
        return flat
    half = faiss.ScalarQuantizer.QT_fp16
    index = faiss.IndexIVFScalarQuantizer(flat, dim, _n_lists(len(vectors)), half, faiss.METRIC_INNER_PRODUCT)
    index.cp.niter, index.cp.seed = _N_ITERATIONS, _SEED
    index.cp.max_points_per_centroid = _ROWS_PER_LIST
    index.cp.min_points_per_centroid = 1  # else FAISS prints a warning where a list is small
    index.train(vectors)
    index.add(vectors)
    index.make_direct_map(True)  # from row to vector, for the next compaction
    return index


def _n_lists(n_rows: int) -> int:
    """Return the power of two nearest to twice the root of the rows' number: 256 from 10,000 rows, 512 from 33,000."""
    return max(256, 1 << round(float(np.log2(2 * np.sqrt(n_rows)))))


def _parameters(index: faiss.Index, bits: NDArray[np.uint8] | None, *, whole: bool) -> faiss.SearchParameters | None:
    untyped: Any = faiss  # the stubs show the C++ constructors, not those of the Python wrapper
    selector = {} if bits is None else {"sel": untyped.IDSelectorBitmap(bits)}
    found: faiss.SearchParameters | None = untyped.SearchParameters(**selector) if selector else None
    if isinstance(index, faiss.IndexIVF):
        found = untyped.SearchParametersIVF(nprobe=index.nlist if whole else min(N_PROBE, index.nlist), **selector)
    return found

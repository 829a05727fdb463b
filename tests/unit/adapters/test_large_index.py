"""The vector index where it no longer compares a query with every row."""

import numpy as np
import pytest

from smarttriage.adapters.indexes.exact import ExactIndex
from smarttriage.adapters.indexes.faiss import FaissIndex
from smarttriage.adapters.indexes.segments import IVF_FROM

DIM, N_TOPICS = 24, 400
EVERYONE, FEW = frozenset(["t/everyone"]), frozenset(["t/few"])


def _rows(n: int, seed: int) -> np.ndarray:
    """Return rows that crowd around topics, as texts do."""
    topics = np.random.default_rng(0).normal(size=(N_TOPICS, DIM))
    generator = np.random.default_rng(seed)
    rows = topics[generator.integers(N_TOPICS, size=n)] + 0.4 * generator.normal(size=(n, DIM))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def indexes() -> tuple[FaissIndex, ExactIndex]:
    n = IVF_FROM + 500
    ids = [f"i{place:06d}" for place in range(n)]
    labels = [EVERYONE | FEW if place % 60 == 0 else EVERYONE for place in range(n)]
    pair = FaissIndex(encoder_id="e", dim=DIM), ExactIndex(encoder_id="e", dim=DIM)
    for index in pair:
        index.add(ids, _rows(n, 1), labels)
    return pair


def test_a_large_index_finds_nearly_all_that_the_exact_one_finds(indexes: tuple[FaissIndex, ExactIndex]) -> None:
    large, exact = indexes
    queries = _rows(100, 2)
    found, truth = (index.search(queries, 10, allowed=EVERYONE) for index in (large, exact))
    shares = [len({hit.id for hit in a} & {hit.id for hit in b}) / 10 for a, b in zip(found, truth, strict=True)]
    assert np.mean(shares) >= 0.98


def test_a_caller_who_sees_few_rows_of_a_large_index_gets_the_nearest(indexes: tuple[FaissIndex, ExactIndex]) -> None:
    large, exact = indexes
    for query in _rows(20, 3)[:, None, :]:
        found, truth = (index.search(query, 150, allowed=FEW)[0] for index in (large, exact))
        # Rows are kept in half precision: what lies closer together than that may change places.
        assert [hit.score for hit in found] == pytest.approx([hit.score for hit in truth], abs=1e-3)
        assert len({hit.id for hit in found} & {hit.id for hit in truth}) >= 149


def test_as_many_results_as_there_are_come_back_when_all_are_asked_for(indexes: tuple[FaissIndex, ExactIndex]) -> None:
    large, _ = indexes
    assert len(large.search(_rows(1, 4), len(large) + 5, allowed=EVERYONE)[0]) == len(large)


def test_a_row_removed_from_a_large_index_is_found_no_more(indexes: tuple[FaissIndex, ExactIndex]) -> None:
    large, _ = indexes
    query = _rows(1, 5)
    before = large.snapshot()
    first = before.search(query, 1, allowed=EVERYONE)[0][0].id
    large.remove([first])
    assert large.search(query, 1, allowed=EVERYONE)[0][0].id != first
    assert before.search(query, 1, allowed=EVERYONE)[0][0].id == first

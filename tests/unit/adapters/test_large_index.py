"""The vector index where it no longer compares a query with every row."""

from pathlib import Path

import numpy as np
import pytest

from smarttriage.adapters.indexes.exact import ExactIndex
from smarttriage.adapters.indexes.faiss import ALIVE, BASE, MIN_RECENT, FaissIndex
from smarttriage.adapters.indexes.segments import IVF_FROM, Segment
from smarttriage.domain.errors import IndexMismatch, InvalidInput
from smarttriage.ports import Hit

DIM, N_TOPICS = 24, 400
EVERYONE, FEW = frozenset(["t/everyone"]), frozenset(["t/few"])


def _rows(n: int, seed: int) -> np.ndarray:
    """Return rows that crowd around topics, as texts do."""
    topics = np.random.default_rng(0).normal(size=(N_TOPICS, DIM))
    generator = np.random.default_rng(seed)
    rows = topics[generator.integers(N_TOPICS, size=n)] + 0.4 * generator.normal(size=(n, DIM))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def _shared(found: list[list[Hit]], truth: list[list[Hit]]) -> float:
    """Return the mean share of the true ten that were found."""
    return float(np.mean([len({hit.id for hit in a} & {hit.id for hit in b}) / 10 for a, b in zip(found, truth, strict=True)]))


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
    assert _shared(found, truth) >= 0.98


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


def test_an_index_that_grew_by_batches_finds_as_much_as_one_made_at_once() -> None:
    pair = FaissIndex(encoder_id="e", dim=DIM), ExactIndex(encoder_id="e", dim=DIM)
    rows = _rows(IVF_FROM + 8 * MIN_RECENT, 6)
    for start in range(0, len(rows), MIN_RECENT):
        ids = [f"i{place}" for place in range(start, min(start + MIN_RECENT, len(rows)))]
        for index in pair:
            index.add(ids, rows[start : start + len(ids)], [EVERYONE] * len(ids))
    # Replaced rows: those of the base count no more, wherever their successors are.
    for start in range(0, 3 * MIN_RECENT, MIN_RECENT):
        ids = [f"i{place}" for place in range(start, start + MIN_RECENT)]
        for index in pair:
            index.add(ids, rows[start + 5_000 : start + 5_000 + MIN_RECENT], [EVERYONE] * MIN_RECENT)
    queries = _rows(100, 7)
    found, truth = (index.search(queries, 10, allowed=EVERYONE) for index in pair)
    assert len(pair[0]) == len(pair[1])
    assert _shared(found, truth) >= 0.98
    whole = len(pair[0])
    assert {hit.id for hit in pair[0].search(queries[:1], whole, allowed=EVERYONE)[0]} == {f"i{place}" for place in range(whole)}


def test_rows_that_outnumber_the_lists_of_the_first_ones_get_lists_of_their_own() -> None:
    grown = FaissIndex(encoder_id="e", dim=DIM)
    grown.add([f"i{place}" for place in range(IVF_FROM)], _rows(IVF_FROM, 12), [EVERYONE] * IVF_FROM)
    assert not grown.snapshot()._base.can_grow_to(5 * IVF_FROM)
    n = 4 * IVF_FROM
    grown.add([f"j{place}" for place in range(n)], _rows(n, 13), [EVERYONE] * n)
    assert grown.snapshot()._base.can_grow_to(5 * IVF_FROM)


def test_a_loaded_large_index_answers_as_the_saved_one(indexes: tuple[FaissIndex, ExactIndex], tmp_path: Path) -> None:
    large, _ = indexes
    large.remove(["i000007", "i000060"])
    large.add(["i000120", "late"], _rows(2, 8), [EVERYONE, FEW])
    large.save(tmp_path, seq=9)
    other = FaissIndex(encoder_id="e", dim=DIM)
    assert other.load(tmp_path) == 9
    queries = np.concatenate([_rows(20, 9), _rows(2, 8)])
    for allowed in (EVERYONE, FEW):
        assert other.search(queries, 20, allowed=allowed) == large.search(queries, 20, allowed=allowed)
    assert other.remove(["i000007", "late"]) == 1


def test_a_large_index_with_one_byte_altered_is_refused(indexes: tuple[FaissIndex, ExactIndex], tmp_path: Path) -> None:
    indexes[0].save(tmp_path, seq=9)
    for part in (BASE, ALIVE):
        (path,) = tmp_path.glob(f"{part.removesuffix('.npy')}-*.npy")
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)
        with pytest.raises(IndexMismatch, match="sha256"):
            FaissIndex(encoder_id="e", dim=DIM).load(tmp_path)


def test_vectors_of_other_rows_than_the_ids_are_refused() -> None:
    segment = Segment.of(["a", "b"], np.eye(2, dtype=np.float32), [EVERYONE, EVERYONE], 2)
    with pytest.raises(InvalidInput, match="2 vectors of 2 dimensions for 1 ids"):
        Segment.read(["a"], [EVERYONE], segment.packed(), 2)
    with pytest.raises(InvalidInput, match="cannot be read"):
        Segment.read(["a"], [EVERYONE], np.zeros(7, dtype=np.uint8), 2)


def test_a_tenant_of_200_among_100000_gets_as_many_results_as_it_asks_for() -> None:
    n, k = 100_000, 50
    labels = [FEW if place % 500 == 0 else EVERYONE for place in range(n)]
    large = FaissIndex(encoder_id="e", dim=DIM)
    rows = _rows(n, 10)
    large.add([f"i{place:06d}" for place in range(n)], rows, labels)
    its = ExactIndex(encoder_id="e", dim=DIM)
    its.add([f"i{place:06d}" for place in range(0, n, 500)], rows[::500], [FEW] * 200)
    queries = _rows(10, 11)
    for found, truth in zip(large.search(queries, k, allowed=FEW), its.search(queries, k, allowed=FEW), strict=True):
        assert len(found) == k
        assert [hit.score for hit in found] == pytest.approx([hit.score for hit in truth], abs=1e-3)

"""Every vector index passes the one contract; FAISS equals brute force whatever happens to it."""

from collections.abc import Collection
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smarttriage.adapters.indexes import faiss as faiss_index
from smarttriage.adapters.indexes.exact import ExactIndex
from smarttriage.adapters.indexes.faiss import FaissIndex
from smarttriage.domain.errors import IndexMismatch
from smarttriage.ports import VectorIndex, VectorSearcher
from smarttriage.testing.vector_index_contract import HERE, VectorIndexContract

LABELS = st.frozensets(st.sampled_from(["red", "green", "blue"]))
RECORDS = st.lists(
    st.tuples(st.sampled_from("abcdefghijklmnopqrst"), st.lists(st.integers(-3, 3), min_size=3, max_size=3), LABELS), max_size=25
)
STEPS = st.lists(
    st.one_of(st.tuples(st.just("add"), RECORDS), st.tuples(st.just("remove"), st.sets(st.sampled_from("abcdefghijklmnopqrst")))),
    max_size=8,
)


class TestExactIndex(VectorIndexContract):
    def make(self, encoder_id: str = "encoder-a", dim: int = 4) -> VectorIndex:
        return ExactIndex(encoder_id=encoder_id, dim=dim)


class TestFaissIndex(VectorIndexContract):
    def make(self, encoder_id: str = "encoder-a", dim: int = 4) -> VectorIndex:
        return FaissIndex(encoder_id=encoder_id, dim=dim)


def test_both_adapters_are_ports() -> None:
    indexes: list[VectorIndex] = [ExactIndex(encoder_id="e", dim=2), FaissIndex(encoder_id="e", dim=2)]
    assert all(index.encoder_id == "e" for index in indexes)


@pytest.mark.parametrize("recent_rows", [0, 5, 1_000])
@settings(max_examples=60, deadline=None)
@given(steps=STEPS, query=st.lists(st.integers(-3, 3), min_size=3, max_size=3), k=st.integers(1, 30), allowed=LABELS)
def test_faiss_equals_brute_force(recent_rows: int, steps: list, query: list[int], k: int, allowed: Collection[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(faiss_index, "MIN_RECENT", recent_rows)
        exact, fast = ExactIndex(encoder_id="e", dim=3), FaissIndex(encoder_id="e", dim=3)
        pairs: list[tuple[VectorSearcher, VectorSearcher]] = []
        for verb, value in steps:
            if verb == "remove":
                assert fast.remove(value) == exact.remove(value)
            else:
                vectors = np.array([vector for _, vector, _ in value], dtype=np.float32).reshape(len(value), 3)
                for index in (exact, fast):
                    index.add([id_ for id_, _, _ in value], vectors, [labels for _, _, labels in value])
            pairs.append((exact.snapshot(), fast.snapshot()))
        queries = np.array([query, query[::-1]], dtype=np.float32)
        for slow, quick in pairs:
            assert len(slow) == len(quick)
            assert quick.search(queries, k, allowed=allowed) == slow.search(queries, k, allowed=allowed)


def test_a_saved_index_of_another_adapter_is_refused_so_that_it_is_rebuilt(tmp_path: Path) -> None:
    FaissIndex(encoder_id="e", dim=2).save(tmp_path, seq=3)
    with pytest.raises(IndexMismatch, match="rebuilt from the store"):
        ExactIndex(encoder_id="e", dim=2).load(tmp_path)


def test_an_index_of_another_dimension_is_refused(tmp_path: Path) -> None:
    FaissIndex(encoder_id="e", dim=2).save(tmp_path, seq=3)
    with pytest.raises(IndexMismatch, match="dim 2, not 3"):
        FaissIndex(encoder_id="e", dim=3).load(tmp_path)


def test_a_crash_while_saving_leaves_the_former_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = FaissIndex(encoder_id="e", dim=2)
    index.add(["a"], np.ones((1, 2), dtype=np.float32), [HERE])
    index.save(tmp_path, seq=1)
    index.add(["b"], np.ones((1, 2), dtype=np.float32), [HERE])
    replace = Path.replace

    def crash_at_the_manifest(path: Path, target: Path) -> Path:
        if path.name.startswith("manifest"):
            raise OSError("power cut")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", crash_at_the_manifest)
    with pytest.raises(OSError, match="power cut"):
        index.save(tmp_path, seq=2)
    other = FaissIndex(encoder_id="e", dim=2)
    assert other.load(tmp_path) == 1
    assert len(other) == 1


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are counted in /proc")
def test_a_search_starts_no_thread() -> None:
    index = FaissIndex(encoder_id="e", dim=64)
    vectors = np.random.default_rng(0).standard_normal((5_000, 64)).astype(np.float32)
    index.add([str(row) for row in range(5_000)], vectors, [HERE] * 5_000)
    before = len(list(Path("/proc/self/task").iterdir()))
    index.search(vectors[:64], 10, allowed=HERE)
    assert len(list(Path("/proc/self/task").iterdir())) == before


def test_a_thousand_single_changes_keep_the_index_right() -> None:
    generator = np.random.default_rng(0)
    exact, fast = ExactIndex(encoder_id="e", dim=8), FaissIndex(encoder_id="e", dim=8)
    vectors = generator.integers(-4, 5, (3_000, 8)).astype(np.float32)
    names = [f"n{row}" for row in range(3_000)]
    for index in (exact, fast):
        index.add(names, vectors, [HERE] * 3_000)
    for step in range(300):
        row = int(generator.integers(3_000))
        for index in (exact, fast):
            index.add([names[row]], vectors[step : step + 1], [HERE]) if step % 3 else index.remove([names[row]])
    assert fast.search(vectors[:5], 50, allowed=HERE) == exact.search(vectors[:5], 50, allowed=HERE)

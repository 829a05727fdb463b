"""What every `VectorIndex` promises, as a suite: subclass it and say how an index of a dimension and encoder is made.

class TestMyIndex(VectorIndexContract):
    def make(self, encoder_id: str = "encoder-a", dim: int = 4) -> VectorIndex:
        return MyIndex(encoder_id=encoder_id, dim=dim)
"""

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from smarttriage.domain.errors import IndexMismatch, InvalidInput
from smarttriage.ports import Hit, VectorIndex, Vectors

HERE = frozenset({"here"})
THERE = frozenset({"there"})


def rows(*values: Collection[float]) -> Vectors:
    """Return the rows as float32."""
    return np.array(values, dtype=np.float32)


def ids(hits: list[Hit]) -> list[str]:
    """Return the ids in their order."""
    return [hit.id for hit in hits]


class VectorIndexContract:
    """Order, visibility, change, snapshots and saved states of a vector index."""

    def make(self, encoder_id: str = "encoder-a", dim: int = 4) -> VectorIndex:
        """Return an empty index."""
        raise NotImplementedError

    def three(self) -> VectorIndex:
        """Return an index of a (here), b (here and there) and c (there)."""
        index = self.make()
        index.add(["a", "b", "c"], rows([1, 0, 0, 0], [2, 0, 0, 0], [3, 0, 0, 0]), [HERE, HERE | THERE, THERE])
        return index

    def test_an_empty_index_gives_one_empty_list_a_query(self) -> None:
        """Nothing to find is not an error."""
        assert len(self.make()) == 0
        assert self.make().search(np.ones((2, 4), dtype=np.float32), 3, allowed=HERE) == [[], []]
        assert self.three().search(np.ones((0, 4), dtype=np.float32), 3, allowed=HERE) == []

    def test_hits_are_inner_products_best_first(self) -> None:
        """The score is the inner product."""
        (hits,) = self.three().search(rows([2, 0, 0, 0]), 5, allowed=HERE | THERE)
        assert hits == [Hit("c", 6.0), Hit("b", 4.0), Hit("a", 2.0)]

    def test_ties_are_ordered_by_id_even_at_the_cut(self) -> None:
        """Of 40 equal vectors the first ids come back, whatever order they were added in."""
        index = self.make()
        names = [f"r{number:02}" for number in range(40)]
        index.add(names[::-1], np.ones((40, 4), dtype=np.float32), [HERE] * 40)
        (hits,) = index.search(rows([1, 1, 1, 1]), 5, allowed=HERE)
        assert ids(hits) == names[:5]

    def test_only_records_that_share_a_label_are_found(self) -> None:
        """Hidden records are never returned, and the visible ones still fill k."""
        index = self.three()
        assert ids(index.search(rows([1, 0, 0, 0]), 2, allowed=HERE)[0]) == ["b", "a"]
        assert ids(index.search(rows([1, 0, 0, 0]), 1, allowed=HERE)[0]) == ["b"]

    @pytest.mark.parametrize("allowed", [(), ("elsewhere",), ("",)])
    def test_no_permission_means_no_hit(self, allowed: Collection[str]) -> None:
        """Deny is the default."""
        assert self.three().search(rows([1, 0, 0, 0]), 3, allowed=allowed) == [[]]

    def test_a_record_without_labels_is_never_found(self) -> None:
        """Nobody shares a label with it."""
        index = self.make()
        index.add(["a"], rows([1, 0, 0, 0]), [[]])
        assert len(index) == 1
        assert index.search(rows([1, 0, 0, 0]), 3, allowed=["here", ""]) == [[]]

    @pytest.mark.parametrize("k", [0, -1])
    def test_k_of_nothing_gives_nothing(self, k: int) -> None:
        """No result asked for, none given."""
        assert self.three().search(rows([1, 0, 0, 0]), k, allowed=HERE) == [[]]

    def test_adding_an_id_again_replaces_vector_and_labels(self) -> None:
        """Also within one call: the last row counts."""
        index = self.three()
        index.add(["a", "a"], rows([9, 0, 0, 0], [0, 7, 0, 0]), [HERE, THERE])
        assert len(index) == 3
        assert ids(index.search(rows([1, 1, 0, 0]), 5, allowed=HERE)[0]) == ["b"]
        assert index.search(rows([0, 1, 0, 0]), 1, allowed=THERE) == [[Hit("a", 7.0)]]

    def test_removed_records_are_gone_and_counted(self) -> None:
        """Unknown ids are ignored."""
        index = self.three()
        assert index.remove(["b", "nobody"]) == 1
        assert index.remove(["b"]) == 0
        assert len(index) == 2
        assert ids(index.search(rows([1, 0, 0, 0]), 5, allowed=HERE | THERE)[0]) == ["c", "a"]

    def test_a_snapshot_does_not_see_later_changes(self) -> None:
        """Add, replace and remove leave it as it was; a later snapshot sees them."""
        index = self.three()
        before = index.snapshot()
        index.add(["a", "d"], rows([0, 0, 0, 8], [8, 0, 0, 0]), [HERE, HERE])
        index.remove(["b"])
        assert before.search(rows([1, 0, 0, 0]), 5, allowed=HERE) == [[Hit("b", 2.0), Hit("a", 1.0)]]
        assert len(before) == 3
        assert ids(index.snapshot().search(rows([1, 0, 0, 0]), 5, allowed=HERE)[0]) == ["d", "a"]

    def test_the_caller_may_reuse_its_array(self) -> None:
        """The index keeps copies."""
        vectors = rows([1, 0, 0, 0])
        index = self.make()
        index.add(["a"], vectors, [HERE])
        vectors[:] = 5
        assert index.search(rows([1, 0, 0, 0]), 1, allowed=HERE) == [[Hit("a", 1.0)]]

    @pytest.mark.parametrize(
        ("names", "vectors", "labels"),
        [
            (["a"], np.ones((1, 3)), [HERE]),
            (["a"], np.ones(4), [HERE]),
            (["a"], np.array([[1, 2, 3, np.nan]]), [HERE]),
            (["a"], np.array([[1, 2, 3, np.inf]]), [HERE]),
            (["a", "b"], np.ones((1, 4)), [HERE]),
            (["a"], np.ones((1, 4)), []),
        ],
    )
    def test_unusable_rows_are_refused_and_change_nothing(
        self, names: list[str], vectors: Vectors, labels: list[Collection[str]]
    ) -> None:
        """Wrong shape, non-finite values or lengths that differ."""
        index = self.three()
        with pytest.raises(InvalidInput):
            index.add(names, np.asarray(vectors, dtype=np.float32), labels)
        assert len(index) == 3

    def test_a_query_of_another_length_is_refused(self) -> None:
        """It belongs to another encoder."""
        with pytest.raises(InvalidInput, match="shape"):
            self.three().search(np.ones((1, 3), dtype=np.float32), 1, allowed=HERE)

    def test_a_saved_index_comes_back_with_its_seq(self, tmp_path: Path) -> None:
        """Vectors, ids and labels are the same; what the loading index held before is gone."""
        index = self.three()
        index.remove(["a"])
        index.save(tmp_path / "saved", seq=42)
        other = self.make()
        other.add(["z"], rows([9, 9, 9, 9]), [HERE])
        assert other.load(tmp_path / "saved") == 42
        assert other.search(rows([1, 0, 0, 0]), 5, allowed=HERE | THERE) == [[Hit("c", 3.0), Hit("b", 2.0)]]
        assert ids(other.search(rows([1, 0, 0, 0]), 5, allowed=HERE)[0]) == ["b"]

    def test_an_empty_index_is_saved_and_loaded_too(self, tmp_path: Path) -> None:
        """The first start has nothing."""
        self.make().save(tmp_path, seq=0)
        other = self.three()
        assert other.load(tmp_path) == 0
        assert len(other) == 0

    def test_saving_again_replaces_the_saved_state(self, tmp_path: Path) -> None:
        """And leaves no file of the former one."""
        index = self.three()
        index.save(tmp_path, seq=1)
        n_files = len(list(tmp_path.iterdir()))
        index.remove(["a"])
        index.save(tmp_path, seq=2)
        other = self.make()
        assert other.load(tmp_path) == 2
        assert len(other) == 2
        assert len(list(tmp_path.iterdir())) == n_files

    def test_index_of_another_encoder_is_refused(self, tmp_path: Path) -> None:
        """Its vectors mean something else; the message names both."""
        self.three().save(tmp_path, seq=1)
        with pytest.raises(IndexMismatch, match=r"encoder-a.*encoder-b"):
            self.make(encoder_id="encoder-b").load(tmp_path)

    def test_every_damaged_or_missing_file_is_refused(self, tmp_path: Path) -> None:
        """And the loading index keeps what it has."""
        self.three().save(tmp_path, seq=1)
        for path in sorted(tmp_path.iterdir()):
            content = path.read_bytes()
            for damaged in (content[:-2] + b"\xff\xff", content[: len(content) // 2], b"", None):
                path.unlink() if damaged is None else path.write_bytes(damaged)
                other = self.three()
                with pytest.raises(IndexMismatch, match=str(tmp_path)):
                    other.load(tmp_path)
                assert len(other) == 3
            path.write_bytes(content)
        assert self.make().load(tmp_path) == 1

    def test_readers_never_see_half_of_a_change(self) -> None:
        """While a writer replaces ten records at once, a snapshot holds ten of one generation."""
        index = self.make(dim=2)
        names = [f"r{number}" for number in range(10)]
        index.add(names, np.full((10, 2), 1, dtype=np.float32), [HERE] * 10)
        done: list[bool] = []

        def read(_: int) -> int:
            n_reads = 0
            while not done:
                (hits,) = index.snapshot().search(rows([1, 0]), 20, allowed=HERE)
                assert len(hits) == 10
                assert len({hit.score for hit in hits}) == 1
                n_reads += 1
            return n_reads

        with ThreadPoolExecutor(2) as pool:
            readers = [pool.submit(read, number) for number in range(2)]
            try:
                for generation in range(2, 60):
                    index.add(names, np.full((10, 2), generation, dtype=np.float32), [HERE] * 10)
            finally:
                done.append(True)
            assert all(reader.result() > 0 for reader in readers)

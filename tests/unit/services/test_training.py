"""Training over fakes of the ports: which rows count, what is encoded once, what is reported."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from smarttriage.adapters.classifiers.sklearn import SklearnTrainer
from smarttriage.adapters.encoders.hashing import HashingEncoder
from smarttriage.adapters.vector_cache import FileVectorCache
from smarttriage.domain.errors import EncoderError, InvalidInput
from smarttriage.ports import Vectors
from smarttriage.services.training import CHUNK, CHUNKS_A_WRITE, collect, embed, row_text, train
from smarttriage.testing.tickets import tickets


class CountingEncoder:
    """Remembers what it was asked to encode."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._encoder = HashingEncoder(dim=32)

    @property
    def encoder_id(self) -> str:
        return self._encoder.encoder_id

    @property
    def dim(self) -> int:
        return self._encoder.dim

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        return self._encoder.encode(texts)


class DyingEncoder(CountingEncoder):
    """Ends after so many calls, as a killed process does."""

    def __init__(self, n_calls: int) -> None:
        super().__init__()
        self._left = n_calls

    def encode(self, texts: Sequence[str]) -> Vectors:
        self._left -= 1
        if self._left < 0:
            raise KeyboardInterrupt
        return super().encode(texts)


def test_rows_without_text_or_label_are_left_out_and_counted() -> None:
    rows = [{"t": "vpn", "k": "a"}, {"t": None, "k": "a"}, {"t": "  ", "k": "a"}, {"t": "wifi", "k": " "}, {"t": "x", "k": " b "}]
    found = collect(rows, text_columns=["t"], targets=["k"])
    assert (list(found.texts), found.labels, found.n_skipped) == (["vpn", "x"], {"k": ["a", "b"]}, 3)


def test_a_row_with_one_of_two_labels_is_kept() -> None:
    found = collect([{"t": "vpn", "k": "a", "m": None}], text_columns=["t"], targets=["k", "m"])
    assert found.labels == {"k": ["a"], "m": [None]}


def test_the_first_of_several_text_columns_is_the_title() -> None:
    row = {"title": "VPN", "body": "drops", "note": "again"}
    assert row_text(row, ["title", "body", "note"]) == "VPN\ndrops\nagain"
    assert row_text({"title": None, "body": "drops"}, ["title", "body"]) == "drops"
    assert len(row_text({"body": "x" * 5_000}, ["body"])) == 2_000


def test_nothing_to_learn_from_is_refused() -> None:
    with pytest.raises(InvalidInput, match="None of the 1 rows"):
        collect([{"t": "", "k": ""}], text_columns=["t"], targets=["k"])
    with pytest.raises(InvalidInput, match="at least one"):
        collect([], text_columns=["t"], targets=[])


def test_identical_texts_are_encoded_once_and_come_back_in_order() -> None:
    encoder = CountingEncoder()
    vectors = embed(["b", "a", "b"], encoder=encoder)
    assert encoder.asked == ["b", "a"]
    np.testing.assert_array_equal(vectors, HashingEncoder(dim=32).encode(["b", "a", "b"]))


def test_a_second_run_encodes_only_what_is_not_in_the_cache(tmp_path: Path) -> None:
    first = embed(["a", "b \ud800"], encoder=CountingEncoder(), cache=FileVectorCache(tmp_path))
    encoder = CountingEncoder()
    second = embed(["b \ud800", "c", "a"], encoder=encoder, cache=FileVectorCache(tmp_path))
    assert encoder.asked == ["c"]
    np.testing.assert_array_equal(second[[2, 0]], first)


def test_a_damaged_cache_is_named(tmp_path: Path) -> None:
    encoder = CountingEncoder()
    (tmp_path / f"{encoder.encoder_id}.safetensors").write_bytes(b"damaged")
    with pytest.raises(EncoderError, match="delete it"):
        embed(["a"], encoder=encoder, cache=FileVectorCache(tmp_path))


def test_training_reports_held_out_scores_hash_and_times() -> None:
    texts, categories, _ = tickets()
    rows = collect([{"t": t, "k": k} for t, k in zip(texts, categories, strict=True)], text_columns=["t"], targets=["k"])
    ticks = iter((0.0, 2.0, 5.0))
    encoder = CountingEncoder()
    steps: list[str] = []
    done = train(
        rows,
        encoder=encoder,
        trainer=SklearnTrainer(encoder_id=encoder.encoder_id),
        seed=0,
        timer=lambda: next(ticks),
        progress=lambda step, _done, _total: steps.append(step),
    )
    assert (done.encode_s, done.fit_s, done.n_rows) == (2.0, 3.0, len(texts))
    scores = done.metrics["k"]
    assert scores["held_out"] is True
    assert scores["n"] == len(texts)
    assert {"accuracy", "ece", "ece_before_calibration", "per_class", "recipe"} <= scores.keys()
    assert steps == ["encode", "fit"]
    assert done.data_sha256 == rows.sha256()


def test_the_data_hash_sees_texts_and_labels() -> None:
    def digest(text: str, label: str) -> str:
        return collect([{"t": text, "k": label}], text_columns=["t"], targets=["k"]).sha256()

    assert digest("a", "x") == digest("a", "x")
    assert len({digest("a", "x"), digest("a", "y"), digest("b", "x")}) == 3


def test_what_was_embedded_before_a_kill_is_not_embedded_again(tmp_path: Path) -> None:
    texts = [f"ticket {number}" for number in range((CHUNKS_A_WRITE + 3) * CHUNK)]
    with pytest.raises(KeyboardInterrupt):
        embed(texts, encoder=DyingEncoder(CHUNKS_A_WRITE + 1), cache=FileVectorCache(tmp_path))
    encoder = CountingEncoder()
    resumed = embed(texts, encoder=encoder, cache=FileVectorCache(tmp_path))
    assert len(encoder.asked) == 3 * CHUNK
    assert np.array_equal(resumed, embed(texts, encoder=CountingEncoder()))


def test_texts_are_embedded_from_the_longest_to_the_shortest_and_come_back_in_their_order() -> None:
    encoder = CountingEncoder()
    vectors = embed(["vpn", "the whole floor cannot print", "disk full"], encoder=encoder)
    assert encoder.asked == ["the whole floor cannot print", "disk full", "vpn"]
    assert np.array_equal(vectors[0], CountingEncoder().encode(["vpn"])[0])

"""Novelty: fitted with every model, bounded on rows held out, kept in the bundle."""

from dataclasses import replace

import numpy as np
import pytest

from smarttriage.adapters.classifiers.classifier import SklearnClassifier
from smarttriage.adapters.classifiers.novelty import ARRAYS, NOVELTY, NearestRows, fit_novelty, no_vectors, read_novelty
from smarttriage.adapters.classifiers.sklearn import SklearnTrainer
from smarttriage.adapters.encoders.hashing import HashingEncoder
from smarttriage.domain.errors import BundleError
from smarttriage.ports import HeldOut, LabelledTexts, Vectors

N, DIM = 600, 16
TEXT = "a text that is long enough to be told by its words"


def unit(rows: Vectors) -> Vectors:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def around(axis: int, n: int, seed: int) -> Vectors:
    noise = np.random.default_rng(seed).normal(0, 0.15, (n, DIM))
    noise[:, axis] += 1
    return unit(noise)


def fitted(detect: str | None = None, everyday: Vectors | None = None, terse: int = 0) -> NearestRows:
    vectors = np.concatenate([around(0, N // 2, 1), around(1, N // 2, 2)])
    sure = np.tile([0.9, 0.1], (N, 1)) + np.random.default_rng(3).uniform(-0.05, 0.05, (N, 1)) * [1, -1]
    kinds: list[str | None] = ["incident"] * (N // 2) + ["other"] * (N // 2)
    examples = LabelledTexts([f"{TEXT if row >= terse else 'terse'} {row}" for row in range(N)], vectors, {"kind": kinds})
    held = {"kind": HeldOut(list(range(N)), [str(kind) for kind in kinds], sure, sure, "none")}
    known = no_vectors() if everyday is None else everyday
    return fit_novelty(examples, [str(row) for row in range(N)], held, detect=lambda _: detect, seed=0, everyday=lambda: known)


def strange(novelty: NearestRows, vectors: Vectors, top: float, language: str | None = None, text: str = TEXT) -> float:
    sure = {"kind": np.array([top, 1 - top])}
    return float(np.mean([novelty.familiarity(text, language, vector, sure).strange for vector in vectors]))


def test_unseen_topics_are_strange_and_fresh_rows_of_seen_ones_are_not() -> None:
    novelty = fitted()
    assert strange(novelty, around(0, 200, 9), 0.9) <= 0.04
    assert strange(novelty, around(7, 200, 9), 0.55) == 1.0


def test_what_looks_like_everyday_life_is_strange_even_where_rows_are_rather_near() -> None:
    between = unit(around(0, 200, 9) + 0.7 * around(5, 200, 10))
    told = fitted(everyday=around(5, 40, 11))
    assert strange(told, between, 0.9) > strange(fitted(), between, 0.9) + 0.3
    assert strange(told, around(0, 200, 9), 0.9) <= 0.04
    again = read_novelty(told.to_files())
    assert again is not None
    sure = {"kind": np.array([0.7, 0.3])}
    assert again.familiarity(TEXT, None, between[0], sure) == told.familiarity(TEXT, None, between[0], sure)


def test_the_nearer_kind_is_told() -> None:
    found = fitted().familiarity(TEXT, None, around(0, 1, 5)[0], {"kind": np.array([0.5, 0.5])})
    assert found.kinds["incident"] > found.kinds["other"] + 0.5


def test_a_language_without_rows_enough_is_never_strange() -> None:
    assert strange(fitted("en"), around(7, 5, 9), 0.5, language="nl") == 0.0
    assert fitted("en").understood == {"en"}


def test_terse_texts_have_a_bound_of_their_own_and_too_few_of_them_bound_nothing() -> None:
    unseen = around(7, 200, 9)
    assert strange(fitted(), unseen, 0.55) == 1.0
    assert strange(fitted(), unseen, 0.55, text="vpn down") == 0.0
    assert strange(fitted(terse=N // 4), unseen, 0.55, text="vpn down") == 1.0


def test_a_bundle_gives_back_the_same_judgement() -> None:
    novelty = fitted()
    again = read_novelty(novelty.to_files())
    vector, sure = around(3, 1, 4)[0], {"kind": np.array([0.7, 0.3])}
    assert again is not None
    assert again.familiarity(TEXT, None, vector, sure) == novelty.familiarity(TEXT, None, vector, sure)


def test_a_bundle_made_before_loads_without() -> None:
    assert read_novelty({}) is None


def test_a_damaged_novelty_is_refused() -> None:
    files = fitted().to_files()
    with pytest.raises(BundleError, match=NOVELTY):
        read_novelty({NOVELTY: files[NOVELTY], ARRAYS: files[ARRAYS][:50]})
    with pytest.raises(BundleError, match=NOVELTY):
        read_novelty(replace(fitted(), kinds=np.zeros(3, np.int16)).to_files())


def test_every_training_keeps_its_novelty_in_the_bundle() -> None:
    encoder = HashingEncoder()
    texts = [f"{word} {row}" for row in range(20) for word in ("printer paper jam", "password login locked")]
    labels: list[str | None] = ["hardware", "access"] * 20
    trainer = SklearnTrainer(encoder_id=encoder.encoder_id)
    classifier = trainer.fit(LabelledTexts(texts, encoder.encode(texts), {"category": labels}), seed=0)
    loaded = SklearnClassifier.from_files(classifier.to_files(), version="1")
    assert loaded.novelty is not None
    assert len(loaded.novelty.rows) == len(texts)

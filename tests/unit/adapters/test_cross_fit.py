"""Out-of-sample probabilities for every row."""

import numpy as np
import pytest

from smarttriage.adapters.classifiers.cross_fit import LinearCrossFitter
from smarttriage.domain.errors import InvalidInput
from smarttriage.testing.tickets import tickets


def test_every_row_is_predicted_and_the_same_seed_gives_the_same() -> None:
    texts, labels, _ = tickets()
    truth = np.array([int(label == "network") for label in labels])
    groups = [str(place) for place in range(len(texts))]
    told = LinearCrossFitter().probabilities(texts, truth, 2, groups=groups, seed=3)
    assert told.sum(axis=1) == pytest.approx(np.ones(len(texts)))
    assert (told.argmax(axis=1) == truth).mean() > 0.9
    assert np.array_equal(told, LinearCrossFitter().probabilities(texts, truth, 2, groups=groups, seed=3))


def test_a_row_is_never_predicted_from_its_own_group() -> None:
    texts = [f"word{place // 2} filler" for place in range(80)]
    truth = np.random.default_rng(0).integers(0, 2, 40).repeat(2)
    alone = LinearCrossFitter().probabilities(texts, truth, 2, groups=[str(place) for place in range(80)], seed=0)
    grouped = LinearCrossFitter().probabilities(texts, truth, 2, groups=[str(place // 2) for place in range(80)], seed=0)
    assert (alone.argmax(axis=1) == truth).mean() > 0.7  # its twin gave the label away
    assert (grouped.argmax(axis=1) == truth).mean() < 0.65


def test_one_group_is_too_few() -> None:
    with pytest.raises(InvalidInput, match="1 groups of like texts in 2 classes are too few"):
        LinearCrossFitter().probabilities(["a b"] * 20, np.arange(20) % 2, 2, groups=["g"] * 20, seed=0)


def test_texts_without_words_are_refused() -> None:
    with pytest.raises(InvalidInput, match="no words to learn from"):
        LinearCrossFitter().probabilities(["-"] * 20, np.arange(20) % 2, 2, groups=[str(n) for n in range(20)], seed=0)

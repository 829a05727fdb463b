"""The fitted parts of one target as plain arrays, and how they become probabilities. No scikit-learn at run time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from smarttriage.adapters.classifiers.features import Row
from smarttriage.ports import Probabilities, TargetCard, Vectors

Scores = NDArray[np.float64]
_NO_NETWORK: Scores = np.zeros(1)


@dataclass(frozen=True, slots=True)
class LinearHead:
    """Weights of the word, char and dense columns, each (columns, n_labels), and a bias per label."""

    word: Vectors
    char: Vectors
    dense: Vectors
    bias: Vectors


@dataclass(frozen=True, slots=True)
class MlpHead:
    """One hidden layer of rectified units over (projected words, embedding)."""

    hidden: Vectors
    hidden_bias: Vectors
    out: Vectors
    out_bias: Vectors

    def scores(self, inputs: Vectors) -> Scores:
        """Return one score per label."""
        activation = np.maximum(inputs @ self.hidden + self.hidden_bias, 0.0)
        return np.asarray(activation @ self.out + self.out_bias, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Projection:
    """Words to a few dimensions (truncated SVD), and the scales that bring both inputs of an `MlpHead` to like size."""

    components: Vectors
    # Chosen with the hidden layer on clusters held out of it_ticket_category's train part; about half of unit variance.
    word_scale: float = 6.0
    embedding_scale: float = 10.0

    def inputs(self, row: Row, dim: int) -> Vectors:
        """Return the input of an `MlpHead` for one text."""
        projected = row.word_values @ self.components[row.word_columns]
        return np.concatenate([projected * np.float32(self.word_scale), row.dense[:dim] * np.float32(self.embedding_scale)])


@dataclass(frozen=True, slots=True)
class Calibration:
    """Scores to probabilities: z = linear * l + network * n + bias, then softmax(z * exp(bend * (2 c - 1))).

    Temperature scaling (Guo et al., 2017, arXiv:1706.04599) with two scales, since there are two kinds of scores, and a bend:
    the temperature depends on c, the largest value of softmax(z), after parameterized temperature scaling (Tomani et al.,
    2022, arXiv:2102.12182). A bend below 0 flattens confident rows. The order of a row's labels stays that of z.
    """

    linear: float
    network: float
    bend: float
    bias: tuple[float, ...]

    def probabilities(self, linear: Scores, network: Scores) -> Probabilities:
        """Return (n, n_labels) probabilities of (n, n_labels) scores; those of the networks may be one 0 for all."""
        scores = self.linear * linear + self.network * network + np.array(self.bias)
        # The largest value of softmax(scores), whose exponent is exp(0).
        certainty = 1 / np.add.reduce(_exponents(scores), axis=-1, keepdims=True)
        return softmax(scores * np.exp(self.bend * (2 * certainty - 1)))


@dataclass(frozen=True, slots=True)
class TargetModel:
    """One target: its card, its fitted parts and how they were chosen."""

    card: TargetCard
    linear: LinearHead
    networks: tuple[MlpHead, ...]
    calibration: Calibration

    def probabilities(self, linear: Scores, inputs: Vectors | None) -> Probabilities:
        """Return the probabilities of one text, or of (n, n_labels) scores that it might have, before a parent has its say."""
        network = _NO_NETWORK
        if inputs is not None and self.networks:
            network = np.mean([head.scores(inputs) for head in self.networks], axis=0)
        return self.calibration.probabilities(linear, network)


def softmax(scores: Scores) -> Probabilities:
    """Return row-wise softmax."""
    exponents = _exponents(scores)
    result: Probabilities = exponents / np.add.reduce(exponents, axis=-1, keepdims=True)
    return result


def _exponents(scores: Scores) -> Scores:
    """Return e to the power of each score, but for a factor that makes a row's greatest 1."""
    # The ufunc itself, here and above, because one text asks about fifty times and the methods `max` and `sum` only lead there.
    exponents: Scores = np.exp(scores - np.maximum.reduce(scores, axis=-1, keepdims=True))
    return exponents


def owners_of(card: TargetCard, parent_labels: Sequence[str]) -> NDArray[np.int_]:
    """Return for each label of the card the column of its parent's label."""
    column = {label: place for place, label in enumerate(parent_labels)}
    return np.array([column[card.parents[label]] for label in card.labels], dtype=np.int_)


def under_parent(child: Probabilities, parent: Probabilities, card: TargetCard, parent_labels: Sequence[str]) -> Probabilities:
    """Return (n, n_labels) with p(sub) = p(parent) p(sub | parent), so no label is more likely than the one above it.

    Rows sum to what the parent labels that have labels below them have; the rest is of those where the tree ends.
    """
    return under_owners(child, parent, owners_of(card, parent_labels))


def under_owners(child: Probabilities, parent: Probabilities, owners: NDArray[np.int_]) -> Probabilities:
    """Return the same as `under_parent`, given for each label of the child the column of its parent's label."""
    members = owners[:, None] == np.arange(parent.shape[1])[None, :]
    # The floor keeps 0 / 0 away where a parent is likely although the child model rules out all of its labels.
    floored = child + 1e-12
    result: Probabilities = parent[:, owners] * (floored / (floored @ members)[:, owners])
    return result


def stack_linear(models: Mapping[str, TargetModel]) -> tuple[LinearHead, dict[str, slice]]:
    """Return one head with the columns of all targets side by side and the columns of each: one gather serves all."""
    heads = [model.linear for model in models.values()]
    stacked = LinearHead(
        word=np.concatenate([head.word for head in heads], axis=1),
        char=np.concatenate([head.char for head in heads], axis=1),
        dense=np.concatenate([head.dense for head in heads], axis=1),
        bias=np.concatenate([head.bias for head in heads]),
    )
    slices, start = {}, 0
    for name, model in models.items():
        slices[name] = slice(start, start + len(model.card.labels))
        start += len(model.card.labels)
    return stacked, slices


def linear_scores(head: LinearHead, row: Row) -> Scores:
    """Return one score per column of the head."""
    return with_dense(head, row.dense, term_scores(head, row))


def with_dense(head: LinearHead, dense: Vectors, terms: Vectors) -> Scores:
    """Return one score per column of the head, given what the terms of the text add to each."""
    return np.asarray(dense @ head.dense + head.bias + terms, dtype=np.float64)


def term_scores(head: LinearHead, row: Row) -> Vectors:
    """Return what the words and character terms of a text add to each column of the head; its vector is not read."""
    scores: Vectors = row.word_values @ head.word[row.word_columns] + row.char_values @ head.char[row.char_columns]
    return scores

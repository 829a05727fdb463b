"""Which labels are likely wrong: out-of-sample probabilities and the labels of the nearest texts, ranked together."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from smarttriage.ports import Probabilities, Vectors

# All of these were set on seed 0 of `benchmarks/doctor.py`, whose table reports other seeds.
N_NEIGHBOURS = 20
SIMILARITY_POWER = 8
# What each class has before a neighbour speaks. The same for all: by class size, rows of rare classes would be doubted
# for being rare, which halved the average precision where classes are confused (endava service).
FLAT_VOTES = 0.1
NEIGHBOUR_SHARE = 0.4
# Where a class is nearly always sure of its own rows, a row need not be as sure to belong to it.
SURE = 0.7
# Beyond this many rows neighbours are looked for among a sample: the search grows with rows times references.
MAX_REFERENCES = 50_000
_CHUNK = 1_024


@dataclass(frozen=True, slots=True)
class LabelDoubts:
    """Doubts about n labels.

    Attributes:
        self_confidence: The combined probability of each row's own label; the least is the most doubtful.
        suggested: The column that the row more likely belongs to; -1 where its own label stands.
        confidence: The combined probability of the suggested column; 0 where there is none.
        probabilities: (n, n_labels), combined.
    """

    self_confidence: NDArray[np.float64]
    suggested: NDArray[np.int_]
    confidence: NDArray[np.float64]
    probabilities: Probabilities

    def ranked(self) -> NDArray[np.int_]:
        """Return the rows with a suggestion, most doubtful first."""
        order = np.argsort(self.self_confidence, kind="stable")
        return order[self.suggested[order] >= 0]


def label_doubts(probabilities: Probabilities, truth: NDArray[np.int_], votes: Probabilities | None) -> LabelDoubts:
    """Return the doubts from (n, n_labels) out-of-sample probabilities and the neighbours' votes, where there are any.

    Both are averaged as logarithms, so that one sure objection outweighs a lukewarm consent. Rows are ranked by
    self-confidence, and a label is doubted where another class is at least as likely as that class is on average for its own
    rows (confident learning: Northcutt, Jiang and Chuang, 2021, arXiv:1911.00068, sections 3.1 and 3.2), or at least `SURE`.
    """
    combined = _geometric_mean(probabilities, votes) if votes is not None else probabilities
    n_rows, n_labels = combined.shape
    rows = np.arange(n_rows)
    own = combined[rows, truth]
    means = [own[truth == column].mean() if (truth == column).any() else np.inf for column in range(n_labels)]
    bounds = np.array([min(mean, SURE) if np.isfinite(mean) else np.inf for mean in means])
    likely = np.where(combined >= bounds, combined, -1.0)
    best = likely.argmax(axis=1)
    doubted = (likely[rows, best] >= 0) & (best != truth) & (combined[rows, best] > own)
    return LabelDoubts(own, np.where(doubted, best, -1), np.where(doubted, combined[rows, best], 0.0), combined)


def neighbour_votes(vectors: Vectors, truth: NDArray[np.int_], n_labels: int, *, seed: int) -> Probabilities:
    """Return (n, n_labels) shares of each label among the nearest other rows, weighted by similarity.

    Args:
        vectors: (n, dim) of L2 norm 1.
        truth: The column of each row's label.
        n_labels: Number of columns.
        seed: Chooses the references where there are too many rows.
    """
    n_rows = len(vectors)
    references = np.arange(n_rows)
    if n_rows > MAX_REFERENCES:
        references = np.sort(np.random.default_rng(seed).choice(n_rows, MAX_REFERENCES, replace=False))
    n_wanted = min(N_NEIGHBOURS, len(references) - 1)
    votes = np.full((n_rows, n_labels), FLAT_VOTES)
    searched = np.ascontiguousarray(vectors[references].T)
    for start in range(0, n_rows, _CHUNK):
        rows = np.arange(start, min(start + _CHUNK, n_rows))
        similarity = vectors[rows] @ searched
        similarity[rows[:, None] == references[None, :]] = -1.0  # nobody votes for themselves
        nearest = np.argpartition(-similarity, n_wanted - 1, axis=1)[:, :n_wanted]
        weight = np.clip(np.take_along_axis(similarity, nearest, 1), 0.0, None).astype(np.float64) ** SIMILARITY_POWER
        np.add.at(votes, (rows[:, None], truth[references[nearest]]), weight)
    return np.asarray(votes / votes.sum(axis=1, keepdims=True))


def _geometric_mean(probabilities: Probabilities, votes: Probabilities) -> Probabilities:
    logarithms = (1 - NEIGHBOUR_SHARE) * np.log(probabilities + 1e-12) + NEIGHBOUR_SHARE * np.log(votes + 1e-12)
    exponents = np.exp(logarithms - logarithms.max(axis=1, keepdims=True))
    return np.asarray(exponents / exponents.sum(axis=1, keepdims=True))

"""Incidents by topic: a few words in common, one that is typical, and a sample that shows the whole."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from smarttriage.domain.text import telling_words
from smarttriage.ports import Vectors
from smarttriage.services.similar import BOUNDS

# Cosine to the middle of a topic from which an incident belongs to it: the level from which open incidents may be one outage
# (services/similar.py, measured by benchmarks/similar.py).
TOPIC = BOUNDS.outage
N_WORDS = 5


def topics(vectors: Vectors, *, least: float = TOPIC) -> list[list[int]]:
    """Return the rows by topic, in order of first appearance: each row joins the nearest middle, or begins a topic of its own.

    `vectors` is (n, dim), rows of norm 1. The same rows in the same order always give the same topics.
    """
    sums = np.zeros_like(vectors)
    members: list[list[int]] = []
    for row, vector in enumerate(vectors):
        n = len(members)
        near = (sums[:n] @ vector) / np.linalg.norm(sums[:n], axis=1) if n else np.empty(0)
        best = int(near.argmax()) if n else -1
        if n and near[best] >= least:
            members[best].append(row)
            sums[best] += vector
        else:
            members.append([row])
            sums[n] = vector
    return members


def sample(vectors: Vectors, rows: Sequence[int], n: int) -> list[int]:
    """Return at most n rows of a topic: the one nearest to its middle, then each time the one least like those chosen."""
    own = vectors[list(rows)]
    chosen = [int((own @ own.sum(axis=0)).argmax())]
    nearest = own @ own[chosen[0]]
    while len(chosen) < min(n, len(rows)):
        nearest[chosen] = np.inf
        chosen.append(int(nearest.argmin()))
        nearest = np.maximum(nearest, own @ own[chosen[-1]])
    return [rows[place] for place in chosen]


def common_words(texts: Sequence[str], rows: Sequence[int], frequency: Counter[str]) -> tuple[str, ...]:
    """Return the words that most of the topic's texts have and few others: by count in the topic times its share of all."""
    within = Counter(word for row in rows for word in words_of(texts[row]))
    ranked = sorted(within, key=lambda word: (-(within[word] ** 2) / frequency[word], word))
    return tuple(ranked[:N_WORDS])


def words_of(text: str) -> frozenset[str]:
    """Return the telling words of a text, lower case."""
    return frozenset(word.lower() for word in telling_words(text) if not word.isdigit())

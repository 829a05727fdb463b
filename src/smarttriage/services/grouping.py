"""Which observations are of the same fix: average-link grouping of a neighbourhood, small enough to be done anew at every arrival."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from smarttriage.ports import Vectors


def grouped(vectors: Mapping[str, Vectors], settled: Sequence[Sequence[str]], *, level: float) -> list[list[str]]:
    """Return the ids in groups whose members' mean cosine to each other is at least `level`, whatever order they came in.

    Args:
        vectors: Id -> (dim,) of L2 norm 1.
        settled: Groups that stay together: too large for a few newcomers to part them.
        level: Mean cosine between two groups from which they are one.
    """
    in_block = {member for block in settled for member in block}
    clusters = [list(block) for block in settled] + [[id_] for id_ in sorted(vectors) if id_ not in in_block]
    if not clusters:
        return []
    totals = np.stack([np.sum([vectors[member] for member in cluster], axis=0) for cluster in clusters]).astype(np.float64)
    sizes = np.array([len(cluster) for cluster in clusters], dtype=np.float64)
    # The mean cosine of all pairs between two clusters is the inner product of their sums over the product of their sizes.
    links = totals @ totals.T / np.outer(sizes, sizes)
    np.fill_diagonal(links, -np.inf)
    while len(clusters) > 1:
        first, second = sorted(int(at) for at in np.unravel_index(np.argmax(links), links.shape))
        if links[first, second] < level:
            break
        clusters[first] += clusters.pop(second)
        totals[first] += totals[second]
        sizes[first] += sizes[second]
        totals, sizes = np.delete(totals, second, 0), np.delete(sizes, second)
        links = np.delete(np.delete(links, second, 0), second, 1)
        links[first] = links[:, first] = totals @ totals[first] / (sizes * sizes[first])
        links[first, first] = -np.inf
    return clusters


def most_typical_first(ids: Sequence[str], vectors: Mapping[str, Vectors]) -> list[str]:
    """Return the ids by their cosine to the mean of all, the nearest first, ties by id."""
    total = np.sum([vectors[id_] for id_ in ids], axis=0)
    return sorted(ids, key=lambda id_: (-round(float(vectors[id_] @ total), 6), id_))


class Centres:
    """The mean directions of many groups, for finding the few that a newcomer may belong to."""

    def __init__(self) -> None:
        self._rows: NDArray[np.float32] = np.empty((0, 0), dtype=np.float32)
        self._ids: list[str] = []
        self._places: dict[str, int] = {}

    def put(self, id_: str, total: Vectors) -> None:
        """Add or replace the group whose members' vectors have this sum."""
        if id_ not in self._places:
            if len(self._ids) == len(self._rows):
                grown = np.zeros((max(64, 2 * len(self._ids)), len(total)), dtype=np.float32)
                if self._ids:
                    grown[: len(self._ids)] = self._rows
                self._rows = grown
            self._places[id_] = len(self._ids)
            self._ids.append(id_)
        self._rows[self._places[id_]] = total / max(float(np.linalg.norm(total)), 1e-9)

    def remove(self, id_: str) -> None:
        """Forget the group; nothing happens if it is not there."""
        place = self._places.pop(id_, None)
        if place is None:
            return
        last = self._ids.pop()
        if last != id_:
            self._ids[place] = last
            self._places[last] = place
            self._rows[place] = self._rows[len(self._ids)]

    def near(self, vector: Vectors, *, at_least: float, k: int) -> list[str]:
        """Return at most k groups whose mean has that cosine to the vector, the nearest first, ties by id."""
        if not self._ids:
            return []
        cosines = self._rows[: len(self._ids)] @ vector
        found = [(-float(cosines[place]), self._ids[place]) for place in np.flatnonzero(cosines >= at_least)]
        return [id_ for _, id_ in sorted(found)[:k]]

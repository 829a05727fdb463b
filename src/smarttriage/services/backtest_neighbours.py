"""The nearest earlier incidents of each incident: only those whose labels were known before it came."""

import numpy as np
from numpy.typing import NDArray

from smarttriage.ports import Vectors
from smarttriage.services.backtest_answers import Near
from smarttriage.services.backtest_history import History

N_NEAREST = 5
_BLOCK = 256
# Cosines are compared in hundred-thousandths: the last digits depend on how many rows a matrix product has.
_UNITS = 100_000
_HIDDEN = int(np.iinfo(np.int64).min)


class Neighbours:
    """Exact search over a history, as the index would have stood at each instant."""

    def __init__(self, history: History, vectors: Vectors, known: NDArray[np.float64]) -> None:
        self._vectors = vectors
        self._known = known
        self._at = np.array([at.timestamp() for at in history.at])
        notes = history.resolutions
        self._no_note = np.array([note is None for note in notes]) if notes is not None else None

    def before(self, first: int, last: int) -> tuple[list[Near], list[Near]]:
        """Return for rows `first` to `last` (exclusive) the nearest known rows, and the nearest of those with a resolution.

        A row known at the very instant at which another comes is not yet known to it.
        """
        nearest: list[Near] = []
        resolved: list[Near] = []
        for start in range(first, last, _BLOCK):
            stop = min(start + _BLOCK, last)
            cosines = self._vectors[start:stop] @ self._vectors[:last].T
            hidden = self._known[None, :last] >= self._at[start:stop, None]
            nearest += _best(cosines, hidden)
            resolved += [()] * (stop - start) if self._no_note is None else _best(cosines, hidden | self._no_note[None, :last])
        return nearest, resolved


def _best(cosines: Vectors, hidden: NDArray[np.bool_]) -> list[Near]:
    """Return for each row the places and values of the largest that are not hidden, largest first, of equal ones the latest."""
    n_columns = cosines.shape[1]
    width = min(N_NEAREST, n_columns)
    # One whole number for value and place: no two are equal, so that nothing but these two decides.
    keys = np.rint(cosines * _UNITS).astype(np.int64) * n_columns + np.arange(n_columns)
    keys[hidden] = _HIDDEN
    largest = np.sort(np.partition(keys, n_columns - width, axis=1)[:, n_columns - width :], axis=1)[:, ::-1]
    return [tuple((key % n_columns, key // n_columns / _UNITS) for key in row if key != _HIDDEN) for row in largest.tolist()]

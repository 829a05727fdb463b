"""How long an incident will take, with a conformal interval, and how likely it is to miss its target."""

import math
import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from smarttriage.domain.errors import InvalidInput
from smarttriage.ports import Vectors

_WIDTH = 1024
_PENALTY = 10.0
_MIN_ROWS = 50
# Adding a minute lets incidents that were closed at once have a logarithm.
_MINUTE_H = 1 / 60
_WORD = re.compile(r"\w{2,}")


@dataclass(frozen=True, slots=True)
class Arrival:
    """What is known of an incident when it arrives.

    Attributes:
        facts: Priority, group, category, ... by name.
        hour: Hour of the day, 0 to 23.
        weekday: 0 is Monday.
        n_open: Incidents open at that instant.
        text: The reporter's words, empty where there are none.
    """

    facts: Mapping[str, str]
    hour: int
    weekday: int
    n_open: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class ResolutionTime:
    """Ridge regression of the logarithm of hours on hashed features, with residuals of rows that it was not fitted on.

    The interval is split conformal (V. Vovk et al., "Algorithmic Learning in a Random World", 2005): it holds its coverage as long as
    the incidents to come are exchangeable with those of the calibration.
    """

    weights: Vectors
    residuals: tuple[float, ...]

    @classmethod
    def fit(
        cls, known: Sequence[Arrival], hours: Sequence[float], later: Sequence[Arrival], later_hours: Sequence[float]
    ) -> "ResolutionTime":
        """Return the model fitted on `known` and calibrated on `later`. Raises InvalidInput for fewer than 50 rows of either."""
        if min(len(known), len(later)) < _MIN_ROWS:
            message = (
                f"{len(known)} rows to fit and {len(later)} to calibrate; give at least {_MIN_ROWS} resolved incidents of each"
            )
            raise InvalidInput(message, field="incidents")
        rows = _matrix(known)
        gram = rows.T @ rows + _PENALTY * np.eye(rows.shape[1], dtype=np.float32)
        weights = np.linalg.solve(gram, rows.T @ _logarithms(hours)).astype(np.float32)
        residuals = sorted((_logarithms(later_hours) - _matrix(later) @ weights).tolist())
        return cls(weights, tuple(residuals))

    def hours(self, arrivals: Sequence[Arrival]) -> list[float]:
        """Return the median hours to resolve."""
        middle = self.residuals[len(self.residuals) // 2]
        return [_hours(value + middle) for value in self._predicted(arrivals)]

    def intervals(self, arrivals: Sequence[Arrival], *, confidence: float = 0.9) -> list[tuple[float, float]]:
        """Return for each the hours between which the resolution lies with that confidence."""
        n = len(self.residuals)
        tail = math.floor((n + 1) * (1 - confidence) / 2)
        low, high = (self.residuals[tail - 1], self.residuals[n - tail]) if tail else (-math.inf, math.inf)
        return [(_hours(value + low), _hours(value + high)) for value in self._predicted(arrivals)]

    def risks(self, arrivals: Sequence[Arrival], *, allowed_hours: Sequence[float], open_for_hours: float = 0.0) -> list[float]:
        """Return how likely each takes longer than allowed, given that it has been open for so long already."""
        return [
            self._risk(value, allowed, open_for_hours)
            for value, allowed in zip(self._predicted(arrivals), allowed_hours, strict=True)
        ]

    def _risk(self, value: float, allowed: float, open_for: float) -> float:
        if open_for >= allowed:
            return 1.0
        still_open = self._n_beyond(open_for, value) if open_for > 0 else len(self.residuals)
        # One more row than was seen: the incident itself may be the slowest.
        return (self._n_beyond(allowed, value) + 1) / (still_open + 1)

    def _n_beyond(self, hours: float, value: float) -> int:
        return len(self.residuals) - bisect_right(self.residuals, math.log(hours + _MINUTE_H) - value)

    def _predicted(self, arrivals: Sequence[Arrival]) -> list[float]:
        return [float(value) for value in _matrix(arrivals) @ self.weights]


def _hours(logarithm: float) -> float:
    return max(0.0, math.exp(min(logarithm, 700.0)) - _MINUTE_H)


def _logarithms(hours: Sequence[float]) -> Vectors:
    found: Vectors = np.log(np.asarray(hours, dtype=np.float32) + np.float32(_MINUTE_H))
    return found


def _matrix(arrivals: Sequence[Arrival]) -> Vectors:
    """Return one row for each: a constant, the load, then hashed facts and words."""
    rows = np.zeros((len(arrivals), _WIDTH + 2), dtype=np.float32)
    for row, one in zip(rows, arrivals, strict=True):
        row[0], row[1] = 1.0, math.log1p(one.n_open)
        known = [f"{name}={value}" for name, value in one.facts.items()]
        for name in (*known, f"hour={one.hour}", f"weekday={one.weekday}"):
            row[2 + crc32(name.encode()) % _WIDTH] += 1.0
        words = set(_WORD.findall(one.text.lower()))
        for word in words:
            row[2 + crc32(f"word {word}".encode()) % _WIDTH] += 1.0 / math.sqrt(len(words))
    return rows

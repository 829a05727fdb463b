"""How long an open incident will take and how likely it misses its target: by the better of two methods, or honestly unknown."""

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean, median, stdev
from typing import Any

import numpy as np

from smarttriage.domain.errors import InvalidInput
from smarttriage.ports import Vectors
from smarttriage.services.resolution_time import Arrival, ResolutionTime

# Three parts: fitted on 60 %, calibrated on 20 %, judged on the newest 20 %, as benchmarks/breach.py measures it. With 250 rows the
# smaller parts have the 50 that `ResolutionTime` needs.
MIN_ROWS = 250
_FIT, _CALIBRATED = 0.6, 0.8
# Nineteen of twenty lie beyond an end of a 90 % interval only with at least 19 values (order statistics); twice that holds it steady.
MIN_OF_PRIORITY = 40
_CONFIDENCE = 0.9
_MINUTE_H = 1 / 60
_NORMAL_95 = 1.96


class Method(StrEnum):
    """What a forecast was made by. Stable codes."""

    MODEL = "model"
    PRIORITY = "median_per_priority"


@dataclass(frozen=True, slots=True)
class Resolved:
    """A resolved incident: what was known when it arrived, its hours round the clock, its priority and the hours that it had."""

    arrival: Arrival
    hours: float
    priority: str
    allowed_hours: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is expected of an open incident; the figures are None where too little is known, and `because` says why.

    Attributes:
        method: What it was made by.
        hours: Median of the hours from report to resolution, round the clock.
        low: They are more than this ...
        high: ... and less than this with a confidence of 90 % (conformal).
        risk: How likely the target is missed, given how long it has been open.
        because: What it rests on.
    """

    method: Method | None
    hours: float | None
    low: float | None
    high: float | None
    risk: float | None
    because: str


@dataclass(frozen=True, slots=True)
class Ordered:
    """Hours in order: the baseline, which knows nothing but the priority."""

    hours: tuple[float, ...]

    @classmethod
    def of(cls, hours: Sequence[float]) -> "Ordered":
        """Return them in order."""
        return cls(tuple(sorted(hours)))

    def middle(self) -> float:
        """Return the median."""
        return median(self.hours)

    def interval(self) -> tuple[float, float]:
        """Return between which hours the next one lies with 90 % confidence, by order statistics."""
        n = len(self.hours)
        tail = math.floor((n + 1) * (1 - _CONFIDENCE) / 2)
        return (self.hours[tail - 1], self.hours[n - tail]) if tail else (0.0, math.inf)

    def risk(self, allowed: float, open_for: float = 0.0) -> float:
        """Return how likely it takes longer than allowed, given that it has been open for so long."""
        if open_for >= allowed:
            return 1.0
        return (self._n_beyond(allowed) + 1) / (self._n_beyond(open_for) + 1)

    def _n_beyond(self, hours: float) -> int:
        return len(self.hours) - bisect_right(self.hours, hours)


@dataclass(frozen=True, slots=True)
class Figures:
    """How a method did on the newest fifth: mean absolute error of the logarithm of hours, Brier score of the risk."""

    log_error: float
    brier: float


@dataclass(frozen=True, slots=True)
class BreachModel:
    """Both methods, and which of them did better on incidents that neither had seen.

    Attributes:
        time: Reads text, facts, hour and load.
        by_priority: Priority -> the hours of its incidents.
        method: What is served: the model only where it clearly beats the baseline in both figures.
        figures: Method -> how it did.
        n_rows: Incidents that it rests on.
    """

    time: ResolutionTime
    by_priority: Mapping[str, Ordered]
    method: Method
    figures: Mapping[Method, Figures]
    n_rows: int

    @classmethod
    def fit(cls, rows: Sequence[Resolved]) -> "BreachModel":
        """Return the model of rows in order of arrival. Raises InvalidInput for fewer than `MIN_ROWS`."""
        if len(rows) < MIN_ROWS:
            message = f"{len(rows)} resolved incidents with a priority; a forecast needs {MIN_ROWS}"
            raise InvalidInput(message, field="incidents")
        first, second = int(len(rows) * _FIT), int(len(rows) * _CALIBRATED)
        losses = _judged(rows[:first], rows[first:second], rows[second:])
        model, base = losses[Method.MODEL], losses[Method.PRIORITY]
        better = all(_clearly_less(ours, theirs) for ours, theirs in zip(model, base, strict=True))
        method = Method.MODEL if better else Method.PRIORITY
        figures = {name: Figures(*(fmean(each) for each in pair)) for name, pair in losses.items()}
        # What is served knows the newest incidents too; they calibrate it.
        return cls(_fitted(rows[:second], rows[second:]), _by_priority(rows), method, figures, len(rows))

    def forecast(self, arrival: Arrival, *, priority: str | None, allowed_hours: float | None, open_for_hours: float) -> Forecast:
        """Return what is expected of an incident that has been open for so long; without a target there is no risk."""
        known = self.by_priority.get(priority or "")
        if known is None or len(known.hours) < MIN_OF_PRIORITY:
            n = len(known.hours) if known else 0
            return unknown(f"{n} resolved incidents of priority {priority}; {MIN_OF_PRIORITY} are needed")
        if self.method is Method.MODEL:
            (hours,), ((low, high),) = self.time.hours([arrival]), self.time.intervals([arrival])
            because = f"text, priority, group, category, hour and load, of {self.n_rows} resolved incidents"
            risk = None
            if allowed_hours is not None:
                (risk,) = self.time.risks([arrival], allowed_hours=[allowed_hours], open_for_hours=open_for_hours)
            return _forecast(Method.MODEL, hours, (low, high), risk, because)
        risk = None if allowed_hours is None else known.risk(allowed_hours, open_for_hours)
        because = f"{len(known.hours)} resolved incidents of {priority}; reading text, group, hour and load did not do clearly better on the newest fifth"
        return _forecast(Method.PRIORITY, known.middle(), known.interval(), risk, because)

    def state(self) -> tuple[dict[str, Any], dict[str, Vectors]]:
        """Return what a file keeps: JSON values and arrays."""
        facts = {
            "method": self.method.value,
            "n_rows": self.n_rows,
            "priorities": list(self.by_priority),
            "figures": {name.value: [one.log_error, one.brier] for name, one in self.figures.items()},
        }
        arrays = {f"priority{place}": _array(one.hours) for place, one in enumerate(self.by_priority.values())}
        return facts, {"weights": self.time.weights, "residuals": _array(self.time.residuals), **arrays}

    @classmethod
    def from_state(cls, facts: Mapping[str, Any], arrays: Mapping[str, Vectors]) -> "BreachModel":
        """Return the model of `state`. Raises KeyError or ValueError for anything else."""
        time = ResolutionTime(arrays["weights"], tuple(arrays["residuals"].tolist()))
        known = {name: Ordered(tuple(arrays[f"priority{place}"].tolist())) for place, name in enumerate(facts["priorities"])}
        figures = {Method(name): Figures(*values) for name, values in facts["figures"].items()}
        return cls(time, known, Method(facts["method"]), figures, int(facts["n_rows"]))


def unknown(because: str) -> Forecast:
    """Return the forecast that says nothing."""
    return Forecast(None, None, None, None, None, because)


def _forecast(method: Method, hours: float, ends: tuple[float, float], risk: float | None, because: str) -> Forecast:
    low, high = (one if math.isfinite(one) else None for one in ends)
    return Forecast(method, hours, low, high, risk, because)


_Losses = tuple[list[float], list[float]]


def _clearly_less(ours: Sequence[float], theirs: Sequence[float]) -> bool:
    """Return whether the paired difference of the losses lies below zero with its whole 95 % interval.

    F. X. Diebold and R. S. Mariano, "Comparing Predictive Accuracy", Journal of Business & Economic Statistics 13 (1995), 253-263,
    for losses that do not depend on each other.
    """
    differences = [one - other for one, other in zip(ours, theirs, strict=True)]
    return fmean(differences) + _NORMAL_95 * stdev(differences) / math.sqrt(len(differences)) < 0


def _judged(fitted: Sequence[Resolved], later: Sequence[Resolved], newest: Sequence[Resolved]) -> dict[Method, _Losses]:
    time, known = _fitted(fitted, later), _by_priority([*fitted, *later])
    every = Ordered.of([one.hours for one in (*fitted, *later)])
    arrivals, allowed = [one.arrival for one in newest], [one.allowed_hours for one in newest]
    base = [known.get(one.priority, every) for one in newest]
    return {
        Method.MODEL: _losses(newest, time.hours(arrivals), time.risks(arrivals, allowed_hours=allowed)),
        Method.PRIORITY: _losses(
            newest, [one.middle() for one in base], [one.risk(limit) for one, limit in zip(base, allowed, strict=True)]
        ),
    }


def _losses(rows: Sequence[Resolved], hours: Sequence[float], risks: Sequence[float]) -> _Losses:
    """Return for each row the error of the logarithm of hours and the squared error of the risk."""
    errors = [abs(math.log((said + _MINUTE_H) / (one.hours + _MINUTE_H))) for one, said in zip(rows, hours, strict=True)]
    brier = [(risk - (one.hours > one.allowed_hours)) ** 2 for one, risk in zip(rows, risks, strict=True)]
    return errors, brier


def _fitted(known: Sequence[Resolved], later: Sequence[Resolved]) -> ResolutionTime:
    return ResolutionTime.fit(
        [one.arrival for one in known],
        [one.hours for one in known],
        [one.arrival for one in later],
        [one.hours for one in later],
    )


def _by_priority(rows: Sequence[Resolved]) -> dict[str, Ordered]:
    own: dict[str, list[float]] = {}
    for one in rows:
        own.setdefault(one.priority, []).append(one.hours)
    return {name: Ordered.of(hours) for name, hours in sorted(own.items())}


def _array(values: Sequence[float]) -> Vectors:
    return np.asarray(values, dtype=np.float32)

"""What the first part of a history promised for the following part, and how far off that was."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist, fmean, stdev

from smarttriage.domain.effort import Effort
from smarttriage.services.backtest_answers import FitFacts, StepAnswers
from smarttriage.services.backtest_scores import Month

# The first months of the part that is forecast from have models of few rows; the last ones resemble what comes.
RECENT_MONTHS = 6
INTERVAL = 0.9
_WIDTH = NormalDist().inv_cdf((1 + INTERVAL) / 2)
# Student's t for the same share: degrees of freedom -> quantile, as a handful of months says little about how months vary.
_STUDENT = {1: 6.314, 2: 2.920, 3: 2.353, 4: 2.132, 5: 2.015}
QUANTITIES = ("accuracy", "coverage", "precision", "minutes_saved")


@dataclass(frozen=True, slots=True)
class Estimate:
    """A forecast for one month and the range that 90 % of the months should fall into."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """A forecast against what came.

    Attributes:
        forecast: For each following month.
        actual: Mean over the following months that have the figure.
        bias: Mean of actual minus forecast.
        absolute_error: Mean size of that difference.
        inside: Share of the months inside the range.
        n_months: How many months those are.
    """

    forecast: Estimate
    actual: float
    bias: float
    absolute_error: float
    inside: float
    n_months: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """Two forecasts of one target from the part before `from_month`.

    Attributes:
        from_month: The first month that is forecast.
        held_out: From the rows that the model fitted last in the first part held out; the range is the wider of what chance does to
            a month of that size and what the last months varied by.
        walked: From the last months of the first part as they were walked; the range is what those months varied by.
    """

    from_month: str
    held_out: Mapping[str, Comparison]
    walked: Mapping[str, Comparison]


def first_month_ahead(months: Sequence[Month], part: float) -> str | None:
    """Return the month with which the following part begins: the first that starts behind `part` of all rows; None: no such."""
    total, before = sum(month.n for month in months), 0
    for place, month in enumerate(months):
        if place and before >= part * total:
            return month.month
        before += month.n
    return None


def forecasts(months: Sequence[Month], steps: Sequence[StepAnswers], effort: Effort, *, part: float) -> dict[str, Forecast]:
    """Return for each target that was trained in the first `part` of the history what it promised and what came."""
    start = first_month_ahead(months, part)
    if start is None:
        return {}
    past = [month for month in months if month.month < start]
    ahead = [month for month in months if month.month >= start]
    promised = _last_fit(steps, past)
    found = {}
    for target in past[-1].targets:
        walked = {name: _walked(name, target, past) for name in QUANTITIES}
        held_out = _held_out(promised[target], target, past, effort) if target in promised else {}
        held_out = {name: _widened(name, estimate, walked[name]) for name, estimate in held_out.items()}
        found[target] = Forecast(
            start,
            {name: made for name, estimate in held_out.items() if (made := _compared(name, target, estimate, ahead))},
            {name: made for name, estimate in walked.items() if estimate and (made := _compared(name, target, estimate, ahead))},
        )
    return found


def _last_fit(steps: Sequence[StepAnswers], past: Sequence[Month]) -> Mapping[str, FitFacts]:
    """Return what the last model that answered in the past promised."""
    used = {name for month in past for name in month.fits}
    return next((step.fits for step in reversed(steps) if step.fitted_at in used and step.fits), {})


def _held_out(facts: FitFacts, target: str, past: Sequence[Month], effort: Effort) -> dict[str, Estimate]:
    n_rows = fmean(month.targets[target].n for month in past[-RECENT_MONTHS:])
    found = {"accuracy": _binomial(facts.accuracy, n_rows), "coverage": _binomial(facts.coverage, n_rows)}
    precision = facts.precision
    if precision is not None:
        n_filled = n_rows * facts.coverage
        found["precision"] = _binomial(precision, n_filled)
        # Each row brings per_right, -per_wrong or nothing; the range is that of the sum of so many rows.
        minutes = effort.minutes_saved(n_filled, n_filled * precision)
        squares = facts.coverage * (precision * effort.per_right**2 + (1 - precision) * effort.per_wrong**2)
        spread = _WIDTH * sqrt(max(0.0, n_rows * squares - minutes**2 / n_rows)) if n_rows else 0.0
        found["minutes_saved"] = Estimate(minutes, minutes - spread, minutes + spread)
    return found


def _binomial(share: float, n: float) -> Estimate:
    """Return the share with the range that a month of n rows has by chance (normal approximation, one row added to each side)."""
    smoothed = (share * n + 1) / (n + 2)
    spread = _WIDTH * sqrt(smoothed * (1 - smoothed) / (n + 2))
    return Estimate(share, max(0.0, share - spread), min(1.0, share + spread))


def _walked(name: str, target: str, past: Sequence[Month]) -> Estimate | None:
    """Return the mean of the last months with the range of one further draw; None of fewer than two months."""
    values = [value for month in past if (value := _value(month, target, name)) is not None][-RECENT_MONTHS:]
    if len(values) < 2:
        return None
    spread = _STUDENT[len(values) - 1] * stdev(values) * sqrt(1 + 1 / len(values))
    return _spread(name, fmean(values), spread)


def _widened(name: str, estimate: Estimate, walked: Estimate | None) -> Estimate:
    """Return the estimate with the half-width of `walked` where that is wider."""
    if walked is None:
        return estimate
    return _spread(name, estimate.value, max(_half(estimate), _half(walked)))


def _half(estimate: Estimate) -> float:
    """Return the wider half: the other one may have met 0 or 1."""
    return max(estimate.high - estimate.value, estimate.value - estimate.low)


def _spread(name: str, value: float, spread: float) -> Estimate:
    low, high = value - spread, value + spread
    return Estimate(value, *((low, high) if name == "minutes_saved" else (max(0.0, low), min(1.0, high))))


def _compared(name: str, target: str, estimate: Estimate, ahead: Sequence[Month]) -> Comparison | None:
    actual = [value for month in ahead if (value := _value(month, target, name)) is not None]
    if not actual:
        return None
    errors = [value - estimate.value for value in actual]
    inside = [estimate.low - 1e-9 <= value <= estimate.high + 1e-9 for value in actual]
    return Comparison(
        forecast=estimate,
        actual=fmean(actual),
        bias=fmean(errors),
        absolute_error=fmean(abs(error) for error in errors),
        inside=sum(inside) / len(inside),
        n_months=len(actual),
    )


def _value(month: Month, target: str, name: str) -> float | None:
    figures = month.targets[target]
    values = {
        "accuracy": figures.accuracy,
        "coverage": figures.coverage if figures.n_answered else None,
        "precision": figures.precision,
        "minutes_saved": figures.minutes_saved if figures.n_answered else None,
    }
    return values[name]

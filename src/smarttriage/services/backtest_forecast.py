"""What the months that were walked promise for those that follow, with a range, and how far off that was."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from statistics import NormalDist, fmean

from smarttriage.domain.effort import Effort
from smarttriage.services.backtest_answers import FitFacts, StepAnswers
from smarttriage.services.backtest_scores import Month, TargetFigures

# The first months have models of few rows; the last ones resemble what comes.
RECENT_MONTHS = 6
# Two months to forecast from and two to see how far off such a forecast is.
LEAST_MONTHS = 4
INTERVAL = 0.9
_WIDTH = NormalDist().inv_cdf((1 + INTERVAL) / 2)
QUANTITIES = ("accuracy", "coverage", "precision", "minutes_per_incident")


@dataclass(frozen=True, slots=True)
class Estimate:
    """A forecast for one month of `n` rows and the range that 90 % of such months should fall into."""

    value: float
    low: float
    high: float
    n: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """A forecast against what came.

    Attributes:
        forecast: For each following month; its range is that of a month as large as the last ones were.
        actual: Over all rows of the following months.
        bias: Actual minus forecast.
        absolute_error: Mean over the months of how far off the forecast was.
        inside: Share of the months inside the range for a month of their size.
        n_months: How many months those are.
    """

    forecast: Estimate
    actual: float
    bias: float
    absolute_error: float
    inside: float
    n_months: int


@dataclass(frozen=True, slots=True)
class Track:
    """Forecasts of one month each, made from the months before it: as they would have been renewed month by month.

    Attributes:
        absolute_error: Mean over the months of how far off the forecast was.
        inside: Share of the months inside their range.
        width: Mean width of the range.
        n_months: How many months those are.
    """

    absolute_error: float
    inside: float
    width: float
    n_months: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """Forecasts of one target. They rest on months as they were walked alone.

    Attributes:
        from_month: The first month of the following part; `compared` was made before it.
        compared: From the first part for all months of the following one, and what came.
        renewed: The next month forecast again and again, over the whole history.
        promised: What the rows said that the last fit of the first part held out. They are drawn from the same months as those
            it was fitted on, so this is no forecast: nothing changed between them. It stands here for comparison.
        outlook: From the whole history for the months behind it.
    """

    from_month: str
    compared: Mapping[str, Comparison]
    renewed: Mapping[str, Track]
    promised: Mapping[str, float]
    outlook: Mapping[str, Estimate]


@dataclass(frozen=True, slots=True)
class Seen:
    """What one month says of a quantity: a mean over n rows, the sum over them and the sum of squares."""

    n: int
    total: float
    squares: float

    @property
    def mean(self) -> float:
        """The month's figure."""
        return self.total / self.n


@dataclass(frozen=True, slots=True)
class Scale:
    """Between which values the rows of a quantity lie."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Outlook:
    """A level and how far a month may be from it: by chance, the less the more rows it has, and by what months vary.

    Attributes:
        level: Mean of the recent months' rows.
        row_variance: Of one row.
        n: Rows of the recent months.
        n_recent: How many months those are.
        drift: Variance between months that chance does not explain.
        factor: How many of those deviations hold the claimed share of the past errors.
        scale: What no forecast leaves.
    """

    level: float
    row_variance: float
    n: int
    n_recent: int
    drift: float
    factor: float
    scale: Scale

    def estimate(self, n: float) -> Estimate:
        """Return the forecast for a month of n rows; its range is never narrower than chance alone makes it."""
        chance = self.row_variance / n
        spread = max(self.factor * sqrt(chance + self.drift), _WIDTH * sqrt(chance + self.row_variance / self.n))
        return Estimate(self.level, max(self.scale.low, self.level - spread), min(self.scale.high, self.level + spread), n)

    @property
    def usual(self) -> Estimate:
        """The forecast for a month as large as the recent ones were."""
        return self.estimate(self.n / self.n_recent)


def first_month_ahead(months: Sequence[Month], part: float) -> str | None:
    """Return the month with which the following part begins: the first that starts behind `part` of all rows; None: no such."""
    total, before = sum(month.n for month in months), 0
    for place, month in enumerate(months):
        if place and before >= part * total:
            return month.month
        before += month.n
    return None


def forecasts(months: Sequence[Month], steps: Sequence[StepAnswers], effort: Effort, *, part: float) -> dict[str, Forecast]:
    """Return for each target what the first `part` of the history promised, what came, and what the whole promises."""
    start = first_month_ahead(months, part)
    if start is None:
        return {}
    past, ahead = ([month for month in months if (month.month >= start) is later] for later in (False, True))
    promised = _last_fit(steps, past)
    found = {}
    for target in past[-1].targets:
        views = {name: _View(name, target, effort) for name in QUANTITIES}
        found[target] = Forecast(
            start,
            {name: made for name, view in views.items() if (made := compared(view.seen(past), view.seen(ahead), view.scale))},
            {name: track for name, view in views.items() if (track := renewed(view.seen(months), view.scale))},
            _promised(promised[target], effort) if target in promised else {},
            {name: next_.usual for name, view in views.items() if (next_ := outlook(view.seen(months), view.scale))},
        )
    return found


def outlook(past: Sequence[Seen], scale: Scale, *, ahead: int | None = None) -> Outlook | None:
    """Return what the months promise for those up to `ahead` behind them (None: however far); None: too few months.

    The factor is a split-conformal quantile (Vovk, Gammerman and Shafer, 2005) of the errors that the same forecast made at each
    earlier month, each divided by what chance and drift explain at its month's size. Errors of neighbouring months share rows
    and the world changes, so the claimed share is what the past bore out and no theorem; the report counts how often it held.
    """
    if len(past) < LEAST_MONTHS:
        return None
    errors = list(_errors(past, scale, ahead))
    drift = max(0.0, fmean(error**2 - chance for error, chance in errors))
    scores = sorted(error / sqrt(chance + drift) if error else 0.0 for error, chance in errors)
    # Months, not errors, are what there is several of: the correction for few of them counts months.
    place = ceil(min(1.0, INTERVAL * (1 + 1 / len(past))) * len(scores)) - 1
    level, row_variance, n = _level(past, scale)
    return Outlook(level, row_variance, n, min(len(past), RECENT_MONTHS), drift, scores[place], scale)


def compared(past: Sequence[Seen], ahead: Sequence[Seen], scale: Scale) -> Comparison | None:
    """Return the forecast for all months ahead beside what came; None where either is missing."""
    made = outlook(past, scale)
    if made is None or not ahead:
        return None
    actual = sum(seen.total for seen in ahead) / sum(seen.n for seen in ahead)
    return Comparison(
        forecast=made.usual,
        actual=actual,
        bias=actual - made.level,
        absolute_error=fmean(abs(seen.mean - made.level) for seen in ahead),
        inside=fmean(_inside(seen.mean, made.estimate(seen.n)) for seen in ahead),
        n_months=len(ahead),
    )


def renewed(months: Sequence[Seen], scale: Scale) -> Track | None:
    """Return how good the forecasts of the next month were, each made from the months before it; None: no month had enough."""
    made = [
        (found.estimate(months[place].n), months[place].mean)
        for place in range(LEAST_MONTHS, len(months))
        if (found := outlook(months[:place], scale, ahead=1))
    ]
    if not made:
        return None
    return Track(
        absolute_error=fmean(abs(value - estimate.value) for estimate, value in made),
        inside=fmean(_inside(value, estimate) for estimate, value in made),
        width=fmean(estimate.high - estimate.low for estimate, _ in made),
        n_months=len(made),
    )


def _errors(past: Sequence[Seen], scale: Scale, ahead: int | None) -> Iterable[tuple[float, float]]:
    """Yield how far off the same forecast was when it was made earlier, and the variance that chance gives such a month."""
    for place in range(2, len(past)):
        level, row_variance, _ = _level(past[:place], scale)
        for seen in past[place:] if ahead is None else past[place : place + ahead]:
            yield abs(seen.mean - level), row_variance / seen.n


def _level(past: Sequence[Seen], scale: Scale) -> tuple[float, float, int]:
    """Return the mean of the recent months' rows, the variance of one row, and how many rows those are.

    The variance is that with one further row at either end: rows that are all alike may still differ tomorrow.
    """
    recent = past[-RECENT_MONTHS:]
    n, total = sum(seen.n for seen in recent), sum(seen.total for seen in recent)
    mean = (total + scale.low + scale.high) / (n + 2)
    squares = (sum(seen.squares for seen in recent) + scale.low**2 + scale.high**2) / (n + 2)
    return total / n, squares - mean**2, n


@dataclass(frozen=True, slots=True)
class _View:
    """One quantity of one target as months show it."""

    name: str
    target: str
    effort: Effort

    @property
    def scale(self) -> Scale:
        return (
            Scale(-float(self.effort.per_wrong), float(self.effort.per_right)) if self.name == QUANTITIES[-1] else Scale(0.0, 1.0)
        )

    def seen(self, months: Iterable[Month]) -> list[Seen]:
        """Return the months that have the quantity."""
        found = [self._of(month.targets[self.target]) for month in months]
        return [seen for seen in found if seen.n]

    def _of(self, figures: TargetFigures) -> Seen:
        if self.name == "accuracy":
            right = (figures.accuracy or 0.0) * figures.n_answered
            return Seen(figures.n_answered, right, right)
        if self.name == "precision":
            return Seen(figures.n_filled, figures.n_right, figures.n_right)
        n = figures.n if figures.n_answered else 0
        if self.name == "coverage":
            return Seen(n, figures.n_filled, figures.n_filled)
        n_wrong = figures.n_filled - figures.n_right
        squares = figures.n_right * self.effort.per_right**2 + n_wrong * self.effort.per_wrong**2
        return Seen(n, figures.minutes_saved, squares)


def _inside(value: float, estimate: Estimate) -> bool:
    return estimate.low - 1e-9 <= value <= estimate.high + 1e-9


def _last_fit(steps: Sequence[StepAnswers], past: Sequence[Month]) -> Mapping[str, FitFacts]:
    """Return what the last model that answered in the past promised."""
    used = {name for month in past for name in month.fits}
    return next((step.fits for step in reversed(steps) if step.fitted_at in used and step.fits), {})


def _promised(facts: FitFacts, effort: Effort) -> dict[str, float]:
    found = {"accuracy": facts.accuracy, "coverage": facts.coverage}
    if facts.precision is not None:
        found["precision"] = facts.precision
        found["minutes_per_incident"] = effort.minutes_saved(facts.coverage, facts.coverage * facts.precision)
    return found

"""What suggestions do to incidents: time saved and first contact, beside matched incidents that had none."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smarttriage.domain.kpi import IncidentFacts, quantile
from smarttriage.domain.kpi_trends import matched_pairs

# Below it percentile intervals of the bootstrap are too narrow to be shown: T. C. Hesterberg, "What Teachers Should Know About the
# Bootstrap", The American Statistician 69 (2015), 371-386, section 4.
MIN_PAIRS = 30
_RESAMPLES, _SEED = 10_000, 0
_LOW, _HIGH = 0.025, 0.975


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval, by bootstrap over the pairs."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class SuggestionEffect:
    """Incidents that had a suggestion before they were resolved, beside matched ones that had none.

    Attributes:
        n_with: Resolved incidents that had one.
        n_without: Resolved incidents that had none.
        n_pairs: Pairs of the same category, priority, group and month of report, nearest in time, none used twice.
        min_pairs: With fewer nothing is said.
        saved_hours: Median of the hours that the one with a suggestion was resolved sooner; None of too few pairs.
        n_deflection_pairs: Pairs of which it is known of both whether they were resolved at first contact.
        deflected: How many more of a hundred, as a share, were resolved at first contact (neither reassigned nor reopened, so that
            no further group had work with them); None of too few pairs.
    """

    n_with: int
    n_without: int
    n_pairs: int
    min_pairs: int
    saved_hours: Estimate | None
    n_deflection_pairs: int
    deflected: Estimate | None


def suggestion_effect(incidents: Sequence[IncidentFacts]) -> SuggestionEffect:
    """Return the effect on the resolved incidents of which it is known whether they had a suggestion.

    It is an association: which incidents got a suggestion was not drawn by lot.
    """
    strata: dict[tuple[object, ...], tuple[list[IncidentFacts], list[IncidentFacts]]] = {}
    for one in sorted(incidents, key=lambda one: (one.opened_at, one.id)):
        if one.had_suggestion is not None and one.hours_to_resolve is not None and one.hours_to_resolve >= 0:
            key = (one.category, one.priority, one.group, one.opened_at.year, one.opened_at.month)
            strata.setdefault(key, ([], []))[0 if one.had_suggestion else 1].append(one)
    pairs = [pair for helped, alone in strata.values() for pair in matched_pairs(helped, alone)]
    hours = [(alone.hours_to_resolve or 0.0) - (one.hours_to_resolve or 0.0) for one, alone in pairs]
    known = [(one.first_contact, alone.first_contact) for one, alone in pairs]
    steps = [int(own) - int(other) for own, other in known if own is not None and other is not None]
    return SuggestionEffect(
        n_with=sum(len(helped) for helped, _ in strata.values()),
        n_without=sum(len(alone) for _, alone in strata.values()),
        n_pairs=len(pairs),
        min_pairs=MIN_PAIRS,
        saved_hours=_median(hours) if len(hours) >= MIN_PAIRS else None,
        n_deflection_pairs=len(steps),
        deflected=_mean_step(steps) if len(steps) >= MIN_PAIRS else None,
    )


def effect_text(effect: SuggestionEffect) -> str:
    """Return the effect as a sentence."""
    if not effect.n_with + effect.n_without:
        return "suggestions: the record does not say which resolved incidents had one"
    if effect.saved_hours is None:
        return (
            f"suggestions: {effect.n_pairs} matched pairs ({effect.n_with} resolved with one, {effect.n_without} without), too few to "
            f"say what they save; {effect.min_pairs} are needed"
        )
    saved, more = effect.saved_hours, effect.deflected
    text = (
        f"with a suggestion resolved {saved.value:.1f} h sooner in the median of {effect.n_pairs} matched pairs "
        f"(95 % interval {saved.low:.1f} to {saved.high:.1f} h; negative: later)"
    )
    if more is None:
        return f"{text}; first contact is known of too few pairs ({effect.n_deflection_pairs})"
    return f"{text}; {more.value:+.1%} resolved at first contact ({more.low:+.1%} to {more.high:+.1%})"


def _median(values: Sequence[float]) -> Estimate:
    """Return the median; its interval is that of the bootstrap, drawn exactly without a single resample.

    The place of a resample's middle value among the ordered values is beta distributed: J. S. Maritz and R. G. Jarrett, "A Note on
    Estimating the Variance of the Sample Median", Journal of the American Statistical Association 73 (1978), 194-196.
    """
    ordered, n = np.sort(np.asarray(values, dtype=np.float64)), len(values)
    middle = (n + 1) / 2
    places = np.random.default_rng(_SEED).beta(middle, n + 1 - middle, size=_RESAMPLES)
    low, high = np.quantile(ordered[np.minimum((places * n).astype(np.int64), n - 1)], (_LOW, _HIGH))
    return Estimate(quantile(ordered.tolist(), 0.5), float(low), float(high))


def _mean_step(steps: Sequence[int]) -> Estimate:
    """Return the mean of values of -1, 0 and 1; a resample of them is one draw of their three counts."""
    counts = np.array([sum(one == value for one in steps) for value in (-1, 0, 1)])
    n = len(steps)
    drawn = np.random.default_rng(_SEED).multinomial(n, counts / n, size=_RESAMPLES)
    low, high = np.quantile((drawn[:, 2] - drawn[:, 0]) / n, (_LOW, _HIGH))
    return Estimate(sum(steps) / n, float(low), float(high))

"""The report of a backtest: what was assumed, what came of it month by month, and what a forecast would have been worth."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from smarttriage.domain.effort import Effort
from smarttriage.services.backtest_answers import StepAnswers
from smarttriage.services.backtest_forecast import Forecast, forecasts
from smarttriage.services.backtest_history import History
from smarttriage.services.backtest_plan import GROWTH_OF_MANY, MANY_ROWS, Plan
from smarttriage.services.backtest_scores import FLOOR, Month, ResolutionFigures, Scoring, TargetFigures

FIRST_PART = 0.6


@dataclass(frozen=True, slots=True)
class Conditions:
    """What the report has to say about itself before any figure.

    Attributes:
        source: The file.
        columns: What was read from which column.
        zone: Time zone of the months, and of times that name none.
        target_precision: What the thresholds were chosen for.
        encoder_id: Whose vectors.
        plan: How it was walked.
        effort: The assumption behind the time saved.
    """

    source: str
    columns: Mapping[str, str]
    zone: str
    target_precision: float
    encoder_id: str
    plan: Plan
    effort: Effort


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a backtest found. Holds no clock time and no duration, so that a resumed run gives the same."""

    about: Mapping[str, Any]
    assumptions: Sequence[str]
    months: Sequence[Month]
    totals: Mapping[str, TargetFigures]
    resolutions: ResolutionFigures | None
    forecasts: Mapping[str, Forecast]
    fits: Sequence[Mapping[str, Any]]
    left_out: Sequence[tuple[int, str]]
    corrected: Sequence[tuple[int, str]]
    tied_lines: Sequence[int]

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)


def report(history: History, steps: Sequence[StepAnswers], conditions: Conditions) -> Report:
    """Return the report of a walked history."""
    scoring = Scoring(history, steps, conditions.plan, conditions.effort)
    months = scoring.months()
    everything = range(len(history.at))
    return Report(
        about=_about(history, conditions, n_repeats=scoring.n_repeats(everything)),
        assumptions=_assumptions(history, conditions),
        months=months,
        totals={target: scoring.target(target, everything, _first_labels(months[0], target)) for target in history.labels},
        resolutions=scoring.resolutions(everything),
        forecasts=forecasts(months, steps, conditions.effort, part=FIRST_PART),
        fits=[
            {
                "step": step.step,
                "targets": {target: asdict(facts) for target, facts in step.fits.items()},
                "refused": step.refused,
            }
            for step in steps
            if step.fitted_at == step.step
        ],
        left_out=history.left_out,
        corrected=history.corrected,
        tied_lines=history.tied_lines,
    )


def _first_labels(month: Month, target: str) -> frozenset[str]:
    """Return the labels of the first month, all of which are new there: in the totals only later ones count as new."""
    return frozenset(month.targets[target].new_labels)


def _about(history: History, conditions: Conditions, *, n_repeats: int) -> dict[str, Any]:
    return {
        "source": conditions.source,
        "columns": dict(conditions.columns),
        "time_zone": conditions.zone,
        "n": len(history.at),
        "n_left_out": len(history.left_out),
        "n_corrected": len(history.corrected),
        "n_ties": len(history.tied_lines),
        "n_never_known": sum(at is None for at in history.known_at),
        "n_repeats": n_repeats,
        "first": history.at[0].isoformat(),
        "last": history.at[-1].isoformat(),
        "retrain": conditions.plan.retrain.value,
        "min_growth": conditions.plan.min_growth,
        "recipe": "chosen by every fit" if conditions.plan.choose_each_time else "chosen on the first rows, then kept",
        "target_precision": conditions.target_precision,
        "encoder_id": conditions.encoder_id,
        "seed": conditions.plan.seed,
        "data_sha256": history.sha256(),
    }


def _assumptions(history: History, conditions: Conditions) -> list[str]:
    known = conditions.columns.get("known_at")
    effort = conditions.effort
    return [
        f"Time saved: {effort}. This is assumed, not measured; below a precision of {effort.break_even:.0%} filling in costs time.",
        f"A label counts as known from {f'column {known!r}' if known else 'the moment the incident was reported, as the file has no other time'}.",
        f"The model is trained {conditions.plan.retrain.value}{_growth(conditions.plan)}.",
        "A month is answered by models fitted before it, with the thresholds that they had then; reviewed neighbours, which vote in the "
        "live service, do not vote here.",
        f"An earlier incident counts as found at a cosine of {FLOOR} or more, by the meaning of the text alone.",
        f"Times without an offset, and the months, are meant in {conditions.zone}. {len(history.tied_lines)} rows share their instant with "
        "another; none of them counts as earlier than the other.",
        "Repeats are incidents that one of the five nearest earlier ones says in nearly the same words. That is how life is, so they "
        "count; the accuracy without them stands beside.",
    ]


def _growth(plan: Plan) -> str:
    if plan.min_growth is None:
        return f", and beyond {MANY_ROWS:,} known rows only once {GROWTH_OF_MANY:.0%} more are known than at the last fit"
    return f", and only once {plan.min_growth:.0%} more rows are known than at the last fit" if plan.min_growth else ""

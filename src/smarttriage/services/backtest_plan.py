"""When a history is cut and when a model is fitted: months or weeks of somebody's calendar, each fit before the rows it answers."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from smarttriage.services.backtest_history import History

# All recipes are tried where that takes seconds (it_ticket_category: 9 s on 1,000 rows, 41 s on 3,000) and each time the known
# rows have doubled; later fits keep what was chosen last, or 20,000 rows would not be walked in ten minutes.
RECIPE_ROWS = 2_500
# From here on a fit takes half a minute of one core (it_ticket_category), and a few rows more change little: without a wish of
# the customer's it waits for a tenth more. benchmarks/backtest.py walks the same rows with a fit each month beside it.
MANY_ROWS, GROWTH_OF_MANY = 8_000, 0.1


class Retrain(StrEnum):
    """How often the model may be trained anew."""

    MONTHLY = "monthly"
    WEEKLY = "weekly"


@dataclass(frozen=True, slots=True)
class Plan:
    """How a history is walked.

    Attributes:
        retrain: Length of a step; a model is fitted at the start of a step or not at all.
        zone: Whose calendar the months and weeks are.
        min_growth: Share of further known rows that a new fit needs; 0 fits at each step that knows more than the last. None: 0
            up to `MANY_ROWS` known rows, `GROWTH_OF_MANY` beyond.
        choose_each_time: Whether every fit chooses its recipe anew, as `smarttriage train` does, however long that takes.
        seed: Of every fit.
    """

    retrain: Retrain = Retrain.MONTHLY
    zone: tzinfo = UTC
    min_growth: float | None = None
    choose_each_time: bool = False
    seed: int = 0

    def growth_after(self, n_fitted: int) -> float:
        """Return the share of further rows that the next fit needs after one on so many."""
        if self.min_growth is not None:
            return self.min_growth
        return GROWTH_OF_MANY if n_fitted > MANY_ROWS else 0.0

    def step_of(self, at: datetime) -> tuple[str, datetime]:
        """Return the name and the first instant of the step that holds an instant."""
        local = at.astimezone(self.zone)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        if self.retrain is Retrain.WEEKLY:
            year, week, weekday = local.isocalendar()
            return f"{year}-W{week:02}", (midnight - timedelta(days=weekday - 1)).astimezone(UTC)
        return self.month_of(at), midnight.replace(day=1).astimezone(UTC)

    def month_of(self, at: datetime) -> str:
        """Return the month of an instant, for example "2026-03"."""
        return at.astimezone(self.zone).strftime("%Y-%m")


@dataclass(frozen=True, slots=True)
class Step:
    """Rows `first` to `last` (exclusive) of the history, answered by the model that was fitted at the start of step `fitted_at`.

    Attributes:
        name: For example "2026-03" or "2026-W10".
        starts_at: First instant; nothing known at or after it takes part in a fit at this step.
        fitted_at: Name of the step whose model answers; None: nothing was known yet.
        n_known: Rows known before `starts_at`.
        chooses: Whether a fit at this step chooses its recipe anew.
    """

    name: str
    starts_at: datetime
    first: int
    last: int
    fitted_at: str | None
    n_known: int
    chooses: bool


def steps_of(history: History, plan: Plan) -> list[Step]:
    """Return the steps that hold a row, in order. A step depends on nothing that comes after its own rows."""
    known = np.sort(known_seconds(history))
    steps: list[Step] = []
    fitted_at, n_fitted, n_chosen = None, 0, 0
    for (name, starts_at), group in groupby(range(len(history.at)), key=lambda place: plan.step_of(history.at[place])):
        places = list(group)
        n_known = int(np.searchsorted(known, starts_at.timestamp(), side="left"))
        chooses = False
        if n_known > n_fitted and n_known >= (1 + plan.growth_after(n_fitted)) * n_fitted:
            chooses = plan.choose_each_time or (n_known <= RECIPE_ROWS and n_known >= 2 * n_chosen)
            fitted_at, n_fitted, n_chosen = name, n_known, n_known if chooses else n_chosen
        steps.append(Step(name, starts_at, places[0], places[-1] + 1, fitted_at, n_known, chooses))
    return steps


def known_seconds(history: History) -> NDArray[np.float64]:
    """Return from when each row's labels were known, in seconds since 1970; infinity for never."""
    return np.array([at.timestamp() if at else np.inf for at in history.known_at])

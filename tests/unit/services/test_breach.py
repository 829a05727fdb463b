"""Forecasts: the better of two methods is served, and too little history says so."""

import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.integration.installation import _policy

from smarttriage.adapters.forecasts import read_forecast, write_forecast
from smarttriage.domain.errors import BundleError, InvalidInput
from smarttriage.domain.incident import IncidentStatus, Resolution
from smarttriage.services.breach import MIN_OF_PRIORITY, MIN_ROWS, BreachModel, Method, Resolved
from smarttriage.services.forecasting import resolved_rows
from smarttriage.services.resolution_time import Arrival
from smarttriage.testing.factories import NOON, an_incident

SLOW, QUICK = "database restore", "password reset"


def history(n: int, *, text_tells: bool, seed: int = 3) -> list[Resolved]:
    chance = random.Random(seed)
    rows = []
    for _ in range(n):
        text = chance.choice((SLOW, QUICK))
        usual = (20.0 if text == SLOW else 1.0) if text_tells else 5.0
        arrival = Arrival({"priority": "P2"}, chance.randrange(24), chance.randrange(7), chance.randrange(30), text)
        rows.append(Resolved(arrival, usual * chance.lognormvariate(0, 0.6), "P2", 8.0))
    return rows


def asked(model: BreachModel, text: str, *, priority: str = "P2", open_for: float = 0.0) -> tuple[Method | None, float | None]:
    arrival = Arrival({"priority": priority}, 10, 1, 5, text)
    found = model.forecast(arrival, priority=priority, allowed_hours=8.0, open_for_hours=open_for)
    return found.method, found.risk


def test_the_model_is_served_where_the_text_tells_slow_from_quick() -> None:
    model = BreachModel.fit(history(800, text_tells=True))
    assert model.method is Method.MODEL
    (_, slow), (_, quick) = asked(model, SLOW), asked(model, QUICK)
    assert slow is not None
    assert quick is not None
    assert slow > 0.85
    assert quick < 0.1


def test_the_median_of_the_priority_is_served_where_nothing_else_does_better() -> None:
    model = BreachModel.fit(history(800, text_tells=False))
    assert model.method is Method.PRIORITY
    assert asked(model, SLOW) == asked(model, QUICK)
    found = model.forecast(Arrival({}, 1, 1, 1), priority="P2", allowed_hours=8.0, open_for_hours=0.0)
    assert found.hours == pytest.approx(5.0, rel=0.1)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 3 < 8 < found.high


def test_an_advantage_that_may_be_chance_does_not_serve_the_model() -> None:
    chosen = [BreachModel.fit(history(400, text_tells=False, seed=seed)).method for seed in range(12)]
    assert chosen.count(Method.MODEL) <= 1


def test_baseline_interval_holds_nine_of_ten_and_risk_grows_to_one() -> None:
    model = BreachModel.fit(history(800, text_tells=False))
    low, high = model.by_priority["P2"].interval()
    fresh = [one.hours for one in history(2_000, text_tells=False, seed=9)]
    assert 0.87 <= sum(low <= one <= high for one in fresh) / len(fresh) <= 0.93
    risks = [asked(model, SLOW, open_for=hours)[1] for hours in (0.0, 4.0, 7.9, 8.0)]
    assert risks == sorted(risks, key=lambda one: one or 0.0)
    assert risks[-1] == 1.0


@pytest.mark.parametrize("tells", [True, False])
def test_a_priority_with_too_little_history_gets_no_figure_of_either_method(*, tells: bool) -> None:
    rare = [Resolved(Arrival({}, 1, 1, 1), 2.0, "P1", 4.0)] * (MIN_OF_PRIORITY - 1)
    model = BreachModel.fit([*rare, *history(800, text_tells=tells)])
    assert asked(model, SLOW, priority="P1") == (None, None)
    said = model.forecast(Arrival({}, 1, 1, 1), priority="P1", allowed_hours=4.0, open_for_hours=0.0).because
    assert said == f"{MIN_OF_PRIORITY - 1} resolved incidents of priority P1; {MIN_OF_PRIORITY} are needed"


def test_too_short_a_history_is_refused() -> None:
    with pytest.raises(InvalidInput, match=f"a forecast needs {MIN_ROWS}"):
        BreachModel.fit(history(MIN_ROWS - 1, text_tells=True))


def test_a_saved_model_says_the_same_and_a_damaged_one_is_refused(tmp_path: Path) -> None:
    model = BreachModel.fit(history(800, text_tells=True))
    write_forecast(tmp_path / "f", *model.state())
    kept = read_forecast(tmp_path / "f")
    assert kept is not None
    again = BreachModel.from_state(*kept)
    assert (again.method, again.figures, again.n_rows) == (model.method, model.figures, model.n_rows)
    assert asked(again, SLOW) == asked(model, SLOW)
    (array,) = (tmp_path / "f").glob("*.safetensors")
    array.write_bytes(array.read_bytes()[:-4] + b"evil")
    with pytest.raises(BundleError, match="run `smarttriage forecast` again"):
        read_forecast(tmp_path / "f")
    assert read_forecast(tmp_path / "none") is None


def test_load_counts_what_is_open_at_the_report_and_open_incidents_teach_nothing() -> None:
    made = [an_incident(id=f"inc_{n}", priority="P1", reported_at=NOON + timedelta(hours=n)) for n in range(3)]
    ended = Resolution("Mended.", NOON + timedelta(hours=1, minutes=30))
    first = replace(made[0], status=IncidentStatus.RESOLVED, resolution=ended)
    last = replace(made[2], status=IncidentStatus.RESOLVED, resolution=replace(ended, resolved_at=NOON + timedelta(hours=5)))
    rows = resolved_rows([last, first, made[1]], _policy())
    assert [(one.hours, one.arrival.n_open, one.allowed_hours) for one in rows] == [(1.5, 0, 4.0), (3.0, 1, 4.0)]

"""What the answers of a walk are worth, and what a forecast was."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import numpy as np
import pytest

from smarttriage.domain.effort import Effort
from smarttriage.services.backtest_answers import Answer, FitFacts, Guess, StepAnswers
from smarttriage.services.backtest_forecast import Scale, Seen, compared, first_month_ahead, outlook, renewed
from smarttriage.services.backtest_history import History
from smarttriage.services.backtest_page import page
from smarttriage.services.backtest_plan import Plan
from smarttriage.services.backtest_report import Conditions, Report, report

NASTY = '<script>alert("x")</script>&\'"'
FACTS = FitFacts(n=10, n_labels=2, recipe="plain", accuracy=0.9, coverage=0.5, precision=1.0)

SHARE = Scale(0.0, 1.0)


def answer(
    label: str | None, *, filled: bool = False, nearest: Sequence[tuple[int, float]] = (), repeats: bool = False
) -> Answer:
    guesses = {"category": Guess(label, 0.9, filled)} if label else {}
    return Answer(guesses, tuple(nearest), tuple(nearest), repeats)


def months(
    *answers: Sequence[Answer], labels: str, notes: Sequence[str | None] | None = None
) -> tuple[History, list[StepAnswers]]:
    """Return a history of one step a month from January on; `labels` holds one letter for each row."""
    at = [
        datetime(2026, month, 1, tzinfo=UTC) + timedelta(hours=hour)
        for month, inside in enumerate(answers, start=1)
        for hour in range(len(inside))
    ]
    texts = [f"text {place}" for place in range(len(at))]
    history = History(list(range(len(at))), at, at, texts, {"category": list(labels)}, notes, [(9, NASTY)], [], [])
    steps = [
        StepAnswers(
            f"2026-{month:02}",
            f"2026-{month:02}" if month > 1 else None,
            {"category": FACTS},
            {},
            {"category": "a"},
            {"category": "b"},
            inside,
        )
        for month, inside in enumerate(answers, start=1)
    ]
    return history, steps


def reported(history: History, steps: Sequence[StepAnswers]) -> Report:
    conditions = Conditions(f"{NASTY}.csv", {"time": NASTY}, "UTC", 0.9, "encoder", Plan(), Effort(2, 5))
    return report(history, steps, conditions)


def test_the_figures_of_a_month_are_counted_from_its_answers() -> None:
    second = [
        answer("a", filled=True, nearest=[(0, 0.9)]),
        answer("b", filled=True, nearest=[(0, 0.9)]),
        answer("a", repeats=True, nearest=[(0, 0.49)]),
        answer("c", filled=True),
        answer(None),
    ]
    history, steps = months([answer(None)], second, labels="a" + "aabca")
    figures = reported(history, steps).months[1].targets["category"]
    assert (figures.n, figures.n_answered, figures.n_filled, figures.n_right) == (5, 4, 3, 2)
    assert figures.accuracy == 2 / 4
    assert figures.macro_f1 == pytest.approx((0.5 + 0 + 1) / 3)
    assert (figures.coverage, figures.precision) == (3 / 5, 2 / 3)
    assert figures.minutes_saved == 2 * 2 - 1 * 5
    assert (figures.n_fresh, figures.accuracy_fresh) == (3, 2 / 3)
    assert (figures.majority_accuracy, figures.recent_accuracy) == (2 / 4, 1 / 4)
    assert (figures.n_near, figures.near_right) == (2, 1.0)
    assert figures.new_labels == {"b": 1, "c": 1}


def test_a_month_without_a_model_has_no_accuracy_and_fills_nothing() -> None:
    figures = reported(*months([answer(None)], labels="a")).months[0].targets["category"]
    assert (figures.accuracy, figures.macro_f1, figures.precision) == (None, None, None)
    assert (figures.coverage, figures.minutes_saved) == (0.0, 0.0)


def test_earlier_resolutions_are_compared_with_the_latest_ones() -> None:
    notes = [
        "replaced the toner cartridge of the printer",
        "done",
        "renewed the expired certificate of vpn gateway vpn-02",
        "Done.",
        None,
        "fixed",
    ]
    notes += ["replaced the toner cartridge of the printer"]
    inside = [answer(None)] * 6 + [answer(None, nearest=[(0, 0.8), (1, 0.7)])]
    figures = reported(*months(inside, labels="a" * 7, notes=notes)).resolutions
    assert figures is not None
    assert (figures.n, figures.found, figures.latest) == (6, 1 / 6, 2 / 6)
    assert (figures.n_telling, figures.found_telling) == (3, 1 / 3)


def test_a_forecast_is_compared_with_the_months_behind_it() -> None:
    right, wrong = answer("a", filled=True), answer("b", filled=True)
    history, steps = months(*[[right, right, wrong, wrong]] * 6, *[[right, right, right, wrong]] * 4, labels="a" * 40)
    found = reported(history, steps).forecasts["category"]
    assert found.from_month == "2026-07"
    one = found.compared["precision"]
    assert (one.forecast.value, one.actual, one.bias, one.absolute_error) == (0.5, 0.75, 0.25, 0.25)
    assert (one.forecast.n, one.n_months) == (4, 4)
    minutes = found.compared["minutes_per_incident"]
    assert minutes.forecast.value == (2 - 5) / 2
    assert minutes.actual == (3 * 2 - 5) / 4
    assert found.outlook["precision"].value == (2 * 2 + 4 * 3) / 24


def test_what_held_out_rows_say_is_told_apart_and_moves_no_forecast() -> None:
    right, wrong = answer("a", filled=True), answer("b", filled=True)
    history, steps = months(*[[right, wrong]] * 10, labels="a" * 20)
    found = reported(history, steps).forecasts["category"]
    assert found.promised == {"accuracy": 0.9, "coverage": 0.5, "precision": 1.0, "minutes_per_incident": 0.5 * 2}
    assert found.compared["accuracy"].forecast.value == 0.5
    assert found.compared["accuracy"].bias == 0


def drawn(rng: np.random.Generator, levels: Sequence[float]) -> list[Seen]:
    sizes = rng.integers(3, 60, len(levels))
    return [Seen(int(n), float(right), float(right)) for n, right in zip(sizes, rng.binomial(sizes, levels), strict=True)]


@pytest.mark.parametrize("step", [0.0, 0.03])
def test_the_range_holds_as_many_months_as_it_claims_whether_the_level_stays_or_drifts(step: float) -> None:
    rng, inside, renewals = np.random.default_rng(0), [], []
    for _ in range(40):
        levels = np.clip(0.7 + np.cumsum(rng.normal(0, step, 48)), 0.05, 0.95)
        seen = drawn(rng, levels)
        made, track = compared(seen[:30], seen[30:], SHARE), renewed(seen, SHARE)
        assert made
        assert track
        inside.append(made.inside)
        renewals.append(track.inside)
    assert 0.88 <= np.mean(inside) <= 0.98
    assert 0.88 <= np.mean(renewals) <= 0.98


def test_a_range_is_wider_for_a_month_of_few_rows_and_never_narrower_than_chance() -> None:
    made = outlook([Seen(40, 36.0, 36.0)] * 8, SHARE)
    assert made
    few, many = made.estimate(4), made.estimate(400)
    assert few.low < made.usual.low < many.low < 0.9 < many.high
    assert made.usual.value - made.usual.low > 1.64 * (0.9 * 0.1 / 40) ** 0.5
    assert few.high == 1.0


def test_a_range_remembers_how_far_the_level_went_before() -> None:
    calm = outlook([Seen(50, 40.0, 40.0)] * 12, SHARE)
    moved = outlook([*[Seen(50, 20.0, 20.0)] * 6, *[Seen(50, 40.0, 40.0)] * 6], SHARE)
    assert calm
    assert moved
    assert calm.level == moved.level == 0.8
    assert moved.usual.low < 0.5 < calm.usual.low


def test_three_months_are_too_few_for_a_forecast() -> None:
    assert outlook([Seen(50, 40.0, 40.0)] * 3, SHARE) is None
    assert renewed([Seen(50, 40.0, 40.0)] * 4, SHARE) is None
    assert compared([Seen(50, 40.0, 40.0)] * 4, [], SHARE) is None


def test_minutes_that_nobody_counts_have_a_forecast_of_none() -> None:
    made = outlook([Seen(5, 0.0, 0.0)] * 6, Scale(-0.0, 0.0))
    assert made
    assert (made.usual.low, made.usual.high) == (0, 0)


def test_a_history_of_one_month_has_no_forecast() -> None:
    one = reported(*months([answer("a")], labels="a"))
    assert one.forecasts == {}
    assert first_month_ahead(one.months, 0.6) is None


def test_the_page_escapes_what_the_file_says_and_loads_nothing() -> None:
    labels = f"a{NASTY}"[:1]
    history, steps = months([answer("a")], [answer("a", filled=True), answer("b")], labels=labels + "ab")
    history.labels["category"][2] = NASTY  # type: ignore[index]
    text = page(reported(history, steps))
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert not re.search(r"(?:src|href)\s*=|url\(|@import|https?://", text)

    class Balance(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.open: list[str] = []

        def handle_starttag(self, tag: str, attrs: object) -> None:
            if tag not in ("meta",):
                self.open.append(tag)

        def handle_startendtag(self, tag: str, attrs: object) -> None:
            pass

        def handle_endtag(self, tag: str) -> None:
            assert self.open.pop() == tag

    parser = Balance()
    parser.feed(text)
    assert parser.open == []
    assert text.count("<svg") == 2


def test_the_report_says_what_it_assumes() -> None:
    told = " ".join(reported(*months([answer("a")], labels="a")).assumptions)
    assert "2 min saved per field filled in right, 5 min lost per field filled in wrong" in told
    assert "assumed, not measured; below a precision of 71%" in told
    assert "meant in UTC" in told

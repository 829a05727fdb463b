"""A report is made once while what it counts stays; nobody gets figures of before a write."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from smarttriage.services.kpi_report import KpiReport, kpi_report
from smarttriage.services.report_cache import FRESH, ReportCache
from smarttriage.testing.fakes import ManualClock


class Desk:
    """A store that counts how often it was counted."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.seq = 0
        self.n_made = 0
        self.cache = ReportCache(max_reports=2)

    def make(self) -> KpiReport:
        self.n_made += 1
        return kpi_report([], source=str(self.n_made), now=self.clock())

    def ask(self, question: str = "all") -> str:
        return self.cache.get(question, state=lambda: self.seq, now=self.clock, make=self.make).source


def test_the_same_question_is_counted_once_until_something_is_written() -> None:
    desk = Desk()
    assert [desk.ask(), desk.ask()] == ["1", "1"]
    desk.seq += 1
    assert [desk.ask(), desk.ask()] == ["2", "2"]


def test_figures_that_grow_with_the_clock_are_at_most_a_minute_old() -> None:
    desk = Desk()
    desk.ask()
    desk.clock.forward(FRESH - timedelta(seconds=1))
    assert desk.ask() == "1"
    desk.clock.forward(timedelta(seconds=1))
    assert desk.ask() == "2"


def test_other_questions_have_reports_of_their_own_and_the_oldest_is_forgotten() -> None:
    desk = Desk()
    assert [desk.ask("a"), desk.ask("b"), desk.ask("a"), desk.ask("c"), desk.ask("a"), desk.ask("b")] == [
        "1",
        "2",
        "1",
        "3",
        "1",
        "4",
    ]


def test_who_asks_at_the_same_time_waits_for_one_count() -> None:
    desk, started = Desk(), threading.Barrier(8)

    def ask(_: int) -> str:
        started.wait()
        return desk.ask()

    with ThreadPoolExecutor(8) as askers:
        assert set(askers.map(ask, range(8))) == {"1"}
    assert desk.n_made == 1


def test_a_failed_count_leaves_the_next_one_free() -> None:
    desk = Desk()
    made = desk.make
    desk.make = lambda: 1 / 0  # type: ignore[method-assign, assignment, return-value]
    try:
        desk.ask()
    except ZeroDivisionError:
        desk.make = made  # type: ignore[method-assign]
    assert desk.ask() == "1"

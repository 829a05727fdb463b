"""Reports that were made already: kept while what they count has not changed, made once for all who ask at the same time."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from smarttriage.services.kpi_report import KpiReport

# Each holds the missed targets of a year; a desk has a few audiences and looks at a few periods.
MAX_REPORTS = 32
# How long ago a report may have been made that says so: ages of open incidents grow with the clock, in hours.
FRESH = timedelta(minutes=1)


@dataclass(slots=True)
class _Kept:
    """The last report on one question, and the state of the store that it counted; one thread at a time makes it."""

    turn: threading.Lock = field(default_factory=threading.Lock)
    report: KpiReport | None = None
    state: object = None


class ReportCache:
    """Thread-safe and bounded."""

    def __init__(self, *, max_reports: int = MAX_REPORTS, fresh: timedelta = FRESH) -> None:
        self._max_reports = max_reports
        self._fresh = fresh
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def get(
        self, question: Hashable, *, state: Callable[[], object], now: Callable[[], datetime], make: Callable[[], KpiReport]
    ) -> KpiReport:
        """Return the report on a question: what `make` returned last, if `state` is still the same and that is not long ago.

        `state` is asked before anything is counted: what is written meanwhile is counted at the next request at the latest.
        """
        kept = self._place(question)
        with kept.turn:
            present = state()
            if kept.report is None or kept.state != present or not self._is_fresh(kept.report, now()):
                kept.report, kept.state = make(), present
            return kept.report

    def _is_fresh(self, report: KpiReport, now: datetime) -> bool:
        return timedelta(0) <= now - report.now < self._fresh

    def _place(self, question: Hashable) -> _Kept:
        with self._lock:
            kept = self._kept.setdefault(question, _Kept())
            self._kept.move_to_end(question)
            while len(self._kept) > self._max_reports:
                self._kept.popitem(last=False)
            return kept

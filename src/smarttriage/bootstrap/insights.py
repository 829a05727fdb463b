"""Key figures from a file or from the data folder, as the command line asks for them."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from smarttriage.adapters.tabular import read_rows
from smarttriage.bootstrap import parts
from smarttriage.bootstrap.resources import priority_policy
from smarttriage.config import Settings
from smarttriage.services.importing import importer
from smarttriage.services.insights import InsightsService
from smarttriage.services.kpi_facts import facts_of_rows, parse_fact_map
from smarttriage.services.kpi_report import KpiReport, kpi_report


def report_on_file(path: Path, *, columns: Sequence[str], now: datetime | None, on_problem: Callable[[str], None]) -> KpiReport:
    """Return the report on an export as it stood at `now`; default: the newest instant that the export names.

    Raises:
        InvalidInput: The file, a column or a value cannot be used.
    """
    rows = []
    for row in read_rows(path):
        if row.problem is None:
            rows.append(row.values)
        else:
            on_problem(f"{path}:{row.line}: {row.problem}")
    policy, mapping, present = priority_policy(Settings()), parse_fact_map(columns), parts.clock()
    known = list(facts_of_rows(rows, mapping, policy=policy, now=now or present))
    if now is None and known:
        now = max(max(one.opened_at, one.resolved_at or one.opened_at) for one in known)
        known = list(facts_of_rows(rows, mapping, policy=policy, now=now))
    return kpi_report(known, source=path.name, now=now or present)


def report_on_store(*, data_dir: Path | None) -> KpiReport:
    """Return the report on the incidents of the default tenant."""
    settings = Settings() if data_dir is None else Settings(data_dir=data_dir)
    store = parts.store(settings)
    try:
        service = InsightsService(store=store, policy=priority_policy(settings), clock=parts.clock)
        return service.report(importer("report"))
    finally:
        store.close()

"""What does a report on 100,000 incidents cost, and what does one pass over the clocks of its open ones?

python benchmarks/kpi_cost.py
"""

import random
import resource
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from report import write_results
from smarttriage.adapters.stores.sql import SqlStore
from smarttriage.bootstrap.resources import escalation, priority_policy
from smarttriage.config import Settings
from smarttriage.domain.incident import Incident, IncidentStatus, Labels, Resolution
from smarttriage.services.emitting import EscalationPass
from smarttriage.services.importing import importer
from smarttriage.services.insights import InsightsService
from smarttriage.services.kpi_page import page
from smarttriage.services.kpi_report import as_csv, as_json, as_table
from smarttriage.testing.factories import a_suggestion

N, N_SUGGESTIONS, BATCH = 100_000, 20_000, 2_000
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
OPEN_SHARE = 0.02
N_ASKING = 8


def main() -> None:
    """Fill a store, then time the figures, each format, and the pass."""
    with tempfile.TemporaryDirectory() as folder:
        store = SqlStore.open(Path(folder) / "store.db", clock=lambda: NOW)
        fill(store)
        result = timed(store)
        store.close()
    write_results("kpi_cost", result, table(result))


def fill(store: SqlStore) -> None:
    """Write incidents of a year, one in fifty still open, every fifth with a suggestion."""
    chance = random.Random(0)
    for start in range(0, N, BATCH):
        with store.begin(write=True) as records:
            records.add_incidents([drawn(number, chance) for number in range(start, start + BATCH)], key_id=None)
    for start in range(0, N_SUGGESTIONS, BATCH):
        with store.begin(write=True) as records:
            for number in range(start, start + BATCH):
                records.add_suggestion(
                    a_suggestion(id=f"sug_{number}", incident_id=f"inc_{number * 5:07}", created_at=NOW - timedelta(days=365))
                )


def drawn(number: int, chance: random.Random) -> Incident:
    """Return an incident of the last year."""
    at = NOW - timedelta(minutes=chance.uniform(0, 365 * 24 * 60))
    is_open = chance.random() < OPEN_SHARE
    done = None if is_open else Resolution("Mended.", min(NOW, at + timedelta(hours=chance.lognormvariate(1.5, 1.5))))
    base = Incident(f"inc_{number:07}", "default", f"Problem {number}", "It does not work. " * 10, at, at, at)
    return replace(
        base,
        status=IncidentStatus.OPEN if is_open else IncidentStatus.RESOLVED,
        resolution=done,
        priority=chance.choice(("P1", "P2", "P3", "P4")),
        support_group=f"group {chance.randrange(30)}",
        labels=Labels(category=f"category {chance.randrange(40)}"),
    )


def timed(store: SqlStore) -> dict[str, float]:
    """Return seconds of each step, and the memory of the process at its highest."""
    policy = priority_policy(Settings())
    service = InsightsService(store=store, policy=policy, clock=lambda: NOW)
    result: dict[str, float] = {}
    result["figures_s"] = seconds(lambda: service.report(importer("report")))
    report = service.report(importer("report"))
    result["again_ms"] = round(1_000 * min(seconds(lambda: service.report(importer("report")), digits=6) for _ in range(20)), 3)
    with store.begin(write=True) as records:
        records.add_incidents([replace(drawn(N, random.Random(1)), id="inc_new")], key_id=None)
    result["n_asking"] = N_ASKING
    with ThreadPoolExecutor(N_ASKING) as askers:
        result["asking_after_write_s"] = seconds(
            lambda: list(askers.map(lambda _: service.report(importer("report")), range(N_ASKING)))
        )
    for name, write in (("table", as_table), ("json", as_json), ("csv", as_csv), ("html", page)):
        result[f"{name}_s"] = seconds(lambda write=write: write(report))  # type: ignore[misc]
    steps = EscalationPass(
        store=store,
        matrix=escalation(Settings(), policy=policy),
        policy=lambda: policy,
        clock=lambda: NOW,
        on_event=lambda _event: None,
    )
    started = time.perf_counter()
    result["n_events"] = steps.step()
    result["first_pass_s"] = round(time.perf_counter() - started, 3)
    result["idle_pass_ms"] = round(1_000 * min(seconds(steps.step, digits=6) for _ in range(20)), 3)
    result["n_pairs"] = report.suggestions.n_pairs
    return result | {"n": N, "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)}


def seconds(work: Callable[[], object], *, digits: int = 2) -> float:
    """Return how long it took."""
    started = time.perf_counter()
    work()
    return round(time.perf_counter() - started, digits)


def table(result: dict[str, float]) -> str:
    """Return the text of the section."""
    names = (
        "figures_s",
        "again_ms",
        "asking_after_write_s",
        "table_s",
        "json_s",
        "csv_s",
        "html_s",
        "peak_mib",
        "first_pass_s",
        "n_events",
        "idle_pass_ms",
    )
    return "\n".join(
        [
            f"| {' | '.join(names)} |",
            "|" + "---|" * len(names),
            f"| {' | '.join(str(result[name]) for name in names)} |",
            "",
            f"{N:,} incidents of a year in SQLite, one in fifty open, {N_SUGGESTIONS:,} with a suggestion ({result['n_pairs']:,} matched pairs). "
            "figures: reading narrow columns and counting everything, as `smarttriage report kpi` and the first GET /v1/insights/kpis do; "
            "again: the same question within a minute while nothing was written; asking_after_write: an incident was written, then "
            f"{result['n_asking']} threads ask at once, for whom it is counted once; the others: writing that report out. peak: memory of the whole process. first_pass: every open incident scheduled and n_events overdue "
            "steps told, as after a first start; idle_pass: one look of the running service at the clock when nothing is new.",
        ]
    )


if __name__ == "__main__":
    main()

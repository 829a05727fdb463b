"""Are the key figures of a real record exactly those that pandas computed?

python benchmarks/kpis.py
"""

import csv
import gzip
import json
import time
from datetime import UTC, datetime
from pathlib import Path

from report import write_results
from smarttriage.bootstrap.resources import priority_policy
from smarttriage.config import Settings
from smarttriage.domain.kpi import Grouping, IncidentFacts
from smarttriage.services.kpi_facts import facts_of_rows, parse_fact_map
from smarttriage.services.kpi_report import KpiReport, kpi_report, saved_text, shown

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "kpi_servicenow"
MAP = (
    "id=number",
    "group=assignment_group",
    "n_reopened=reopen_count",
    "n_reassigned=reassignment_count",
    "met_sla=made_sla",
    "used_article=knowledge_used",
)
DIGITS = {"mttr_hours_mean": 3, "mttr_hours_median": 3, "mttr_mean_h": 4, "mttr_median_h": 4, "p90_h": 4}


def main() -> None:
    """Read the record, print gold beside ours, and the mission's targets."""
    with gzip.open(DATA / "incidents.csv.gz", "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    started = time.perf_counter()
    now = datetime(2017, 2, 18, tzinfo=UTC)  # behind every instant of the record, which has no figure that depends on it
    known: list[IncidentFacts] = list(facts_of_rows(rows, parse_fact_map(MAP), policy=priority_policy(Settings()), now=now))
    report = kpi_report(known, source="kpi_servicenow", now=now)
    seconds = time.perf_counter() - started
    gold = json.loads((DATA / "gold_kpis.json").read_text(encoding="utf-8"))
    pairs = [(name, want, _rounded(ours(report)[name], name)) for name, want in _flat(gold).items()]
    equal = sum(want == have for _, want, have in pairs)
    result = {
        "n_figures": len(pairs),
        "n_equal": equal,
        "seconds": round(seconds, 2),
        "figures": [list(pair) for pair in pairs],
        "n_breaches": len(report.breaches),
        "unusual_days": [one.day.isoformat() for one in report.unusual_days],
        "saved": saved_text(report.saved),
    }
    write_results("kpis", result, table(pairs, report, seconds))


def ours(report: KpiReport) -> dict[str, float | int | None]:
    """Return our figures under the names of the reference."""
    found = report.figures
    own: dict[str, float | int | None] = {
        "n": found.n,
        "n_resolved": found.n_resolved,
        "n_negative_duration": found.time_to_resolve.n_negative,
        "mttr_hours_mean": found.time_to_resolve.mean,
        "mttr_hours_median": found.time_to_resolve.median,
        "sla_met_rate_all": found.met_sla.value,
        "sla_met_rate_resolved": found.met_sla_resolved.value,
        "reopen_rate": found.reopened.value,
        "no_reassignment_no_reopen_rate": found.first_contact.value,
        "reassigned_rate": found.reassigned.value,
        "knowledge_used_rate": found.used_article.value,
    }
    for one in found.groups[Grouping.PRIORITY]:
        times = one.time_to_resolve
        named = {"n": times.n, "mttr_mean_h": times.mean, "mttr_median_h": times.median, "p90_h": times.p90}
        own |= {f"by_priority / {one.name} / {name}": value for name, value in {**named, "sla_met": one.met_sla.value}.items()}
    return own | {f"by_month_opened / {month}": n for month, n in found.opened_by_month.items()}


def table(pairs: list[tuple[str, object, object]], report: KpiReport, seconds: float) -> str:
    """Return the text of the section."""
    equal = sum(want == have for _, want, have in pairs)
    lines = [
        f"{report.figures.n} incidents read and counted in {seconds:.1f} s; {equal} of {len(pairs)} figures equal to the last digit.",
        "",
        "| figure | gold | ours |",
        "|---|---|---|",
        *(f"| {name} | {want} | {have} |" for name, want, have in pairs),
        "",
        "The mission's targets beside this desk of 2016 (a record, not a result of the product):",
        "",
        "| figure | value | target | standing | n |",
        "|---|---|---|---|---|",
        *(f"| {one.name} | {shown(one)} | {one.target} | {one.standing} | {one.n} |" for one in report.goals),
        "",
        f"{len(report.breaches)} missed targets, {len(report.unusual_days)} unusual days. Articles: {saved_text(report.saved)}. "
        "The record does not say which problem came again, so that target stays unknown.",
    ]
    return "\n".join(lines)


def _flat(tree: dict[str, object], above: str = "") -> dict[str, object]:
    flat: dict[str, object] = {}
    for name, value in tree.items():
        flat |= _flat(value, f"{above}{name} / ") if isinstance(value, dict) else {f"{above}{name}": value}
    return flat


def _rounded(value: float | int | None, name: str) -> float | int | None:
    return round(value, DIGITS.get(name.rsplit(" / ", 1)[-1], 6)) if isinstance(value, float) else value


if __name__ == "__main__":
    main()

"""How well is time to resolve predicted when an incident arrives, beside the median of its priority?

python benchmarks/breach.py
"""

import csv
import gzip
import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median

from sklearn.metrics import roc_auc_score

from report import write_results
from smarttriage.services.breach import BreachModel, Resolved
from smarttriage.services.resolution_time import Arrival, ResolutionTime

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
# Fitted on the first 60 % of arrivals, calibrated on the next 20 %, reported on the last 20 %.
FIT, CALIBRATED = 0.6, 0.8
KPI_FACTS = (
    "first_priority",
    "assignment_group_first",
    "category",
    "subcategory",
    "u_symptom",
    "cmdb_ci",
    "location",
    "contact_type",
)
DUE_HOURS = {"kpi_servicenow": {"1": 4.0, "2": 8.0, "3": 24.0, "4": 72.0}, "gcp_incident_severity": {"": 4.0}}


@dataclass(frozen=True, slots=True)
class Row:
    """An arrival and what became of it."""

    opened_at: datetime
    hours: float
    priority: str
    arrival: Arrival


def main() -> None:
    """Measure both records."""
    csv.field_size_limit(2**27)
    result = {}
    for name, rows in (("kpi_servicenow", kpi_rows()), ("gcp_incident_severity", gcp_rows())):
        result[name] = measured(rows, DUE_HOURS[name])
    write_results("breach", result, table(result))


def kpi_rows() -> list[Row]:
    """Return the resolved incidents of the ServiceNow record, which has no texts."""
    with gzip.open(DATA / "kpi_servicenow" / "incidents.csv.gz", "rt", encoding="utf-8", newline="") as file:
        known = list(csv.DictReader(file))
    return loaded(known, opened="opened_at", priority="first_priority", facts=KPI_FACTS, text="")


def gcp_rows() -> list[Row]:
    """Return the resolved incidents of both parts, train and dev, of which nothing was tuned on either."""
    known = []
    for part in ("train", "dev"):
        with gzip.open(DATA / "gcp_incident_severity" / f"{part}.csv.gz", "rt", encoding="utf-8", newline="") as file:
            known += list(csv.DictReader(file))
    return loaded(known, opened="created_at", priority="severity", facts=("service", "severity"), text="first_update")


def loaded(known: Sequence[Mapping[str, str]], *, opened: str, priority: str, facts: Sequence[str], text: str) -> list[Row]:
    """Return the resolved rows in order of arrival, with the load that each met."""
    starts = sorted(datetime.fromisoformat(row[opened]) for row in known)
    ends = sorted(datetime.fromisoformat(row["resolved_at"]) for row in known if row["resolved_at"])
    rows = []
    for row in known:
        at = datetime.fromisoformat(row[opened])
        hours = (datetime.fromisoformat(row["resolved_at"]) - at).total_seconds() / 3600 if row["resolved_at"] else -1.0
        if hours >= 0:
            n_open = max(0, bisect_left(starts, at) - bisect_left(ends, at))
            own = {name: row[name] for name in facts if row[name]}
            arrival = Arrival(own, at.hour, at.weekday(), n_open, row[text] if text else "")
            rows.append(Row(at, hours, row[priority], arrival))
    return sorted(rows, key=lambda one: one.opened_at)


def measured(rows: list[Row], due: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Return the figures of the baseline and of the model on the last fifth."""
    first, second = int(len(rows) * FIT), int(len(rows) * CALIBRATED)
    fitted, later, last = rows[:first], rows[first:second], rows[second:]
    model = ResolutionTime.fit(*parts(fitted), *parts(later))
    arrivals, truth = parts(last)
    allowed = [due.get(row.priority[:1], due.get("", 24.0)) for row in last]
    by_priority = defaultdict(list)
    for row in rows[:second]:
        by_priority[row.priority].append(row.hours)
    overall = [row.hours for row in rows[:second]]
    known = [by_priority.get(row.priority) or overall for row in last]
    base_risk = [sum(one > limit for one in own) / len(own) for own, limit in zip(known, allowed, strict=True)]
    base_range = [(ranked(own, 0.05), ranked(own, 0.95)) for own in known]
    risk = model.risks(arrivals, allowed_hours=allowed)
    chosen = BreachModel.fit(
        [Resolved(row.arrival, row.hours, row.priority, limit) for row, limit in with_limits(rows[:second], due)]
    )
    base = figures([median(own) for own in known], base_range, base_risk, truth, allowed)
    model_figures = figures(model.hours(arrivals), model.intervals(arrivals), risk, truth, allowed)
    return {
        "median per priority": base,
        "smarttriage": model_figures,
        f"served: {chosen.method}": served(chosen, last, allowed, truth),
    }


def with_limits(rows: Sequence[Row], due: Mapping[str, float]) -> list[tuple[Row, float]]:
    """Return each row with the hours that it had."""
    return [(row, due.get(row.priority[:1], due.get("", 24.0))) for row in rows]


def served(chosen: BreachModel, last: Sequence[Row], allowed: Sequence[float], truth: Sequence[float]) -> dict[str, float]:
    """Return the figures of what the service would have said, having chosen on the rows before; where it says nothing, that is counted."""
    said = [
        (chosen.forecast(row.arrival, priority=row.priority, allowed_hours=limit, open_for_hours=0.0), hours, limit)
        for row, limit, hours in zip(last, allowed, truth, strict=True)
    ]
    known = [(one, hours, limit) for one, hours, limit in said if one.hours is not None]
    return figures(
        [one.hours or 0.0 for one, _, _ in known],
        [(one.low or 0.0, math.inf if one.high is None else one.high) for one, _, _ in known],
        [one.risk or 0.0 for one, _, _ in known],
        [hours for _, hours, _ in known],
        [limit for _, _, limit in known],
    )


def figures(
    middle: Sequence[float],
    ranges: Sequence[tuple[float, float]],
    risk: Sequence[float],
    truth: Sequence[float],
    allowed: Sequence[float],
) -> dict[str, float]:
    """Return errors, coverage, width and how the risk ranks what was late."""
    late = [hours > limit for hours, limit in zip(truth, allowed, strict=True)]
    factor = [abs(math.log((one + 1 / 60) / (hours + 1 / 60))) for one, hours in zip(middle, truth, strict=True)]
    return {
        "n": len(truth),
        "median_error_h": round(median(abs(one - hours) for one, hours in zip(middle, truth, strict=True)), 3),
        "median_factor": round(math.exp(median(factor)), 2),
        "mean_log_error": round(sum(factor) / len(factor), 3),
        "coverage_90": round(sum(low <= one <= high for (low, high), one in zip(ranges, truth, strict=True)) / len(truth), 3),
        "late": round(sum(late) / len(late), 3),
        "mean_risk": round(sum(risk) / len(risk), 3),
        "auc": round(float(roc_auc_score(late, risk)), 3),
        "brier": round(sum((one - happened) ** 2 for one, happened in zip(risk, late, strict=True)) / len(late), 4),
    }


def parts(rows: Sequence[Row]) -> tuple[list[Arrival], list[float]]:
    """Return arrivals and hours apart."""
    return [row.arrival for row in rows], [row.hours for row in rows]


def ranked(values: Sequence[float], share: float) -> float:
    """Return the value at that share of the ordered ones."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def table(result: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    """Return the text of the section."""
    names = list(next(iter(next(iter(result.values())).values())))
    lines = [f"| record | method | {' | '.join(names)} |", "|" + "---|" * (len(names) + 2)]
    for record, methods in result.items():
        lines += [f"| {record} | {method} | {' | '.join(str(one[name]) for name in names)} |" for method, one in methods.items()]
    lines += [
        "",
        "Fitted on the first 60 % of arrivals, calibrated on the next 20 %, reported on the last 20 %; known is only what stands in the "
        "record at arrival (first priority, first group, hour, weekday, load; GCP: service, severity, first update). median_factor: half "
        "of the predictions are wrong by more than this factor. late: longer than 4, 8, 24, 72 hours for priority 1 to 4, 4 hours at GCP. "
        "coverage_90 should be 0.90; where it is lower, the desk changed with time, which no split conformal interval promises to follow. "
        'served: what a service would have said that chose between the two on the rows before (the model only where its log error and its Brier score were both lower on their newest fifth by more than the 95 % interval of the paired difference); n is smaller where it says "don\'t know". Both use rows whose resolution may lie behind the next arrival: a running desk knows a little less. '
        "Near-duplicates (`cluster`) are split by time only. On GCP neither method tells late incidents from others (an AUC near 0.5), so "
        "the goal is missed there; tried were service, severity, hour, load and the words of the first update.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()

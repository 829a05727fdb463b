"""The key figures as one report: for people as a table, for machines as JSON and CSV."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from smarttriage.domain.kpi import IncidentFacts, Kpis, Share, kpis
from smarttriage.domain.kpi_targets import Goal, goals
from smarttriage.domain.kpi_trends import (
    Breach,
    MonthOfCategory,
    Saved,
    UnusualDay,
    breaches,
    category_mix,
    saved_by_articles,
    unusual_days,
)
from smarttriage.services.kpi_facts import priority_code
from smarttriage.services.suggestion_effect import SuggestionEffect, effect_text, suggestion_effect

# What a spreadsheet takes for a formula when a cell begins with it (OWASP, "CSV Injection").
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_DIGITS = 6
MEANINGS = (
    "Durations run round the clock; the verdict on a target runs on the calendar of its priority.",
    "First contact: neither reassigned nor reopened. Where the record does not tell, an incident counts in no share.",
    "Same problem again: solved by the same article, or of one recurring problem that was recognised and not dismissed.",
    "Saved: incidents with an article beside matched ones without (same priority, category and group). An association, no proof.",
    "Suggestions: incidents that had one before they were resolved beside matched ones without (same category, priority, group and month).",
)


@dataclass(frozen=True, slots=True)
class KpiReport:
    """Every figure of a record as it stood at `now`."""

    source: str
    now: datetime
    figures: Kpis
    goals: Sequence[Goal]
    breaches: Sequence[Breach]
    unusual_days: Sequence[UnusualDay]
    category_mix: Sequence[MonthOfCategory]
    saved: Saved
    suggestions: SuggestionEffect


def kpi_report(incidents: Sequence[IncidentFacts], *, source: str, now: datetime) -> KpiReport:
    """Return the report on the incidents."""
    figures = kpis(incidents, now=now)
    return KpiReport(
        source=source,
        now=now,
        figures=figures,
        goals=goals(figures, priority_code),
        breaches=breaches(incidents, now=now),
        unusual_days=unusual_days(incidents),
        category_mix=category_mix(incidents),
        saved=saved_by_articles(incidents),
        suggestions=suggestion_effect(incidents),
    )


def plain(report: KpiReport, names: Iterable[str] = KpiReport.__slots__) -> dict[str, Any]:
    """Return these parts of the report as JSON knows them: shares with count and interval, instants as ISO 8601."""
    return {name: _plain(getattr(report, name)) for name in names}


def as_json(report: KpiReport) -> str:
    """Return the report as a JSON document."""
    return json.dumps(plain(report), ensure_ascii=False, indent=1)


def as_csv(report: KpiReport) -> str:
    """Return one line a figure: section, name, figure, value. No cell can be taken for a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(("section", "name", "figure", "value"))
    writer.writerows([_cell(value) for value in row] for row in _lines(report))
    return out.getvalue()


def as_table(report: KpiReport) -> str:
    """Return the figures for a terminal."""
    figures, saved = report.figures, report.saved
    width = max(len(goal.name) for goal in report.goals)
    lines = [f"{figures.n} incidents of {report.source}, {figures.n_resolved} resolved, {figures.backlog.n} open", ""]
    lines += [f"{one.name:<{width}}  {shown(one):>9}  target {one.target:<8} {one.standing} (n {one.n})" for one in report.goals]
    lines += ["", f"{'':<24}{'n':>7}{'mean h':>10}{'median h':>10}{'p90 h':>10}{'SLA':>8}"]
    for one in (group for groups in figures.groups.values() for group in groups[:10]):
        times = one.time_to_resolve
        hours_of = "".join(f"{hours(value):>10}" for value in (times.mean, times.median, times.p90))
        lines.append(f"{one.name[:23]:<24}{one.n:>7}{hours_of}{percent(one.met_sla):>8}")
    lines += ["", f"{len(report.breaches)} missed their target; {len(report.unusual_days)} unusual days", saved_text(saved)]
    lines.append(effect_text(report.suggestions))
    return "\n".join([*lines, *MEANINGS])


def saved_text(saved: Saved) -> str:
    """Return what articles saved as a sentence."""
    if saved.median_hours is None:
        return "articles: no matched pair, so nothing is said of what they save"
    interval = "" if saved.low is None else f", 95 % interval of what was saved {saved.low:.1f} to {saved.high:.1f} h"
    direction = "sooner" if saved.median_hours >= 0 else "later, so nothing was saved,"
    return f"with an article resolved {abs(saved.median_hours):.1f} h {direction} in the median of {saved.n_pairs} matched pairs{interval}"


def shown(goal: Goal) -> str:
    """Return the value of a goal in its unit."""
    if goal.value is None:
        return "-"
    return f"{goal.value:.1f} h" if goal.unit == "hours" else f"{goal.value:.1%}"


def hours(value: float | None) -> str:
    """Return hours for people."""
    return "-" if value is None else f"{value:.1f}"


def percent(share: Share) -> str:
    """Return a share as a percentage, as a count where too few are known."""
    if share.value is None:
        return "-"
    return f"{share.n_yes}/{share.n}" if share.is_small else f"{share.value:.1%}"


def _plain(value: Any) -> Any:
    if isinstance(value, Share):
        low, high = value.interval
        return {"n": value.n, "n_yes": value.n_yes, "value": _plain(value.value), "low": _plain(low), "high": _plain(high)}
    if hasattr(value, "__slots__") and hasattr(value, "__dataclass_fields__"):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    return round(value, _DIGITS) if isinstance(value, float) else value


def _lines(report: KpiReport) -> Iterator[tuple[object, ...]]:
    whole = plain(report)
    yield from (("target", one["name"], part, one[part]) for one in whole["goals"] for part in ("value", "target", "standing"))
    figures = whole["figures"]
    for by, groups in figures.pop("groups").items():
        yield from (
            (by, one["name"], name, value) for one in groups for name, value in _leaves({"n": one["n"], **one}) if name != "name"
        )
    yield from (("all", report.source, name, value) for name, value in _leaves(figures))
    for title, key in (("saved by articles", "saved"), ("effect of suggestions", "suggestions")):
        yield from ((title, report.source, name, value) for name, value in _leaves(whole[key]))
    for section, key in (("breaches", "id"), ("unusual_days", "day"), ("category_mix", "category")):
        yield from ((section, one[key], name, value) for one in whole[section] for name, value in one.items() if name != key)


def _leaves(tree: dict[str, Any], above: str = "") -> Iterator[tuple[str, object]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def _cell(value: object) -> object:
    """Return the value with an apostrophe before a text that a spreadsheet would compute."""
    return f"'{value}" if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA_STARTS) else value

"""The key figures as one HTML file: no script, nothing loaded from elsewhere, every text escaped."""

import math
from collections.abc import Iterable, Sequence
from html import escape

from smarttriage.domain.kpi import Durations
from smarttriage.domain.kpi_targets import Standing
from smarttriage.services.backtest_charts import Line, bars, lines
from smarttriage.services.kpi_report import MEANINGS, KpiReport, hours, percent, saved_text, shown
from smarttriage.services.suggestion_effect import effect_text

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #1d2733; background: #fff }
h1 { font-size: 1.6rem } h2 { font-size: 1.25rem; margin-top: 2.5rem } h3 { font-size: 1rem }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .85rem } .wide { overflow-x: auto }
th, td { padding: .2rem .6rem; text-align: right; border-bottom: 1px solid #dde3ea } th:first-child, td:first-child { text-align: left }
svg { width: 100%; height: auto } svg text { font: 11px system-ui, sans-serif; fill: #4a5866 } .note { color: #4a5866 }
.goals { display: grid; grid-template-columns: repeat(auto-fill, minmax(12rem, 1fr)); gap: .8rem }
.goal { border: 1px solid #dde3ea; border-left: .4rem solid #7f7f7f; border-radius: .3rem; padding: .5rem .8rem }
.goal b { display: block; font-size: 1.4rem } .met { border-left-color: #009e73 } .missed { border-left-color: #d55e00 }
"""
_SHOWN_GROUPS, _SHOWN_BREACHES, _SHOWN_DAYS, _DRAWN_CATEGORIES = 15, 50, 30, 4
_MONTH_DRAWN_FROM = 20
_WORDS = {Standing.MET: "✓ met", Standing.MISSED: "✗ missed", Standing.UNKNOWN: "not recorded"}


def page(report: KpiReport) -> str:
    """Return the whole page."""
    figures = report.figures
    title = f"Service desk figures of {escape(report.source)}"
    body = [
        f"<h1>{title}</h1>",
        f"<p>{figures.n:,} incidents, {figures.n_resolved:,} resolved, {figures.backlog.n:,} open as of {report.now:%Y-%m-%d %H:%M} UTC.</p>",
        _goals(report),
        *(f'<p class="note">{escape(text)}</p>' for text in MEANINGS),
        *_volume(report),
        *_times(report),
        *_groups(report),
        *_unusual(report),
        *_breaches(report),
    ]
    head = (
        f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title><style>{_STYLE}</style>'
    )
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n' + "\n".join(body) + "\n</body></html>\n"


def _goals(report: KpiReport) -> str:
    tiles = (
        f'<div class="goal {one.standing}">{escape(one.name)}<b>{shown(one)}</b>target {escape(one.target)}: '
        f"{_WORDS[one.standing]}<br>n = {one.n:,}</div>"
        for one in report.goals
    )
    return f'<div class="goals">{"".join(tiles)}</div>'


def _volume(report: KpiReport) -> list[str]:
    months = list(report.figures.opened_by_month)
    if not months:
        return []
    counts = [float(n) for n in report.figures.opened_by_month.values()]
    parts = ["<h2>Volume and mix</h2>", bars(months, counts, title="Incidents reported by month", unit="incidents")]
    mix: dict[str, dict[str, float]] = {}
    for one in report.category_mix:
        mix.setdefault(one.category, {})[one.month] = one.share
    # The first days of a month say little of it; a share of three incidents would fill the chart.
    known = [month if n >= _MONTH_DRAWN_FROM else "" for month, n in report.figures.opened_by_month.items()]
    drawn = [Line(name, [shares.get(month) for month in known]) for name, shares in list(mix.items())[:_DRAWN_CATEGORIES]]
    if drawn:
        highest = max((value for line in drawn for value in line.values if value is not None), default=1.0)
        # Whole steps of 20 %, so that the quarters on the axis are round and the lines use the height.
        top = min(1.0, max(0.2, math.ceil(highest * 5) / 5))
        parts.append(lines(months, drawn, band=None, title="Largest categories: share of the month's incidents", top=top))
    return parts


def _times(report: KpiReport) -> list[str]:
    figures = report.figures
    rows = [
        ("noticed to reported", *_durations(figures.time_to_detect)),
        ("reported to resolved", *_durations(figures.time_to_resolve)),
        ("age of the backlog", *_durations(figures.backlog.age)),
    ]
    shares = {
        "kept its target": figures.met_sla,
        "resolved at first contact": figures.first_contact,
        "reassigned": figures.reassigned,
        "reopened": figures.reopened,
        "reopened in 30 days": figures.reopened_soon,
        "same problem again in 30 days": figures.recurred,
        "solved with an article": figures.used_article,
    }
    counted = [
        (name, percent(one), f"{one.interval[0]:.1%} to {one.interval[1]:.1%}" if one.n else "-", f"{one.n:,}")
        for name, one in shares.items()
    ]
    return [
        "<h2>Times and shares</h2>",
        _table(("hours", "n", "mean", "median", "p90"), rows),
        "<p></p>",
        _table(("share", "value", "95 % interval", "known of"), counted),
        f"<p>{_sentence(saved_text(report.saved))}; {report.saved.n_unmatched:,} found no partner.</p>",
        f"<p>{_sentence(effect_text(report.suggestions))}.</p>",
    ]


def _sentence(text: str) -> str:
    return escape(text[:1].upper() + text[1:])


def _groups(report: KpiReport) -> list[str]:
    parts = []
    for by, groups in report.figures.groups.items():
        rows = [
            (one.name, *_durations(one.time_to_resolve), percent(one.met_sla), f"{one.n:,}") for one in groups[:_SHOWN_GROUPS]
        ]
        if rows:
            more = f" (largest {len(rows)} of {len(groups)})" if len(groups) > len(rows) else ""
            parts.append(f"<h2>By {by}{more}</h2>")
            parts.append(_table((str(by), "resolved", "mean h", "median h", "p90 h", "SLA kept", "incidents"), rows))
    return parts


def _unusual(report: KpiReport) -> list[str]:
    rows = [(f"{one.day:%a %Y-%m-%d}", str(one.n), f"{one.usual:.0f}", f"±{one.limit:.0f}") for one in report.unusual_days]
    note = "Beyond three robust deviations of the same weekday in the eight weeks before."
    return [
        f"<h2>Unusual days: {len(rows)}</h2>",
        f"<p>{note}</p>",
        _table(("day", "incidents", "usual", "limit"), rows[-_SHOWN_DAYS:]),
    ]


def _breaches(report: KpiReport) -> list[str]:
    rows = [
        (one.id, one.priority or "-", one.group or "-", f"{one.opened_at:%Y-%m-%d %H:%M}", hours(one.hours_late))
        for one in report.breaches[:_SHOWN_BREACHES]
    ]
    more = f", the newest {len(rows)}" if len(report.breaches) > len(rows) else ""
    head = ("incident", "priority", "group", "reported", "hours late")
    return [f"<h2>Missed targets: {len(report.breaches):,}{more}</h2>", _table(head, rows)]


def _durations(times: Durations) -> tuple[str, ...]:
    return (f"{times.n:,}", hours(times.mean), hours(times.median), hours(times.p90))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    names = "".join(f"<th>{escape(name)}</th>" for name in head)
    lines_of = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table><tr>{names}</tr>{lines_of}</table></div>'

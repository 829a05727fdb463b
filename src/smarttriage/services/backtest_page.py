"""The report of a backtest as one HTML file: no script, nothing loaded from elsewhere, every text escaped."""

from collections.abc import Callable, Iterable, Sequence
from html import escape

from smarttriage.services.backtest_charts import Band, Line, bars, lines
from smarttriage.services.backtest_forecast import INTERVAL, Comparison, Estimate, Forecast
from smarttriage.services.backtest_report import Report
from smarttriage.services.backtest_scores import Month, ResolutionFigures, TargetFigures

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #1d2733; background: #fff }
h1 { font-size: 1.6rem } h2 { font-size: 1.25rem; margin-top: 2.5rem } h3 { font-size: 1rem; margin-top: 1.5rem }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .85rem } .wide { overflow-x: auto }
th, td { padding: .2rem .6rem; text-align: right; border-bottom: 1px solid #dde3ea } th:first-child, td:first-child { text-align: left; white-space: nowrap }
svg { width: 100%; height: auto } svg text { font: 11px system-ui, sans-serif; fill: #4a5866 } .note { color: #4a5866 }
"""
_SHOWN_PROBLEMS = 50


def page(report: Report) -> str:
    """Return the whole page."""
    about = report.about
    title = f"Backtest of {escape(str(about['source']))}"
    body = [
        f"<h1>{title}</h1>",
        f"<p>{about['n']} incidents from {escape(str(about['first']))} to {escape(str(about['last']))}, {len(report.months)} months; "
        f"{about['n_left_out']} rows left out, {about['n_repeats']} repeats of an earlier incident. Trained {about['retrain']}, "
        f"thresholds for a precision of {about['target_precision']:.0%}.</p>",
        "<h2>What is assumed</h2>",
        _list(report.assumptions),
        *(section for target in report.totals for section in _target(report, target)),
        *_resolutions(report),
        *_fits(report),
        *_problems(report),
    ]
    head = (
        f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title><style>{_STYLE}</style>'
    )
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n' + "\n".join(body) + "\n</body></html>\n"


_LINES: tuple[tuple[str, Callable[[TargetFigures], float | None]], ...] = (
    ("accuracy", lambda figures: figures.accuracy),
    ("coverage", lambda figures: figures.coverage if figures.n_answered else None),
    ("precision", lambda figures: figures.precision),
    ("commonest label so far", lambda figures: figures.majority_accuracy),
)


def _target(report: Report, target: str) -> list[str]:
    forecast = report.forecasts.get(target)
    months = [month.month for month in report.months]
    parts = [f"<h2>{escape(target)}</h2>", f"<p>{_summary(report.totals[target])}</p>"]
    drawn = [Line(name, [value(month.targets[target]) for month in report.months]) for name, value in _LINES]
    parts.append(lines(months, drawn, band=_band(forecast, "precision", months), title=f"{target}: shares by month"))
    saved = [month.targets[target].minutes_saved for month in report.months]
    parts.append(bars(months, saved, title=f"{target}: minutes saved by month"))
    parts.append(
        _table(("month", *(name for name, _ in _COLUMNS), "new labels"), (_month_row(month, target) for month in report.months))
    )
    return parts + (_forecast(forecast) if forecast else [])


def _summary(figures: TargetFigures) -> str:
    return (
        f"{figures.n_answered} of {figures.n} incidents were answered, {share(figures.accuracy)} of them right "
        f"(always the commonest label so far: {share(figures.majority_accuracy)}; without repeats {share(figures.accuracy_fresh)}). "
        f"{share(figures.coverage)} would have been filled in, {share(figures.precision)} of those right: "
        f"{figures.minutes_saved / 60:.1f} hours saved as assumed above."
    )


_COLUMNS: tuple[tuple[str, Callable[[TargetFigures], str]], ...] = (
    ("n", lambda figures: str(figures.n)),
    ("accuracy", lambda figures: share(figures.accuracy)),
    ("macro-F1", lambda figures: number(figures.macro_f1)),
    ("coverage", lambda figures: share(figures.coverage)),
    ("precision", lambda figures: share(figures.precision)),
    ("min saved", lambda figures: f"{figures.minutes_saved:.0f}"),
    ("without repeats", lambda figures: share(figures.accuracy_fresh)),
    ("commonest so far", lambda figures: share(figures.majority_accuracy)),
    ("commonest last", lambda figures: share(figures.recent_accuracy)),
    ("nearest right", lambda figures: f"{share(figures.near_right)} of {figures.n_near}"),
)


def _month_row(month: Month, target: str) -> list[str]:
    figures = month.targets[target]
    fresh = ", ".join(f"{label} ({n})" for label, n in figures.new_labels.items())
    name = month.month if figures.n_answered or not figures.n else f"{month.month} (no model yet)"
    return [name, *(cell(figures) for _, cell in _COLUMNS), fresh]


def _forecast(forecast: Forecast) -> list[str]:
    header = ("per month", "forecast", f"range ({INTERVAL:.0%})", "came", "came minus forecast", "mean error", "months inside")
    return [
        f"<h3>Forecast made before {escape(forecast.from_month)} from the months walked until then, and what came</h3>",
        f"<p>{_RANGES}</p>",
        _table(header, (comparison_row(name, one) for name, one in forecast.compared.items())),
        f"<p>{_PROMISED} {escape(promised_line(forecast))}</p>",
        "<h3>The next month forecast from the months before it, again and again</h3>",
        _table(("figure", "months", "mean error", "mean width", "months inside"), track_rows(forecast)),
        "<h3>Outlook: a month after this file</h3>",
        _table(("figure", "forecast", f"range ({INTERVAL:.0%})", "for so many rows"), outlook_rows(forecast)),
    ]


_RANGES = (
    "The range is for a month as large as the last six were; a month counts as inside if it is in the range for its own size. It is "
    "taken from how far off the same forecast was at every earlier month."
)
_PROMISED = "What the rows that the last fit held out said is no forecast, because they come from the same months as those it was fitted on:"


def comparison_row(quantity: str, one: Comparison) -> list[str]:
    """Return the cells of a forecast beside what came."""
    form = _form(quantity)
    shown = [form(value) for value in (one.actual, one.bias, one.absolute_error)]
    return [
        _named(quantity),
        form(one.forecast.value),
        span(quantity, one.forecast),
        *shown,
        f"{one.inside:.0%} of {one.n_months}",
    ]


def track_rows(forecast: Forecast) -> list[list[str]]:
    """Return the cells of each quantity's renewed forecasts."""
    return [
        [_named(name), str(one.n_months), _form(name)(one.absolute_error), _form(name)(one.width), f"{one.inside:.0%}"]
        for name, one in forecast.renewed.items()
    ]


def outlook_rows(forecast: Forecast) -> list[list[str]]:
    """Return the cells of each quantity's forecast for the months behind the file."""
    return [[_named(name), _form(name)(one.value), span(name, one), f"{one.n:.0f}"] for name, one in forecast.outlook.items()]


def promised_line(forecast: Forecast) -> str:
    """Return what held-out rows said, in words."""
    return ", ".join(f"{_named(name)} {_form(name)(value)}" for name, value in forecast.promised.items()) or "nothing"


def span(quantity: str, estimate: Estimate) -> str:
    """Return the range of a forecast in words."""
    return f"{_form(quantity)(estimate.low)} to {_form(quantity)(estimate.high)}"


def _form(quantity: str) -> Callable[[float], str]:
    return number if quantity.startswith("minutes") else share


def _named(quantity: str) -> str:
    return quantity.replace("_", " ")


def _band(forecast: Forecast | None, quantity: str, months: Sequence[str]) -> Band | None:
    made = forecast.compared.get(quantity) if forecast else None
    if forecast is None or made is None:
        return None
    return Band(f"{quantity} as forecast", months.index(forecast.from_month), made.forecast.low, made.forecast.high)


def _resolutions(report: Report) -> list[str]:
    if report.resolutions is None:
        return []
    header = ("month", "n", "found", "five latest", "n that say what was done", "found", "five latest")
    rows = [_resolution_row("all", report.resolutions)]
    rows += [_resolution_row(month.month, month.resolutions) for month in report.months if month.resolutions]
    note = (
        "Share of incidents whose five nearest earlier resolved ones hold a resolution in nearly the same words, beside the same "
        "share for the five latest resolutions whatever they are about."
    )
    return ["<h2>Earlier resolutions</h2>", f"<p>{note}</p>", _table(header, rows)]


def _resolution_row(name: str, one: ResolutionFigures) -> list[str]:
    everything = [str(one.n), share(one.found), share(one.latest)]
    return [name, *everything, str(one.n_telling), share(one.found_telling), share(one.latest_telling)]


def _fits(report: Report) -> list[str]:
    rows = [
        [
            fit["step"],
            target,
            str(facts["n"]),
            str(facts["n_labels"]),
            share(facts["accuracy"]),
            share(facts["coverage"]),
            facts["recipe"],
        ]
        for fit in report.fits
        for target, facts in fit["targets"].items()
    ]
    header = ("before", "target", "rows", "labels", "held-out accuracy", "coverage", "recipe")
    return ["<h2>Fits</h2>", _table(header, rows)]


def _problems(report: Report) -> list[str]:
    told = [f"line {line}: {why}" for line, why in (*report.left_out, *report.corrected)]
    if report.tied_lines:
        lines_shown = ", ".join(map(str, report.tied_lines[:_SHOWN_PROBLEMS]))
        told.insert(0, f"{len(report.tied_lines)} rows share their instant with another; the first lines: {lines_shown}")
    if not told:
        return []
    more = [f"and {len(told) - _SHOWN_PROBLEMS} more; report.json lists them all"] if len(told) > _SHOWN_PROBLEMS else []
    return ["<h2>Rows left out, corrected or at one instant</h2>", _list([*told[:_SHOWN_PROBLEMS], *more])]


def _list(items: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def share(value: float | None) -> str:
    """Return a share in percent, a dash for none."""
    return "–" if value is None else f"{value:.1%}"


def number(value: float | None) -> str:
    """Return a number with two digits, a dash for none."""
    return "–" if value is None else f"{value:.2f}"

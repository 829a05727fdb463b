"""The report of a backtest as tables on the terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from smarttriage.services.backtest_forecast import Forecast
from smarttriage.services.backtest_page import comparison_row, number, outlook_rows, promised_line, share, track_rows
from smarttriage.services.backtest_report import Report
from smarttriage.services.backtest_scores import Month, ResolutionFigures

# A pipe has no width of its own; a month's row needs this much.
_WIDTH_OF_A_PIPE = 130


def show(report: Report) -> None:
    """Print the report to stdout."""
    console = Console() if Console().is_terminal else Console(width=_WIDTH_OF_A_PIPE)
    about = report.about
    console.print(
        f"{about['n']} incidents, {about['first']} to {about['last']}, {about['n_left_out']} rows left out, "
        f"{about['n_repeats']} repeats, {len(report.fits)} fits",
        highlight=False,
    )
    for assumption in report.assumptions:
        console.print(f"- {escape(assumption)}", highlight=False)
    for target in report.totals:
        console.print(_months(report, target))
        if target in report.forecasts:
            _forecasts(console, target, report.forecasts[target])
    if report.resolutions:
        console.print(_resolutions(report.resolutions))
    for target, why in report.months[-1].refused.items():
        console.print(f"{escape(target)} was not trained in the last month: {escape(why)}", highlight=False)


def _months(report: Report, target: str) -> Table:
    names = (
        "month",
        "n",
        "accuracy",
        "macro-F1",
        "coverage",
        "precision",
        "min saved",
        "no repeats",
        "commonest",
        "nearest right",
        "new labels",
    )
    table = _table(f"{target} by month", names)
    everything = Month("all", int(report.about["n"]), 0, (), {}, report.totals, None)
    for month in (*report.months, everything):
        figures = month.targets[target]
        table.add_row(
            month.month,
            str(figures.n),
            share(figures.accuracy),
            number(figures.macro_f1),
            share(figures.coverage),
            share(figures.precision),
            f"{figures.minutes_saved:.0f}",
            share(figures.accuracy_fresh),
            share(figures.majority_accuracy),
            share(figures.near_right),
            str(len(figures.new_labels) or ""),
        )
    return table


def _forecasts(console: Console, target: str, forecast: Forecast) -> None:
    title = f"{target}: forecast made before {forecast.from_month} from the months walked until then, and what came"
    names = ("figure", "forecast", "range (90 %)", "came", "came - forecast", "mean error", "months inside")
    console.print(_filled(title, names, [comparison_row(name, one) for name, one in forecast.compared.items()]))
    console.print(f"Held-out rows of the last fit said, which is no forecast: {promised_line(forecast)}", highlight=False)
    renewed = f"{target}: the next month forecast, again and again"
    console.print(_filled(renewed, ("figure", "months", "mean error", "mean width", "inside"), track_rows(forecast)))
    outlook = f"{target}: outlook, a month after this file"
    console.print(_filled(outlook, ("figure", "forecast", "range (90 %)", "for so many rows"), outlook_rows(forecast)))


def _filled(title: str, names: tuple[str, ...], rows: Sequence[Sequence[str]]) -> Table:
    table = _table(title, names)
    for row in rows:
        table.add_row(*row)
    return table


def _resolutions(one: ResolutionFigures) -> Table:
    table = _table("earlier resolutions: a near-identical one among the five nearest", ("incidents", "n", "found", "five latest"))
    table.add_row("all with a resolution", str(one.n), share(one.found), share(one.latest))
    table.add_row("whose resolution says what was done", str(one.n_telling), share(one.found_telling), share(one.latest_telling))
    return table


def _table(title: str, names: tuple[str, ...]) -> Table:
    table = Table(title=escape(title), title_justify="left")
    for place, name in enumerate(names):
        table.add_column(name, justify="right" if place else "left")
    return table

"""The report of a backtest as tables on the terminal."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from smarttriage.services.backtest_forecast import Comparison, Forecast
from smarttriage.services.backtest_page import number, share
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
            console.print(_forecast(target, report.forecasts[target]))
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


def _forecast(target: str, forecast: Forecast) -> Table:
    title = f"{target}: forecast made before {forecast.from_month}, and what came, per month"
    table = _table(title, ("figure", "forecast", "range (90 %)", "came", "came - forecast", "mean error", "months inside"))
    for source, found in (("held-out rows", forecast.held_out), ("months walked", forecast.walked)):
        for quantity, one in found.items():
            table.add_row(f"{quantity.replace('_', ' ')}, {source}", *_compared(quantity, one))
    return table


def _compared(quantity: str, one: Comparison) -> list[str]:
    form = number if quantity == "minutes_saved" else share
    span = f"{form(one.forecast.low)} to {form(one.forecast.high)}"
    values = [form(value) for value in (one.actual, one.bias, one.absolute_error)]
    return [form(one.forecast.value), span, *values, f"{one.inside:.0%} of {one.n_months}"]


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

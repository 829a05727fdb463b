"""`smarttriage backtest`: what it would have done with your own past, before it goes live."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smarttriage.cli.progress import progress_bars
from smarttriage.cli.train import show_progress
from smarttriage.services.backtest_plan import Plan, Retrain

if TYPE_CHECKING:
    from smarttriage.bootstrap.backtest import Backtested

_SHOWN_PROBLEMS = 20


def backtest(
    file: Annotated[Path, typer.Argument(help="CSV, JSON Lines or Parquet; .gz is read too.")],
    *,
    time_column: Annotated[str | None, typer.Option(help="Column with the time at which an incident was reported.")] = None,
    text_column: Annotated[
        list[str] | None, typer.Option(help="Column with the text. Of several the first is the title.")
    ] = None,
    target: Annotated[list[str] | None, typer.Option(help="What to predict: a column, or a field that --map names.")] = None,
    columns: Annotated[
        list[str] | None, typer.Option("--map", help="our_field=their_column, as for import incidents. Repeat.")
    ] = None,
    known_at_column: Annotated[str | None, typer.Option(help="When the labels were settled, for example resolved_at.")] = None,
    resolution_column: Annotated[str | None, typer.Option(help="What fixed it: measures what earlier resolutions offer.")] = None,
    retrain: Annotated[Retrain, typer.Option(help="How often a model may be trained.")] = Retrain.MONTHLY,
    min_growth: Annotated[
        float | None,
        typer.Option(
            help="Train only once this share of further rows is known; 0 trains each time. Default: 0 up to 8,000 known rows, 0.1 beyond.",
            min=0,
            max=10,
        ),
    ] = None,
    thorough: Annotated[bool, typer.Option(help="Let every fit choose its recipe anew, as train does. Slow.")] = False,
    target_precision: Annotated[
        float, typer.Option(help="Precision that a label must reach to be filled in.", min=0.5, max=0.999)
    ] = 0.9,
    minutes_per_ticket: Annotated[float, typer.Option(help="Assumed minutes saved by a field filled in right.", min=0)] = 1.0,
    minutes_to_undo: Annotated[
        float | None, typer.Option(help="Assumed minutes lost by a field filled in wrong; default: twice those saved.", min=0)
    ] = None,
    time_zone: Annotated[str, typer.Option(help="IANA name; for months, and for times that name no offset.")] = "UTC",
    time_format: Annotated[str | None, typer.Option(help="strptime format where times are not recognised.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for report.json, report.html and what --resume needs.")] = None,
    cache: Annotated[Path | None, typer.Option(help="Folder that keeps vectors; default: inside --out.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the steps that are finished in --out.")] = False,
    seed: Annotated[int, typer.Option(help="Same rows and seed, same report.", min=0)] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Walk your own incidents in the order of time, training as it would have, and report what would have been right."""
    from smarttriage.bootstrap.backtest import BacktestRequest
    from smarttriage.bootstrap.backtest import backtest as walk
    from smarttriage.domain.effort import Effort
    from smarttriage.services.backtest_history import Columns

    undo = 2 * minutes_per_ticket if minutes_to_undo is None else minutes_to_undo
    request = BacktestRequest(
        file=file,
        columns=Columns.chosen(
            pairs=columns or [],
            time=time_column,
            texts=text_column or [],
            targets=target or [],
            known_at=known_at_column,
            resolution=resolution_column,
        ),
        zone=time_zone,
        time_format=time_format,
        plan=Plan(retrain=retrain, min_growth=min_growth, choose_each_time=thorough, seed=seed),
        target_precision=target_precision,
        effort=Effort(minutes_per_ticket, undo),
        out=out,
        cache=cache,
        resume=resume,
    )
    with progress_bars(["encode", "walk"], plain=show_step) as progress:
        done = walk(request, progress=progress)
    _finish(done, out, as_json=as_json)


def show_step(step: str, done: int, total: int) -> None:
    """Write one line of progress."""
    if step.startswith("walk"):
        sys.stderr.write(f"{step}: {done} of {total} rows\n")
    else:
        show_progress(step, done, total)


def _finish(done: "Backtested", out: Path | None, *, as_json: bool) -> None:
    report = done.report
    for line, why in (*report.left_out, *report.corrected)[:_SHOWN_PROBLEMS]:
        sys.stderr.write(f"line {line}: {why}\n")
    if (more := len(report.left_out) + len(report.corrected) - _SHOWN_PROBLEMS) > 0:
        sys.stderr.write(f"and {more} more rows left out or corrected; the JSON report lists them all\n")
    if report.tied_lines:
        shown = ", ".join(map(str, report.tied_lines[:_SHOWN_PROBLEMS]))
        sys.stderr.write(f"{len(report.tied_lines)} rows share their instant with another: lines {shown}\n")
    spent = ", ".join(f"{name.replace('_', ' ')} {seconds:.0f} s" for name, seconds in done.seconds.items())
    sys.stderr.write(f"{spent}\n")
    if as_json:
        typer.echo(json.dumps(report.as_json(), ensure_ascii=False))
        return
    from smarttriage.cli.backtest_tables import show

    show(report)
    if out:
        typer.echo(f"{out / 'report.html'}, {out / 'report.json'}")

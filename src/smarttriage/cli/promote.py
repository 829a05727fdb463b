"""`smarttriage promote` and `smarttriage rollback`: which model serves."""

import getpass
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smarttriage.cli.importing import DataDir
from smarttriage.cli.train import show_problem, show_progress
from smarttriage.domain.errors import GateRefused
from smarttriage.services.promotion import Verdict
from smarttriage.services.promotion_checks import Check, GateRules

if TYPE_CHECKING:
    from smarttriage.bootstrap.promotion import Promotion
    from smarttriage.config import Settings

DEFAULTS = GateRules()
AsJson = Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")]
STARTER = "the shipped starter"


def promote(
    *,
    model: Annotated[str, typer.Option(help="Folder of the bundle, or a version of the data folder.")],
    data: Annotated[list[Path] | None, typer.Option(help="Labelled rows; default: the store's reviewed incidents.")] = None,
    target: Annotated[list[str] | None, typer.Option(help="Column with the right label; default: the model's targets.")] = None,
    text_column: Annotated[
        list[str] | None, typer.Option(help="Column with the text. Of several the first is the title.")
    ] = None,
    data_dir: DataDir = None,
    margin: Annotated[float, typer.Option(help="How much lower accuracy may be.", min=0.001, max=0.5)] = DEFAULTS.margin,
    class_margin: Annotated[
        float, typer.Option(help="How much lower the recall of a label may be.", min=0.001, max=0.5)
    ] = DEFAULTS.class_margin,
    confidence: Annotated[float, typer.Option(help="Of each bound.", min=0.5, max=0.999)] = DEFAULTS.confidence,
    drop: Annotated[list[str] | None, typer.Option(help="A TARGET or TARGET=LABEL that may go. Repeat for more.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Promote whatever the gate says; needs --reason.")] = False,
    reason: Annotated[str, typer.Option(help="Why; kept in the history.")] = "",
    as_json: AsJson = False,
) -> None:
    """Make a model the current one if unseen rows show that it is no worse; exit 3 with the figures if not."""
    from smarttriage.bootstrap import promotion

    request = promotion.Request(
        model=model,
        files=data or [],
        targets=target or [],
        text_columns=text_column or [],
        given_up=drop or [],
        force=force,
        reason=reason,
    )
    rules = GateRules(margin=margin, class_margin=class_margin, confidence=confidence)
    done = promotion.promote(
        request, settings=data_settings(data_dir), by=user(), rules=rules, progress=show_progress, on_problem=show_problem
    )
    typer.echo(json.dumps(_plain(done), ensure_ascii=False) if as_json else "\n".join(_lines(done)))
    if not done.promoted:
        failed = [check for check in done.verdict.checks if not check.passed] if done.verdict else []
        first = f"{failed[0].target}, {failed[0].measure}: {failed[0].because}" if failed else "there was nothing to compare"
        more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        raise GateRefused(f"{done.version} is not promoted, {done.previous or STARTER} keeps serving: {first}{more}")


def rollback(
    *,
    data_dir: DataDir = None,
    reason: Annotated[str, typer.Option(help="Why; kept in the history.")] = "",
    as_json: AsJson = False,
) -> None:
    """Make the version current again that was so before; running servers follow within seconds."""
    from smarttriage.bootstrap.promotion import roll_back

    version, replaced = roll_back(settings=data_settings(data_dir), by=user(), reason=reason)
    if as_json:
        typer.echo(json.dumps({"version": version, "replaced": replaced}))
    else:
        typer.echo(f"{version or STARTER} is current again instead of {replaced or STARTER}")


def data_settings(data_dir: Path | None) -> "Settings":
    """Return the settings over that data folder, by default the configured one."""
    from smarttriage.config import Settings

    return Settings() if data_dir is None else Settings(data_dir=data_dir)


def user() -> str:
    """Return who runs the command."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return f"uid {os.getuid()}"


def _plain(done: "Promotion") -> dict[str, object]:
    verdict = done.verdict.as_json() if done.verdict else None
    return {"version": done.version, "previous": done.previous, "promoted": done.promoted, "verdict": verdict}


def _lines(done: "Promotion") -> list[str]:
    lines = _table(done.verdict) if done.verdict else []
    if done.promoted:
        lines.append(f"{done.version} is current now instead of {done.previous or STARTER}")
    return lines


def _table(verdict: Verdict) -> list[str]:
    lines = [f"{verdict.n_rows} rows new to both models ({verdict.n_seen} trained on, {verdict.n_repeated} repeated: left out)"]
    lines += [f"note: {note}" for note in verdict.notes]
    lines.append(f"{'target: measure':<44}{'rows':>6}{'current':>9}{'candidate':>11}{'change':>9}{'at least':>10}")
    return lines + [_row(check) for check in verdict.checks]


def _row(check: Check) -> str:
    name = f"{check.target}: {check.measure}"
    figures = f"{_figure(check.current):>9}{_figure(check.candidate):>11}{_figure(check.difference, '+'):>9}{_figure(check.lower, '+'):>10}"
    return f"{name:<44}{check.n:>6}{figures}  {'ok' if check.passed else 'REFUSED: ' + check.because}"


def _figure(value: float | None, sign: str = "") -> str:
    return "-" if value is None else f"{value:{sign}.3f}"

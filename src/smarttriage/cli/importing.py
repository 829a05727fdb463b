"""`smarttriage import`: articles and past incidents into the store."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smarttriage.services.importing import ImportReport

if TYPE_CHECKING:
    from smarttriage.services.cmdb_importing import CmdbReport

app = typer.Typer(
    no_args_is_help=True, help="Load articles and past incidents. Safe to repeat: what is there already is not imported twice."
)

DataDir = Annotated[Path | None, typer.Option(help="Store, indexes and models; made if it is not there.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the report as JSON.")]
Columns = Annotated[list[str] | None, typer.Option("--map", help="our_field=their_column. Repeat; default: our own names.")]
SHOWN_PROBLEMS = 20


@app.command()
def articles(
    path: Annotated[Path, typer.Argument(help="A folder of .md files, an .md file or a .jsonl(.gz) file.")],
    data_dir: DataDir = None,
    accept_warnings: Annotated[
        bool, typer.Option("--accept-warnings", help="Publish those too that look stuffed with words to be found by.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Load knowledge-base articles; they are published at once, but for those that look written to be found rather than read."""
    from smarttriage.bootstrap.importing import import_articles

    report = import_articles(path, data_dir=data_dir, progress=_progress, accept_warnings=accept_warnings)
    _finish(report, as_json=as_json, held=[{"id": id_, "seen": seen} for id_, seen in report.held])
    if report.held and not as_json:
        typer.echo(f"{len(report.held)} held for review instead of published; --accept-warnings publishes them too")
        for id_, seen in report.held[:SHOWN_PROBLEMS]:
            typer.echo(f"held {id_}: {seen}")


@app.command()
def incidents(
    path: Annotated[Path, typer.Argument(help="A CSV, JSON Lines or Parquet file; .gz is read too.")],
    columns: Annotated[list[str], typer.Option("--map", help="our_field=their_column, for example description=text. Repeat.")],
    source: Annotated[str | None, typer.Option(help="Name of the source system; default: the file's name.")] = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Load past incidents; their labels count as decided by people."""
    from smarttriage.bootstrap.importing import import_incidents

    _finish(import_incidents(path, columns=columns, source=source, data_dir=data_dir, progress=_progress), as_json=as_json)


@app.command()
def cmdb(
    path: Annotated[
        Path, typer.Argument(help="A .json document of items (and changes), or a table: .csv, .tsv, .jsonl, .parquet; .gz too.")
    ],
    columns: Columns = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Load services, configuration items and what needs what; what is there already is updated."""
    from smarttriage.bootstrap.cmdb import import_items

    _finish_cmdb(import_items(path, columns=columns or [], data_dir=data_dir, progress=_progress), as_json=as_json)


@app.command()
def changes(
    path: Annotated[Path, typer.Argument(help="The same kinds of file, with the fields id, item_id, at and what.")],
    columns: Columns = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Load changes that were made to configuration items."""
    from smarttriage.bootstrap.cmdb import import_changes

    _finish_cmdb(import_changes(path, columns=columns or [], data_dir=data_dir, progress=_progress), as_json=as_json)


def _progress(report: ImportReport) -> None:
    end = "\r" if sys.stderr.isatty() else "\n"
    sys.stderr.write(
        f"{report.read} read: {report.added} new, {report.present} there already, {len(report.skipped)} skipped{end}"
    )


def _finish_cmdb(reports: "list[CmdbReport]", *, as_json: bool) -> None:
    for report in reports:
        left_out = report.relations_left_out
        _finish(report, as_json=as_json, relations_left_out=[{"place": place, "reason": reason} for place, reason in left_out])
        if not as_json:
            for place, reason in left_out[:SHOWN_PROBLEMS]:
                typer.echo(f"relation left out {place}: {reason}")


def _finish(report: ImportReport, *, as_json: bool, **more: object) -> None:
    if as_json:
        result = {"added": report.added, "updated": report.updated, "present": report.present}
        skipped = [{"place": place, "reason": reason} for place, reason in report.skipped]
        typer.echo(
            json.dumps({**result, "skipped": skipped, "unknown_labels": report.unknown_labels, **more}, ensure_ascii=False)
        )
        return
    typer.echo(f"{report.added} new, {report.updated} updated, {report.present} there already, {len(report.skipped)} skipped")
    for place, reason in report.skipped[:SHOWN_PROBLEMS]:
        typer.echo(f"skipped {place}: {reason}")
    if len(report.skipped) > SHOWN_PROBLEMS:
        typer.echo(f"and {len(report.skipped) - SHOWN_PROBLEMS} more; --json lists them all")
    for key, n in sorted(report.unknown_labels.items()):
        target, label = key.split("=", 1)
        typer.echo(f'{target} "{label}" is not in the taxonomy ({n} rows); kept as source_{target}')

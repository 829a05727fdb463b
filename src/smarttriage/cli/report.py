"""`smarttriage report`: what a model gets right and wrong, the desk's key figures, and what the knowledge base lacks."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from smarttriage.cli.train import show_problem, show_progress

app = typer.Typer(no_args_is_help=True, help="Write reports that open in a browser, offline.")


@app.callback()
def report() -> None:
    """Write reports that open in a browser, offline."""


@app.command()
def model(
    *,
    model: Annotated[Path, typer.Option(help="Folder of the bundle.")],
    out: Annotated[Path, typer.Option(help="The page to write, outside of the bundle.")],
    data: Annotated[list[Path] | None, typer.Option(help="Labelled rows; default: the report that the training wrote.")] = None,
    target: Annotated[list[str] | None, typer.Option(help="Column with the right label; default: the model's targets.")] = None,
    text_column: Annotated[
        list[str] | None, typer.Option(help="Column with the text. Of several the first is the title.")
    ] = None,
    learning_curve: Annotated[bool, typer.Option("--learning-curve", help="Add one; costs five quick fits a target.")] = False,
) -> None:
    """Write the evaluation report of a model as one HTML file."""
    from smarttriage.bootstrap import reporting

    path = reporting.outside(model, out)
    if data:
        content = reporting.report_on(
            model,
            files=data,
            targets=target or [],
            text_columns=text_column or [],
            learning_curve=learning_curve,
            progress=show_progress,
            on_problem=show_problem,
        )
    else:
        content = reporting.kept_report(model)
    path.write_text(content, encoding="utf-8")
    typer.echo(str(path))


class KnowledgeFormat(StrEnum):
    """How the report on the knowledge base is written."""

    TABLE = "table"
    JSON = "json"


@app.command()
def knowledge(
    *,
    data_dir: Annotated[Path | None, typer.Option(help="Data folder whose store is read.")] = None,
    form: Annotated[KnowledgeFormat, typer.Option("--format", help="table or json.")] = KnowledgeFormat.TABLE,
    out: Annotated[Path | None, typer.Option(help="File to write; default: stdout.")] = None,
) -> None:
    """Write what the knowledge base lacks (the costliest topics first) and what is wrong with its articles."""
    from smarttriage.bootstrap import knowledge as base
    from smarttriage.services import knowledge_report

    write = {KnowledgeFormat.TABLE: knowledge_report.as_table, KnowledgeFormat.JSON: knowledge_report.as_json}[form]
    written = write(base.report_on_knowledge(data_dir=data_dir))
    if out is None:
        typer.echo(written)
    else:
        out.write_text(written, encoding="utf-8")
        typer.echo(str(out))


class Format(StrEnum):
    """How the key figures are written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    HTML = "html"


@app.command()
def kpi(
    *,
    data: Annotated[Path | None, typer.Option(help="An export (CSV, JSON Lines, Parquet); default: the store.")] = None,
    columns: Annotated[
        list[str] | None, typer.Option("--map", help="our_field=their_column, for example id=number. Repeat.")
    ] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Data folder whose store is read.")] = None,
    form: Annotated[Format, typer.Option("--format", help="table, json, csv or html.")] = Format.TABLE,
    out: Annotated[Path | None, typer.Option(help="File to write; default: stdout.")] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(help="The instant, UTC, that the age of open incidents ends at; default: the record's newest."),
    ] = None,
) -> None:
    """Write MTTD, MTTR, first contact, SLA, recurrence, backlog and trends beside their targets."""
    from smarttriage.bootstrap import insights
    from smarttriage.services import kpi_page, kpi_report

    if data is None:
        found = insights.report_on_store(data_dir=data_dir)
    else:
        now = as_of.replace(tzinfo=UTC) if as_of else None
        found = insights.report_on_file(data, columns=columns or [], now=now, on_problem=show_problem)
    write = {
        Format.TABLE: kpi_report.as_table,
        Format.JSON: kpi_report.as_json,
        Format.CSV: kpi_report.as_csv,
        Format.HTML: kpi_page.page,
    }[form]
    if out is None:
        typer.echo(write(found), nl=form is not Format.HTML)
    else:
        out.write_text(write(found), encoding="utf-8", newline="")
        typer.echo(str(out))

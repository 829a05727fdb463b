"""`smarttriage report`: what a model gets right and wrong, as one page."""

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

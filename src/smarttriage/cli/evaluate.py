"""`smarttriage evaluate`: what a model or a search is worth on labelled data."""

import json
from pathlib import Path
from typing import Annotated

import typer

from smarttriage.cli.evaluate_retrieval import retrieval
from smarttriage.cli.hierarchy import hierarchy_lines
from smarttriage.cli.train import show_problem, show_progress
from smarttriage.domain.tree import SEPARATOR, parse_tree_column

app = typer.Typer(no_args_is_help=True, help="Measure a classifier or the search on labelled data.")
app.command()(retrieval)


@app.callback()
def evaluate() -> None:
    """Measure on labelled data."""


@app.command()
def classifier(
    *,
    model: Annotated[Path, typer.Option(help="Folder of the bundle.")],
    data: Annotated[list[Path], typer.Option(help="CSV, JSON Lines or Parquet; .gz is read too. Repeat for more files.")],
    target: Annotated[str, typer.Option(help="Column with the right label.")],
    text_column: Annotated[list[str], typer.Option(help="Column with the text. Of several the first is the title.")],
    tree_column: Annotated[
        str | None, typer.Option(help="Column with whole paths, of which the target is the last level that counts.")
    ] = None,
    separator: Annotated[str, typer.Option(help="What stands between two levels of a path.")] = SEPARATOR,
    as_json: Annotated[bool, typer.Option("--json", help="Print the scores as JSON.")] = False,
) -> None:
    """Print the scores of one target of a bundle; of one that stands below others also those of the whole path."""
    from smarttriage.bootstrap.training import evaluate_bundle

    scores, hierarchy = evaluate_bundle(
        folder=model,
        files=data,
        target=target,
        text_columns=text_column,
        tree_column=parse_tree_column(tree_column, separator) if tree_column else None,
        progress=show_progress,
        on_problem=show_problem,
    )
    content = scores.as_json()
    if as_json:
        typer.echo(json.dumps({**content, **({"hierarchy": hierarchy.as_json()} if hierarchy else {})}, ensure_ascii=False))
        return
    for name, value in content.items():
        if not isinstance(value, dict):
            typer.echo(f"{name:<26}{value:.4f}" if isinstance(value, float) else f"{name:<26}{value}")
    for label, row in scores.per_class.items():
        typer.echo(f"  {label}: precision {row.precision:.3f}, recall {row.recall:.3f}, support {row.support}")
    for line in hierarchy_lines(hierarchy) if hierarchy else ():
        typer.echo(line)

"""`smarttriage evaluate retrieval`: what dense, lexical and hybrid search are worth on judged queries."""

import json
from pathlib import Path
from typing import Annotated

import typer

from smarttriage.cli.train import show_progress


def retrieval(
    *,
    corpus: Annotated[Path, typer.Option(help="JSON Lines with _id, title, text; .gz is read too.")],
    queries: Annotated[list[Path], typer.Option(help="JSON Lines with _id, text. Repeat for more files.")],
    qrels: Annotated[list[Path], typer.Option(help="TSV with query-id, corpus-id, score. Repeat for more files.")],
    exclude_self: Annotated[bool, typer.Option("--exclude-self", help="Queries are records: leave each out of its own.")] = False,
    cache: Annotated[Path | None, typer.Option(help="Folder that keeps vectors, so that the next run encodes less.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the scores as JSON.")] = False,
) -> None:
    """Print the scores of dense, lexical and hybrid search."""
    from smarttriage.bootstrap.retrieval import evaluate_search

    scores = evaluate_search(
        corpus=corpus, queries=queries, qrels=qrels, exclude_self=exclude_self, cache=cache, progress=show_progress
    )
    content = {name: side.as_json() for name, side in scores.items()}
    if as_json:
        typer.echo(json.dumps(content))
        return
    for name, side in content.items():
        typer.echo(f"{name:<10}" + "  ".join(f"{key} {value:.4g}" for key, value in side.items()))

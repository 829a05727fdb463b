"""`smarttriage train`: labelled rows in, a model bundle out."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from smarttriage.cli.contracts import contract_json, contract_lines
from smarttriage.domain.tree import SEPARATOR


def train(
    *,
    target: Annotated[
        list[str] | None, typer.Option(help="Column to learn, for example category. Repeat for more; texts are encoded once.")
    ] = None,
    data: Annotated[
        list[Path] | None, typer.Option(help="CSV, JSON Lines or Parquet; .gz is read too. Repeat for more files.")
    ] = None,
    text_column: Annotated[
        list[str] | None, typer.Option(help="Column with the text. Of several the first is the title.")
    ] = None,
    descriptions: Annotated[
        Path | None,
        typer.Option(
            help="What the labels mean: a taxonomy.toml, or a CSV with label,description. Starts with few rows or none."
        ),
    ] = None,
    articles: Annotated[
        Path | None, typer.Option(help="Knowledge base; an article that names a described label speaks for it as well.")
    ] = None,
    parent: Annotated[
        list[str] | None, typer.Option(help="CHILD=PARENT: a target stands below another, for example item=sub_category. Repeat.")
    ] = None,
    tree_column: Annotated[
        list[str] | None,
        typer.Option(
            help='Column with paths such as "Hardware > Printer > Paper jam"; its levels become the targets COLUMN_1, COLUMN_2, '
            "or those of COLUMN=FIRST,SECOND. Repeat for more trees."
        ),
    ] = None,
    separator: Annotated[str, typer.Option(help="What stands between two levels of a path.")] = SEPARATOR,
    model: Annotated[Path | None, typer.Option(help="Folder of the bundle; default: models/VERSION.")] = None,
    group_column: Annotated[str | None, typer.Option(help="Rows that share its value stay on one side of every split.")] = None,
    cache: Annotated[Path | None, typer.Option(help="Folder that keeps vectors, so that the next training encodes less.")] = None,
    target_precision: Annotated[
        float, typer.Option(help="Precision that a label must reach to be filled in.", min=0.5, max=0.999)
    ] = 0.9,
    confidence: Annotated[
        float, typer.Option(help="How sure that precision must be, for all labels of a target at once.", min=0.5, max=0.999)
    ] = 0.9,
    together: Annotated[
        bool,
        typer.Option(
            "--together", help="Promise the precision of all labels taken together, where rows are too few for each label."
        ),
    ] = False,
    seed: Annotated[int, typer.Option(help="Same rows and seed, same model.", min=0)] = 0,
    learning_curve: Annotated[
        bool, typer.Option("--learning-curve", help="Put one into the report; costs five quick fits for each target.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Train a calibrated classifier and write it as a bundle."""
    from smarttriage.bootstrap.training import train_bundle
    from smarttriage.bootstrap.trees import read_forest

    if not target and not tree_column:
        raise typer.BadParameter("give --target, or --tree-column, or both")
    if (data or not descriptions) and not (data and text_column):
        raise typer.BadParameter("give --data and --text-column, or --descriptions, or all three")
    if articles and not descriptions:
        raise typer.BadParameter("--articles needs --descriptions, which names the labels")
    forest = read_forest(
        data or [], parents=parent or [], tree_columns=tree_column or [], separator=separator, on_problem=show_problem
    )
    done = train_bundle(
        files=data or [],
        targets=target or [],
        forest=forest,
        text_columns=text_column or [],
        group_column=group_column,
        out=model,
        cache=cache,
        target_precision=target_precision,
        confidence=confidence,
        together=together,
        seed=seed,
        learning_curve=learning_curve,
        descriptions=descriptions,
        articles=articles,
        progress=show_progress,
        on_problem=show_problem,
    )
    result = {
        "version": done.version,
        "model": str(done.folder),
        "encoder_id": done.encoder_id,
        "data_sha256": done.training.data_sha256,
        "n": done.training.n_rows,
        "n_unlabelled": done.n_unlabelled,
        "n_skipped": done.n_skipped,
        "seconds": {"encode": done.training.encode_s, "fit": done.training.fit_s, "total": done.total_s},
        "targets": done.training.metrics,
        "parents": {name: card.parent for name, card in done.training.classifier.cards.items() if card.parent},
        "contracts": {name: contract_json(card) for name, card in done.training.classifier.cards.items()},
    }
    if as_json:
        typer.echo(json.dumps(result, ensure_ascii=False))
        return
    typer.echo(
        f"{done.folder}: {done.training.n_rows} rows, {done.n_unlabelled} of them unlabelled, {done.n_skipped} left out, {done.total_s:.1f} s"
    )
    typer.echo(f"open {done.folder / 'report.html'} in a browser for what it gets right and wrong; it quotes training texts")
    for name, scores in done.training.metrics.items():
        typer.echo(
            f"{name}: held-out accuracy {scores['accuracy']:.3f} (majority {scores['majority_accuracy']:.3f}), "
            f"macro-F1 {scores['macro_f1']:.3f}, calibration error {scores['ece']:.3f}, filled in {scores['coverage']:.0%}"
        )
    for name in done.training.classifier.cards.keys() - done.training.metrics.keys():
        typer.echo(f"{name}: too few labelled rows to measure; it recommends and fills nothing in")
    for card in done.training.classifier.cards.values():
        for line in contract_lines(card):
            typer.echo(line)


def show_progress(step: str, done: int, total: int) -> None:
    """Write one line of progress to stderr, over the last one on a terminal."""
    end = "\r" if sys.stderr.isatty() else "\n"
    if sys.stderr.isatty() or done in (0, total) or done % 5_120 == 0:
        sys.stderr.write(f"{step}: {done} of {total} rows{end}" if done else f"{step}: {total} rows{end}")


def show_problem(line: str) -> None:
    """Write to stderr which row was left out and why."""
    sys.stderr.write(f"left out: {line}\n")

"""`smarttriage predict`: a file of texts in, a file of predicted fields out."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smarttriage.cli.progress import progress_bars
from smarttriage.cli.train import show_problem, show_progress

if TYPE_CHECKING:
    from smarttriage.bootstrap.batch import BatchResult


def predict(
    *,
    data: Annotated[Path, typer.Option(help="CSV, JSON Lines or Parquet; .gz is read too. It is never changed.")],
    text_column: Annotated[list[str], typer.Option(help="Column with the text. Of several the first is the title.")],
    out: Annotated[Path, typer.Option(help="Where the answers go, .csv or .jsonl; replaced once all rows are answered.")],
    model: Annotated[
        Path | None, typer.Option(help="Folder of the bundle; default: the data folder's promoted one, else the starter.")
    ] = None,
    keep: Annotated[list[str] | None, typer.Option(help="Column that stands beside the answers as it is. Repeat.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Whose model, taxonomy and rules; default: data.")] = None,
    cache: Annotated[
        Path | None, typer.Option(help="Folder that keeps vectors, so that the same texts are encoded once.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on behind what a stopped run finished.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Predict every target of a model for each row: value, confidence, mode, reason, the likeliest label and the words for it.

    A field without value says why in its reason; `best` is the likeliest label all the same. The past incidents of an
    installation, which vote in the service, do not vote here.
    """
    from smarttriage.bootstrap.batch import BatchRequest, predict_file
    from smarttriage.config import Settings

    given = {"model": model, "data_dir": data_dir}
    settings = Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    request = BatchRequest(data, text_column, out, kept_columns=keep or [], cache=cache, resume=resume)
    try:
        with progress_bars(["predict"], plain=show_progress) as progress:
            done = predict_file(request, settings, progress=progress, on_problem=show_problem)
    except KeyboardInterrupt:
        sys.stderr.write("stopped; the same command with --resume goes on behind the last finished portion\n")
        raise typer.Exit(130) from None
    typer.echo(json.dumps(_summary(done), ensure_ascii=False) if as_json else "\n".join(_lines(done)))


def _summary(done: "BatchResult") -> dict[str, object]:
    return {
        "out": str(done.out),
        "model_version": done.version,
        "n": done.n,
        "n_left_out": done.n_left_out,
        "filled": done.filled,
        "reasons": done.reasons,
        "seconds": done.seconds,
        "texts_per_s": done.n / done.seconds["predict"],
    }


def _lines(done: "BatchResult") -> list[str]:
    spent = done.seconds["predict"]
    lines = [
        f"{done.out}: {done.n} rows by {done.version}, {done.n_left_out} left out, {spent:.1f} s, {done.n / spent:.0f} texts/s"
    ]
    for target, n in done.filled.items():
        why = ", ".join(f"{reason} {many}" for reason, many in sorted(done.reasons[target].items()))
        lines.append(f"{target}: value in {n} of {done.n}{f' ({why})' if why else ''}")
    return lines

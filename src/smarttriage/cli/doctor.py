"""`smarttriage doctor`: what is wrong with labelled rows, what to do about it, and a fixed copy on request."""

import json
from pathlib import Path
from typing import Annotated

import typer

from smarttriage.cli.doctor_report import print_report
from smarttriage.cli.train import show_progress
from smarttriage.domain.doctor import Severity

EXIT_FOUND = 1


def doctor(
    *,
    file: Annotated[Path, typer.Argument(help="CSV, JSON Lines or Parquet; .gz is read too. It is never changed.")],
    target: Annotated[str, typer.Option(help="Column with the labels, for example category.")],
    text_column: Annotated[list[str], typer.Option(help="Column with the text. Of several the first is the title.")],
    data: Annotated[list[Path] | None, typer.Option(help="More files of the same table. Repeat.")] = None,
    group_column: Annotated[str | None, typer.Option(help="Rows that share its value stay together in your splits.")] = None,
    time_column: Annotated[str | None, typer.Option(help="When a row was made; drift is measured along it.")] = None,
    time_format: Annotated[str | None, typer.Option(help="How the time is written, as in strptime; default: found out.")] = None,
    target_precision: Annotated[
        float, typer.Option(help="Precision to be promised for each class; says how many rows a class needs.", min=0.5, max=0.999)
    ] = 0.95,
    confidence: Annotated[float, typer.Option(help="How sure that promise is to be.", min=0.5, max=0.999)] = 0.9,
    embedding: Annotated[bool, typer.Option(help="Ask the nearest texts about each label too; slower, finds more.")] = True,
    cache: Annotated[Path | None, typer.Option(help="Folder that keeps vectors, so that the next run encodes less.")] = None,
    fix: Annotated[Path | None, typer.Option(help="Write a fixed copy here, in the format of FILE.")] = None,
    mask_personal_data: Annotated[bool, typer.Option("--mask-personal-data", help="Mask it in the fixed copy.")] = False,
    ip_addresses: Annotated[bool, typer.Option("--ip-addresses", help="Count IP addresses as personal data too.")] = False,
    fail_on: Annotated[
        Severity | None, typer.Option(help="Exit with 1 if something this severe or worse is found; default: never.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Same rows and seed, same findings.", min=0)] = 0,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Print JSON: schema_version, n_rows, n_labels, findings (check, severity, n, unit, message, advice, examples "
            "with places, details), skipped, measures, encoder_id, seconds, fixed (copy, counts; null without --fix).",
        ),
    ] = False,
) -> None:
    """Examine labelled rows: wrong labels, duplicates, twins, overlaps, small classes, empty texts, personal data, drift."""
    from smarttriage.bootstrap.doctor import consult
    from smarttriage.domain.personal_data import DEFAULT_KINDS, PersonalData
    from smarttriage.services.doctor import DoctorOptions
    from smarttriage.services.doctor_rows import DoctorColumns

    kinds = DEFAULT_KINDS | ({PersonalData.IP_ADDRESS} if ip_addresses else set())
    files = [file, *(data or [])]
    done = consult(
        files=files,
        columns=DoctorColumns(target, tuple(text_column), group_column, time_column),
        options=DoctorOptions(target_precision, confidence, kinds, mask_personal_data, time_format, seed),
        fix=fix,
        embedding=embedding,
        cache=cache,
        progress=show_progress,
    )
    if as_json:
        fixed = {"copy": str(done.copy), "counts": dict(done.plan.counts)} if done.copy else None
        more = {"target": target, "files": [str(path) for path in files], "encoder_id": done.encoder_id, "fixed": fixed}
        typer.echo(json.dumps({**done.examination.as_json(), **more, "seconds": done.total_s}, ensure_ascii=False))
    else:
        print_report(done, target=target)
    if fail_on and (worst := done.examination.worst()) and worst.reaches(fail_on):
        raise typer.Exit(EXIT_FOUND)

"""Answers to the rows of a file as CSV or JSON Lines, written whole or not at all."""

import csv
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

LINE = "line"
# The columns of one target in a CSV file, behind the target's name and a dot; in JSON Lines the keys of its object.
COLUMNS = ("value", "confidence", "mode", "reason", "best", "words")
BETWEEN_WORDS = " | "


def write_answers(
    out: Path, portions: Iterable[Sequence[Mapping[str, Any]]], *, kept: Sequence[str], targets: Sequence[str]
) -> None:
    """Write the answers in the order they come; `out` is the former file, or none, until all of them are there.

    Args:
        out: A .csv file, else one answer a line as JSON.
        portions: Answers with the keys "line", "kept" (column -> cell) and "fields" (target -> `COLUMNS`).
        kept: The columns of "kept".
        targets: The targets of "fields".
    """
    draft = out.with_name(f"{out.name}.tmp")
    with draft.open("w", encoding="utf-8", newline="") as stream:
        put = _csv(stream, kept, targets) if out.suffix.lower() == ".csv" else _jsonl(stream)
        for several in portions:
            for one in several:
                put(one)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(out)


def _csv(stream: TextIO, kept: Sequence[str], targets: Sequence[str]) -> Callable[[Mapping[str, Any]], None]:
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([LINE, *kept, *(f"{target}.{name}" for target in targets for name in COLUMNS)])

    def put(one: Mapping[str, Any]) -> None:
        fields = [one["fields"][target][name] for target in targets for name in COLUMNS]
        cells = [BETWEEN_WORDS.join(value) if isinstance(value, list) else value for value in fields]
        writer.writerow([one[LINE], *(one["kept"][name] for name in kept), *cells])

    return put


def _jsonl(stream: TextIO) -> Callable[[Mapping[str, Any]], None]:
    return lambda one: print(json.dumps(one, ensure_ascii=False), file=stream)

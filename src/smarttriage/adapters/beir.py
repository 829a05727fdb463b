"""Judged retrieval sets in BEIR's files: corpus and queries as JSON Lines, judgements as a table. Any of them may be gzipped."""

import csv
import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from smarttriage.domain.errors import InvalidInput


def read_corpus(path: Path) -> list[tuple[str, str, str]]:
    """Return (id, title, text) of each record. Raises InvalidInput naming file and line."""
    return [(_text(row, "_id", at), _text(row, "title", at, ""), _text(row, "text", at)) for at, row in _rows(path)]


def read_queries(paths: Sequence[Path]) -> dict[str, str]:
    """Return query id -> text over all files. Raises InvalidInput naming file and line."""
    return {_text(row, "_id", at): _text(row, "text", at) for path in paths for at, row in _rows(path)}


def read_qrels(paths: Sequence[Path]) -> dict[str, dict[str, int]]:
    """Return query id -> record id -> grade over all files. Raises InvalidInput naming file and line."""
    found: dict[str, dict[str, int]] = {}
    for path in paths:
        with _open(path) as stream:
            for line, row in enumerate(csv.DictReader(stream, delimiter="\t"), 2):
                try:
                    found.setdefault(row["query-id"], {})[row["corpus-id"]] = int(row["score"])
                except (KeyError, TypeError, ValueError):
                    message = f"{path}, line {line}: expected query-id, corpus-id and a whole score, separated by tabs."
                    raise InvalidInput(message) from None
    return found


def _rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield ("file, line n", object)."""
    with _open(path) as stream:
        for number, line in enumerate(stream, 1):
            at = f"{path}, line {number}"
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                raise InvalidInput(f"{at}: not JSON ({error}).") from None
            if not isinstance(row, dict):
                raise InvalidInput(f"{at}: expected an object with _id and text.")
            yield at, row


def _text(row: Mapping[str, Any], name: str, at: str, default: str | None = None) -> str:
    value = row.get(name, default)
    if not isinstance(value, str):
        raise InvalidInput(f"{at}: {name!r} is {value!r}, not a text.", field=name)
    return value


def _open(path: Path) -> IO[str]:
    try:
        if path.suffix == ".gz":
            return gzip.open(path, "rt", encoding="utf-8", newline="")
        return path.open(encoding="utf-8", newline="")
    except OSError as error:
        raise InvalidInput(f"{path}: cannot be read ({error.strerror}).") from None

"""Rows out of CSV, JSONL and Parquet files, gzipped or not; a bad row is reported by its line and skipped."""

import csv
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from smarttriage.adapters.dialect import delimiter_of, open_text
from smarttriage.domain.errors import InvalidInput

# A ticket with its mail thread can be long; the default of 131,072 would refuse real exports.
_FIELD_LIMIT = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file.

    Attributes:
        line: Where it starts, counted from 1 as an editor does; in Parquet the number of the row.
        values: Column -> text, None for nothing; empty where the row cannot be read.
        problem: Why it cannot be read, or None.
    """

    line: int
    values: Mapping[str, str | None]
    problem: str | None = None


def read_rows(path: Path, columns: Sequence[str] = ()) -> Iterator[Row]:
    """Yield the rows of a file, by its name .csv, .tsv, .jsonl, .ndjson or .parquet, with .gz behind it where gzipped.

    A row that cannot be read comes with its problem, so that the caller can report it and go on.

    Args:
        path: The file.
        columns: Columns that must be there; a table without one is refused.

    Raises:
        InvalidInput: No such file, an unknown kind of file or a missing column.
    """
    if not path.is_file():
        raise InvalidInput(f"There is no file {path}.", field="data")
    suffixes = [suffix.lower() for suffix in path.suffixes]
    kind = suffixes[-2] if suffixes[-1:] == [".gz"] and len(suffixes) > 1 else (suffixes or [""])[-1]
    readers = {".csv": _csv, ".tsv": _csv, ".jsonl": _jsonl, ".ndjson": _jsonl, ".parquet": _parquet}
    if kind not in readers:
        raise InvalidInput(f"{path}: cannot read {kind or 'a file without suffix'!r}; known are {sorted(readers)}.", field="data")
    try:
        yield from readers[kind](path, columns)
    except (OSError, EOFError, zlib.error) as error:  # a truncated or mislabelled gzip file
        raise InvalidInput(f"{path} cannot be read: {error}", field="data") from error


def mapped(row: Row, mapping: Mapping[str, Sequence[str]], *, separator: str = "\n") -> dict[str, str | None]:
    """Return field -> the row's values of its columns, joined by the separator; None where all are empty."""
    result: dict[str, str | None] = {}
    for name, columns in mapping.items():
        parts = [value for column in columns if (value := row.values.get(column))]
        result[name] = separator.join(parts) or None
    return result


def _csv(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    csv.field_size_limit(_FIELD_LIMIT)
    delimiter = delimiter_of(path, columns)
    with open_text(path) as stream:
        reader = csv.reader(stream, delimiter=delimiter)
        try:
            header = next(reader)
        except StopIteration:
            raise InvalidInput(f"{path} is empty; a header line is needed.", field="data") from None
        _require(path, columns, header)
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Row(line, {}, str(error))
                continue
            if not cells:
                continue
            if len(cells) != len(header):
                yield Row(line, {}, f"{len(cells)} cells instead of {len(header)}")
                continue
            yield Row(line, {name: cell or None for name, cell in zip(header, cells, strict=True)})


def _jsonl(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    seen: set[str] = set()
    with open_text(path) as stream:
        for line, text in enumerate(stream, start=1):
            if not text.strip():
                continue
            try:
                content = json.loads(text)
            except (ValueError, RecursionError) as error:
                yield Row(line, {}, f"not JSON: {error}")
                continue
            if not isinstance(content, dict):
                yield Row(line, {}, f"a JSON {type(content).__name__} instead of an object")
                continue
            seen |= content.keys()
            yield Row(line, {str(name): _text(value) for name, value in content.items()})
    _require(path, columns, sorted(seen))


def _parquet(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    try:
        from pyarrow import ArrowException  # noqa: PLC0415 - an extra
        from pyarrow import parquet as arrow_parquet  # noqa: PLC0415
    except ImportError as error:
        raise InvalidInput(f"{path}: Parquet needs pyarrow: pip install smarttriage[parquet].", field="data") from error
    try:
        with arrow_parquet.ParquetFile(path) as table:
            _require(path, columns, table.schema_arrow.names)
            line = 0
            for batch in table.iter_batches():
                for content in batch.to_pylist():
                    line += 1
                    yield Row(line, {name: _text(value) for name, value in content.items()})
    except ArrowException as error:
        raise InvalidInput(f"{path} cannot be read as Parquet: {error}", field="data") from error


def _text(value: object) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool | list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def _require(path: Path, columns: Sequence[str], found: Sequence[str]) -> None:
    if missing := [name for name in columns if name not in found]:
        alike = get_close_matches(_plain(missing[0]), [_plain(name) for name in found], n=1)
        meant = next((f" Did you mean {name!r}?" for name in found if alike == [_plain(name)]), "")
        raise InvalidInput(f"{path} has no column {missing[0]!r}; it has {list(found)}.{meant}", field="data")
    if twice := [name for name in columns if list(found).count(name) > 1]:
        raise InvalidInput(f"{path} has two columns {twice[0]!r}; rename one, so that it is clear which is meant.", field="data")


def _plain(name: str) -> str:
    return name.strip().casefold()

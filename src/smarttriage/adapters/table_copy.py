"""A changed copy of tables in their own format; the originals are only read."""

import csv
import gzip
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, TextIO

from smarttriage.adapters.dialect import delimiter_of, open_text
from smarttriage.adapters.tabular import read_rows
from smarttriage.domain.doctor import Place, RowEdit
from smarttriage.domain.errors import InvalidInput

_KINDS = {".csv": "CSV", ".tsv": "TSV", ".jsonl": "JSON Lines", ".ndjson": "JSON Lines", ".parquet": "Parquet"}


def check_copy(sources: Sequence[Path], out: Path) -> None:
    """Return nothing if `out` can be written.

    Raises:
        InvalidInput: It is one of the sources (also through a link), of another format, or in a folder that is not there.
    """
    for source in sources:
        if out.resolve() == source.resolve() or (out.exists() and source.exists() and out.samefile(source)):
            raise InvalidInput(f"{out} is the input {source} itself; give the fixed copy another name.", field="fix")
        if _kind(source) != _kind(out):
            message = f"{out}: the copy of {source.name} is {_kind(source)} too; give it a name that ends so."
            raise InvalidInput(message, field="fix")
    if not out.parent.is_dir():
        raise InvalidInput(f"There is no folder {out.parent}; make it first.", field="fix")
    if out.is_dir():
        raise InvalidInput(f"{out} is a folder; name a file.", field="fix")


def write_copy(sources: Sequence[Path], out: Path, *, edits: Mapping[Place, RowEdit], added: Sequence[str]) -> None:
    """Write the rows of all sources into `out`, atomically; rows that cannot be read or are to be dropped are left out.

    Args:
        sources: Tables of one format; `Place.file` is their path as text.
        out: The copy; what stands there is replaced.
        edits: What changes in a row; rows without an edit are copied as they are.
        added: Columns behind those of the sources; edits fill them.

    Raises:
        InvalidInput: As `check_copy`, or a column name stands twice in a CSV header.
    """
    check_copy(sources, out)
    writers: dict[str, Callable[[Sequence[Path], Path, Mapping[Place, RowEdit], Sequence[str]], None]] = {
        "CSV": _write_csv,
        "TSV": _write_csv,
        "JSON Lines": _write_jsonl,
        "Parquet": _write_parquet,
    }
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".doctor") as scratch:
        draft = Path(scratch) / out.name
        writers[_kind(out)](sources, draft, edits, added)
        draft.replace(out)


def _kind(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    suffix = suffixes[-2] if suffixes[-1:] == [".gz"] and len(suffixes) > 1 else (suffixes or [""])[-1]
    if suffix not in _KINDS:
        raise InvalidInput(f"{path}: the name must end in one of {sorted(_KINDS)}, with .gz behind it or not.", field="fix")
    return _KINDS[suffix]


def _write_text(path: Path) -> TextIO:
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "wt", encoding="utf-8", newline="")
    return path.open("w", encoding="utf-8", newline="")


def _write_csv(sources: Sequence[Path], out: Path, edits: Mapping[Place, RowEdit], added: Sequence[str]) -> None:
    headers = [_header(path) for path in sources]
    columns = list(dict.fromkeys([*chain.from_iterable(headers), *added]))
    with _write_text(out) as stream:
        writer = csv.writer(stream, delimiter=delimiter_of(sources[0]), lineterminator="\n")
        writer.writerow(columns)
        for path in sources:
            for row in read_rows(path):
                edit = edits.get(Place(str(path), row.line), RowEdit())
                if row.problem is None and not edit.drop:
                    cells = {**row.values, **edit.cells}
                    writer.writerow([cells.get(name) or "" for name in columns])


def _header(path: Path) -> list[str]:
    with open_text(path) as stream:
        header = next(csv.reader(stream, delimiter=delimiter_of(path)), [])
    if twice := sorted({name for name in header if header.count(name) > 1}):
        raise InvalidInput(f"{path} has two columns {twice[0]!r}; rename one before it is copied.", field="fix")
    return header


def _write_jsonl(sources: Sequence[Path], out: Path, edits: Mapping[Place, RowEdit], added: Sequence[str]) -> None:
    with _write_text(out) as stream:
        for path in sources:
            for place, content in _objects(path):
                edit = edits.get(place, RowEdit())
                if not edit.drop:
                    nothing = dict.fromkeys(added)
                    stream.write(json.dumps({**content, **nothing, **edit.cells}, ensure_ascii=False) + "\n")


def _objects(path: Path) -> Iterator[tuple[Place, dict[str, Any]]]:
    readable = {row.line for row in read_rows(path) if row.problem is None}
    with open_text(path) as stream:
        for line, text in enumerate(stream, start=1):
            if line in readable:
                yield Place(str(path), line), json.loads(text)


def _write_parquet(sources: Sequence[Path], out: Path, edits: Mapping[Place, RowEdit], added: Sequence[str]) -> None:
    import pyarrow  # noqa: PLC0415 - an extra, whose absence reading the source has told already
    from pyarrow import parquet as arrow_parquet  # noqa: PLC0415

    tables = []
    for path in sources:
        table = arrow_parquet.read_table(path)
        mine = [edits.get(Place(str(path), line), RowEdit()) for line in range(1, len(table) + 1)]
        for name in [*table.column_names, *added]:
            changed = {row: edit.cells[name] for row, edit in enumerate(mine) if name in edit.cells}
            if changed or name in added:
                before = table[name].to_pylist() if name in table.column_names else [None] * len(table)
                after = [changed.get(row, value) for row, value in enumerate(before)]
                column = pyarrow.array([None if value is None else str(value) for value in after], pyarrow.string())
                place = table.column_names.index(name) if name in table.column_names else None
                table = table.append_column(name, column) if place is None else table.set_column(place, name, column)
        tables.append(table.filter(pyarrow.array([not edit.drop for edit in mine])))
    arrow_parquet.write_table(pyarrow.concat_tables(tables, promote_options="permissive"), out)

"""Fixed copies: the same format, everything else untouched, the original safe."""

import gzip
import json
import os
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from smarttriage.adapters.table_copy import write_copy
from smarttriage.adapters.tabular import read_rows
from smarttriage.domain.doctor import Place, RowEdit
from smarttriage.domain.errors import InvalidInput

CSV = 'id,text,label\n1,"VPN, drops\nagain",Network \n2,,x\n3,"says ""no""",Network\n4,too,many,cells\n'


def edits_of(path: Path, lines: tuple[int, int]) -> dict[Place, RowEdit]:
    first, second = lines
    return {
        Place(str(path), first): RowEdit(cells={"label": "Network", "flag": "f"}),
        Place(str(path), second): RowEdit(drop=True),
    }


@pytest.mark.parametrize("names", [("in.csv", "out.csv"), ("in.csv.gz", "out.csv"), ("in.csv", "out.csv.gz")])
def test_a_csv_keeps_its_cells_and_loses_what_is_dropped_or_unreadable(tmp_path: Path, names: tuple[str, str]) -> None:
    source, out = tmp_path / names[0], tmp_path / names[1]
    source.write_bytes(gzip.compress(CSV.encode()) if source.suffix == ".gz" else CSV.encode())
    before = source.read_bytes()
    write_copy([source], out, edits=edits_of(source, (2, 4)), added=["flag"])
    content = gzip.decompress(out.read_bytes()) if out.suffix == ".gz" else out.read_bytes()
    assert content.decode() == 'id,text,label,flag\n1,"VPN, drops\nagain",Network,f\n3,"says ""no""",Network,\n'
    assert source.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)


def test_json_values_keep_their_types(tmp_path: Path) -> None:
    source, out = tmp_path / "in.jsonl", tmp_path / "out.ndjson"
    rows = [{"id": 1, "tags": ["a"], "label": "network", "ok": True, "none": None}, {"id": 2, "label": "x"}, {"id": 3, "n": 1.5}]
    source.write_text("\n\n".join(map(json.dumps, rows)) + "\nnot json\n")
    write_copy([source], out, edits=edits_of(source, (1, 3)), added=["flag"])
    written = [json.loads(line) for line in out.read_text().splitlines()]
    assert written == [{**rows[0], "label": "Network", "flag": "f"}, {**rows[2], "flag": None}]


def test_parquet_columns_keep_their_types(tmp_path: Path) -> None:
    source, out = tmp_path / "in.parquet", tmp_path / "out.parquet"
    table = pyarrow.table({"id": [1, 2, 3], "label": ["network", "x", None], "score": [0.5, None, 2.0]})
    parquet.write_table(table, source)
    write_copy([source], out, edits=edits_of(source, (1, 2)), added=["flag"])
    written = parquet.read_table(out)
    assert written.schema.field("id").type == pyarrow.int64()
    assert written.to_pylist() == [
        {"id": 1, "label": "Network", "score": 0.5, "flag": "f"},
        {"id": 3, "label": None, "score": 2.0, "flag": None},
    ]


def test_several_files_become_one_with_the_columns_of_all(tmp_path: Path) -> None:
    first, second, out = tmp_path / "1.csv", tmp_path / "2.csv", tmp_path / "out.csv"
    first.write_text("text,label\na,x\n")
    second.write_text("label,text,site\ny,b,Ghent\n")
    write_copy([first, second], out, edits={}, added=[])
    assert [row.values for row in read_rows(out)] == [
        {"text": "a", "label": "x", "site": None},
        {"text": "b", "label": "y", "site": "Ghent"},
    ]


@pytest.mark.parametrize("link", ["same", "symlink", "hard link", "dotted"])
def test_the_input_is_never_written_to(tmp_path: Path, link: str) -> None:
    source = tmp_path / "in.csv"
    source.write_text(CSV)
    out = tmp_path / "out.csv"
    if link == "symlink":
        out.symlink_to(source)
    elif link == "hard link":
        os.link(source, out)
    else:
        out = source if link == "same" else tmp_path / "x" / ".." / "in.csv"
    with pytest.raises(InvalidInput, match="is the input"):
        write_copy([source], out, edits={}, added=[])
    assert source.read_text() == CSV


@pytest.mark.parametrize(
    ("name", "message"),
    [("out.jsonl", "the copy of in.csv is CSV too"), ("out.xlsx", "must end in one of"), ("gone/out.csv", "There is no folder")],
)
def test_a_copy_that_cannot_be_written_says_why(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "in.csv").write_text(CSV)
    with pytest.raises(InvalidInput, match=message):
        write_copy([tmp_path / "in.csv"], tmp_path / name, edits={}, added=[])


def test_a_header_with_one_name_twice_is_refused_rather_than_losing_a_column(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("text,text\na,b\n")
    with pytest.raises(InvalidInput, match="two columns 'text'"):
        write_copy([tmp_path / "in.csv"], tmp_path / "out.csv", edits={}, added=[])


def test_the_copy_of_a_table_with_semicolons_has_semicolons(tmp_path: Path) -> None:
    source, out = tmp_path / "rows.csv", tmp_path / "fixed.csv"
    source.write_bytes("Betreff;Gruppe\nBüro, hinten;Hardwear\n".encode("cp1252"))
    write_copy([source], out, edits={Place(str(source), 2): RowEdit(cells={"Gruppe": "Hardware"})}, added=[])
    assert out.read_text(encoding="utf-8") == "Betreff;Gruppe\nBüro, hinten;Hardware\n"

"""Tables: three formats, gzipped or not; what cannot be read is reported by its line."""

import gzip
import json
from pathlib import Path

import pytest

from smarttriage.adapters.tabular import Row, mapped, read_rows
from smarttriage.domain.errors import InvalidInput

CSV = 'title,body,label\nVPN,"drops, often\nsince Monday",network\nPrinter,,hardware\n'


def write(path: Path, content: str) -> Path:
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(content.encode()))
    else:
        path.write_text(content, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["rows.csv", "rows.csv.gz", "rows.CSV"])
def test_a_csv_keeps_line_breaks_inside_cells_and_counts_as_an_editor_does(tmp_path: Path, name: str) -> None:
    first, second = read_rows(write(tmp_path / name, CSV), ["title", "label"])
    assert first == Row(2, {"title": "VPN", "body": "drops, often\nsince Monday", "label": "network"})
    assert second == Row(4, {"title": "Printer", "body": None, "label": "hardware"})


def test_a_byte_order_mark_and_tabs_are_understood(tmp_path: Path) -> None:
    (row,) = read_rows(write(tmp_path / "rows.tsv", "\ufefftitle\tlabel\nVPN\tnetwork\n"), ["title"])
    assert row.values == {"title": "VPN", "label": "network"}


def test_a_row_with_the_wrong_number_of_cells_is_reported_and_the_next_one_read(tmp_path: Path) -> None:
    bad, good = read_rows(write(tmp_path / "rows.csv", "a,b\n1,2,3\n4,5\n"))
    assert (bad.line, bad.problem, bad.values) == (2, "3 cells instead of 2", {})
    assert (good.line, good.values) == (3, {"a": "4", "b": "5"})


def test_bytes_that_are_no_utf8_do_not_end_the_file(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes(b"a,b\ncaf\xe9,1\nok,2\n")
    assert [row.values["b"] for row in read_rows(tmp_path / "rows.csv")] == ["1", "2"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("name", ["rows.csv", "rows.csv.gz"])
def test_what_a_spreadsheet_writes_is_read_in_its_own_encoding(tmp_path: Path, encoding: str, name: str) -> None:
    content = "Betreff,Gruppe\nDrucker läuft nicht – Büro,Café\n".encode(encoding)
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    (row,) = read_rows(tmp_path / name, ["Betreff"])
    assert row.values == {"Betreff": "Drucker läuft nicht – Büro", "Gruppe": "Café"}


def test_one_broken_byte_does_not_garble_the_rest_of_a_utf8_file(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes("a,b\nBüro,1\n".encode() + b"caf\xe9,2\n")
    assert [row.values["a"] for row in read_rows(tmp_path / "rows.csv")] == ["Büro", "caf\ufffd"]


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_another_delimiter_than_the_comma_is_found_in_the_header(tmp_path: Path, delimiter: str) -> None:
    lines = ["Opened|Subject, short|Group", "2026-01-01|printer, again|hardware"]
    path = write(tmp_path / "rows.csv", "\n".join(lines).replace("|", delimiter))
    for columns in ([], ["Opened", "Group"]):
        (row,) = read_rows(path, columns)
        assert row.values == {"Opened": "2026-01-01", "Subject, short": "printer, again", "Group": "hardware"}


def test_a_comma_that_gives_the_columns_wins_over_more_cells(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.csv", "text,label (a;b;c;d)\nVPN,a\n")
    (row,) = read_rows(path, ["text"])
    assert row.values == {"text": "VPN", "label (a;b;c;d)": "a"}


def test_a_column_that_is_nearly_there_is_offered_and_one_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.csv", "Opened At , Group,Note,Note\n1,2,3,4\n")
    with pytest.raises(InvalidInput, match="Did you mean 'Opened At '"):
        list(read_rows(path, ["opened_at"]))
    with pytest.raises(InvalidInput, match="two columns 'Note'"):
        list(read_rows(path, ["Note"]))
    assert list(read_rows(path, [" Group"]))


def test_a_long_cell_is_read(tmp_path: Path) -> None:
    (row,) = read_rows(write(tmp_path / "rows.csv", "a\n" + "x" * 200_000 + "\n"))
    assert len(row.values["a"] or "") == 200_000


def test_json_lines_report_what_is_no_object(tmp_path: Path) -> None:
    content = '{"a": "x", "n": 3, "t": true, "none": null, "list": [1]}\n\nnot json\n[1]\n{"a": ""}\n'
    rows = list(read_rows(write(tmp_path / "rows.jsonl.gz", content), ["a"]))
    assert [row.line for row in rows] == [1, 3, 4, 5]
    assert rows[0].values == {"a": "x", "n": "3", "t": "true", "none": None, "list": "[1]"}
    assert "not JSON" in (rows[1].problem or "")
    assert "list instead of an object" in (rows[2].problem or "")
    assert rows[3].values == {"a": None}


def test_deep_json_is_a_bad_row(tmp_path: Path) -> None:
    (row,) = read_rows(write(tmp_path / "rows.jsonl", "[" * 100_000))
    assert row.problem


def test_parquet_is_read(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="needs pip install smarttriage[parquet]")
    from pyarrow import parquet

    parquet.write_table(pyarrow.table({"title": ["VPN", None], "code": [1, 2]}), tmp_path / "rows.parquet")
    rows = list(read_rows(tmp_path / "rows.parquet", ["title"]))
    assert rows == [Row(1, {"title": "VPN", "code": "1"}), Row(2, {"title": None, "code": "2"})]
    write(tmp_path / "broken.parquet", "no parquet")
    with pytest.raises(InvalidInput, match=r"broken\.parquet"):
        list(read_rows(tmp_path / "broken.parquet"))


def test_missing_pyarrow_is_said_with_the_extra_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(InvalidInput, match=r"pip install smarttriage\[parquet\]"):
        list(read_rows(write(tmp_path / "rows.parquet", "")))


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl"])
def test_a_missing_column_is_named_with_those_that_are_there(tmp_path: Path, name: str) -> None:
    content = CSV if name.endswith("csv") else json.dumps({"title": "x", "body": "y", "label": "z"})
    with pytest.raises(InvalidInput, match=r"no column 'team'; it has .*'title'"):
        list(read_rows(write(tmp_path / name, content), ["team"]))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [("rows.xlsx", "", r"'\.xlsx'"), ("rows", "", "without suffix"), ("rows.csv", "", "is empty"), ("a.gz", "", r"'\.gz'")],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(InvalidInput, match=message):
        list(read_rows(tmp_path / name))


def test_a_missing_or_broken_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"no file .*gone\.csv"):
        list(read_rows(tmp_path / "gone.csv"))
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(CSV.encode())[:-12])
    with pytest.raises(InvalidInput, match=r"cut\.csv\.gz cannot be read"):
        list(read_rows(tmp_path / "cut.csv.gz"))


def test_several_columns_become_one_field() -> None:
    row = Row(2, {"title": "VPN", "body": "drops", "note": None})
    assert mapped(row, {"text": ["title", "note", "body"], "label": ["note"]}) == {"text": "VPN\ndrops", "label": None}

"""`smarttriage doctor` from a file to a report to a fixed copy."""

import csv
import json
from pathlib import Path

import pytest

from smarttriage import cli
from smarttriage.testing.tickets import tickets


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["smarttriage", "doctor", *map(str, arguments)])
    with pytest.raises(SystemExit) as exit_info:
        cli.main()
    return int(exit_info.value.code or 0)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    texts, labels, _ = tickets()
    labels[40] = "network"  # a workstation
    rows = [
        *zip(texts, labels, strict=True),
        (texts[0], labels[0]),
        ("", "network"),
        ("Hi Ann,\nmail ann@example.org", "Network "),
    ]
    path = tmp_path / "in.csv"
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["subject", "team"])
        writer.writerows(rows)
    return path


OPTIONS = ("--target", "team", "--text-column", "subject", "--no-embedding")
KEYS = {"schema_version", "n_rows", "n_labels", "findings", "skipped", "measures"}
MORE_KEYS = {"target", "files", "encoder_id", "fixed", "seconds"}


def test_json_names_every_finding_and_the_copy_is_clean_when_examined_again(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before, out = table.read_bytes(), tmp_path / "fixed.csv"
    assert run(monkeypatch, table, *OPTIONS, "--fix", out, "--mask-personal-data", "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert result.keys() == KEYS | MORE_KEYS
    checks = {finding["check"]: finding for finding in result["findings"]}
    assert {"empty_texts", "label_twins", "exact_duplicates", "wrong_labels", "personal_data"} <= checks.keys()
    assert checks["wrong_labels"]["examples"][0]["places"] == [{"file": str(table), "line": 42}]
    assert checks["wrong_labels"].keys() == {"check", "severity", "n", "unit", "message", "advice", "examples", "details"}
    assert result["fixed"]["counts"]["rows_written"] == result["n_rows"] - 2
    assert table.read_bytes() == before
    assert run(monkeypatch, out, *OPTIONS, "--json") == 0
    again = {finding["check"] for finding in json.loads(capsys.readouterr().out)["findings"]}
    assert not again & {"empty_texts", "label_twins", "exact_duplicates", "personal_data"}
    assert "wrong_labels" in again


def test_the_report_says_what_to_do_and_shows_lines(
    table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, table, *OPTIONS) == 0
    printed = capsys.readouterr()
    assert "what to do" in printed.out
    assert 'line 42: "' in printed.out
    assert "not checked: text drift" in printed.out
    assert "ann@example.org" not in printed.out
    assert "cross-fit" in printed.err


def test_a_build_can_be_made_to_fail(table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, table, *OPTIONS, "--fail-on", "error") == 1
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (("--target", "category"), "no column 'category'; it has ['subject', 'team']"),
        (("--time-column", "created"), "no column 'created'"),
        (("--fix", "in.csv"), "is the input"),
        (("--fix", "out.parquet"), "is CSV too"),
        (("--data", "gone.csv"), "gone.csv"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    table: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    changed: tuple[str, str],
    message: str,
) -> None:
    monkeypatch.chdir(table.parent)
    before = table.read_bytes()
    options = OPTIONS if changed[0] != "--target" else OPTIONS[2:]
    assert run(monkeypatch, "in.csv", *options, *changed) == 1
    printed = capsys.readouterr()
    assert message in printed.err
    assert not printed.out
    assert table.read_bytes() == before

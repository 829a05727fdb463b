"""`smarttriage predict` from a file of texts to a file of answers, stopped in between, by the shipped starter."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from smarttriage import cli
from smarttriage.bootstrap import parts
from smarttriage.bootstrap.batch import BatchRequest, predict_file, steps_of
from smarttriage.bootstrap.models import open_models
from smarttriage.config import Settings
from smarttriage.domain.errors import InvalidInput
from smarttriage.services.batch import answer, batch_row, predict_texts

TEXTS = [
    "The payment terminals of all 40 shops are down, no customer can pay.",
    "How do I change my ringtone?",
    "",
    "My laptop battery is swollen and the case bends.",
    "VPN drops every ten minutes since the update, our whole sales team is cut off.",
]
TARGETS = {"kind", "category", "sub_category", "impact", "urgency"}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "texts.csv"
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "subject", "body"])
        writer.writerows([f"T{place}", "", text] for place, text in enumerate(TEXTS))
        stream.write("T9,one cell too few\n")
    return path


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["smarttriage", *map(str, arguments)])
    with pytest.raises(SystemExit) as exit_info:
        cli.main()
    return int(exit_info.value.code or 0)


def options(table: Path, out: Path) -> list[object]:
    return ["predict", "--data", table, "--text-column", "subject", "--text-column", "body", "--out", out]


def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_every_row_is_answered_as_the_service_answers_it_and_a_bad_one_is_told_by_its_line(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "answers.jsonl"
    assert run(monkeypatch, *options(table, out), "--keep", "id", "--data-dir", tmp_path / "data", "--json") == 0
    printed = capsys.readouterr()
    summary = json.loads(printed.out)
    assert (summary["n"], summary["n_left_out"]) == (5, 1)
    assert summary["reasons"]["category"]["empty_text"] == 1
    assert f"{table}, line 7: 2 cells instead of 3" in printed.err
    assert "predict: 5 of 5 rows" in printed.err
    models = open_models(settings(tmp_path), parts.encoder())
    for place, found in enumerate(lines(out)):
        row = batch_row(place + 2, ["", TEXTS[place]], {"id": f"T{place}"})
        [fields] = predict_texts(models, [row.text], encode=models.encoder.encode)
        assert found == answer(row, fields, models.classifier.cards)
        assert set(found["fields"]) == TARGETS


def test_a_csv_has_a_column_for_all_that_is_said_of_each_target(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "answers.csv"
    assert run(monkeypatch, *options(table, out), "--keep", "id", "--data-dir", tmp_path / "data") == 0
    assert "category: value in" in capsys.readouterr().out
    with out.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["id"] for row in rows] == ["T0", "T1", "T2", "T3", "T4"]
    assert [row["line"] for row in rows] == ["2", "3", "4", "5", "6"]
    assert rows[2]["category.reason"] == "empty_text"
    assert rows[2]["category.value"] == ""
    assert "terminals" in rows[0]["category.words"] or "payment" in rows[0]["category.words"]
    assert (rows[0]["impact.value"], rows[0]["impact.best"]) == ("high", "high")
    assert 0.5 < float(rows[0]["impact.confidence"]) <= 1


def stopping_after(n: int) -> Callable[[str, int, int], None]:
    def progress(_step: str, done: int, total: int) -> None:
        if n <= done < total:
            raise KeyboardInterrupt

    return progress


def going_on(_step: str, _done: int, _total: int) -> None:
    pass


def test_a_run_that_is_stopped_goes_on_behind_its_last_portion_and_writes_the_same_bytes(table: Path, tmp_path: Path) -> None:
    def request(name: str, *, resume: bool = False) -> BatchRequest:
        return BatchRequest(table, ["body"], tmp_path / name, portion=2, resume=resume)

    def predict(request: BatchRequest, progress: Callable[[str, int, int], None]) -> None:
        predict_file(request, settings(tmp_path), progress=progress, on_problem=lambda _line: None)

    predict(request("whole.csv"), going_on)
    with pytest.raises(KeyboardInterrupt):
        predict(request("stopped.csv"), stopping_after(4))
    stopped = tmp_path / "stopped.csv"
    kept = steps_of(stopped) / "step-000001.json"
    written_at = kept.stat().st_mtime_ns
    assert not stopped.exists()
    seen: list[int] = []

    def watch(_step: str, done: int, _total: int) -> None:
        seen.append(done)
        if done:
            assert kept.stat().st_mtime_ns == written_at

    predict(request("stopped.csv", resume=True), watch)
    assert seen == [0, 2, 4, 5]
    assert stopped.read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert not steps_of(stopped).exists()


def test_whoever_stops_a_run_is_told_how_to_go_on(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("smarttriage.bootstrap.batch.predict_file", stopped)
    assert run(monkeypatch, *options(table, tmp_path / "answers.csv")) == 130
    assert "the same command with --resume" in capsys.readouterr().err


def test_portions_of_other_rows_are_not_taken(table: Path, tmp_path: Path) -> None:
    def predict(*, resume: bool, progress: Callable[[str, int, int], None]) -> None:
        request = BatchRequest(table, ["body"], tmp_path / "answers.csv", portion=2, resume=resume)
        predict_file(request, settings(tmp_path), progress=progress, on_problem=lambda _line: None)

    with pytest.raises(KeyboardInterrupt):
        predict(resume=False, progress=stopping_after(2))
    with table.open("a") as stream:
        stream.write("T10,,one more\n")
    with pytest.raises(InvalidInput, match="run without --resume"):
        predict(resume=True, progress=going_on)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (["--out", "texts.csv"], "is the input itself"),
        (["--out", "answers.txt"], "written as .csv or .jsonl"),
        (["--out", "nowhere/answers.csv"], "There is no folder"),
        (["--text-column", "boddy"], "no column 'boddy'"),
        (["--keep", "id", "--keep", "id"], "would stand twice"),
    ],
)
def test_what_cannot_be_used_is_named_before_anything_is_predicted(
    table: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    changed: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    before = table.read_bytes()
    assert run(monkeypatch, *options(Path(table.name), Path("answers.csv")), *changed) == 1
    printed = capsys.readouterr()
    assert message in printed.err
    assert "predict:" not in printed.err
    assert table.read_bytes() == before


def test_parquet_is_read_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="Parquet needs the extra")
    parquet = pytest.importorskip("pyarrow.parquet", reason="Parquet needs the extra")
    path, out = tmp_path / "texts.parquet", tmp_path / "answers.jsonl"
    parquet.write_table(pyarrow.table({"body": TEXTS[:2]}), path)
    assert run(monkeypatch, "predict", "--data", path, "--text-column", "body", "--out", out) == 0
    assert [row["line"] for row in lines(out)] == [1, 2]

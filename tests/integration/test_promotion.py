"""From training to promotion to rollback on the command line, with the shipped encoder."""

import csv
import json
import random
from pathlib import Path

import pytest

from smarttriage import cli
from smarttriage.testing.tickets import tickets

DROPPED = ["kind", "category", "sub_category", "impact", "urgency"]


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["smarttriage", *map(str, arguments)])
    try:
        cli.main()
    except SystemExit as exit_:
        return int(exit_.code or 0)
    return 0


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tables")
    texts, topics, *_ = tickets()
    rows = list(zip(texts, topics, strict=True))
    random.Random(0).shuffle(rows)
    half = len(rows) // 2
    wrong = [label for _, label in rows[:half]]
    random.Random(1).shuffle(wrong)
    parts = {
        "train": rows[:half],
        "unseen": rows[half:],
        "bad": [(text, label) for (text, _), label in zip(rows[:half], wrong, strict=True)],
    }
    for name, part in parts.items():
        with (folder / f"{name}.csv").open("w", newline="") as stream:
            csv.writer(stream).writerows([("text", "topic"), *part])
    return folder


def test_a_good_model_is_promoted_a_bad_one_refused_and_one_call_goes_back(
    tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SMARTTRIAGE_DATA_DIR", str(tmp_path / "data"))
    for name in ("train", "bad"):
        options = ["--target", "topic", "--text-column", "text", "--model", tmp_path / name]
        assert run(monkeypatch, "train", "--data", tables / f"{name}.csv", *options) == 0
    good, bad = (json.loads((tmp_path / name / "manifest.json").read_text()) for name in ("train", "bad"))
    gate = ["--data", tables / "unseen.csv", "--text-column", "text"]
    capsys.readouterr()

    assert run(monkeypatch, "promote", "--model", tmp_path / "train", *gate) == 3
    assert "kind: target" in capsys.readouterr().out
    given_up = [part for target in DROPPED for part in ("--drop", target)]
    assert run(monkeypatch, "promote", "--model", tmp_path / "train", *gate, *given_up) == 0
    assert f"{good['version']} is current now" in capsys.readouterr().out

    assert run(monkeypatch, "promote", "--model", tmp_path / "bad", *gate, "--json") == 3
    printed = capsys.readouterr()
    refused = json.loads(printed.out)
    assert (refused["promoted"], refused["previous"]) == (False, good["version"])
    assert refused["verdict"]["checks"][0]["because"].startswith("it is worse")
    assert f"{bad['version']} is not promoted, {good['version']} keeps serving" in printed.err

    assert run(monkeypatch, "promote", "--model", tmp_path / "bad", *gate, "--force") == 1
    assert "--force needs --reason" in capsys.readouterr().err
    assert run(monkeypatch, "promote", "--model", bad["version"], *gate, "--force", "--reason", "a drill") == 0
    history = [json.loads(line) for line in (tmp_path / "data" / "models" / "HISTORY.jsonl").read_text().splitlines()]
    assert [(entry["action"], entry["reason"]) for entry in history] == [("promoted", ""), ("forced", "a drill")]
    assert history[1]["figures"]["passed"] is False

    assert run(monkeypatch, "rollback") == 0
    assert run(monkeypatch, "rollback", "--json") == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"version": None, "replaced": good["version"]}
    assert run(monkeypatch, "rollback") == 1
    assert "nothing was promoted before the shipped starter" in capsys.readouterr().err


def test_rows_that_the_model_was_trained_on_prove_nothing(
    tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SMARTTRIAGE_DATA_DIR", str(tmp_path / "data"))
    options = ["--data", tables / "train.csv", "--text-column", "text"]
    assert run(monkeypatch, "train", *options, "--target", "topic", "--model", tmp_path / "m") == 0
    capsys.readouterr()
    assert run(monkeypatch, "promote", "--model", tmp_path / "m", *options) == 1
    assert "rows is new to both models" in capsys.readouterr().err


def test_training_leaves_a_report_and_a_card_and_unseen_rows_make_another(
    tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SMARTTRIAGE_DATA_DIR", str(tmp_path / "data"))
    bundle = tmp_path / "m"
    options = ["--target", "topic", "--text-column", "text"]
    assert run(monkeypatch, "train", "--data", tables / "train.csv", *options, "--model", bundle, "--learning-curve") == 0
    manifest = json.loads((bundle / "manifest.json").read_text())
    assert (manifest["parent"], manifest["n_rows"]) == ("starter-1", len((tables / "train.csv").read_text().splitlines()) - 1)
    assert manifest["version"] in (bundle / "report.html").read_text()
    assert manifest["data_sha256"] in (bundle / "MODEL_CARD.md").read_text()

    assert run(monkeypatch, "report", "model", "--model", bundle, "--out", tmp_path / "kept.html") == 0
    assert (tmp_path / "kept.html").read_text() == (bundle / "report.html").read_text()
    assert "Learning curve" in (tmp_path / "kept.html").read_text()
    given = ["--data", tables / "train.csv", *options]
    assert run(monkeypatch, "report", "model", "--model", bundle, *given, "--out", tmp_path / "again.html") == 0
    assert "these figures are too good" in (tmp_path / "again.html").read_text()
    assert run(monkeypatch, "report", "model", "--model", bundle, "--out", bundle / "again.html") == 1
    assert "is inside the bundle" in capsys.readouterr().err

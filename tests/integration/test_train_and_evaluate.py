"""The command line from a table to a bundle to its scores, on the shipped encoder."""

import csv
import gzip
import json
from pathlib import Path

import pytest

from smarttriage import cli
from smarttriage.testing.tickets import tickets

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
EVALUATED = (
    "n n_classes accuracy macro_f1 balanced_accuracy ece majority_accuracy coverage accuracy_at_coverage_80 per_class".split()
)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["smarttriage", *map(str, arguments)])
    with pytest.raises(SystemExit) as exit_info:
        cli.main()
    return int(exit_info.value.code or 0)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("table") / "tickets.csv.gz"
    with gzip.open(path, "wt", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["subject", "category", "sub_category"])
        writer.writerows(zip(*tickets(), strict=True))
        writer.writerow(["one cell too few"])
    return path


@pytest.fixture
def bundle(table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "bundle"
    targets = ["--target", "category", "--target", "sub_category"]
    assert run(monkeypatch, "train", "--data", table, *targets, "--text-column", "subject", "--model", folder, "--json") == 0
    return folder


def test_train_prints_json_alone_and_evaluate_scores_what_it_wrote(
    bundle: Path, table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = capsys.readouterr()
    trained = json.loads(printed.out)
    assert trained["model"] == str(bundle)
    assert trained["n"] == len(tickets()[0])
    assert set(trained["targets"]) == {"category", "sub_category"}
    assert f"{table}, line {trained['n'] + 2}: 1 cells instead of 3" in printed.err
    assert json.loads((bundle / "manifest.json").read_text())["data_sha256"] == trained["data_sha256"]
    options = ["--data", table, "--target", "sub_category", "--text-column", "subject"]
    assert run(monkeypatch, "evaluate", "classifier", "--model", bundle, *options, "--json") == 0
    scores = json.loads(capsys.readouterr().out)
    assert set(EVALUATED) <= scores.keys()
    assert set(scores["per_class"]) == {"printer", "workstation", "vpn", "wifi"}
    assert scores["accuracy"] > 0.9
    assert run(monkeypatch, "evaluate", "classifier", "--model", bundle, *options) == 0
    assert "macro_f1" in capsys.readouterr().out


def test_an_altered_bundle_is_an_expected_failure(
    bundle: Path, table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with (bundle / "arrays.safetensors").open("ab") as stream:
        stream.write(b"x")
    options = ["--data", table, "--target", "category", "--text-column", "subject"]
    assert run(monkeypatch, "evaluate", "classifier", "--model", bundle, *options) == 1
    assert "arrays.safetensors is altered" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"--data": "gone.csv"}, "gone.csv"),
        ({"--target": "team"}, "no column 'team'"),
        ({"--text-column": "mail"}, "no column 'mail'"),
    ],
)
def test_what_cannot_be_trained_on_is_said_in_one_line(
    table: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    changed: dict[str, str],
    message: str,
) -> None:
    options = {"--data": str(table), "--target": "category", "--text-column": "subject", "--model": str(tmp_path / "m")} | changed
    assert run(monkeypatch, "train", *(part for option in options.items() for part in option)) == 1
    printed = capsys.readouterr()
    assert message in printed.err
    assert "Traceback" not in printed.err
    assert not printed.out


def test_a_forgotten_option_is_a_usage_error(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "train", "--target", "category") == 2
    assert "--data" in capsys.readouterr().err


def test_real_alerts_are_told_apart_better_than_by_majority(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = SHARED / "alert_severity"
    if not data.is_dir():
        pytest.skip("needs ../shared/data/alert_severity")
    options = ["--target", "severity", "--text-column", "text"]
    assert run(monkeypatch, "train", "--data", data / "train.csv.gz", *options, "--model", tmp_path / "m") == 0
    capsys.readouterr()
    assert (
        run(monkeypatch, "evaluate", "classifier", "--model", tmp_path / "m", "--data", data / "dev.csv.gz", *options, "--json")
        == 0
    )
    scores = json.loads(capsys.readouterr().out)
    assert scores["accuracy"] > scores["majority_accuracy"] + 0.1
    assert scores["macro_f1"] > 0.5

"""The command line from a table to a bundle to its scores, on the shipped encoder."""

import csv
import gzip
import itertools
import json
import re
from pathlib import Path

import pytest

from smarttriage import cli
from smarttriage.testing.tickets import tickets

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
EVALUATED = [
    "n",
    "n_classes",
    "accuracy",
    "macro_f1",
    "balanced_accuracy",
    "ece",
    "majority_accuracy",
    "coverage",
    "accuracy_at_coverage_80",
    "per_class",
]


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


def test_train_prints_json_alone_and_evaluate_scores_what_it_wrote_until_it_is_altered(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = tmp_path / "bundle"
    options = ["--data", table, "--target", "sub_category", "--text-column", "subject"]
    contract_options = ["--target-precision", "0.8", "--confidence", "0.7"]
    assert run(monkeypatch, "train", *options, *contract_options, "--model", bundle, "--json") == 0
    printed = capsys.readouterr()
    trained = json.loads(printed.out)
    assert trained["model"] == str(bundle)
    assert (trained["n"], trained["n_skipped"]) == (len(tickets()[0]) - 1, 1)
    assert set(trained["targets"]) == {"sub_category"}
    assert f"{table}, line {len(tickets()[0]) + 2}: 1 cells instead of 3" in printed.err
    assert json.loads((bundle / "manifest.json").read_text())["data_sha256"] == trained["data_sha256"]
    contract = trained["contracts"]["sub_category"]
    assert (contract["target_precision"], contract["confidence"]) == (0.8, 0.7)
    assert set(contract["labels"]) == {"printer", "workstation", "vpn", "wifi"}
    assert contract["coverage"] == pytest.approx(sum(label["coverage"] for label in contract["labels"].values()))
    assert run(monkeypatch, "evaluate", "classifier", "--model", bundle, *options, "--json") == 0
    scores = json.loads(capsys.readouterr().out)
    assert set(EVALUATED) <= scores.keys()
    assert set(scores["per_class"]) == {"printer", "workstation", "vpn", "wifi"}
    assert scores["accuracy"] > 0.9
    assert run(monkeypatch, "evaluate", "classifier", "--model", bundle, *options) == 0
    assert "macro_f1" in capsys.readouterr().out
    with (bundle / "arrays.safetensors").open("ab") as stream:
        stream.write(b"x")
    assert run(monkeypatch, "evaluate", "classifier", "--model", bundle, *options) == 1
    assert "arrays.safetensors is altered" in capsys.readouterr().err


def test_train_says_for_each_label_what_it_guarantees_or_how_far_it_is_from_that(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--data", table, "--target", "category", "--text-column", "subject", "--target-precision", "0.95"]
    assert run(monkeypatch, "train", *options, "--model", tmp_path / "m") == 0
    printed = capsys.readouterr().out
    assert re.search(r"network +recommend only: cannot meet 0.95 with \d+ held-out rows; needs about \d+ right in a row", printed)


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


def test_real_tickets_are_told_apart_better_than_by_majority(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = SHARED / "it_ticket_category"
    if not data.is_dir():
        pytest.skip("needs ../shared/data/it_ticket_category")
    with gzip.open(data / "train.csv.gz", "rt") as stream:
        rows = list(itertools.islice(csv.DictReader(stream), 400))
    for name, part in (("train", rows[:300]), ("test", rows[300:])):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in part))
    options = ["--target", "category", "--text-column", "text", "--model", tmp_path / "m", "--json"]
    assert run(monkeypatch, "train", "--data", tmp_path / "train.jsonl", "--group-column", "cluster", *options) == 0
    capsys.readouterr()
    assert run(monkeypatch, "evaluate", "classifier", "--data", tmp_path / "test.jsonl", *options) == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["accuracy"] > scores["majority_accuracy"] + 0.15

"""Training from descriptions, with no labelled row and with a few, on the shipped encoder."""

import csv
import json
from pathlib import Path

import pytest

from smarttriage import cli

DESCRIPTIONS = [
    ("printer", "Printers, copiers, paper and toner."),
    ("network", "Cables, wireless networks, VPN and the way to the internet."),
    ("access", "Passwords, locked accounts and rights."),
]
TEXTS = {
    "the copier has no toner left": "printer",
    "wifi drops in the meeting room": "network",
    "my account is locked after three wrong passwords": "access",
}


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["smarttriage", *map(str, arguments)])
    with pytest.raises(SystemExit) as exit_info:
        cli.main()
    return int(exit_info.value.code or 0)


def table(path: Path, header: tuple[str, ...], rows: list[tuple[str, ...]]) -> Path:
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerows([header, *rows])
    return path


def test_names_and_descriptions_alone_make_a_bundle_that_recommends_the_right_label_and_fills_nothing_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    described = table(tmp_path / "labels.csv", ("label", "description"), DESCRIPTIONS)
    bundle = tmp_path / "bundle"
    assert run(monkeypatch, "train", "--target", "team", "--descriptions", described, "--model", bundle, "--json") == 0
    trained = json.loads(capsys.readouterr().out)
    assert (trained["n"], trained["targets"]) == (0, {})
    assert all(label["threshold"] is None for label in trained["contracts"]["team"]["labels"].values())
    assert "team: too few labelled rows to measure" in (bundle / "MODEL_CARD.md").read_text()
    rows = table(tmp_path / "rows.csv", ("text", "team"), list(TEXTS.items()))
    options = ["--data", rows, "--target", "team", "--text-column", "text"]
    assert run(monkeypatch, "evaluate", "classifier", "--model", bundle, *options, "--json") == 0
    assert json.loads(capsys.readouterr().out)["accuracy"] == 1.0


def test_a_few_rows_join_the_descriptions_and_unlabelled_rows_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    described = tmp_path / "labels.toml"
    described.write_text("[team]\n" + "".join(f'{label} = "{text}"\n' for label, text in DESCRIPTIONS))
    few = [("the badge printer smears", "printer"), ("no link on socket 12", "network"), ("tunnel refuses me", "")]
    rows = table(tmp_path / "rows.csv", ("text", "team"), few)
    options = ["--data", rows, "--target", "team", "--text-column", "text", "--descriptions", described]
    assert run(monkeypatch, "train", *options, "--model", tmp_path / "bundle", "--json") == 0
    trained = json.loads(capsys.readouterr().out)
    assert (trained["n"], trained["n_unlabelled"], trained["n_skipped"]) == (3, 1, 0)
    assert set(trained["contracts"]["team"]["labels"]) == {"printer", "network", "access"}


def test_the_shipped_taxonomy_starts_category_and_sub_category_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    taxonomy = Path(__file__).resolve().parents[2] / "kb" / "taxonomy.toml"
    targets = ["--target", "category", "--target", "sub_category"]
    assert run(monkeypatch, "train", *targets, "--descriptions", taxonomy, "--model", tmp_path / "bundle", "--json") == 0
    assert "vpn" in json.loads(capsys.readouterr().out)["contracts"]["sub_category"]["labels"]


def test_articles_speak_for_the_labels_that_they_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    described = table(tmp_path / "labels.csv", ("label", "description"), [("printer", ""), ("network", "")])
    front = "---\nid: STKB1\ntitle: Zorp lamp blinks\ncategory: printer\n---\n"
    (tmp_path / "kb").mkdir()
    (tmp_path / "kb" / "zorp.md").write_text(front + "The zorp lamp blinks twice when the blix is worn.\n")
    options = ["--target", "category", "--descriptions", described, "--articles", tmp_path / "kb"]
    assert run(monkeypatch, "train", *options, "--model", tmp_path / "bundle") == 0
    rows = table(tmp_path / "rows.csv", ("text", "category"), [("zorp blinks, blix?", "printer")])
    asked = ["--data", rows, "--target", "category", "--text-column", "text", "--model", tmp_path / "bundle"]
    capsys.readouterr()
    assert run(monkeypatch, "evaluate", "classifier", *asked, "--json") == 0
    assert json.loads(capsys.readouterr().out)["accuracy"] == 1.0
    assert run(monkeypatch, "train", *options[:2], *options[4:], *asked[:2], *asked[4:6], "--model", tmp_path / "other") == 2


def test_descriptions_of_another_target_are_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    described = tmp_path / "labels.toml"
    described.write_text('[team]\nprinter = "Printers."\n')
    assert run(monkeypatch, "train", "--target", "urgency", "--descriptions", described, "--model", tmp_path / "bundle") == 1
    assert "describes ['team'], none of the targets ['urgency']" in capsys.readouterr().err

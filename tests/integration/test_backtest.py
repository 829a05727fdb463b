"""`smarttriage backtest` from a file to its report, killed in between, on the shipped encoder."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from smarttriage import cli
from smarttriage.adapters.encoders.hashing import HashingEncoder
from smarttriage.adapters.vector_cache import FileVectorCache
from smarttriage.bootstrap.backtest import encoded
from smarttriage.ports import Vectors
from smarttriage.testing.tickets import tickets

MONTHS = ["2026-01", "2026-02", "2026-03"]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("table") / "past.csv"
    texts, categories, _ = tickets()
    start = datetime(2026, 1, 1, 9, tzinfo=UTC)
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["Opened", "Subject", "Group", "Fix"])
        for place, row in enumerate(np.random.default_rng(1).permutation(len(texts) - 1)[:84].tolist()):
            opened = start + timedelta(days=place)
            writer.writerow([opened.strftime("%d/%m/%Y %H:%M"), texts[row], categories[row], "replaced the cable of the switch"])
        writer.writerow(["soon", "a text", "hardware", ""])
    return path


def options(table: Path, out: Path) -> list[str]:
    mapped = [f"--map={pair}" for pair in ("reported_at=Opened", "description=Subject", "category=Group", "resolution=Fix")]
    # A few rows are enough to learn from here, so a precision of .6 is reached with them.
    return ["backtest", str(table), *mapped, "--target-precision", "0.6", "--min-growth", "0", "--out", str(out)]


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["smarttriage", *map(str, arguments)])
    with pytest.raises(SystemExit) as exit_info:
        cli.main()
    return int(exit_info.value.code or 0)


def test_a_run_that_is_killed_goes_on_and_gives_the_report_of_one_that_was_not(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert run(monkeypatch, *options(table, whole), "--json") == 0
    printed = capsys.readouterr()
    report = json.loads(printed.out)
    assert [month["month"] for month in report["months"]] == MONTHS
    assert [line for line, _ in report["left_out"]] == [86]
    assert "line 86: column 'Opened'" in printed.err
    assert "walk 2026-03: 59 of 84 rows" in printed.err
    assert report["totals"]["category"]["accuracy"] > 0.8
    assert report["resolutions"]["found"] > 0.8

    command = [sys.executable, "-c", "from smarttriage.cli import main; main()", *options(table, killed)]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    finished = killed / "state" / "step-2026-02.json"
    try:
        deadline = time.monotonic() + 60
        while not finished.is_file() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not (killed / "report.json").exists()
    written_at = finished.stat().st_mtime_ns
    assert run(monkeypatch, *options(table, killed), "--resume") == 0
    assert finished.stat().st_mtime_ns == written_at
    for name in ("report.json", "report.html"):
        assert (killed / name).read_bytes() == (whole / name).read_bytes()
    shown = capsys.readouterr().out
    assert "category by month" in shown
    assert "1 min saved per field filled in right" in shown
    assert run(monkeypatch, *options(table, killed), "--resume", "--seed", "1") == 1
    assert "without --resume" in capsys.readouterr().err


class StoppingEncoder(HashingEncoder):
    """Encodes so many texts and is then killed."""

    def __init__(self, n: int) -> None:
        super().__init__(dim=8)
        self.left = n

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.left -= len(texts)
        if self.left < 0:
            raise KeyboardInterrupt
        return super().encode(texts)


def test_encoding_that_is_stopped_goes_on_behind_the_last_portion(tmp_path: Path) -> None:
    texts = [f"text {place}" for place in range(10)]
    arguments = {"cache": FileVectorCache(tmp_path), "progress": lambda *_: None, "at_once": 4}
    with pytest.raises(KeyboardInterrupt):
        encoded(texts, encoder=StoppingEncoder(9), **arguments)
    again = encoded(texts, encoder=StoppingEncoder(2), **{**arguments, "cache": FileVectorCache(tmp_path)})
    assert np.array_equal(again, HashingEncoder(dim=8).encode(texts))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (["--time-zone", "Mars/Olympus"], "'Mars/Olympus' is no time zone"),
        (["--map", "category=Team"], "no column 'Team'"),
        (["--time-column", "Subject"], "None of the 85 rows can be used; line 2: column 'Subject'"),
        (["--map", "colour=Group"], "our fields are"),
    ],
)
def test_what_cannot_be_used_is_named(
    table: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    changed: list[str],
    message: str,
) -> None:
    assert run(monkeypatch, *options(table, tmp_path), *changed) == 1
    assert message in capsys.readouterr().err


def test_going_on_needs_the_folder_of_the_run(
    table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["backtest", table, "--time-column", "Opened", "--text-column", "Subject", "--target", "Group", "--resume"]
    assert run(monkeypatch, *arguments) == 1
    assert "--resume needs the --out folder" in capsys.readouterr().err

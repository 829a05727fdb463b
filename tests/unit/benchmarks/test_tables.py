"""Every table has one command that redoes it, and stands in the README of the benchmarks."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
# Write one table under two names, by the sets or the size that they are given.
TWO_TABLES = {
    "cold_start": {"cold_start", "cold_start_development"},
    "latency": {"latency", "latency_fast"},
    "silence": {"silence", "silence_fast"},
    "encoder_share": {"encoder_share_quality", "encoder_share_fast"},
}
# Writes its files itself.
OWN_WRITER = {"classifiers"}
_WRITES = re.compile(r'write_results\(\s*"(\w+)"')


def scripts() -> dict[str, set[str]]:
    """Return script -> the names of the results that it writes."""
    found = {}
    for path in sorted(BENCHMARKS.glob("*.py")):
        text = path.read_text(encoding="utf-8")
        if ("write_results(" in text and path.stem != "report") or path.stem in OWN_WRITER:
            found[path.stem] = TWO_TABLES.get(path.stem) or set(_WRITES.findall(text)) or {path.stem}
    return found


@pytest.fixture(scope="module")
def listed() -> list[str]:
    run = subprocess.run(
        [sys.executable, str(BENCHMARKS / "all.py"), "--list"], check=True, capture_output=True, text=True, timeout=60
    )
    return list(dict.fromkeys(line.partition(":")[0] for line in run.stdout.splitlines()))


def test_one_command_runs_every_benchmark_that_writes_a_table(listed: list[str]) -> None:
    assert sorted(listed[:-1]) == sorted(scripts())


def test_every_table_stands_in_the_readme() -> None:
    sections = set(re.findall(r'^    "(\w+)":', (BENCHMARKS / "tables.py").read_text(encoding="utf-8"), re.MULTILINE))
    assert sections == set().union(*scripts().values())


def test_unknown_benchmark_is_refused_by_name() -> None:
    run = subprocess.run(
        [sys.executable, str(BENCHMARKS / "all.py"), "--only", "nonesuch"],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 2
    assert "nonesuch" in run.stderr

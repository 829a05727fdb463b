"""`smarttriage report kpi` on an export, in each of its formats."""

import csv
import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from smarttriage.cli import app

EXPORT = """number,opened_at,resolved_at,priority,category
INC1,2026-03-02 08:00:00,2026-03-02 10:00:00,1 - Critical,=1+1
INC2,2026-03-02 08:00:00,2026-03-02 18:00:00,1 - Critical,vpn
INC3,2026-03-02 09:00:00,,3 - Moderate,vpn
"""


@pytest.fixture
def export(tmp_path: Path) -> Path:
    path = tmp_path / "export.csv"
    path.write_text(EXPORT, encoding="utf-8")
    return path


def run(*words: object) -> str:
    result = CliRunner().invoke(app, ["report", "kpi", *map(str, words)])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_json_holds_figures_beside_targets(export: Path) -> None:
    found = json.loads(run("--data", export, "--map", "id=number", "--format", "json"))
    goals = {one["name"]: (one["value"], one["standing"]) for one in found["goals"]}
    assert goals["MTTR P1"] == (6.0, "missed")
    assert goals["SLA compliance"] == (0.5, "missed")
    assert [(one["id"], one["hours_late"]) for one in found["breaches"]] == [("INC2", 6.0)]
    assert found["figures"]["backlog"]["age"]["median"] == 9.0


def test_csv_file_has_no_formula(export: Path, tmp_path: Path) -> None:
    out = tmp_path / "figures.csv"
    run("--data", export, "--map", "id=number", "--format", "csv", "--out", out)
    rows = list(csv.reader(io.StringIO(out.read_text(encoding="utf-8"))))
    assert ["category", "'=1+1", "n", "1"] in rows


def test_page_draws_the_months_and_table_names_the_targets(export: Path) -> None:
    assert "<svg" in run("--data", export, "--map", "id=number", "--format", "html")
    assert "target < 4 h" in run("--data", export, "--map", "id=number")


def test_store_is_read_where_no_export_is_given(tmp_path: Path) -> None:
    assert "0 incidents" in run("--data-dir", tmp_path / "fresh")

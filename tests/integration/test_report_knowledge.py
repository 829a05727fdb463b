"""`smarttriage report knowledge`: gaps and faults of the data folder, from the command line."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from typer.testing import CliRunner

from smarttriage.adapters.stores.sql import SqlStore
from smarttriage.bootstrap.parts import STORE_FILE
from smarttriage.cli import app
from smarttriage.domain.incident import IncidentStatus, Resolution
from smarttriage.testing.factories import NOON, an_article, an_incident


def prepared(folder: Path) -> None:
    folder.mkdir()
    store = SqlStore.open(folder / STORE_FILE, clock=lambda: datetime.now(UTC))
    fixed = Resolution("done", NOON.replace(hour=16))
    badge = an_incident(id="i1", title="", description="Badge opens no door", status=IncidentStatus.RESOLVED, resolution=fixed)
    with store.begin(write=True) as records:
        records.add_articles([an_article(), an_article(id="article-2", body=f"{an_article().body} [x](#gone)")], key_id=None)
        records.add_incidents([badge, replace(badge, id="i2"), an_incident(id="i3")], key_id=None)
    store.close()


def test_gaps_and_faults_are_told_for_people_and_for_machines(tmp_path: Path) -> None:
    prepared(tmp_path / "data")
    runner, out = CliRunner(), tmp_path / "report.json"
    shown = runner.invoke(app, ["report", "knowledge", "--data-dir", str(tmp_path / "data")])
    assert shown.exit_code == 0, shown.output
    assert "2 of the newest 3 incidents had no article that worked: 1 topics" in shown.output
    assert "article-1 <- article-2" in shown.output
    assert "article-2  #gone (no_such_anchor)" in shown.output
    told = runner.invoke(
        app, ["report", "knowledge", "--data-dir", str(tmp_path / "data"), "--format", "json", "--out", str(out)]
    )
    assert told.exit_code == 0, told.output
    found = json.loads(out.read_text(encoding="utf-8"))
    assert [(gap["n"], gap["median_hours"]) for gap in found["gaps"]["gaps"]] == [(2, 4.0)]
    assert found["hygiene"]["never_suggested"] == ["article-1", "article-2"]

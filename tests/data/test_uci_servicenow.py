"""A real desk's priorities follow from its impact and urgency by configuration alone."""

import csv
import gzip
import tomllib
from pathlib import Path

import pytest

from smarttriage.domain.priority import PriorityPolicy

ROOT = Path(__file__).parents[2]
INCIDENTS = ROOT.parent / "shared" / "data" / "kpi_servicenow" / "incidents.csv.gz"


@pytest.mark.skipif(not INCIDENTS.exists(), reason=f"the UCI event log is not at {INCIDENTS}")
def test_configured_matrix_reproduces_the_stored_priority_in_every_row() -> None:
    configuration = ROOT / "kb" / "matrices" / "uci_servicenow.toml"
    policy = PriorityPolicy.from_mapping(tomllib.loads(configuration.read_text(encoding="utf-8")), configuration.name)
    with gzip.open(INCIDENTS, "rt", encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == 20_769
    wrong = [
        row["number"]
        for row in rows
        if policy.targets[policy.matrix.priority(row["impact"], row["urgency"])].name != row["priority"]
    ]
    assert wrong == []

"""An import that was killed goes on where it was, and encodes nothing twice."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from smarttriage.bootstrap import parts
from smarttriage.config import Settings
from smarttriage.services.importing import BATCH
from smarttriage.services.indexing import content_hash

N_ROWS = 3 * BATCH
COMMAND = [sys.executable, "-c", "from smarttriage.cli import main; main()", "import", "incidents"]


def test_an_import_killed_in_the_middle_goes_on_from_its_last_batch(tmp_path: Path) -> None:
    table, data = tmp_path / "past.jsonl", tmp_path / "data"
    texts = [f"printer {number} is offline" for number in range(N_ROWS)]
    table.write_text("".join(json.dumps({"id": text, "what": text}) + "\n" for text in texts), encoding="utf-8")
    command = [*COMMAND, str(table), "--map", "description=what", "--map", "source_id=id", "--data-dir", str(data), "--json"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as first:
        assert first.stderr is not None
        assert first.stderr.readline().startswith(f"{BATCH} read")
        os.kill(first.pid, signal.SIGKILL)
    before = _embedded(data, texts)
    assert BATCH <= before < N_ROWS
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    report = json.loads(again.stdout)
    assert report["present"] >= BATCH
    assert report["present"] + report["added"] == N_ROWS
    assert _embedded(data, texts) == N_ROWS


def _embedded(data: Path, texts: list[str]) -> int:
    """Return how many of the texts the store has a vector of."""
    store = parts.store(Settings(data_dir=data))
    try:
        with store.begin() as records:
            return len(dict(records.vectors(parts.encoder().encoder_id, {content_hash(text) for text in texts})))
    finally:
        store.close()

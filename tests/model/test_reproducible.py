"""Same rows, seed and machine: the same bytes, in another process too."""

import csv
import hashlib
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from smarttriage.testing.tickets import tickets

PREDICT = """
import sys
from pathlib import Path
from smarttriage.adapters.bundles import read_bundle
from smarttriage.bootstrap import parts
from smarttriage.bootstrap.bundles import codecs
texts = ["vpn drops at home", "printer is out of toner", "zzz"]
found = read_bundle(Path(sys.argv[1]), codecs=codecs()).predict_proba(texts, parts.encoder().encode(texts))
sys.stdout.write("".join(name + found[name].tobytes().hex() for name in sorted(found)))
"""


def trained(folders: Sequence[Path], table: Path) -> None:
    """Train into each folder, in processes side by side."""
    start = [sys.executable, "-c", "from smarttriage.cli import main; main()", "train"]
    options = ["--data", str(table), "--target", "category", "--text-column", "text", "--seed", "3"]
    running = [
        subprocess.Popen(
            [*start, *options, "--model", str(folder)], cwd=table.parent, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for folder in folders
    ]
    assert [process.wait() for process in running] == [0] * len(folders)


def hashes(folder: Path) -> dict[str, str]:
    made = json.loads((folder / "manifest.json").read_text())["files"]
    return {name: digest for name, digest in made.items() if name not in ("MODEL_CARD.md", "report.html")}


def predicted(folder: Path) -> str:
    done = subprocess.run([sys.executable, "-c", PREDICT, str(folder)], check=True, capture_output=True, text=True)
    return hashlib.sha256(done.stdout.encode()).hexdigest()


def test_two_processes_train_the_same_bytes_and_predict_the_same_bytes(tmp_path: Path) -> None:
    texts, categories, _ = tickets()
    with (tmp_path / "rows.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([("text", "category"), *zip(texts[::3], categories[::3], strict=True)])
    first, second = tmp_path / "first", tmp_path / "second"
    trained([first, second], tmp_path / "rows.csv")
    assert hashes(first) == hashes(second)
    assert {"arrays.safetensors", "training_rows.u64", "reference.json"} <= hashes(first).keys()
    assert predicted(first) == predicted(second)

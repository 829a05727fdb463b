"""What every benchmark writes down with its figures: command, machine, date, versions, the encoder that smarttriage opens."""

import json
import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from smarttriage.bootstrap import parts

RESULTS = Path(__file__).resolve().parent / "results"
# What a core can multiply 8-bit numbers with, best first; times, and the last digits of an int8 encoder's vectors, depend on it.
INSTRUCTIONS = ("amx_int8", "avx512_vnni", "avx_vnni", "avx512bw", "avx2", "i8mm", "asimddp")
LIBRARIES = ("smarttriage", "numpy", "scikit-learn", "onnxruntime", "faiss-cpu", "tantivy", "fastapi", "sqlalchemy")


def machine() -> dict[str, str]:
    """Return where and when this runs, and with what."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    facts = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    flags = facts.get("flags", facts.get("Features", "")).split()
    model = f"{facts.get('model name', platform.processor())} ({next((each for each in INSTRUCTIONS if each in flags), 'plain')})"
    return {
        "command": "python " + " ".join([os.path.relpath(sys.argv[0]), *sys.argv[1:]]),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} x {model}, {platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "versions": ", ".join(f"{name} {version(name)}" for name in LIBRARIES) + f", encoder {parts.encoder_folder().name}",
    }


def write_results(name: str, result: object, table: str) -> None:
    """Write results/<name>.json and results/<name>.md and print the table."""
    where = machine()
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps({**where, "result": result}, indent=1) + "\n", encoding="utf-8")
    stamp = f"`{where['command']}`, {where['date']}, {where['machine']}; {where['versions']}"
    (RESULTS / f"{name}.md").write_text(f"{stamp}\n\n{table}\n", encoding="utf-8")
    print(f"{stamp}\n\n{table}")

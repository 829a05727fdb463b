"""Redoes every table of this folder, one benchmark after the other, and puts the README together.

    python benchmarks/all.py [--only NAME ...] [--list] [--work FOLDER] [--weights FOLDER] [--base FOLDER] [--trained FOLDER] [--peers PYTHON]

`make bench` runs it. It takes hours on a small machine; each benchmark that can go on where it was cut off does so from --work. What cannot be
run here (no ../shared/data, no weights for the peers) is skipped with the reason; what fails is named at the end and makes the exit code 1.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
DATA = HERE.parent.parent / "shared" / "data"


@dataclass(frozen=True, slots=True)
class Given:
    """What the caller gave.

    Attributes:
        work: Where benchmarks keep vectors and steps.
        weights: all-MiniLM-L6-v2 as sentence-transformers loads it.
        base: all-MiniLM-L6-v2 as training/export_encoder.py writes it.
        trained: What training/train_encoder.py left, by the size of the encoder.
        peers: A Python that has what smarttriage is compared with.
    """

    work: Path
    weights: Path | None
    base: Path | None
    trained: Path | None
    peers: Path | None


Arguments = Callable[[Given], Sequence[object]]


def _kept(option: str, name: str) -> Arguments:
    return lambda given: [option, given.work / name]


def _none(_given: Given) -> Sequence[object]:
    return []


# Script -> its own arguments beside --cache; in the order of the README where that does not matter, quick ones first where it does.
PLAN: dict[str, Arguments] = {
    "kpis": _none,
    "kpi_cost": _none,
    "breach": _none,
    "cmdb": _none,
    "notes": _none,
    "salutations": _none,
    "bilingual": _none,
    "retrieval": _none,
    "silence": _none,
    "rerank": _none,
    "encoders": lambda given: ["--base", given.base],
    "graph_fusion": lambda given: ["--weights", given.weights],
    "encoder_share": lambda given: ["--weights", given.weights, "--trained", given.trained],
    "long_texts": _none,
    "same_fix": _none,
    "evidence": _none,
    "gaps": _none,
    "hygiene": _none,
    "stuffing": _none,
    "poisoning": _none,
    "loop": _none,
    "storms": _kept("--step", "storms"),
    "classifiers": _none,
    "calibration": _kept("--steps", "calibration"),
    "contracts": _kept("--work", "contracts"),
    "hierarchy": _kept("--work", "hierarchy"),
    "dont_know": _kept("--steps", "dont_know"),
    "cold_start": _kept("--steps", "cold_start"),
    "holdout": _none,
    "drift": _none,
    "voting": _kept("--work", "voting"),
    "explanations": _kept("--work", "explanations"),
    "doctor": _kept("--steps", "doctor"),
    "promotion": _kept("--work", "promotion"),
    "backtest": _kept("--work", "backtest"),
    "training_speed": _kept("--work", "training_speed"),
    "index_kinds": _kept("--keep", "index_kinds"),
    "indexes": _kept("--keep", "indexes"),
    "similar": _none,
    "similar_scale": _kept("--keep", "similar_scale"),
    "bulk": lambda given: ["--weights", given.weights, "--base", given.base],
    "latency": _none,
    "limit": _none,
    "load": _kept("--keep", "load"),
    "peers": lambda given: [
        "--weights",
        given.weights,
        "--base",
        given.base,
        "--python",
        given.peers,
        "--work",
        given.work / "peers",
    ],
}


# Run once with each encoder that ships; the others with the default alone.
WITH_BOTH_ENCODERS = ("silence", "latency")


def main() -> int:
    """Run what was asked for; return the exit code."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--only", nargs="+", choices=sorted(PLAN), metavar="NAME", help="These, in the order of the plan.")
    options.add_argument("--list", action="store_true", help="Print the commands and run none.")
    options.add_argument("--work", type=Path, default=HERE.parent / ".cache" / "benchmarks")
    options.add_argument(
        "--weights", type=Path, help="all-MiniLM-L6-v2 as sentence-transformers loads it, for `bulk` and `peers`."
    )
    options.add_argument(
        "--base", type=Path, help="all-MiniLM-L6-v2 as training/export_encoder.py writes it, for `encoders`, `bulk` and `peers`."
    )
    options.add_argument("--trained", type=Path, help="What training/train_encoder.py left, by size, for `encoder_share`.")
    options.add_argument("--peers", type=Path, help="A Python that has the peers, for `peers`.")
    chosen = options.parse_args()
    given = Given(chosen.work, chosen.weights, chosen.base, chosen.trained, chosen.peers)
    failed = []
    for name in [name for name in PLAN if not chosen.only or name in chosen.only]:
        if (reason := missing(name, given)) is not None:
            print(f"{name}: skipped, {reason}", flush=True)
            continue
        words = command(name, given)
        for encoder in ("quality", "fast") if name in WITH_BOTH_ENCODERS else ("quality",):
            print(f"{name}: SMARTTRIAGE_ENCODER={encoder} {' '.join(words)}", flush=True)
            if not chosen.list and not succeeded(words, encoder):
                failed.append(f"{name} ({encoder})")
    if not chosen.list:
        subprocess.run([sys.executable, str(HERE / "tables.py")], check=True)
    print(f"failed: {', '.join(failed)}" if failed else "nothing failed")
    return 1 if failed else 0


def missing(name: str, given: Given) -> str | None:
    """Return why a benchmark cannot be run here, or None."""
    if "shared" in source(name) and not DATA.is_dir():
        return f"{DATA} is not there"
    if name in ("bulk", "peers", "encoder_share", "graph_fusion") and given.weights is None:
        return "--weights names no folder"
    if name in ("encoders", "bulk", "peers") and given.base is None:
        return "--base names no folder"
    if name == "encoder_share" and given.trained is None:
        return "--trained names no folder"
    if name == "peers" and given.peers is None:
        return "--peers names no interpreter"
    return None


def command(name: str, given: Given) -> list[str]:
    """Return the command of a benchmark."""
    cache = ["--cache", given.work / "vectors"] if '"--cache"' in source(name) else []
    return [sys.executable, str(HERE / f"{name}.py"), *map(str, [*cache, *PLAN[name](given)])]


def source(name: str) -> str:
    return (HERE / f"{name}.py").read_text(encoding="utf-8")


def succeeded(words: Sequence[str], encoder: str) -> bool:
    """Run a command and say how long it took."""
    started = time.perf_counter()
    code = subprocess.run(words, cwd=HERE.parent, env={**os.environ, "SMARTTRIAGE_ENCODER": encoder}, check=False).returncode
    print(f"  {'done' if code == 0 else f'exit code {code}'} in {time.perf_counter() - started:.0f} s", flush=True)
    return code == 0


if __name__ == "__main__":
    sys.exit(main())

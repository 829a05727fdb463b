"""How fast are many tickets embedded, beside sentence-transformers' own `encode`, and what does a kill -9 in the middle cost?

    python benchmarks/bulk.py --weights FOLDER --base FOLDER [--n 50000] [--rounds 1]

--weights is all-MiniLM-L6-v2 as sentence-transformers reads it, --base the same weights as training/export_encoder.py writes them. Both embed
the same texts of tickets, bugs, alerts and status pages; fewer than 50,000 are a draw that stands for so many, every so manieth of
all by length. Ours goes through `embed` and its cache on disk; the encoder
that ships takes its turn too.
"""

import argparse
import multiprocessing
import os
import signal
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from sentence_transformers import SentenceTransformer

from index_vectors import TICKETS
from report import write_results
from smarttriage.adapters.encoders.onnx import OnnxEncoder
from smarttriage.adapters.vector_cache import FileVectorCache
from smarttriage.bootstrap import parts
from smarttriage.bootstrap.training import N_THREADS, read_training_rows
from smarttriage.services.training import CHUNK, CHUNKS_A_WRITE, embed

STANDS_FOR = 50_000
# Set -> a column that its rows have.
SETS = {
    "it_ticket_category": "category",
    "endava_native_labels": "ticket_kind",
    "status_page_impact": "impact",
    "hadoop_priority": "priority",
    "gcp_incident_severity": "severity",
    "alert_severity": "severity",
}


def main() -> None:
    """Measure and write benchmarks/results/bulk.json and .md."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--weights", type=Path, required=True, help="all-MiniLM-L6-v2 as sentence-transformers loads it.")
    options.add_argument("--base", type=Path, required=True, help="all-MiniLM-L6-v2 as training/export_encoder.py writes it.")
    options.add_argument("--n", type=int, default=STANDS_FOR)
    options.add_argument("--rounds", type=int, default=1)
    chosen = options.parse_args()
    texts = drawn(chosen.n)
    base, shipped = (OnnxEncoder.open(folder, n_threads=N_THREADS) for folder in (chosen.base, parts.encoder_folder()))
    rounds = [(ours(texts, base), theirs(texts, chosen.weights), ours(texts, shipped)) for _ in range(chosen.rounds)]
    cosines = (rounds[0][0][1] * rounds[0][1][1]).sum(axis=1)
    result = {
        "n": len(texts),
        "chars_p50_p95": [int(np.percentile([len(text) for text in texts], share)) for share in (50, 95)],
        "ours_per_s": [round(len(texts) / seconds, 1) for (seconds, _), _, _ in rounds],
        "sentence_transformers_per_s": [round(len(texts) / seconds, 1) for _, (seconds, _), _ in rounds],
        "shipped_per_s": [round(len(texts) / seconds, 1) for _, _, (seconds, _) in rounds],
        "cosine_mean_p5": [round(float(cosines.mean()), 4), round(float(np.percentile(cosines, 5)), 4)],
        "killed": killed(texts),
    }
    write_results("bulk", result, table(result))


def drawn(n: int) -> list[str]:
    """Return n distinct texts, evenly over their lengths, shuffled."""
    texts: set[str] = set()
    for name, target in SETS.items():
        files = [TICKETS.parent / name / f"{part}.csv.gz" for part in ("train", "dev")]
        texts.update(read_training_rows(files, [target], ["text"], on_problem=lambda _problem: None).texts)
    ordered = sorted(texts, key=lambda text: (len(text), text))
    places = np.random.default_rng(0).permutation(np.linspace(0, len(ordered) - 1, min(n, len(ordered))).astype(int))
    return [ordered[place] for place in places]


def ours(texts: list[str], encoder: OnnxEncoder) -> tuple[float, np.ndarray]:
    """Return the seconds and the vectors of our embedding, the cache's writing included."""
    encoder.encode(texts[:8])
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        vectors = embed(texts, encoder=encoder, cache=FileVectorCache(Path(folder)))
        return time.perf_counter() - started, vectors


def theirs(texts: list[str], weights: Path) -> tuple[float, np.ndarray]:
    """Return the same of sentence-transformers with its own batches and sorting."""
    torch.set_num_threads(N_THREADS)
    model = SentenceTransformer(str(weights), device="cpu")
    model.encode(texts[:8], normalize_embeddings=True)
    started = time.perf_counter()
    vectors = model.encode(texts, normalize_embeddings=True)
    return time.perf_counter() - started, vectors


def killed(texts: list[str]) -> dict[str, int]:
    """Return what a run had kept when it was killed at half of the texts' number of writes, and what the next one encoded."""
    many = [f"{text[:80]} {place}" for place, text in enumerate(texts * (1 + 3 * CHUNKS_A_WRITE * CHUNK // len(texts)))]
    many = many[: 3 * CHUNKS_A_WRITE * CHUNK]
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as name:
        done = context.Value("i", 0)
        process = context.Process(target=run, args=(many, name, done))
        process.start()
        while done.value < len(many) // 2:
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        at = done.value
        again = context.Value("i", 0)
        second = context.Process(target=run, args=(many, name, again))
        second.start()
        second.join()
        return {
            "texts": len(many),
            "encoded_when_killed": at,
            "encoded_after": again.value,
            "encoded_twice": at + again.value - len(many),
        }


def run(texts: list[str], folder: str, done: object) -> None:
    """Embed, saying how far it is."""

    def say(_: str, n: int, _total: int) -> None:
        done.value = n

    embed(texts, encoder=parts.encoder(n_threads=N_THREADS), cache=FileVectorCache(Path(folder)), progress=say)


def table(result: dict[str, object]) -> str:
    """Return the Markdown text."""
    mine, other, shipped = result["ours_per_s"], result["sentence_transformers_per_s"], result["shipped_per_s"]
    half, tail = result["chars_p50_p95"]
    kill = result["killed"]
    # The sets at hand have some twenty texts fewer than that.
    is_draw = result["n"] < 0.99 * STANDS_FOR
    stands = f", a draw by length that stands for {STANDS_FOR:,}" if is_draw else ""
    computed = "The minutes are computed from the rate, not run. " if is_draw else ""
    ratio = float(np.median(mine) / np.median(other))
    return "\n".join(
        [
            f"{result['n']:,} real texts (characters: median {half}, 95th percentile {tail}){stands}; both on {N_THREADS} cores, turn by turn, the same weights: ours int8 through ONNX Runtime with its cache "
            "written to disk, sentence-transformers single precision through torch with its default batches of 32.",
            "",
            "| texts per second | each turn | 50,000 take, min |",
            "|---|---|---|",
            f"| smarttriage, the same weights | {', '.join(map(str, mine))} | {STANDS_FOR / float(np.median(mine)) / 60:.1f} |",
            f"| smarttriage, the encoder that ships | {', '.join(map(str, shipped))} "
            f"| {STANDS_FOR / float(np.median(shipped)) / 60:.1f} |",
            f"| sentence-transformers `encode` | {', '.join(map(str, other))} | {STANDS_FOR / float(np.median(other)) / 60:.1f} |",
            "",
            f"{ratio:.1f} times as many with the same weights. {computed}Vectors of the two: cosine "
            f"{result['cosine_mean_p5'][0]} on average, {result['cosine_mean_p5'][1]} at the 5th percentile.",
            "",
            f"Killed with SIGKILL after {kill['encoded_when_killed']:,} of {kill['texts']:,} short texts, the next run encoded "
            f"{kill['encoded_after']:,}: {kill['encoded_twice']:,} twice (the cache is written every {CHUNKS_A_WRITE * CHUNK:,} texts; "
            "`smarttriage import` commits every 256).",
        ]
    )


if __name__ == "__main__":
    main()

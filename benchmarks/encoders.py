"""The shipped encoders, and one not shipped if asked, on the same judged queries and beside each other on the clock.

    python benchmarks/encoders.py [--also FOLDER ...] [--data ../shared/data] [--cache FOLDER]

Writes benchmarks/results/encoders.json and .md. Dev queries only; fusion and depth as they are served, chosen for the default
encoder. Latency is one text at a time on one thread, the encoders in turn in one process; the ratio is the median of the ratios of
the pairs measured next to each other, so that a busy machine slows both sides of it.
"""

import argparse
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latency import TOKENS, WORDS
from report import write_results
from retrieval import CHOOSING, DEPTH, SETS, JudgedSet, fused, one_side, opened, rankings, weighted
from smarttriage.adapters.encoders.manifest import MODEL
from smarttriage.adapters.encoders.onnx import OnnxEncoder
from smarttriage.adapters.vector_cache import FileVectorCache
from smarttriage.bootstrap.resources import shipped
from smarttriage.services.retrieval import DENSE_WEIGHT

ROOT = Path(__file__).resolve().parent.parent
BASE = "all-MiniLM-L6-v2-int8"
SIDES = ("dense", "hybrid")
ROUNDS, WARM = 120, 10
Scores = dict[str, NDArray[np.float64]]


def name_of(folder: Path) -> str:
    """Return an encoder's name without its hash."""
    return folder.name.rsplit("-", 1)[0]


def dev_scores(judged: JudgedSet) -> Scores:
    """Return nDCG@10 of each dev query, by side."""
    pairs, dev = rankings(judged, depth=DEPTH), judged.is_dev
    found = {
        "dense": one_side(judged, pairs, 0),
        "lexical": one_side(judged, pairs, 1),
        "hybrid": fused(judged, pairs, weighted(1 - DENSE_WEIGHT)),
    }
    return {side: scores[dev] for side, scores in found.items()}


def text_of_tokens(encoder: OnnxEncoder, n: int) -> str:
    """Return a text of exactly n tokens, the special ones included."""
    words = WORDS * 8
    return next(
        " ".join(words[:end]) for end in range(1, len(words)) if len(encoder._tokenizer.encode(" ".join(words[:end])).ids) >= n
    )


def latencies(encoders: Mapping[str, OnnxEncoder]) -> dict[int, dict[str, dict[str, float]]]:
    """Return p50 in ms and the ratio to the base encoder, by tokens and encoder."""
    rows = {}
    for n in TOKENS:
        text = text_of_tokens(encoders[BASE], n)
        spent: dict[str, list[float]] = {name: [] for name in encoders}
        for at in range(WARM + ROUNDS):
            for name, encoder in encoders.items():
                started = time.perf_counter()
                encoder.encode([text])
                if at >= WARM:
                    spent[name].append((time.perf_counter() - started) * 1_000)
        base = np.array(spent[BASE])
        rows[n] = {
            name: {"p50_ms": float(np.median(each)), "ratio": float(np.median(np.array(each) / base))}
            for name, each in spent.items()
        }
    return rows


def compared(mine: Mapping[str, Scores], base: Mapping[str, Scores], side: str, names: Sequence[str]) -> tuple[float, float]:
    """Return the mean over sets of the paired difference to the base, and its standard error."""
    differences = [mine[name][side] - base[name][side] for name in names]
    error = np.sqrt(sum(each.var(ddof=1) / len(each) for each in differences)) / len(names)
    return float(np.mean([each.mean() for each in differences])), float(error)


def table(result: Mapping[str, dict], latency: Mapping[int, dict]) -> str:  # type: ignore[type-arg]
    """Return the three tables and what they say of the goals."""
    head = " | ".join(SETS)
    quality = (
        f"| dev, nDCG@10 | {head} | mean of the first three | to {BASE} (standard error) |\n|---|{'---|' * (len(SETS) + 2)}\n"
    )
    lexical = result[BASE]["ndcg"]["lexical"]
    quality += f"| BM25 | {' | '.join(f'{lexical[name]:.4f}' for name in SETS)} | {lexical['mean']:.4f} | |\n"
    for side in SIDES:
        for name, row in result.items():
            cells = " | ".join(f"{row['ndcg'][side][each]:.4f}" for each in (*SETS, "mean"))
            change = "" if name == BASE else f"{row['change'][side]['mean']:+.4f} ({row['change'][side]['error']:.4f})"
            quality += f"| {name}, {side} | {cells} | {change} |\n"
    speed = f"| one text, one thread | {' | '.join(f'{n} tokens, ms p50 | ratio' for n in TOKENS)} | model, MB |\n"
    speed += f"|---|{'---|' * (2 * len(TOKENS) + 1)}\n"
    for name, row in result.items():
        cells = " | ".join(f"{latency[n][name]['p50_ms']:.1f} | {latency[n][name]['ratio']:.2f}" for n in TOKENS)
        speed += f"| {name} | {cells} | {row['model_mb']:.1f} |\n"
    alike = f"| mean cosine of the passages' vectors to those of {BASE} | {head} |\n|---|{'---|' * len(SETS)}\n"
    for name, row in result.items():
        cells = " | ".join(f"{row['cosine'][each]:.3f}" for each in SETS)
        alike += f"| {name} | {cells} |\n" if name != BASE else ""
    return "\n".join([quality, speed, alike, *(verdict(name, row, latency) for name, row in result.items() if name != BASE)])


def verdict(name: str, row: Mapping[str, dict], latency: Mapping[int, dict]) -> str:  # type: ignore[type-arg]
    """Return whether an encoder reaches what `fast` is for."""
    ratio, change = max(latency[n][name]["ratio"] for n in TOKENS), row["change"]["hybrid"]
    speed = f"{'reached' if ratio <= 0.5 else 'not reached'} (worst ratio {ratio:.2f})"
    quality = (
        f"{'reached' if change['mean'] >= 0 else 'not reached'} ({change['mean']:+.4f}, standard error {change['error']:.4f})"
    )
    return f"{name}: at most half the latency of {BASE}: {speed}; hybrid at least equal to it: {quality}.\n"


def main() -> None:
    """Measure and write."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--also", type=Path, nargs="*", default=[], help="encoder folders that are not shipped")
    options.add_argument("--data", type=Path, default=ROOT / ".." / "shared" / "data")
    options.add_argument("--cache", type=Path, default=ROOT / ".cache" / "vectors")
    given = options.parse_args()
    found = sorted(each.parent for each in (shipped("models") / "encoders").glob("*/manifest.json"))
    folders = {name_of(folder): folder for folder in sorted([*found, *given.also], key=lambda folder: name_of(folder) != BASE)}
    cache, scores, vectors = FileVectorCache(given.cache), {}, {}
    for name, folder in folders.items():
        judged = {each: opened(each, given.data, cache, OnnxEncoder.open(folder, n_threads=2)) for each in SETS}
        scores[name] = {each: dev_scores(one) for each, one in judged.items()}
        vectors[name] = {each: one.piece_vectors for each, one in judged.items()}
    result = {}
    for name, folder in folders.items():
        ndcg = {side: {each: float(scores[name][each][side].mean()) for each in SETS} for side in ("lexical", *SIDES)}
        for row in ndcg.values():
            row["mean"] = float(np.mean([row[each] for each in CHOOSING]))
        change = {
            side: dict(zip(("mean", "error"), compared(scores[name], scores[BASE], side, CHOOSING), strict=True))
            for side in SIDES
        }
        cosine = {each: float((vectors[name][each] * vectors[BASE][each]).sum(1).mean()) for each in SETS}
        size = (folder / MODEL).stat().st_size / 1e6
        result[name] = {"id": folder.name, "ndcg": ndcg, "change": change, "cosine": cosine, "model_mb": size}
    latency = latencies({name: OnnxEncoder.open(folder) for name, folder in folders.items()})
    write_results("encoders", {"encoders": result, "latency": latency}, table(result, latency))


if __name__ == "__main__":
    main()

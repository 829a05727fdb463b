"""The shipped encoders beside all-MiniLM-L6-v2 on the same judged queries and beside each other on the clock.

    python benchmarks/encoders.py --base FOLDER [--also FOLDER ...] [--data ../shared/data] [--cache FOLDER]

--base is all-MiniLM-L6-v2 as training/export_encoder.py writes it; beside the shipped encoders stands a static one (benchmarks/static_tier.py).
Writes benchmarks/results/encoders.json and .md. Reported on dev queries alone; BM25's share is chosen for each encoder by the rule of
benchmarks/retrieval.py on the train queries that it was not trained on (for the base all of them), beside it stands the share in use. Shorter vectors are the leading dimensions, normalised again. Latency is one text at a time
on one thread, the encoders in turn in one process; the ratio is the median of the ratios of the pairs measured next to each other, so that a
busy machine slows both sides of it.
"""

import argparse
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import normalize

from latency import TOKENS, WORDS
from report import write_results
from retrieval import CHOOSING, DEPTH, LEXICAL_WEIGHTS, SETS, JudgedSet, choose, fused, one_side, opened, rankings, weighted
from smarttriage.adapters.encoders.manifest import MODEL
from smarttriage.adapters.encoders.onnx import OnnxEncoder
from smarttriage.adapters.indexes.faiss import FaissIndex
from smarttriage.adapters.lexical.tantivy import TantivyIndex
from smarttriage.adapters.vector_cache import FileVectorCache
from smarttriage.bootstrap import parts
from smarttriage.bootstrap.resources import shipped
from smarttriage.config import EncoderSize
from smarttriage.services.retrieval import DENSE_WEIGHT
from smarttriage.services.retrieval_evaluation import build_search
from static_tier import StaticEncoder

ROOT = Path(__file__).resolve().parent.parent
BASE = "all-MiniLM-L6-v2-int8"
STATIC = "static, of quality's tokens"
# As MiniLM is used without our search: the passages below their titles by cosine, no titles alone.
PLAIN = "dense, passages only"
SIDES = ("dense", "hybrid, share in use", "hybrid, its own share")
DIMS = (256, 128)
# Aimed at: so far above the better of BM25 and MiniLM of each set, on the mean.
GOAL = 0.05
ROUNDS, WARM = 120, 10
Scores = dict[str, NDArray[np.float64]]


def name_of(folder: Path) -> str:
    """Return an encoder's name without its hash."""
    return folder.name.rsplit("-", 1)[0]


def own_share(sets: Sequence[JudgedSet]) -> float:
    """Return BM25's share by the rule of benchmarks/retrieval.py at the depth in use, on queries that the encoder does not know."""
    pairs = [rankings(judged, depth=DEPTH) for judged in sets]
    grid = {
        (share, DEPTH): [fused(judged, each, weighted(share))[~judged.is_dev] for judged, each in zip(sets, pairs, strict=True)]
        for share in LEXICAL_WEIGHTS
    }
    return choose(grid)[0][0]


def dev_scores(judged: JudgedSet, share: float) -> Scores:
    """Return nDCG@10 of each dev query, by side."""
    pairs, dev = rankings(judged, depth=DEPTH), judged.is_dev
    found = {
        "lexical": one_side(judged, pairs, 1),
        PLAIN: one_side(judged, rankings(judged, depth=DEPTH, search=judged.untitled), 0),
        "dense": one_side(judged, pairs, 0),
        "hybrid, share in use": fused(judged, pairs, weighted(1 - DENSE_WEIGHT)),
        "hybrid, its own share": fused(judged, pairs, weighted(share)),
    }
    return {side: scores[dev] for side, scores in found.items()}


def shortened(judged: JudgedSet, dim: int) -> JudgedSet:
    """Return the set searched with the leading dimensions alone."""
    pieces, asked = (normalize(vectors[:, :dim]) for vectors in (judged.piece_vectors, judged.vectors))
    search = build_search(judged.pieces, pieces, dense=FaissIndex(encoder_id="short", dim=dim), lexical=TantivyIndex())
    return replace(judged, search=search, title_once=search, untitled=search, vectors=asked, piece_vectors=pieces)


def text_of_tokens(encoder: OnnxEncoder | StaticEncoder, n: int) -> str:
    """Return a text of exactly n tokens, the special ones included."""
    words = WORDS * 8
    return next(
        " ".join(words[:end]) for end in range(1, len(words)) if len(encoder._tokenizer.encode(" ".join(words[:end])).ids) >= n
    )


def latencies(encoders: Mapping[str, OnnxEncoder | StaticEncoder]) -> dict[int, dict[str, dict[str, float]]]:
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
    """Return the tables and what they say of the goals."""
    head = " | ".join(SETS)
    quality = (
        f"| dev, nDCG@10 | {head} | mean of the first three | to {BASE} (standard error) |\n|---|{'---|' * (len(SETS) + 2)}\n"
    )
    lexical = result[BASE]["ndcg"]["lexical"]
    quality += f"| BM25 | {' | '.join(f'{lexical[name]:.4f}' for name in SETS)} | {lexical['mean']:.4f} | |\n"
    for side in (PLAIN, *SIDES):
        for name, row in result.items():
            cells = " | ".join(f"{row['ndcg'][side][each]:.4f}" for each in (*SETS, "mean"))
            change = "" if name == BASE else f"{row['change'][side]['mean']:+.4f} ({row['change'][side]['error']:.4f})"
            own = f" ({row['share']:g})" if side == SIDES[-1] else ""
            quality += f"| {name}, {side}{own} | {cells} | {change} |\n"
    short = f"| hybrid, share in use, dev | {' | '.join(f'{dim} dimensions' for dim in ('all', *DIMS))} |\n|---|{'---|' * (len(DIMS) + 1)}\n"
    for name, row in result.items():
        cells = " | ".join(f"{row['short'][str(dim)]:.4f}" for dim in DIMS)
        short += f"| {name} | {row['ndcg'][SIDES[1]]['mean']:.4f} | {cells} |\n"
    speed = f"| one text, one thread | {' | '.join(f'{n} tokens, ms p50 | ratio' for n in TOKENS)} | model, MB |\n"
    speed += f"|---|{'---|' * (2 * len(TOKENS) + 1)}\n"
    for name, row in result.items():
        cells = " | ".join(f"{latency[n][name]['p50_ms']:.1f} | {latency[n][name]['ratio']:.2f}" for n in TOKENS)
        speed += f"| {name} | {cells} | {row['model_mb']:.1f} |\n"
    return "\n".join([quality, short, speed, *(verdict(name, result, latency) for name in result if name != BASE)])


def verdict(name: str, result: Mapping[str, dict], latency: Mapping[int, dict]) -> str:  # type: ignore[type-arg]
    """Return whether an encoder reaches what was aimed at."""
    row, base = result[name], result[BASE]["ndcg"]
    ratio, change = max(latency[n][name]["ratio"] for n in TOKENS), row["change"][SIDES[1]]
    plain, titled = (
        float(np.mean([max(base["lexical"][each], base[side][each]) for each in CHOOSING])) for side in (PLAIN, "dense")
    )
    mine = row["ndcg"][SIDES[1]]["mean"]
    return (
        f"{name}: hybrid {GOAL} above the better of BM25 and {BASE} over the passages of each set ({plain:.4f} on the mean): "
        f"{said(mine - plain >= GOAL)} ({mine - plain:+.4f}; above the better of BM25 and {BASE} with titles alone, {titled:.4f}: "
        f"{mine - titled:+.4f}); hybrid at least equal to that of {BASE}: {said(change['mean'] >= 0)} ({change['mean']:+.4f}, standard error "
        f"{change['error']:.4f}); at most half its latency: {said(ratio <= 0.5)} (worst ratio {ratio:.2f}).\n"
    )


def said(reached: bool) -> str:
    return "reached" if reached else "not reached"


def main() -> None:
    """Measure and write."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--base", type=Path, required=True)
    options.add_argument("--also", type=Path, nargs="*", default=[], help="encoder folders that are not shipped")
    options.add_argument("--data", type=Path, default=ROOT / ".." / "shared" / "data")
    options.add_argument("--cache", type=Path, default=ROOT / ".cache" / "vectors")
    given = options.parse_args()
    shipped_ones = sorted(each.parent for each in (shipped("models") / "encoders").glob("*/manifest.json"))
    folders = {name_of(folder): folder for folder in [given.base, *shipped_ones, *given.also]}
    cache, scores, rows = FileVectorCache(given.cache), {}, {}
    sizes = {name: (folder / MODEL).stat().st_size / 1e6 for name, folder in folders.items()}
    quality = parts.encoder_folder(EncoderSize.QUALITY)
    static = StaticEncoder(quality, cache)
    folders[STATIC], sizes[STATIC] = quality, static.megabytes
    encoders = {name: OnnxEncoder.open(folder, n_threads=2) for name, folder in folders.items()} | {STATIC: static}
    for name, encoder in encoders.items():
        folder = folders[name]
        judged = {each: opened(each, given.data, cache, encoder, folder=folder) for each in SETS}
        share = own_share([judged[each] for each in CHOOSING])
        scores[name] = {each: dev_scores(one, share) for each, one in judged.items()}
        short = {
            str(dim): float(np.mean([dev_scores(shortened(judged[each], dim), share)[SIDES[1]].mean() for each in CHOOSING]))
            for dim in DIMS
        }
        rows[name] = {"id": encoder.encoder_id, "share": share, "short": short, "model_mb": sizes[name]}
    for name, row in rows.items():
        ndcg = {side: {each: float(scores[name][each][side].mean()) for each in SETS} for side in ("lexical", PLAIN, *SIDES)}
        for side in ndcg.values():
            side["mean"] = float(np.mean([side[each] for each in CHOOSING]))
        row["ndcg"] = ndcg
        row["change"] = {
            side: dict(zip(("mean", "error"), compared(scores[name], scores[BASE], side, CHOOSING), strict=True))
            for side in (PLAIN, *SIDES)
        }
    latency = latencies({name: OnnxEncoder.open(folder) for name, folder in folders.items()} | {STATIC: static})
    write_results("encoders", {"encoders": rows, "latency": latency}, table(rows, latency))


if __name__ == "__main__":
    main()

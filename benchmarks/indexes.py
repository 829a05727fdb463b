"""What a vector search costs by size, and how much of the exact answer it finds.

    python benchmarks/indexes.py --cache FOLDER [--sizes 10000 20000 50000]

The vectors are those of real tickets (it_ticket_category, train and dev; `--cache` keeps them as benchmarks/classifiers.py does), the
queries are 300 that are not in the index. "Every row" is the same FAISS index with one list searched after the other.
"""

import argparse
import time
from pathlib import Path
from unittest.mock import patch

import numpy as np

from report import write_results
from smarttriage.adapters.indexes import segments
from smarttriage.adapters.indexes.faiss import FaissIndex
from smarttriage.adapters.vector_cache import FileVectorCache
from smarttriage.bootstrap import parts
from smarttriage.bootstrap.training import N_THREADS, read_training_rows
from smarttriage.services.training import embed

TICKETS = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "it_ticket_category"
N_QUERIES = 300
DEPTH = 50
EVERYONE, FEW = frozenset(["t/everyone"]), frozenset(["t/few"])
N_FEW = 200


def main() -> None:
    """Measure and write benchmarks/results/indexes.json and .md."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--cache", type=Path)
    options.add_argument("--sizes", type=int, nargs="+", default=[10_000, 20_000, 40_000])
    chosen = options.parse_args()
    vectors = load(chosen.cache)
    rows = [row for n in chosen.sizes for row in measure(vectors, n)]
    write_results("indexes", rows, table(rows))


def load(cache: Path | None) -> np.ndarray:
    """Return the vectors of the distinct tickets, shuffled."""
    files = [TICKETS / f"{part}.csv.gz" for part in ("train", "dev")]
    texts = list(dict.fromkeys(read_training_rows(files, ["category"], ["text"], on_problem=print).texts))
    encoder = parts.encoder(n_threads=N_THREADS)
    vectors = embed(texts, encoder=encoder, cache=FileVectorCache(cache) if cache else None)
    return vectors[np.random.default_rng(0).permutation(len(vectors))]


def measure(vectors: np.ndarray, n: int) -> list[dict[str, object]]:
    """Return one row for the exact index and one for the index as it chooses by itself."""
    queries, rows = vectors[-N_QUERIES:], vectors[:n]
    ids = [f"i{place:07d}" for place in range(n)]
    labels = [EVERYONE | FEW if place % (n // N_FEW) == 0 else EVERYONE for place in range(n)]
    found, answers = [], {}
    for name, first in (("every row", n + 1), ("as chosen", segments.IVF_FROM)):
        with patch.object(segments, "IVF_FROM", first):
            index = FaissIndex(encoder_id="tickets", dim=vectors.shape[1])
            started = time.perf_counter()
            index.add(ids, rows, labels)
            build_s = time.perf_counter() - started
            answers[name] = {who: ask(index, queries, allowed) for who, allowed in (("all", EVERYONE), ("few", FEW))}
        exact, mine = answers["every row"], answers[name]
        found.append(
            {
                "n": n,
                "search": name,
                "build_s": round(build_s, 2),
                "ms_p50": mine["all"][1],
                "recall@10": recall(exact["all"][0], mine["all"][0], 10),
                "recall@50": recall(exact["all"][0], mine["all"][0], 50),
                "ms_p50_few": mine["few"][1],
                "recall@10_few": recall(exact["few"][0], mine["few"][0], 10),
            }
        )
    return found


def ask(index: FaissIndex, queries: np.ndarray, allowed: frozenset[str]) -> tuple[list[list[str]], float]:
    """Return the found ids and the median milliseconds of one search."""
    answers, spent = [], []
    for query in queries[:, None, :]:
        started = time.perf_counter()
        hits = index.search(query, DEPTH, allowed=allowed)[0]
        spent.append(time.perf_counter() - started)
        answers.append([hit.id for hit in hits])
    return answers, round(float(np.median(spent)) * 1_000, 3)


def recall(exact: list[list[str]], found: list[list[str]], k: int) -> float:
    """Return the mean share of the exact first k that are among the found first k."""
    return round(float(np.mean([len(set(a[:k]) & set(b[:k])) / k for a, b in zip(exact, found, strict=True)])), 4)


def table(rows: list[dict[str, object]]) -> str:
    """Return the Markdown table."""
    lines = [
        f"{N_QUERIES} queries one after the other on one thread, {DEPTH} results; few: the caller may see {N_FEW} of the rows",
        "",
        "| rows | search | build, s | ms p50 | recall@10 | recall@50 | few: ms p50 | few: recall@10 |",
        "|---|---|---|---|---|---|---|---|",
    ]
    return "\n".join(lines + [f"| {' | '.join(str(value) for value in row.values())} |" for row in rows])


if __name__ == "__main__":
    main()

"""Vectors for measuring indexes: those of real tickets, and beyond their number near-copies of them."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from smarttriage.adapters.vector_cache import FileVectorCache
from smarttriage.bootstrap import parts
from smarttriage.bootstrap.training import N_THREADS, read_training_rows
from smarttriage.services.training import embed

TICKETS = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "it_ticket_category"
N_QUERIES = 300
# Mean cosine between a near-copy and its original.
NEARNESS = 0.9
SIZES = (1_000, 5_000, 10_000, 20_000, 100_000, 1_000_000)
_BLOCK = 20_000
SAID = (
    f"Vectors of real tickets (it_ticket_category, distinct texts, shuffled); beyond their number ({{n_real}}) near-copies of them: "
    f"noise added to a mean cosine of {NEARNESS} with the original. {N_QUERIES} queries of real tickets that are not in the index "
    "and were not copied, one after the other on one thread."
)


def ticket_vectors(cache: Path | None) -> np.ndarray:
    """Return the (n, dim) vectors of the distinct tickets, shuffled."""
    files = [TICKETS / f"{part}.csv.gz" for part in ("train", "dev")]
    texts = list(dict.fromkeys(read_training_rows(files, ["category"], ["text"], on_problem=print).texts))
    encoder = parts.encoder(n_threads=N_THREADS)
    vectors = embed(texts, encoder=encoder, cache=FileVectorCache(cache) if cache else None)
    return vectors[np.random.default_rng(0).permutation(len(vectors))]


def queries_and_rows(tickets: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the queries and n rows; where there are fewer tickets than rows, the rest are near-copies."""
    queries, real = tickets[-N_QUERIES:], tickets[:-N_QUERIES]
    rows = np.empty((n, tickets.shape[1]), dtype=np.float32)
    rows[: len(real)] = real[:n]
    draw = np.random.default_rng(1)
    noise = np.sqrt((1 / NEARNESS**2 - 1) / rows.shape[1])  # per dimension, so that the cosine is NEARNESS on average
    for start in range(len(real), n, _BLOCK):
        block = rows[start : min(start + _BLOCK, n)]
        block[:] = real[np.arange(start, start + len(block)) % len(real)]
        block += noise * draw.standard_normal(block.shape, dtype=np.float32)
        block /= np.linalg.norm(block, axis=1, keepdims=True)
    return queries, rows


def timed(work: Callable[[], object]) -> tuple[object, float]:
    """Return what the work returns and the seconds it took."""
    started = time.perf_counter()
    done = work()
    return done, time.perf_counter() - started


def recall(exact: list[list[object]], found: list[list[object]], k: int = 10) -> float:
    """Return the mean share of the exact first k that are among the found first k."""
    return round(float(np.mean([len(set(a[:k]) & set(b[:k])) / k for a, b in zip(exact, found, strict=True)])), 4)

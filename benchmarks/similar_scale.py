"""What do similar incidents cost among 20,000, 100,000 and a million past ones, on both sides of the search?

    python benchmarks/similar_scale.py --cache FOLDER --keep FOLDER [--sizes 20000 100000 1000000]

Past incidents are real tickets (it_ticket_category); beyond their number near-copies of them: a fifth of the words replaced by those of
another ticket, the vector moved as in index_vectors.py. Incidents are kept in memory, so that the database's part is left out.
"""

import argparse
import csv
import gzip
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from index_vectors import NEARNESS, TICKETS, queries_and_rows
from indexes import at, markdown, resident
from report import write_results
from similar_past import asked_of, catalogue_of
from smarttriage.adapters.step_folder import StepFolder
from smarttriage.adapters.vector_cache import FileVectorCache
from smarttriage.bootstrap import parts
from smarttriage.domain.incident import Incident
from smarttriage.domain.text import model_text
from smarttriage.services.matching import DEFAULT_MATCHES, N_NEIGHBOURS
from smarttriage.services.retrieval_evaluation import ALLOWED
from smarttriage.services.training import embed
from smarttriage.testing.factories import NOON, an_incident

SIZES = (20_000, 100_000, 1_000_000)
N_ASKED = 300
REPLACED = 0.2
COLUMNS = (
    "n",
    "fill_s",
    "process_bytes_each",
    "words_ms_p50",
    "words_ms_p95",
    "vector_ms_p50",
    "vector_ms_p95",
    "list_ms_p50",
    "step_ms_p50",
    "step_ms_p95",
    "lines",
)


def main() -> None:
    """Measure and write benchmarks/results/similar_scale.json and .md."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--cache", type=Path)
    options.add_argument("--keep", type=Path, required=True)
    options.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    chosen = options.parse_args()
    kept = StepFolder.open(chosen.keep, fingerprint="similar scale 1", resume=True)
    for n in chosen.sizes:
        if kept.get(str(n)) is None:
            kept.put(str(n), measured(n, *tickets(chosen.cache)))
    rows = [row for n in SIZES if (row := kept.get(str(n)))]
    write_results("similar_scale", rows, table(rows))


def tickets(cache: Path | None) -> tuple[list[str], np.ndarray]:
    """Return the distinct model texts and their vectors, shuffled alike."""
    texts: list[str] = []
    for part in ("train", "dev"):
        with gzip.open(TICKETS / f"{part}.csv.gz", "rt", encoding="utf-8", newline="") as lines:
            texts += [model_text("", row["text"]) for row in csv.DictReader(lines)]
    texts = list(dict.fromkeys(texts))
    vectors = embed(texts, encoder=parts.encoder(n_threads=2), cache=FileVectorCache(cache) if cache else None)
    order = np.random.default_rng(0).permutation(len(texts))
    return [texts[place] for place in order], vectors[order]


def measured(n: int, texts: Sequence[str], vectors: np.ndarray) -> dict[str, object]:
    """Return what filling and asking cost at n past incidents."""
    queries, rows = queries_and_rows(vectors, n)
    asked = texts[-len(queries) :][:N_ASKED]
    past = incidents(texts[: -len(queries)], n)
    before, started = resident(), time.perf_counter()
    catalogue = catalogue_of(past, rows)
    fill_s, grown = time.perf_counter() - started, resident() - before
    search = catalogue.incidents
    words = spent(lambda place: search.worded(asked[place], N_NEIGHBOURS, allowed=ALLOWED))
    vector = spent(lambda place: search.nearest(queries[place], N_NEIGHBOURS, allowed=ALLOWED))
    nearest = [asked_of(catalogue, text, query) for text, query in zip(asked, queries, strict=False)]
    shown = spent(lambda place: nearest[place].similar(DEFAULT_MATCHES, at=NOON))
    step = spent(lambda place: asked_of(catalogue, asked[place], queries[place]).similar(DEFAULT_MATCHES, at=NOON))
    return {
        "n": n,
        "fill_s": round(fill_s, 1),
        "process_bytes_each": round(grown / n),
        "words_ms_p50": at(words, 50),
        "words_ms_p95": at(words, 95),
        "vector_ms_p50": at(vector, 50),
        "vector_ms_p95": at(vector, 95),
        "list_ms_p50": at(shown, 50),
        "step_ms_p50": at(step, 50),
        "step_ms_p95": at(step, 95),
        "lines": round(float(np.mean([len(each.similar(DEFAULT_MATCHES, at=NOON)) for each in nearest])), 2),
    }


def incidents(texts: Sequence[str], n: int) -> list[Incident]:
    """Return n incidents: the tickets, then near-copies of them."""
    draw, split = np.random.default_rng(2), [text.split() for text in texts]
    base = an_incident(title="")
    found = [replace(base, id=str(place), description=text) for place, text in enumerate(texts[:n])]
    for place in range(len(found), n):
        words, others = split[place % len(split)], split[int(draw.integers(len(split)))]
        kept = [
            others[spot % len(others)] if moved else word
            for spot, (word, moved) in enumerate(zip(words, draw.random(len(words)) < REPLACED, strict=True))
        ]
        found.append(replace(base, id=str(place), description=" ".join(kept)))
    return found


def spent(work: Callable[[int], object]) -> list[float]:
    """Return the milliseconds of each call."""
    found = []
    for place in range(N_ASKED):
        started = time.perf_counter()
        work(place)
        found.append(1_000 * (time.perf_counter() - started))
    return found


def table(rows: list[dict[str, object]]) -> str:
    """Return the Markdown table."""
    head = (
        f"Real tickets, and beyond their number near-copies ({REPLACED:.0%} of the words replaced by another ticket's, vectors of cosine "
        f"{NEARNESS} on average). {N_ASKED} real tickets that are not among them ask, one after the other on one thread. words: the lexical "
        "side (tantivy); vector: the dense side (FAISS); list: collapsing and flagging; step: all of it but the encoder and the database. "
        "process_bytes_each: what the process grew by while both indexes were filled, what the allocator kept from filling included. "
        f"lines: of {DEFAULT_MATCHES} asked for, those at or above the floor and not collapsed."
    )
    return f"{head}\n\n{markdown(rows, COLUMNS)}"


if __name__ == "__main__":
    main()

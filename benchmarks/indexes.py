"""What the vector index of the service does at each size: search, recall, memory, changes while serving, saving and loading.

    python benchmarks/indexes.py --cache FOLDER --keep FOLDER [--sizes 1000 ... 1000000]

`--keep` holds the sizes that are measured already. "few" is a caller who may see 200 of the rows.
"""

import argparse
import multiprocessing
import tempfile
import threading
from functools import partial
from pathlib import Path

import faiss
import numpy as np

from index_vectors import N_QUERIES, SAID, SIZES, queries_and_rows, recall, ticket_vectors, timed
from report import write_results
from smarttriage.adapters.indexes.faiss import FaissIndex
from smarttriage.adapters.step_folder import StepFolder

DEPTH = 50
BATCH = 512  # as many as the service adds at once
EVERYONE, FEW = frozenset(["t/everyone"]), frozenset(["t/few"])
N_FEW = 200
N_CHANGES = 100
SEARCH = ("n", "build_s", "ms_p50", "ms_p95", "recall@10", "recall@50", "few_ms_p50", "few_recall@10", "few_least")
CHANGES = (
    "n",
    "in_batches_s",
    "in_batches_recall@10",
    "add_ms_p50",
    "add_ms_p95",
    "remove_ms_p50",
    "first_search_ms_p50",
    "beside_ms_p50",
    "beside_ms_p95",
)
STORED = ("n", "index_bytes_each", "process_bytes_each", "save_s", "load_s", "folder_mb")
N_BESIDE = 2_000


def main() -> None:
    """Measure and write benchmarks/results/indexes.json and .md."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--cache", type=Path)
    options.add_argument("--keep", type=Path, required=True)
    options.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    chosen = options.parse_args()
    kept = StepFolder.open(chosen.keep, fingerprint="indexes 1", resume=True)
    tickets = ticket_vectors(chosen.cache)
    for n in chosen.sizes:
        queries, rows = queries_and_rows(tickets, n)
        for step, work in (("search", searched), ("changes", changed), ("stored", stored)):
            if kept.get(f"{n}-{step}") is None:
                kept.put(f"{n}-{step}", {"n": n, **work(queries, rows)})
    found = {step: [row for n in SIZES if (row := kept.get(f"{n}-{step}"))] for step in ("search", "changes", "stored")}
    write_results("indexes", found, table(found, len(tickets) - N_QUERIES))


def filled(rows: np.ndarray, batch: int | None = None) -> FaissIndex:
    """Return the index of the rows, added at once or by batches; every (n / 200)th row is visible to the few too."""
    every = max(len(rows) // N_FEW, 1)
    index = FaissIndex(encoder_id="tickets", dim=rows.shape[1])
    for start in range(0, len(rows), batch or len(rows)):
        part = rows[start : start + (batch or len(rows))]
        places = range(start, start + len(part))
        labels = [EVERYONE | FEW if place % every == 0 and place < every * N_FEW else EVERYONE for place in places]
        index.add([f"i{place:07d}" for place in places], part, labels)
    return index


def exact(queries: np.ndarray, rows: np.ndarray, every: int = 1) -> list[list[str]]:
    """Return the ids of the nearest rows among every so manieth."""
    flat = faiss.IndexFlatIP(rows.shape[1])
    flat.add(np.ascontiguousarray(rows[::every]))
    return [[f"i{place * every:07d}" for place in found] for found in flat.search(queries, DEPTH)[1].tolist()]


def ask(index: FaissIndex, queries: np.ndarray, allowed: frozenset[str] = EVERYONE) -> tuple[list[list[str]], list[float]]:
    """Return the found ids and the milliseconds of each search."""
    answers, spent = [], []
    for query in queries[:, None, :]:
        hits, seconds = timed(lambda query=query: index.search(query, DEPTH, allowed=allowed)[0])
        spent.append(1_000 * seconds)
        answers.append([hit.id for hit in hits])
    return answers, spent


def searched(queries: np.ndarray, rows: np.ndarray) -> dict[str, object]:
    """Return what a search costs and finds."""
    index, build_s = timed(lambda: filled(rows))
    every = max(len(rows) // N_FEW, 1)
    truth, few_truth = exact(queries, rows), exact(queries, rows[: every * N_FEW], every)
    ask(index, queries[:5])
    (found, spent), (few, few_spent) = ask(index, queries), ask(index, queries, FEW)
    return {
        "build_s": round(build_s, 2),
        "ms_p50": at(spent, 50),
        "ms_p95": at(spent, 95),
        "recall@10": recall(truth, found),
        "recall@50": recall(truth, found, 50),
        "few_ms_p50": at(few_spent, 50),
        "few_recall@10": recall(few_truth, few),
        "few_least": min(map(len, few)),
    }


def changed(queries: np.ndarray, rows: np.ndarray) -> dict[str, object]:
    """Return what single changes cost, and what a search costs while they are made by another thread."""
    index, in_batches_s = timed(lambda: filled(rows, BATCH))
    answers = ask(index, queries)[0]
    adds, removes, first = [], [], []
    for place in range(N_CHANGES):
        row, id_ = queries[place : place + 1], [f"q{place}"]
        adds.append(1_000 * timed(lambda row=row, id_=id_: index.add(id_, row, [EVERYONE]))[1])
        first.append(ask(index, row)[1][0])
        removes.append(1_000 * timed(lambda id_=id_: index.remove(id_))[1])
    beside = while_changing(index, queries)
    return {
        "in_batches_s": round(in_batches_s, 1),
        "in_batches_recall@10": recall(exact(queries, rows), answers),
        "add_ms_p50": at(adds, 50),
        "add_ms_p95": at(adds, 95),
        "remove_ms_p50": at(removes, 50),
        "first_search_ms_p50": at(first, 50),
        "beside_ms_p50": at(beside, 50),
        "beside_ms_p95": at(beside, 95),
    }


def while_changing(index: FaissIndex, queries: np.ndarray) -> list[float]:
    """Return the milliseconds of searches beside a thread that adds and removes twenty times a second."""
    done = threading.Event()

    def change() -> None:
        place = 0
        while not done.wait(0.05):
            index.add([f"w{place}"], queries[place % len(queries)][None, :], [EVERYONE])
            index.remove([f"w{place - 10}"])
            place += 1

    writer = threading.Thread(target=change)
    writer.start()
    spent = [ms for _ in range(N_BESIDE // len(queries) + 1) for ms in ask(index, queries)[1]]
    done.set()
    writer.join()
    return spent


def stored(queries: np.ndarray, rows: np.ndarray) -> dict[str, object]:
    """Return what the index takes in memory and on disk, and how long it takes to be written and read."""
    index = filled(rows)
    state = index.snapshot()
    index_bytes = sum(len(segment.packed()) for segment in (state._base, state._recent))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _, save_s = timed(partial(index.save, folder, seq=1))
        with multiprocessing.get_context("spawn").Pool(1) as process:
            load_s, grown, answers = process.apply(loaded, (folder, queries[:20]))
        assert answers == ask(index, queries[:20])[0]
        folder_mb = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
    return {
        "index_bytes_each": round(index_bytes / len(rows)),
        "process_bytes_each": round(grown / len(rows)),
        "save_s": round(save_s, 2),
        "load_s": round(load_s, 3),
        "folder_mb": round(folder_mb, 1),
    }


def loaded(folder: Path, queries: np.ndarray) -> tuple[float, int, list[list[str]]]:
    """Return, from a process of its own, the seconds of loading, the bytes that it grew by, and the answers."""
    index, held = FaissIndex(encoder_id="tickets", dim=queries.shape[1]), resident()
    _, load_s = timed(partial(index.load, folder))
    return load_s, resident() - held, ask(index, queries)[0]


def resident() -> int:
    """Return the bytes of memory that the process holds."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4_096


def at(spent: list[float], share: int) -> float:
    return round(float(np.percentile(spent, share)), 3)


def table(found: dict[str, list[dict[str, object]]], n_real: int) -> str:
    """Return the Markdown tables."""
    parts = [
        f"{SAID.format(n_real=n_real)} {DEPTH} results each, with ids and visibility as the service asks for them; recall against exact "
        f"search in single precision. Few: the caller may see {N_FEW} of the rows; the least number of results that came back is shown.",
        markdown(found["search"], SEARCH),
        f"Changes: filled by batches of {BATCH} as the service does it; then {N_CHANGES} single adds, each followed by a search that is the "
        "first to read the new state, and a removal; then searches beside a thread that adds and removes twenty times a second.",
        markdown(found["changes"], CHANGES),
        "Memory and disk: the FAISS index alone, and what a fresh process grew by when it loaded all (ids, labels and the id table included). Loading checks a sha256 of every file; the files were written just "
        "before, so they come from the page cache.",
        markdown(found["stored"], STORED),
    ]
    return "\n\n".join(parts)


def markdown(rows: list[dict[str, object]], columns: tuple[str, ...]) -> str:
    head = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    return "\n".join(head + [f"| {' | '.join(str(row[column]) for column in columns)} |" for row in rows])


if __name__ == "__main__":
    main()

"""Which kind of vector index is best at which size: exact, inverted lists or a graph, in single, half or 8-bit precision?

    python benchmarks/index_kinds.py --cache FOLDER --keep FOLDER [--sizes 1000 ...] [--kinds flat-fp32 ...]

`--keep` holds what is measured already, so that a long run can be made in pieces. The thresholds of adapters/indexes/segments.py come
from this table.
"""

import argparse
import time
from pathlib import Path

import faiss
import numpy as np

from index_vectors import N_QUERIES, SAID, SIZES, queries_and_rows, recall, ticket_vectors, timed
from report import write_results
from smarttriage.adapters.indexes import segments
from smarttriage.adapters.step_folder import StepFolder

# As many as a suggestion asks for; recall is of the first ten.
DEPTH = 50
LINKS, EF_BUILD = 32, 40
PROBES, EFS = (32, 64, 128), (64, 128)
PRECISIONS = {"fp32": None, "fp16": faiss.ScalarQuantizer.QT_fp16, "SQ8": faiss.ScalarQuantizer.QT_8bit}
KINDS = [f"{kind}-{precision}" for kind in ("flat", "IVF", "HNSW") for precision in PRECISIONS]
COLUMNS = ("n", "kind", "setting", "build_s", "bytes_each", "ms_p50", "recall@10")


def main() -> None:
    """Measure and write benchmarks/results/index_kinds.json and .md."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--cache", type=Path)
    options.add_argument("--keep", type=Path, required=True)
    options.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    options.add_argument("--kinds", nargs="+", default=KINDS, choices=KINDS)
    chosen = options.parse_args()
    kept = StepFolder.open(chosen.keep, fingerprint="index kinds 1", resume=True)
    tickets = ticket_vectors(chosen.cache)
    for n in chosen.sizes:
        missing = [kind for kind in chosen.kinds if kept.get(f"{n}-{kind}") is None]
        if missing:
            measure(kept, tickets, n, missing)
    steps = [kept.get(f"{n}-{kind}") for n in SIZES for kind in KINDS]
    rows = [row for step in steps if step for row in step["rows"]]
    write_results("index_kinds", rows, table(rows, len(tickets) - N_QUERIES))


def measure(kept: StepFolder, tickets: np.ndarray, n: int, kinds: list[str]) -> None:
    """Keep a row for each kind and setting at n rows."""
    queries, rows = queries_and_rows(tickets, n)
    exact = built("flat-fp32", rows)
    truth = ask(exact, queries, None)[0]
    del exact
    for kind in kinds:
        index, build_s = timed(lambda kind=kind: built(kind, rows))
        bytes_each = round(len(faiss.serialize_index(index)) / n)
        found = []
        for setting, how in settings(kind, index):
            answers, ms = ask(index, queries, how)
            facts = {"build_s": round(build_s, 2), "bytes_each": bytes_each, "ms_p50": ms, "recall@10": recall(truth, answers)}
            found.append({"n": n, "kind": kind, "setting": setting, **facts})
        kept.put(f"{n}-{kind}", {"rows": found})


def built(kind: str, rows: np.ndarray) -> faiss.Index:
    """Return a filled index."""
    form, precision = kind.split("-")
    dim, code, product = rows.shape[1], PRECISIONS[precision], faiss.METRIC_INNER_PRODUCT
    faiss.omp_set_num_threads(2)
    if form == "flat":
        index = faiss.IndexFlatIP(dim) if code is None else faiss.IndexScalarQuantizer(dim, code, product)
    elif form == "HNSW":
        index = faiss.IndexHNSWFlat(dim, LINKS, product) if code is None else faiss.IndexHNSWSQ(dim, code, LINKS, product)
        index.hnsw.efConstruction = EF_BUILD
    else:
        lists, n_lists = faiss.IndexFlatIP(dim), segments.n_lists(len(rows))
        index = (
            faiss.IndexIVFFlat(lists, dim, n_lists, product)
            if code is None
            else faiss.IndexIVFScalarQuantizer(lists, dim, n_lists, code, product)
        )
        index.cp.niter, index.cp.seed = segments.N_ITERATIONS, 0
        index.cp.max_points_per_centroid, index.cp.min_points_per_centroid = segments.ROWS_PER_LIST, 1
    if not index.is_trained:
        index.train(rows)
    index.add(rows)
    return index


def settings(kind: str, index: faiss.Index) -> list[tuple[str, faiss.SearchParameters | None]]:
    """Return the search settings to try."""
    if kind.startswith("IVF"):
        return [(f"nprobe {n}", faiss.SearchParametersIVF(nprobe=n)) for n in PROBES if n <= index.nlist]
    if kind.startswith("HNSW"):
        return [(f"ef {n}", faiss.SearchParametersHNSW(efSearch=n)) for n in EFS]
    return [("", None)]


def ask(index: faiss.Index, queries: np.ndarray, how: faiss.SearchParameters | None) -> tuple[list[list[int]], float]:
    """Return the found rows and the median milliseconds of one search."""
    faiss.omp_set_num_threads(1)
    answers, spent = [], []
    for query in queries[:, None, :]:
        started = time.perf_counter()
        _, found = index.search(query, DEPTH, params=how)
        spent.append(time.perf_counter() - started)
        answers.append(found[0].tolist())
    return answers, round(float(np.median(spent)) * 1_000, 3)


def table(rows: list[dict[str, object]], n_real: int) -> str:
    """Return the Markdown table."""
    lines = [
        f"{SAID.format(n_real=n_real)} {DEPTH} results each. IVF: {segments.N_ITERATIONS} rounds of k-means, lists as many as "
        f"the adapter makes; HNSW: {LINKS} links, construction depth {EF_BUILD}. Built on two cores. "
        "Bytes: the serialized index by its rows, ids and labels not counted.",
        "",
        "| rows | index | setting | build, s | bytes a vector | ms p50 | recall@10 |",
        "|---|---|---|---|---|---|---|",
    ]
    return "\n".join(lines + [f"| {' | '.join(str(row[column]) for column in COLUMNS)} |" for row in rows])


if __name__ == "__main__":
    main()

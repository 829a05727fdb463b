"""Texts beyond the encoder's window: cut there, or read by passages of which the nearest counts.

    python benchmarks/long_texts.py [--data ../shared/data] [--cache FOLDER]

stackfaq_webapps and gitbugs_duplicates, dense side only, train and dev queries (nothing is chosen here). A text is long from 1,000
characters. Writes benchmarks/results/long_texts.json and .md.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from report import write_results
from smarttriage.adapters.indexes.faiss import FaissIndex
from smarttriage.adapters.lexical.tantivy import TantivyIndex
from smarttriage.adapters.vector_cache import FileVectorCache
from smarttriage.bootstrap import parts
from smarttriage.bootstrap.retrieval import read_documents, read_judged
from smarttriage.domain.article import passages
from smarttriage.services.ranking_metrics import ndcg_at
from smarttriage.services.retrieval import HybridSearch
from smarttriage.services.retrieval_evaluation import ALLOWED, Parts, build_search, parts_of
from smarttriage.services.training import embed

ROOT = Path(__file__).resolve().parent.parent
SETS = ("stackfaq_webapps", "gitbugs_duplicates")
LONG = 1_000
K = 10


def scores(
    search: HybridSearch, asked: Mapping[str, np.ndarray], qrels: Mapping[str, Mapping[str, int]], own: bool
) -> list[float]:
    """Return nDCG@10 of each query; `own` leaves the query's own record out."""
    found = []
    for query, vectors in asked.items():
        hits = search.nearest(vectors, K, allowed=ALLOWED, without=(query,) if own else ())
        found.append(ndcg_at([record for record, _ in hits.records[:K]], qrels[query], K))
    return found


def measured(name: str, data: Path, cache: FileVectorCache) -> dict[str, dict[str, float | None]]:
    """Return row -> figures of one set."""
    folder, encoder = data / name, parts.encoder(n_threads=2)
    documents = list(read_documents(folder / "corpus.jsonl.gz"))
    files = [
        [folder / f"{kind}.{split}.{end}" for split in ("train", "dev")]
        for kind, end in (("queries", "jsonl.gz"), ("qrels", "tsv"))
    ]
    queries = read_judged(*files)
    whole = [f"{document.title}\n{document.text}" for document in documents]
    cut = Parts({document.id: document.id for document in documents}, whole, whole)
    pieces = {query: [each.text for each in passages(query, text)] for query, text in queries.texts.items()}

    def vectors(texts: Sequence[str]) -> np.ndarray:
        return embed(list(texts), encoder=encoder, cache=cache)

    asked = {
        "query cut": dict(zip(queries.texts, vectors(list(queries.texts.values())), strict=True)),
        "query by passages": {query: vectors(texts) for query, texts in pieces.items()},
    }
    is_long = np.array([len(text) > LONG for text in queries.texts.values()])
    right_long = {document.id for document, text in zip(documents, whole, strict=True) if len(text) > LONG}
    to_long = np.array([any(grade and record in right_long for record, grade in queries.qrels[q].items()) for q in queries.texts])
    rows = {}
    for records, these in (("records cut", cut), ("records by passages", parts_of(documents))):
        dense = FaissIndex(encoder_id=encoder.encoder_id, dim=encoder.dim)
        search = build_search(these, vectors(these.texts), dense=dense, lexical=TantivyIndex())
        for side, these_queries in asked.items():
            each = np.array(scores(search, these_queries, queries.qrels, name == "gitbugs_duplicates"))
            rows[f"{records}, {side}"] = {
                "all": float(each.mean()),
                "long query": float(each[is_long].mean()) if is_long.any() else None,
                "long right record": float(each[to_long].mean()) if to_long.any() else None,
            }
    rows["queries"] = {"all": len(is_long), "long query": int(is_long.sum()), "long right record": int(to_long.sum())}
    return rows


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, default=ROOT / ".." / "shared" / "data")
    options.add_argument("--cache", type=Path, default=ROOT / ".cache" / "vectors")
    given = options.parse_args()
    result, lines = {}, []
    for name in SETS:
        result[name] = measured(name, given.data, FileVectorCache(given.cache))
        lines.append(f"| {name}, nDCG@10 | {' | '.join(result[name]['queries'])} |\n|---|---|---|---|")
        lines[-1] += "".join(
            f"\n| {row} | {' | '.join('-' if x is None else f'{x:.4g}' for x in figures.values())} |"
            for row, figures in result[name].items()
        )
    write_results("long_texts", result, "\n\n".join(lines))


if __name__ == "__main__":
    main()

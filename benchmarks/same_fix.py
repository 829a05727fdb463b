"""From which cosine does an article say what a resolution says? Precision and recall of "an article says the same, none is drafted".

    python benchmarks/same_fix.py [--cache FOLDER]

The incidents of kb/incidents.jsonl name the article that their resolution used, or none. Each resolution is put to the 90 articles as
the service does it (`services.learning`); claiming the article that is named is right, any other claim is wrong, also where none is
named. Half of the incidents choose the level (the least one at which four of five claims are right), the other half are reported.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from report import write_results
from smarttriage.adapters.articles import read_articles
from smarttriage.adapters.indexes.faiss import FaissIndex
from smarttriage.adapters.lexical.tantivy import TantivyIndex
from smarttriage.adapters.vector_cache import FileVectorCache
from smarttriage.bootstrap import parts
from smarttriage.domain.interval import clopper_pearson
from smarttriage.domain.text import model_text
from smarttriage.ports import Encoder, VectorCache
from smarttriage.services.learning import SAME_FIX, with_resolution
from smarttriage.services.notes import assess
from smarttriage.services.retrieval import ARTICLES, HybridSearch
from smarttriage.services.retrieval_evaluation import ALLOWED, Document, build_search, parts_of
from smarttriage.services.training import embed

ROOT = Path(__file__).resolve().parent.parent
LEVELS = tuple(round(level, 2) for level in np.arange(0.3, 0.91, 0.05).tolist())
# A wrong claim keeps a note from being drafted as an article, though it stays with its incident; a missed one costs a reviewer a look.
PRECISION = 0.8


@dataclass(frozen=True, slots=True)
class Put:
    """A resolution put to the articles: which one it used (None: none), which was found first, and how near it is."""

    used: str | None
    found: str | None
    near: float


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--cache", type=Path, help="Keep vectors here.")
    chosen = options.parse_args()
    encoder, cache = parts.encoder(n_threads=1), FileVectorCache(chosen.cache) if chosen.cache else None
    rows = [json.loads(line) for line in (ROOT / "kb" / "incidents.jsonl").read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if row.get("resolution") and assess(row["resolution"]["text"]).actionable]
    alone = [model_text("", row["resolution"]["text"]) for row in rows]
    both = [with_resolution(row["title"], row["description"], row["resolution"]["text"]) for row in rows]
    search = articles(encoder, cache)
    used = [row["resolution"].get("article_id") for row in rows]
    found = {
        "the resolution alone": put(alone, used, search, encoder, cache),
        "the incident and its resolution (as the service asks)": put(both, used, search, encoder, cache),
    }
    result = {name: [point(each[1::2], level) for level in LEVELS] for name, each in found.items()}
    levels = {name: least(each[0::2]) for name, each in found.items()}
    write_results("same_fix", {"curves": result, "chosen": levels, "in force": SAME_FIX}, table(found, levels))


def articles(encoder: Encoder, cache: VectorCache | None) -> HybridSearch:
    """Return a search over the shipped articles as the service searches them."""
    rows = [row.values for row in read_articles(ROOT / "kb" / "articles") if row.problem is None]
    pieces = parts_of([Document(str(row["id"]), str(row["title"]), str(row["body"])) for row in rows])
    dense = FaissIndex(encoder_id=encoder.encoder_id, dim=encoder.dim)
    found = build_search(pieces, embed(pieces.texts, encoder=encoder, cache=cache), dense=dense, lexical=TantivyIndex())
    return replace(found, settings=ARTICLES)


def put(
    texts: Sequence[str], used: Sequence[str | None], search: HybridSearch, encoder: Encoder, cache: VectorCache | None
) -> list[Put]:
    vectors = embed(list(texts), encoder=encoder, cache=cache)
    made = []
    for text, article, vector in zip(texts, used, vectors, strict=True):
        results = search.search(text, vector, 1, allowed=ALLOWED)
        made.append(Put(article, results[0].id, results[0].dense or 0.0) if results else Put(article, None, 0.0))
    return made


def point(rows: Sequence[Put], level: float) -> dict[str, float]:
    """Return what a level would do: how many are claimed, how many of them rightly, and how many that have an article are found."""
    claimed = [row for row in rows if row.found is not None and row.near >= level]
    right = sum(row.found == row.used for row in claimed)
    low, high = clopper_pearson(right, len(claimed)) if claimed else (0.0, 1.0)
    return {
        "level": level,
        "n_claimed": len(claimed),
        "n_right": right,
        "precision": right / len(claimed) if claimed else 1.0,
        "low": low,
        "high": high,
        "recall": right / sum(row.used is not None for row in rows),
    }


def least(rows: Sequence[Put]) -> float | None:
    """Return the least level at which four of five claims are right, None if there is none."""
    return next(
        (level for level in LEVELS if 0 < point(rows, level)["n_right"] >= PRECISION * point(rows, level)["n_claimed"]), None
    )


def table(found: dict[str, list[Put]], levels: dict[str, float | None]) -> str:
    lines = []
    for name, rows in found.items():
        reported = rows[1::2]
        n_used = sum(row.used is not None for row in reported)
        lines += [
            f"Asked with {name}; {len(reported)} resolutions that say what was done, {n_used} of them name an article. Level by the other "
            f"half: {levels[name] if levels[name] is not None else 'none'}.",
            "",
            "| cosine at least | claimed | right | precision, 95 % | of those that name an article, found |",
            "|---|---|---|---|---|",
            *(row_of(point(reported, level)) for level in LEVELS),
            "",
        ]
    return "\n".join([*lines, f"In force: {SAME_FIX} (`SAME_FIX` in services/learning.py)."])


def row_of(at: dict[str, float]) -> str:
    precision = f"{at['precision']:.3f} ({at['low']:.3f} to {at['high']:.3f})" if at["n_claimed"] else "-"
    return f"| {at['level']:.2f} | {at['n_claimed']} | {at['n_right']} | {precision} | {at['recall']:.3f} |"


if __name__ == "__main__":
    main()

"""German, French, Dutch and Spanish incidents asked of English articles: BM25, MiniLM, hybrid, and hybrid with the glossary.

    python benchmarks/bilingual.py [--cache FOLDER]

Queries are the seed incidents of kb/incidents.jsonl in these languages that an agent resolved with an article; that article is the
right one (the link stands in the seed, nothing was labelled for this). The glossary was written from general knowledge; half of the queries,
by the last bit of the SHA-256 of the id, is kept aside for whoever extends it after reading queries, and the headline is that half. Also printed: every held-out incident or request, an article
of its sub-category counting as right; English incidents before and after; what the glossary costs a text.
Writes benchmarks/results/bilingual.json and .md.
"""

import argparse
import hashlib
import json
import time
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from report import write_results
from smarttriage.adapters.articles import read_articles
from smarttriage.adapters.indexes.faiss import FaissIndex
from smarttriage.adapters.lexical.tantivy import TantivyIndex
from smarttriage.adapters.vector_cache import FileVectorCache
from smarttriage.bootstrap import parts, resources
from smarttriage.domain.glossary import Gloss, parse_glossary
from smarttriage.domain.text import model_text
from smarttriage.ports import Vectors
from smarttriage.services.ranking_metrics import ndcg_at
from smarttriage.services.retrieval import HybridSearch
from smarttriage.services.retrieval_evaluation import ALLOWED, Document, build_search, parts_of
from smarttriage.services.training import embed

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = ("de", "fr", "nl", "es")
SYSTEMS = ("BM25", "dense", "hybrid", "BM25 + glossary", "dense + glossary", "ours: hybrid + glossary")
K = 10


@dataclass(frozen=True, slots=True)
class Query:
    """An incident, what it is in English and the articles that are right."""

    language: str
    held_out: bool
    text: str
    gloss: Gloss | None
    linked: str | None
    sub_category: str | None


def held_out(incident: str) -> bool:
    """Return whether the incident was kept aside from whoever extends the glossary."""
    return bool(hashlib.sha256(incident.encode()).digest()[-1] & 1)


def queries() -> list[Query]:
    """Return the seed's work items; languages are detected as in service, not taken from the seed."""
    glossary = parse_glossary(tomllib.loads((ROOT / "kb" / "glossary.toml").read_text(encoding="utf-8")))
    languages = resources.intake().languages
    found = []
    for line in (ROOT / "kb" / "incidents.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["kind"] == "other":
            continue
        text = model_text(row["title"], row["description"])
        linked = (row["resolution"] or {}).get("article_id")
        gloss = glossary.gloss(text, languages.detect(text))
        found.append(Query(row["language"], held_out(row["id"]), text, gloss, linked, row["sub_category"]))
    return found


def ranked(search: HybridSearch, query: Query, vector: Vectors, english: Vectors | None) -> list[list[str]]:
    """Return the records of each system."""
    both = vector if english is None else np.stack([vector, english])
    asked = f"{query.text}\n{query.gloss.text}" if query.gloss else query.text
    near, near_both = (search.nearest(each, K, allowed=ALLOWED) for each in (vector, both))
    worded, worded_both = (search.worded(each, K, allowed=ALLOWED) for each in (query.text, asked))
    plain, ours = search.fused(near, worded), search.fused(near_both, worded_both)
    sides = [[record for record, _ in side.records[:K]] for side in (worded, near, worded_both, near_both)]
    hybrids = [[candidate.id for candidate in each[:K]] for each in (plain, ours)]
    return [sides[0], sides[1], hybrids[0], sides[2], sides[3], hybrids[1]]


def scores(
    search: HybridSearch, asked: Sequence[Query], cache: FileVectorCache, judged: Mapping[int, Mapping[str, int]]
) -> np.ndarray:
    """Return (n_queries, n_systems) nDCG@10."""
    encoder = parts.encoder(n_threads=1)
    vectors = embed([query.text for query in asked], encoder=encoder, cache=cache)
    glossed = [query.gloss.text if query.gloss else query.text for query in asked]
    english = embed(glossed, encoder=encoder, cache=cache)
    rows = []
    for at, query in enumerate(asked):
        found = ranked(search, query, vectors[at], english[at] if query.gloss else None)
        rows.append([ndcg_at(ids, judged[at], K) for ids in found])
    return np.array(rows)


def by_language(asked: Sequence[Query], figures: np.ndarray) -> dict[str, dict[str, float]]:
    """Return system -> language or "all" -> mean nDCG@10."""
    rows = {}
    for column, name in enumerate(SYSTEMS):
        means = {code: figures[[q.language == code for q in asked], column] for code in LANGUAGES}
        rows[name] = {code: float(each.mean()) for code, each in means.items()} | {"all": float(figures[:, column].mean())}
    return rows


def table(asked: Sequence[Query], rows: Mapping[str, Mapping[str, float]]) -> str:
    counts = {code: sum(query.language == code for query in asked) for code in LANGUAGES} | {"all": len(asked)}
    head = "| nDCG@10 | " + " | ".join(f"{code} ({n})" for code, n in counts.items()) + " |\n|---|" + "---|" * len(counts)
    return "\n".join(
        [head, *(f"| {name} | " + " | ".join(f"{x:.3f}" for x in row.values()) + " |" for name, row in rows.items())]
    )


def cost(asked: Sequence[Query]) -> dict[str, float]:
    """Return milliseconds of detecting the language and translating, over English and other texts."""
    glossary = parse_glossary(tomllib.loads((ROOT / "kb" / "glossary.toml").read_text(encoding="utf-8")))
    languages, spent = resources.intake().languages, []
    for query in asked:
        started = time.perf_counter()
        glossary.gloss(query.text, languages.detect(query.text))
        spent.append((time.perf_counter() - started) * 1_000)
    return {"p50": float(np.percentile(spent, 50)), "p95": float(np.percentile(spent, 95))}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--cache", type=Path, default=ROOT / ".cache" / "vectors")
    cache, encoder = FileVectorCache(options.parse_args().cache), parts.encoder(n_threads=1)
    articles = [row.values for row in read_articles(ROOT / "kb" / "articles")]
    pieces = parts_of([Document(row["id"], row["title"], row["body"]) for row in articles])
    vectors = embed(pieces.texts, encoder=encoder, cache=cache)
    dense = FaissIndex(encoder_id=encoder.encoder_id, dim=encoder.dim)
    search = build_search(pieces, vectors, dense=dense, lexical=TantivyIndex())
    everything = queries()
    result: dict[str, object] = {}
    lines = []

    def measured(title: str, asked: list[Query], judged: dict[int, dict[str, int]]) -> None:
        rows = by_language(asked, scores(search, asked, cache, judged))
        result[title] = rows
        lines.append(f"{title}\n\n{table(asked, rows)}")

    for half, title in ((True, "Held-out half: the article that resolved the incident"), (False, "The other half")):
        asked = [q for q in everything if q.language in LANGUAGES and q.linked and q.held_out is half]
        measured(title, asked, {at: {str(q.linked): 1} for at, q in enumerate(asked)})
    below: dict[str, dict[str, int]] = {}
    for row in articles:
        below.setdefault(row["sub_category"], {})[row["id"]] = 1
    asked = [q for q in everything if q.language in LANGUAGES and q.held_out and q.sub_category in below]
    measured("Held-out half, every incident and request: any article of its sub-category", asked,
             {at: below[str(q.sub_category)] for at, q in enumerate(asked)})  # fmt: skip
    english = [q for q in everything if q.language == "en" and q.linked]
    figures = scores(search, english, cache, {at: {str(q.linked): 1} for at, q in enumerate(english)}).mean(axis=0)
    n_touched = sum(q.gloss is not None for q in everything if q.language == "en")
    n_english = sum(q.language == "en" for q in everything)
    result["english"] = {"touched": n_touched, "of": n_english, **dict(zip(SYSTEMS, map(float, figures), strict=True))}
    lines.append(
        f"English: {n_touched} of {n_english} incidents are touched; nDCG@10 of {len(english)} linked ones: "
        f"hybrid {figures[2]:.4f}, ours {figures[5]:.4f}."
    )
    for name, chosen in (("English", True), ("other", False)):
        spent = cost([q for q in everything if (q.language == "en") is chosen])
        result[f"cost of {name} texts, ms"] = spent
        lines.append(
            f"Detecting the language and translating, {name} texts: {spent['p50']:.3f} ms p50, {spent['p95']:.3f} ms p95."
        )
    n_other = sum(q.language in LANGUAGES for q in everything)
    n_missed = sum(q.gloss is None for q in everything if q.language in LANGUAGES)
    result["not glossed"] = n_missed
    lines.append(f"Of {n_other} texts in the four languages {n_missed} are not translated (language unclear, or no known word).")
    write_results("bilingual", result, "\n\n".join(lines))


if __name__ == "__main__":
    main()

"""Long reports as the service searches them: the whole text alone, or with passages from behind what the encoder reads.

    python benchmarks/long_texts.py [--data ../shared/data] [--cache FOLDER]

The documents of gitbugs_duplicates and stackfaq_webapps stored as past incidents, their queries asked as new ones, nothing held back by a
floor. How many parts a text has is chosen on the train queries of gitbugs_duplicates; the last row of each table is what the service's
own indexing and matching find. "False duplicates" are questions with a record at or above the cosine of a possible duplicate which nobody
judged one. Writes benchmarks/results/long_texts.json and .md.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from report import write_results
from smarttriage.adapters.indexes.faiss import FaissIndex
from smarttriage.adapters.lexical.tantivy import TantivyIndex
from smarttriage.adapters.stores.sql import SqlStore
from smarttriage.adapters.vector_cache import FileVectorCache
from smarttriage.bootstrap import parts
from smarttriage.bootstrap.retrieval import read_documents
from smarttriage.domain.article import MAX_PASSAGE_CHARS
from smarttriage.domain.incident_parts import MAX_WHOLE_CHARS, N_PARTS, IncidentOfPart, further_passages, part_id
from smarttriage.domain.text import MAX_CHARS, model_text
from smarttriage.ports import Encoder, Vectors
from smarttriage.services.collections import Collection
from smarttriage.services.indexing import IndexingService
from smarttriage.services.matching import IncidentText, Question
from smarttriage.services.ranking_metrics import ndcg_at
from smarttriage.services.retrieval import EVERYTHING, HybridSearch, SearchResult, lexical_text
from smarttriage.services.retrieval_evaluation import ALLOWED, Document, JudgedQueries
from smarttriage.services.similar import BOUNDS
from smarttriage.services.training import embed
from smarttriage.testing.factories import NOON, a_principal, an_incident
from unseen import read_queries

ROOT = Path(__file__).resolve().parent.parent
SETS = ("gitbugs_duplicates", "stackfaq_webapps")
SPLITS = ("train", "dev")
TRIED = (1, 2, 3, 4)
ME = a_principal()
K = 10
Finds = Callable[[str, str, str], Sequence[SearchResult]]


@dataclass(frozen=True)
class CachedEncoder:
    """The shipped encoder and what it said before."""

    inner: Encoder
    cache: FileVectorCache

    @property
    def encoder_id(self) -> str:
        return self.inner.encoder_id

    @property
    def dim(self) -> int:
        return self.inner.dim

    def encode(self, texts: Sequence[str]) -> Vectors:
        return embed(list(texts), encoder=self.inner, cache=self.cache)


def texts_of(title: str, description: str, n_parts: int) -> list[str]:
    """Return the whole text and its passages; more parts need more of the text than models read."""
    read = model_text(title, description, max_chars=max(MAX_CHARS, n_parts * MAX_PASSAGE_CHARS + 200))
    return [model_text(title, description), *further_passages(title, read, n_parts)]


def by_parts(documents: Sequence[Document], n_parts: int, encoder: Encoder) -> Finds:
    """Return a search over the documents with so many parts each, asked with so many."""
    pieces = [(each, texts_of(each.title, each.text, n_parts)) for each in documents]
    ids = [each.id if place == 0 else part_id(each.id, place) for each, texts in pieces for place in range(len(texts))]
    dense, lexical = FaissIndex(encoder_id=encoder.encoder_id, dim=encoder.dim), TantivyIndex()
    dense.add(ids, encoder.encode([text for _, texts in pieces for text in texts]), [ALLOWED] * len(ids))
    words = [lexical_text(each.title, texts[0]) for each, texts in pieces]
    lexical.add([each.id for each in documents], words, [ALLOWED] * len(documents))
    search = HybridSearch(dense.snapshot(), lexical.snapshot(), IncidentOfPart(), EVERYTHING)

    def finds(query: str, title: str, description: str) -> Sequence[SearchResult]:
        asked = texts_of(title, description, n_parts)
        return search.search(asked[0], encoder.encode(asked), K, allowed=ALLOWED, without=(query,))

    return finds


def as_served(documents: Sequence[Document], encoder: Encoder, folder: Path) -> Finds:
    """Return what a request finds among the documents as stored incidents."""
    store = SqlStore.open(folder / "store.db", clock=lambda: NOON)
    incidents = [an_incident(id=each.id, title=each.title, description=each.text) for each in documents]
    with store.begin(write=True) as records:
        records.add_incidents(incidents, key_id=None)

    def new_collection(name: str) -> Collection:
        return Collection(name, FaissIndex(encoder_id=encoder.encoder_id, dim=encoder.dim), TantivyIndex())

    indexing = IndexingService(store=store, encoder=encoder, new_collection=new_collection, incident_search=EVERYTHING)
    indexing.catch_up()
    catalogue = indexing.catalogue()

    def finds(query: str, title: str, description: str) -> Sequence[SearchResult]:
        request = IncidentText(title, description, incident_id=query)
        question = Question(ME, catalogue, request, model_text(title, description))
        vector = encoder.encode([question.text])[0]
        return [result for result, _ in question.neighbours(vector, question.worded(None, encoder), store).neighbours]

    return finds


def figures(finds: Finds, queries: JudgedQueries) -> dict[str, float | int | None]:
    """Return nDCG@10 over all, the short and the long queries, and the questions with a false duplicate."""
    scores, long, false = [], [], 0
    for query, text in queries.texts.items():
        title, _, description = text.partition("\n")
        found, judged = finds(query, title, description), queries.qrels[query]
        scores.append(ndcg_at([each.id for each in found[:K]], judged, K))
        long.append(len(model_text(title, description)) > MAX_WHOLE_CHARS)
        false += any((each.dense or 0.0) >= BOUNDS.duplicate and not judged.get(each.id) for each in found)
    each, is_long = np.array(scores), np.array(long)
    return {
        "n": len(each),
        "n_long": int(is_long.sum()),
        "all": float(each.mean()),
        "short": float(each[~is_long].mean()) if (~is_long).any() else None,
        "long": float(each[is_long].mean()) if is_long.any() else None,
        "false_duplicates": false,
    }


def measured(name: str, data: Path, encoder: Encoder) -> dict[str, Any]:
    """Return split -> row -> figures of one set, and how many documents are long."""
    folder = data / name
    documents = list(read_documents(folder / "corpus.jsonl.gz"))
    queries = {split: read_queries(folder, split) for split in SPLITS}
    with tempfile.TemporaryDirectory() as place:
        ways: Mapping[str, Finds] = {
            **{f"{n} part{'s' if n > 1 else ''}": by_parts(documents, n, encoder) for n in TRIED},
            f"as served ({N_PARTS})": as_served(documents, encoder, Path(place)),
        }
        rows = {split: {way: figures(finds, queries[split]) for way, finds in ways.items()} for split in SPLITS}
    n_long = sum(len(texts_of(each.title, each.text, 2)) > 1 for each in documents)
    return {"n": len(documents), "n_long": n_long, "rows": rows}


def milliseconds(documents: Sequence[Document], encoder: Encoder, rounds: int = 5) -> dict[str, float]:
    """Return what encoding takes: a short text, a long one, and the passage behind the latter; medians over documents."""
    long = [texts for each in documents if len(texts := texts_of(each.title, each.text, N_PARTS)) > 1][:40]
    short = [texts for each in documents if len(texts := texts_of(each.title, each.text, N_PARTS)) == 1][:40]

    def spent(texts: Sequence[str]) -> float:
        times = []
        for text in texts:
            started = time.perf_counter()
            encoder.encode([text])
            times.append((time.perf_counter() - started) * 1000)
        return float(np.median(times))

    asked = {"short": [each[0] for each in short], "long": [each[0] for each in long], "passage": [each[1] for each in long]}
    return {name: min(spent(texts) for _ in range(rounds)) for name, texts in asked.items()}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, default=ROOT / ".." / "shared" / "data")
    options.add_argument("--cache", type=Path, default=ROOT / ".cache" / "vectors")
    given = options.parse_args()
    plain = parts.encoder(n_threads=1)
    encoder = CachedEncoder(parts.encoder(n_threads=2), FileVectorCache(given.cache))
    result: dict[str, Any] = {name: measured(name, given.data, encoder) for name in SETS}
    result["encode_ms"] = milliseconds(list(read_documents(given.data / SETS[0] / "corpus.jsonl.gz")), plain)
    write_results("long_texts", result, table(result))


def table(result: Mapping[str, Any]) -> str:
    """Return the text of the section."""
    lines = []
    for name in SETS:
        one = result[name]
        for split in SPLITS:
            rows = one["rows"][split]
            first = next(iter(rows.values()))
            lines += [
                f"| {name}, {split}: {first['n']} questions, {first['n_long']} long; nDCG@10 | all | short | long | false duplicates |",
                "|---|---|---|---|---|",
            ]
            for way, row in rows.items():
                shown = " | ".join("-" if row[each] is None else f"{row[each]:.4f}" for each in ("all", "short", "long"))
                lines.append(f"| {way} | {shown} | {row['false_duplicates']} |")
            lines.append("")
        lines += [f"{one['n_long']} of {one['n']} records of {name} are long (beyond {MAX_WHOLE_CHARS:,} characters).", ""]
    spent = result["encode_ms"]
    lines.append(
        f"One thread encodes a short text in {spent['short']:.1f} ms, a long one in {spent['long']:.1f} ms and the passage that such a "
        f"question asks by as well in {spent['passage']:.1f} ms; a short text asks by nothing more."
    )
    return "\n".join(lines)


if __name__ == "__main__":
    main()

"""Does the report of knowledge gaps find the topics that a knowledge base lacks, and what does it cost?

    python benchmarks/gaps.py [--data ../shared/data] [--cache FOLDER]

Writes benchmarks/results/gaps.json and .md. All articles of one product at a time are left out of kb_msoffice; its queries come in as
resolved incidents that nobody asked a suggestion for, each with a handling time drawn from a log-normal (median 4 h). An incident
lacks its article exactly if that was left out. Everything runs through the real store, index and service.
"""

import argparse
import gzip
import json
import random
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from report import write_results
from smarttriage.adapters.stores.sql import SqlStore
from smarttriage.adapters.vector_cache import FileVectorCache
from smarttriage.bootstrap import parts
from smarttriage.bootstrap.indexing import new_indexing
from smarttriage.bootstrap.models import open_models
from smarttriage.bootstrap.retrieval import read_documents
from smarttriage.config import Settings
from smarttriage.domain.access import EVERYONE, Principal, Scope
from smarttriage.domain.article import Article, ArticleStatus, passage_text, passages
from smarttriage.domain.gaps import Gap
from smarttriage.domain.incident import Incident, IncidentStatus, Resolution
from smarttriage.ports import Encoder
from smarttriage.services.gaps import GapReport, GapService
from smarttriage.services.hygiene import HygieneService
from smarttriage.services.indexing import content_hash
from smarttriage.services.live import Live, State
from smarttriage.services.retrieval_evaluation import Document, JudgedQueries
from smarttriage.services.training import embed
from unseen import read_queries

ROOT = Path(__file__).resolve().parent.parent
NOW = datetime(2026, 1, 1, tzinfo=UTC)
TENANT = "default"
READER = Principal("benchmark", TENANT, frozenset({EVERYONE}), frozenset(Scope))
MEDIAN_HOURS, SPREAD = 4.0, 1.0
MIN_HIDDEN = 15


def an_article(document: Document) -> Article:
    return Article(document.id, TENANT, document.title, document.text, NOW, NOW, ArticleStatus.PUBLISHED)


def incidents_of(queries: JudgedQueries) -> list[Incident]:
    draw, made = random.Random(0), []
    for place, (query, text) in enumerate(queries.texts.items()):
        at = NOW - timedelta(minutes=place)
        hours = draw.lognormvariate(0.0, SPREAD) * MEDIAN_HOURS
        resolution = Resolution("done", at + timedelta(hours=hours))
        made.append(Incident(query, TENANT, "", text, at, at, at, IncidentStatus.RESOLVED, resolution=resolution))
    return made


def service_over(
    folder: Path, articles: Sequence[Article], incidents: Sequence[Incident], encoder: Encoder, cache: FileVectorCache
) -> GapService:
    """Return the service over a store that holds these, with the vectors that the cache has."""
    store = SqlStore.open(folder / "store.db", clock=lambda: NOW)
    texts = [passage_text(each.title, passage.text) for each in articles for passage in passages(each.id, each.body)]
    texts += [incident.text for incident in incidents]
    vectors = embed(texts, encoder=encoder, cache=cache)
    with store.begin(write=True) as records:
        records.add_articles(articles, key_id=None)
        records.add_incidents(incidents, key_id=None)
        records.add_vectors(encoder.encoder_id, {content_hash(t): v for t, v in zip(texts, vectors, strict=True)})
    indexing = new_indexing(store=store, encoder=encoder)
    indexing.catch_up()
    live = Live(State(open_models(Settings(data_dir=folder), encoder), indexing.catalogue()))
    return GapService(store=store, live=live, clock=lambda: NOW)


def measured(report: GapReport, hidden: set[str], product: str, seconds: float) -> dict[str, object]:
    """Return how well the report found the incidents whose article was left out."""
    lacking = {incident for gap in report.gaps for incident in gap.incident_ids}
    return {
        "product": product,
        "n": report.n,
        "n_hidden": len(hidden),
        "recall": len(lacking & hidden) / len(hidden),
        "called_lacking": len(lacking),
        "false": len(lacking - hidden) / (report.n - len(hidden)),
        "lift": (len(lacking & hidden) / len(lacking)) / (len(hidden) / report.n) if lacking else None,
        "topics": len(report.gaps),
        "vital": sum(gap.vital for gap in report.gaps),
        "largest": [_told(gap, hidden) for gap in report.gaps[:3]],
        "seconds": round(seconds, 2),
    }


def _told(gap: Gap, hidden: set[str]) -> str:
    lacking = sum(incident in hidden for incident in gap.incident_ids)
    return f"{' '.join(gap.words[:3])} ({lacking} of {gap.n})"


def main() -> None:
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    arguments.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "smarttriage" / "vectors")
    given = arguments.parse_args()
    folder, cache, encoder = given.data / "kb_msoffice", FileVectorCache(given.cache), parts.encoder(n_threads=2)
    corpus = read_documents(folder / "corpus.jsonl.gz")
    queries = read_queries(folder, "train", "dev")
    with gzip.open(folder / "articles_full.jsonl.gz", "rt", encoding="utf-8") as lines:
        products: Mapping[str, str] = {row["_id"]: row["product"] for row in map(json.loads, lines)}
    incidents = incidents_of(queries)
    own = {query: {article for article, grade in grades.items() if grade > 0} for query, grades in queries.qrels.items()}
    found, hygiene_seconds = [], []
    for product in sorted(set(products.values())):
        left_out = {article for article, of in products.items() if of == product}
        hidden = {query for query, articles in own.items() if articles <= left_out}
        if len(hidden) < MIN_HIDDEN:
            continue
        kept = [an_article(document) for document in corpus if document.id not in left_out]
        with tempfile.TemporaryDirectory() as scratch:
            service = service_over(Path(scratch), kept, incidents, encoder, cache)
            started = time.perf_counter()
            report = service.report(READER)
            found.append(measured(report, hidden, product, time.perf_counter() - started))
            started = time.perf_counter()
            HygieneService(store=service.store, live=service.live, clock=service.clock).report(READER)
            hygiene_seconds.append(time.perf_counter() - started)
            service.store.close()
        print(found[-1], flush=True)
    result = {"products": found, "hygiene_seconds": round(statistics.median(hygiene_seconds), 2), "n_articles": len(corpus)}
    write_results("gaps", result, table(result))


def table(result: Mapping[str, object]) -> str:
    """Return the text of the section."""
    lines = [
        "| product left out | incidents lacking it | found to lack one | of the others said to lack one | lift | topics | of them vital | largest topics (lacking of all) | seconds |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for one in result["products"]:  # type: ignore[attr-defined]
        lift = "-" if one["lift"] is None else f"{one['lift']:.1f}"
        cells = [
            one["product"],
            one["n_hidden"],
            f"{one['recall']:.0%}",
            f"{one['false']:.0%}",
            lift,
            one["topics"],
            one["vital"],
        ]
        lines.append(f"| {' | '.join(map(str, cells))} | {'; '.join(one['largest'])} | {one['seconds']} |")
    lines += [
        "",
        "Lift: how much more often an incident that is said to lack an article does than any. Whether one lacks an article is decided by the "
        "relevance floor, so that an incident which finds a neighbouring article counts as covered until somebody says that it failed.",
        f"Looking through all {result['n_articles']} articles for faults took {result['hygiene_seconds']} s.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()

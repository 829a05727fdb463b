"""Streams of resolved incidents whose right knowledge is known: of a real knowledge base, and of the seed."""

import gzip
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from smarttriage.domain.sentences import sentences
from unseen import trained_records

ROOT = Path(__file__).resolve().parent.parent
MSOFFICE = ROOT.parent / "shared/data/kb_msoffice/articles_full.jsonl.gz"
SEED = ROOT / "kb/incidents.jsonl"
MAX_REPORTS = 3
MIN_WORDS = 8
MAX_RESOLUTION_CHARS = 6_000


@dataclass(frozen=True, slots=True)
class Told:
    """One incident of a stream: what was reported, how it was resolved, and which knowledge that is."""

    id: str
    title: str
    description: str
    resolution: str
    fix: str


def msoffice(n_articles: int, *, offset: int, seed: int) -> list[Told]:
    """Return up to three incidents for each article whose symptoms the encoder was not trained on, in shuffled order.

    The sentences of its symptoms are dealt to the reports in turn, so that no two share one; a report has at least eight words. The
    resolution is the article's text; where an article has several incidents, each leaves out another third of its sentences: no
    engineer writes down all of it.
    """
    known = trained_records(MSOFFICE.parent)
    with gzip.open(MSOFFICE, "rt", encoding="utf-8") as lines:
        articles = [
            row for row in map(json.loads, lines) if len(row["symptoms"].split()) >= MIN_WORDS and row["_id"] not in known
        ]
    Random(seed).shuffle(articles)
    told = [each for article in articles[offset : offset + n_articles] for each in _reports(article)]
    Random(seed + 1).shuffle(told)
    return told


def seed_incidents(*, seed: int) -> list[Told]:
    """Return the seed's incidents whose resolution names its article, in the order in which they were reported."""
    rows = [json.loads(line) for line in SEED.read_text(encoding="utf-8").splitlines()]
    used = [row for row in rows if (row.get("resolution") or {}).get("article_id")]
    used.sort(key=lambda row: (row["reported_at"], row["id"]))
    return [
        Told(row["id"], row["title"], row["description"], row["resolution"]["text"], row["resolution"]["article_id"])
        for row in used
    ]


def _reports(article: dict[str, Any]) -> Iterable[Told]:
    said = [each.text for each in sentences(article["symptoms"])]
    parts = [part for part in (said[n::MAX_REPORTS] for n in range(MAX_REPORTS)) if len(" ".join(part).split()) >= MIN_WORDS]
    parts = parts or [said]
    steps = [each.text for each in sentences(article["body"][:MAX_RESOLUTION_CHARS])]
    for n, part in enumerate(parts):
        yield Told(f"{article['_id']}-{n}", "", " ".join(part), "\n".join(_told(steps, n, len(parts))), article["_id"])


def _told(steps: Sequence[str], n: int, n_reports: int) -> list[str]:
    """Return the steps without every third one, another third for each report; all of them where there is one report."""
    if n_reports == 1:
        return list(steps)
    return [step for place, step in enumerate(steps) if place % MAX_REPORTS != n] or list(steps)

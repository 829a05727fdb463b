"""What an encoder is trained on: texts, pairs of a question and its answer, and answers that only look right.

Only rows that may be shipped are read, and of the judged sets no query of dev: a text that begins like one is left out wherever it
stands (half of the alerts in runbooks_alerts' dev queries are in alert_severity's train rows, word for word). A fold of the train queries
can be left out in the same way, so that what cannot be chosen on queries that were trained on is chosen on those.
"""

import csv
import gzip
import json
import os
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from smarttriage.adapters.articles import read_articles
from smarttriage.adapters.beir import read_queries
from smarttriage.adapters.lexical.tantivy import TantivyIndex
from smarttriage.adapters.vector_cache import FileVectorCache
from smarttriage.bootstrap import parts
from smarttriage.bootstrap.retrieval import read_documents, read_judged
from smarttriage.domain.article import passage_text, passages
from smarttriage.domain.text import model_text
from smarttriage.services.retrieval_evaluation import Document, Fold, JudgedQueries
from smarttriage.services.training import embed

SETS = ("kb_msoffice", "runbooks_alerts", "gitbugs_duplicates")
LABEL = ("training",)
# A dev query that is quoted elsewhere is cut or continued differently; its first words stay.
SAME_START = 60
MIN_CHARS = 12
# What stands for an article's body beside its title: its first passage that is longer than a heading and a line.
BODY_CHARS = 200
# Ranks looked at for wrong answers, and how many of them are kept for each query.
MINED_DEPTH = 20
MINED = 4


@dataclass(frozen=True, slots=True)
class Pair:
    """A question and its answer.

    Attributes:
        question: What is asked.
        answer: What answers it.
        record: Whose text the answer is.
        right: All records that answer the question; none of them is a negative for it.
        wrong: Records that look like an answer and are none, most alike first.
        kind: Where it comes from.
    """

    question: str
    answer: str
    record: str
    right: frozenset[str]
    wrong: tuple[str, ...]
    kind: str


@dataclass(frozen=True, slots=True)
class JudgedCorpus:
    """A judged set without its dev queries and the fold left out.

    Attributes:
        name: Its folder.
        documents: By id.
        passages: Passage id -> text, the title before it.
        owners: Passage id -> document id.
        bodies: Document id -> the passage that stands for its body, without the title.
        queries: The train queries.
    """

    name: str
    documents: Mapping[str, Document]
    passages: Mapping[str, str]
    owners: Mapping[str, str]
    bodies: Mapping[str, str]
    queries: JudgedQueries


def start_of(text: str) -> str:
    """Return the first letters and digits of a text, which two copies of it share."""
    return re.sub(r"[\W_]+", " ", text.lower()).strip()[:SAME_START]


def read_train(name: str, data: Path) -> JudgedQueries:
    """Return the train queries of a judged set."""
    return read_judged([data / name / "queries.train.jsonl.gz"], [data / name / "qrels.train.tsv"])


def left_out(data: Path, fold: Fold | None = None) -> dict[str, str]:
    """Return query id -> text of the dev queries and of the fold."""
    queries = dict(read_queries([data / name / "queries.dev.jsonl.gz" for name in SETS]))
    for name in SETS if fold else ():
        judged = read_train(name, data)
        queries |= {query: text for query, text in judged.texts.items() if fold and fold.holds(query, judged)}
    return queries


def forbidden_starts(data: Path, fold: Fold | None = None) -> frozenset[str]:
    """Return how the queries that are left out begin."""
    return frozenset(start_of(text) for text in left_out(data, fold).values())


def open_corpus(name: str, data: Path, fold: Fold | None = None) -> JudgedCorpus:
    """Return the set without documents that are queries left out or begin like one."""
    hidden, forbidden = left_out(data, fold), forbidden_starts(data, fold)
    documents = [each for each in read_documents(data / name / "corpus.jsonl.gz") if each.id not in hidden]
    documents = [each for each in documents if not {start_of(each.text), start_of(f"{each.title} {each.text}")} & forbidden]
    cut = [(each, passage) for each in documents for passage in passages(each.id, each.text)]
    bodies: dict[str, str] = {}
    for each, passage in cut:
        if len(bodies.get(each.id, "")) < BODY_CHARS:
            bodies[each.id] = max(bodies.get(each.id, ""), passage.text, key=len)
    judged = read_train(name, data)
    asked = {query: text for query, text in judged.texts.items() if query not in hidden and start_of(text) not in forbidden}
    return JudgedCorpus(
        name=name,
        documents={each.id: each for each in documents},
        passages={passage.id: passage_text(each.title, passage.text) for each, passage in cut},
        owners={passage.id: each.id for each, passage in cut},
        bodies=bodies,
        queries=JudgedQueries(asked, {query: judged.qrels[query] for query in asked}),
    )


def seed_incidents(kb: Path) -> list[dict[str, object]]:
    """Return the seed incidents."""
    return [json.loads(line) for line in (kb / "incidents.jsonl").read_text("utf-8").splitlines()]


def distil_texts(
    corpora: Sequence[JudgedCorpus], data: Path, kb: Path, counts: Mapping[str, int], *, seed: int, fold: Fold | None = None
) -> list[str]:
    """Return the texts that the student reads beside the teacher, `counts` of each source, in a seeded order."""
    rng, chosen, sources = random.Random(seed), [], text_sources(corpora, data, kb, fold)
    for name, count in counts.items():
        chosen += rng.sample(sources[name], min(count, len(sources[name])))
    distinct = list(dict.fromkeys(chosen))
    rng.shuffle(distinct)
    return distinct


def text_sources(corpora: Sequence[JudgedCorpus], data: Path, kb: Path, fold: Fold | None = None) -> dict[str, list[str]]:
    """Return source -> its distinct texts, without very short ones and those that begin like a query left out."""
    sources: dict[str, list[str]] = {}
    for corpus in corpora:
        sources[f"{corpus.name}_passages"] = list(corpus.passages.values())
        sources[f"{corpus.name}_titles"] = [each.title for each in corpus.documents.values()]
        sources[f"{corpus.name}_queries"] = list(corpus.queries.texts.values())
    sources["alerts"] = column(data / "alert_severity" / "train.csv.gz")
    sources["tickets"] = column(data / "it_ticket_category" / "train.csv.gz")
    sources["seed_incidents"] = [model_text(str(row["title"]), str(row["description"])) for row in seed_incidents(kb)]
    articles = [row.values for row in read_articles(kb / "articles")]
    sources["seed_articles"] = [passage_text(a["title"], p.text) for a in articles for p in passages(a["id"], a["body"])]
    forbidden = forbidden_starts(data, fold)
    return {
        name: [text for text in dict.fromkeys(texts) if len(text) >= MIN_CHARS and start_of(text) not in forbidden]
        for name, texts in sources.items()
    }


def column(path: Path, name: str = "text") -> list[str]:
    """Return one column of a gzipped CSV file."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
        return [row[name] for row in csv.DictReader(stream)]


def judged_pairs(corpus: JudgedCorpus, cache: Path | None) -> list[Pair]:
    """Return each train query with the passage of a right record that is nearest to it, and the records wrongly near to it."""
    encoder, ids, texts = parts.encoder(n_threads=os.cpu_count() or 1), list(corpus.passages), list(corpus.passages.values())
    kept = FileVectorCache(cache) if cache else None
    vectors = embed(texts, encoder=encoder, cache=kept)
    questions = embed(list(corpus.queries.texts.values()), encoder=encoder, cache=kept)
    words = TantivyIndex()
    words.add(ids, texts, [LABEL] * len(ids))
    searcher = words.snapshot()
    pairs = []
    for (query, text), vector in zip(corpus.queries.texts.items(), questions, strict=True):
        near = vectors @ vector
        right = {record for record, grade in corpus.queries.qrels[query].items() if grade > 0}
        own = [row for row, passage in enumerate(ids) if corpus.owners[passage] in right]
        if not own:
            continue
        best = max(own, key=lambda row: near[row])
        by_words = [hit.id for hit in searcher.search([text], MINED_DEPTH, allowed=LABEL)[0]]
        by_sense = [ids[row] for row in np.argsort(-near, kind="stable")[:MINED_DEPTH]]
        in_turn = [each for both in zip(by_sense, by_words, strict=False) for each in both]
        wrong = dict.fromkeys(corpus.owners[each] for each in in_turn)
        wrong_ids = tuple(each for each in wrong if each not in right and each != query)[:MINED]
        pairs.append(Pair(text, texts[best], corpus.owners[ids[best]], frozenset(right | {query}), wrong_ids, corpus.name))
    return pairs


def title_pairs(corpus: JudgedCorpus) -> list[Pair]:
    """Return title and the passage that stands for the body of each document whose body says more than its title."""
    titles = {record: corpus.documents[record].title for record in corpus.bodies}
    return [
        Pair(titles[record], body, record, frozenset({record}), (), f"{corpus.name}_titles")
        for record, body in corpus.bodies.items()
        if len(body) > len(titles[record]) >= MIN_CHARS
    ]


def resolution_pairs(kb: Path) -> list[Pair]:
    """Return what fixed a seed incident and the incident."""
    pairs = []
    for row in seed_incidents(kb):
        note = row.get("resolution")
        text = str(note["text"]) if isinstance(note, dict) else ""
        if len(text) >= MIN_CHARS:
            incident, own = model_text(str(row["title"]), str(row["description"])), str(row["id"])
            pairs.append(Pair(text, incident, own, frozenset({own}), (), "resolutions"))
    return pairs


def all_pairs(corpora: Sequence[JudgedCorpus], kb: Path, cache: Path | None) -> dict[str, list[Pair]]:
    """Return kind -> its pairs."""
    judged = {corpus.name: judged_pairs(corpus, cache) for corpus in corpora}
    return judged | {f"{corpus.name}_titles": title_pairs(corpus) for corpus in corpora} | {"resolutions": resolution_pairs(kb)}


def pair_groups(
    corpora: Sequence[JudgedCorpus], kb: Path, rounds: Mapping[str, float], *, cache: Path | None, seed: int
) -> list[list[Pair]]:
    """Return pairs, each followed by the title and body of one of its wrong records, in a seeded order."""
    rng, groups = random.Random(seed), []
    kinds = all_pairs(corpora, kb, cache)
    stands_for = {pair.record: pair for corpus in corpora for pair in kinds[f"{corpus.name}_titles"]}
    for name, times in rounds.items():
        pairs = kinds[name] * int(times) + rng.sample(kinds[name], int(len(kinds[name]) * (times % 1)))
        for pair in pairs:
            wrong = [stands_for[record] for record in pair.wrong if record in stands_for]
            groups.append([pair, *rng.sample(wrong, min(1, len(wrong)))])
    rng.shuffle(groups)
    return groups

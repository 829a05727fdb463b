"""The judged queries that the shipped encoder was not trained on: those of dev, and of train the fold that its training held out."""

import json
from pathlib import Path

from smarttriage.adapters.encoders.manifest import MANIFEST
from smarttriage.bootstrap import parts
from smarttriage.bootstrap.retrieval import read_judged
from smarttriage.services.retrieval_evaluation import Fold, JudgedQueries

# Sets whose train queries encoders are trained on (training/encoder_data.py).
TRAINED = ("kb_msoffice", "runbooks_alerts", "gitbugs_duplicates")


def held_out(folder: Path | None = None) -> Fold | None:
    """Return the part of the train queries that an encoder, by default the shipped one, was not trained on; None: it was trained on none."""
    manifest = (folder or parts.encoder_folder()) / MANIFEST
    student = json.loads(manifest.read_text(encoding="utf-8")).get("student")
    return Fold.parse(student["held_out"]) if student else None


def read_train(folder: Path) -> JudgedQueries:
    """Return the train queries of a set."""
    return read_judged([folder / "queries.train.jsonl.gz"], [folder / "qrels.train.tsv"])


def of_fold(judged: JudgedQueries, fold: Fold, *, inside: bool = True) -> JudgedQueries:
    """Return the queries that the fold holds, or those that it does not."""
    texts = {query: text for query, text in judged.texts.items() if fold.holds(query, judged) is inside}
    return JudgedQueries(texts, {query: judged.qrels[query] for query in texts})


def read_queries(folder: Path, *splits: str, encoder: Path | None = None) -> JudgedQueries:
    """Return the queries of a set's splits without those that the encoder in the folder `encoder` was trained on."""
    found = read_judged(
        [folder / f"queries.{each}.jsonl.gz" for each in splits], [folder / f"qrels.{each}.tsv" for each in splits]
    )
    fold = held_out(encoder) if folder.name in TRAINED and "train" in splits else None
    if fold is None:
        return found
    known = of_fold(read_train(folder), fold, inside=False).texts
    kept = {query: text for query, text in found.texts.items() if query not in known}
    return JudgedQueries(kept, {query: found.qrels[query] for query in kept})


def trained_records(folder: Path) -> frozenset[str]:
    """Return the records of a set that answer a query which the shipped encoder was trained on."""
    fold = held_out()
    known = of_fold(read_train(folder), fold, inside=False).qrels if fold else {}
    return frozenset(record for grades in known.values() for record, grade in grades.items() if grade > 0)

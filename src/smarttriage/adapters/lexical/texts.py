"""How every lexical index writes its analysed texts, and what it checks."""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from smarttriage.adapters.saved_folder import read_folder, write_folder
from smarttriage.domain.errors import IndexMismatch, InvalidInput

Labels = frozenset[str]
KIND = "texts"
TEXTS = "texts.jsonl"
# Names the analyser; a folder of another one is refused, because its terms would not meet those of the queries.
ANALYSER = "fold-stem-parts-1"
# BM25's usual constants; tantivy fixes them.
K1 = 1.2
B = 0.75
# Distinct terms of one query that are searched, the rarest first; benchmarks/retrieval.py prints what 16 and 64 would change.
MAX_QUERY_TERMS = 32

AnalysedText = tuple[str, str, Labels]


def checked_texts(ids: Sequence[str], texts: Sequence[str], labels: Sequence[Collection[str]]) -> dict[str, tuple[str, Labels]]:
    """Return id -> (text, labels); of an id given twice the last counts. Raises InvalidInput if the lengths differ."""
    if not len(ids) == len(texts) == len(labels):
        raise InvalidInput(f"{len(ids)} ids, {len(texts)} texts and {len(labels)} label sets: give one of each per record.")
    return {id_: (text, frozenset(each)) for id_, text, each in zip(ids, texts, labels, strict=True)}


def save_texts(folder: Path, *, seq: int, rows: Iterable[AnalysedText]) -> None:
    """Write (id, terms joined by spaces, labels) rows atomically with checksum and seq."""

    def write(stream: BinaryIO) -> None:
        for id_, terms, labels in rows:
            stream.write(json.dumps([id_, terms, sorted(labels)]).encode() + b"\n")

    write_folder(folder, kind=KIND, seq=seq, facts={"analyser": ANALYSER}, parts={TEXTS: write})


def load_texts(folder: Path) -> tuple[int, Iterator[AnalysedText]]:
    """Return (seq, rows). Raises IndexMismatch if the folder is damaged or of another analyser."""
    saved = read_folder(folder, kind=KIND, expected={"analyser": ANALYSER})
    if TEXTS not in saved.files:
        raise IndexMismatch(f"The index in {folder} has no {TEXTS}; delete the folder to rebuild it.")
    return saved.seq, _rows(saved.files[TEXTS])


def _rows(path: Path) -> Iterator[AnalysedText]:
    with path.open("rb") as stream:
        for line in stream:
            id_, terms, labels = json.loads(line)
            yield id_, terms, frozenset(labels)

"""What stands far back in a long report finds it, and is found by it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from smarttriage.adapters.encoders.hashing import HashingEncoder
from smarttriage.adapters.indexes.exact import ExactIndex
from smarttriage.adapters.lexical.exact import ExactLexicalIndex
from smarttriage.adapters.saved_folder import MANIFEST
from smarttriage.adapters.stores.sql import SqlStore
from smarttriage.domain.access import Principal
from smarttriage.ports import Vectors
from smarttriage.services.collections import Collection
from smarttriage.services.indexing import IndexingService
from smarttriage.services.matching import IncidentText, Question
from smarttriage.services.retrieval import EVERYTHING
from smarttriage.testing.factories import a_principal, an_incident
from smarttriage.testing.fakes import ManualClock

TALK = "The payroll export of the north region stopped and people wait for their slips. " * 11
LOG = "\n\nMailbox quota warning on host relay nine, queue grows, sender blocked, spool directory full, retry after sixty minutes, bounce follows."
ME: Principal = a_principal()


class CountingEncoder(HashingEncoder):
    """Remembers how many texts it encoded."""

    n = 0

    def encode(self, texts: object) -> Vectors:
        self.n += len(list(texts))  # type: ignore[call-overload]
        return super().encode(texts)  # type: ignore[arg-type]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    opened = SqlStore.open(tmp_path / "store.db", clock=ManualClock())
    yield opened
    opened.close()


def indexing_of(store: SqlStore, encoder: HashingEncoder | None = None) -> IndexingService:
    reader = encoder or HashingEncoder()

    def new_collection(name: str) -> Collection:
        return Collection(name, ExactIndex(encoder_id=reader.encoder_id, dim=reader.dim), ExactLexicalIndex())

    return IndexingService(store=store, encoder=reader, new_collection=new_collection, incident_search=EVERYTHING)


def put(store: SqlStore, **texts: str) -> None:
    with store.begin(write=True) as records:
        records.add_incidents([an_incident(id=name, title="", description=text) for name, text in texts.items()], key_id=None)


def cosine(store: SqlStore, indexing: IndexingService, asked: str, incident_id: str) -> float:
    """Return how near an incident is to a text, as the service asks."""
    catalogue = indexing.catalogue()
    question = Question(ME, catalogue, IncidentText("", asked), asked)
    worded = question.worded(None, catalogue.encoder)
    found = question.neighbours(catalogue.encoder.encode([asked])[0], worded, store).neighbours
    return next(result.dense or 0.0 for result, incident in found if incident.id == incident_id)


def test_the_end_of_a_long_report_is_found_by_what_it_says(store: SqlStore) -> None:
    put(store, long=TALK + LOG, other="The coffee machine leaks.")
    indexing = indexing_of(store)
    indexing.catch_up()
    assert cosine(store, indexing, LOG.strip(), "long") > 0.7


def test_a_long_question_asks_by_its_end_too(store: SqlStore) -> None:
    put(store, short=LOG.strip(), other="The coffee machine leaks.")
    indexing = indexing_of(store)
    indexing.catch_up()
    assert cosine(store, indexing, TALK + LOG, "short") > 0.7


def test_an_incident_counts_once_and_a_shortened_one_loses_its_passage(store: SqlStore) -> None:
    put(store, long=TALK + LOG, other="The coffee machine leaks.")
    indexing = indexing_of(store)
    indexing.catch_up()
    incidents = indexing.catalogue().incidents
    assert (len(incidents.texts), len(incidents.vectors)) == (2, 3)
    with store.begin(write=True) as records:
        (now,) = records.indexable_incidents(["long"])
        records.update_incident(an_incident(id="long", title="", description=TALK[:200], version=now.version + 1), key_id=None)
    indexing.catch_up()
    incidents = indexing.catalogue().incidents
    assert (len(incidents.texts), len(incidents.vectors)) == (2, 2)


def test_short_texts_cost_one_encoding_each(store: SqlStore) -> None:
    put(store, one="Printer jams on floor 3.", two="Mail is slow.")
    encoder = CountingEncoder()
    indexing = indexing_of(store, encoder)
    indexing.catch_up()
    assert encoder.n == 2
    question = Question(ME, indexing.catalogue(), IncidentText("", "Mail is slow"), "Mail is slow")
    assert question.worded(None, encoder).further is None
    assert encoder.n == 2


def test_saved_passages_are_taken_up_and_a_folder_of_before_is_rebuilt(store: SqlStore, tmp_path: Path) -> None:
    put(store, long=TALK + LOG)
    first = indexing_of(store)
    first.catch_up()
    first.save(tmp_path / "indexes")
    saved = tmp_path / "indexes" / "incidents" / "vectors"
    taken = indexing_of(store)
    taken.open(tmp_path / "indexes")
    assert len(taken.catalogue().incidents.vectors) == 2

    ExactIndex(encoder_id=HashingEncoder().encoder_id, dim=HashingEncoder().dim).save(saved, seq=taken.seq)
    manifest = json.loads((saved / MANIFEST).read_text())
    (saved / MANIFEST).write_text(json.dumps({**manifest, "kind": "vectors"}))
    rebuilt = indexing_of(store)
    rebuilt.open(tmp_path / "indexes")
    assert len(rebuilt.catalogue().incidents.vectors) == 2

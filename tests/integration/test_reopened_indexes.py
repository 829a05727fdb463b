"""Indexes that were saved before the service stopped are taken up again, whatever happened to the articles since."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from smarttriage.adapters.encoders.hashing import HashingEncoder
from smarttriage.adapters.indexes.exact import ExactIndex
from smarttriage.adapters.lexical.exact import ExactLexicalIndex
from smarttriage.adapters.stores.sql import SqlStore
from smarttriage.domain.access import index_labels
from smarttriage.services.collections import Collection
from smarttriage.services.indexing import IndexingService
from smarttriage.services.retrieval import EVERYTHING
from smarttriage.testing.factories import an_article
from smarttriage.testing.fakes import ManualClock

ALL = index_labels("default", {"everyone"})
LONG = "\n\n".join(f"## Step {number}\nTurn the breaker of rack {number} off and on." for number in range(5))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    opened = SqlStore.open(tmp_path / "store.db", clock=ManualClock())
    yield opened
    opened.close()


def indexing_of(store: SqlStore) -> IndexingService:
    encoder = HashingEncoder()

    def new_collection(name: str) -> Collection:
        return Collection(name, ExactIndex(encoder_id=encoder.encoder_id, dim=encoder.dim), ExactLexicalIndex())

    return IndexingService(store=store, encoder=encoder, new_collection=new_collection, article_search=EVERYTHING)


def found(indexing: IndexingService, text: str) -> list[str]:
    """Return the titles of the articles that a text finds, each known to the catalogue."""
    catalogue = indexing.catalogue()
    results = catalogue.articles.search(text, HashingEncoder().encode([text])[0], 20, allowed=ALL)
    return [catalogue.entries[result.id].title for result in results if catalogue.entries[result.id].passage(result.part).text]


def saved(store: SqlStore, folder: Path) -> IndexingService:
    with store.begin(write=True) as records:
        records.add_articles([an_article(id="KB1", title="Power", body=LONG), an_article(id="KB2")], key_id=None)
    indexing = indexing_of(store)
    indexing.open(folder)
    indexing.save(folder)
    return indexing


def test_passages_that_an_article_lost_after_the_indexes_were_saved_are_not_found(store: SqlStore, tmp_path: Path) -> None:
    before = saved(store, tmp_path / "indexes")
    with store.begin(write=True) as records:
        records.update_article(
            an_article(id="KB1", title="Power", body="Ask the facility desk.", revision=2, version=2), key_id=None
        )
    again = indexing_of(store)
    again.open(tmp_path / "indexes")
    assert found(again, "breaker of rack 4")
    before.catch_up()
    one, two = again.catalogue(), before.catalogue()
    assert (len(one.articles.vectors), len(one.articles.texts)) == (len(two.articles.vectors), len(two.articles.texts))

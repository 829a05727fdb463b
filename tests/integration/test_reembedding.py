"""A change of encoder stops nothing: the present indexes answer until those of the other encoder hold everything."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from smarttriage.adapters.encoders.hashing import HashingEncoder
from smarttriage.adapters.indexes.exact import ExactIndex
from smarttriage.adapters.lexical.exact import ExactLexicalIndex
from smarttriage.bootstrap import parts
from smarttriage.bootstrap.reembedding import ENCODERS_FOLDER, INDEX_ENCODER, index_encoder, keep_encoder
from smarttriage.config import Settings
from smarttriage.ports import Encoder, Vectors
from smarttriage.services import indexing as indexing_module
from smarttriage.services.catalogue import Catalogue
from smarttriage.services.collections import Collection
from smarttriage.services.index_follower import Follower
from smarttriage.services.indexing import IndexingService
from smarttriage.services.reembedding import Reembedding
from tests.integration.installation import Installation

N_INCIDENTS = 5


class NamedEncoder:
    """The hashing encoder under another id; it keeps what it was given."""

    def __init__(self, encoder_id: str) -> None:
        self._inner = HashingEncoder()
        self.encoder_id, self.dim = encoder_id, self._inner.dim
        self.read: list[str] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.read += texts
        return self._inner.encode(texts)


class PowerCut(Exception):
    """What ends an encoder in the middle of its work."""


class FailingEncoder(NamedEncoder):
    """Gets through one batch, then fails."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        if self.read:
            raise PowerCut
        return super().encode(texts)


def indexing_of(api: Installation, encoder: Encoder) -> IndexingService:
    def new_collection(name: str) -> Collection:
        return Collection(name, ExactIndex(encoder_id=encoder.encoder_id, dim=encoder.dim), ExactLexicalIndex())

    return IndexingService(store=api.services.store, encoder=encoder, new_collection=new_collection)


def report(api: Installation, number: int) -> None:
    api.must("POST", "/v1/incidents", {"title": f"Printer {number} prints nothing", "description": f"floor {number}"})


@pytest.fixture
def full(api: Installation, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """An installation with incidents that are embedded two at a time."""
    monkeypatch.setattr(indexing_module, "BATCH", 2)
    for number in range(N_INCIDENTS):
        report(api, number)
    return api


def raised(error: Exception) -> None:
    raise error


def test_the_present_index_serves_until_the_other_holds_everything_and_what_came_meanwhile(full: Installation) -> None:
    published: list[Catalogue] = []
    blue = indexing_of(full, NamedEncoder("blue"))
    follower = Follower(indexing=blue, publish=published.append, on_error=raised)
    follower.step()
    during: list[str] = []

    def progress(done: int, total: int) -> None:
        report(full, 100 + done)
        follower.step()
        during.append(published[-1].encoder.encoder_id)
        assert done <= total

    green = indexing_of(full, NamedEncoder("green"))
    work = Reembedding(indexing=green, swap=follower.switch, progress=progress, on_error=raised)
    work.start()
    assert work.join(20)
    assert set(during) == {"blue"}
    assert [each.encoder.encoder_id for each in published].count("green") == 1
    assert len(published[-1].incidents.vectors) == len(published[-1].incidents.texts) == N_INCIDENTS + len(during)
    report(full, 999)
    follower.step()
    assert published[-1].encoder.encoder_id == "green"
    assert len(published[-1].incidents.vectors) == N_INCIDENTS + len(during) + 1


def test_a_build_that_was_cut_off_goes_on_behind_its_last_batch(full: Installation) -> None:
    first, second = NamedEncoder("green"), NamedEncoder("green")
    assert not indexing_of(full, first).build(lambda _done, _total: False)
    assert len(first.read) == 2
    assert indexing_of(full, second).build(lambda _done, _total: True)
    assert len(second.read) == N_INCIDENTS - 2
    assert not set(first.read) & set(second.read)


def test_a_build_that_is_stopped_swaps_nothing(full: Installation) -> None:
    swapped: list[IndexingService] = []
    work: Reembedding

    def progress(_done: int, _total: int) -> None:
        work._stopping.set()

    work = Reembedding(indexing=indexing_of(full, NamedEncoder("green")), swap=swapped.append, progress=progress, on_error=raised)
    work.start()
    work.stop()
    assert swapped == []


def test_a_build_that_fails_says_so_and_leaves_the_present_index(full: Installation) -> None:
    swapped: list[IndexingService] = []
    errors: list[Exception] = []
    work = Reembedding(
        indexing=indexing_of(full, FailingEncoder("green")),
        swap=swapped.append,
        progress=lambda _done, _total: None,
        on_error=errors.append,
    )
    work.start()
    assert work.join(20)
    assert [type(error) for error in errors] == [PowerCut]
    assert swapped == []


def test_a_suggestion_names_the_encoder_that_was_searched(full: Installation) -> None:
    live, searched = full.services.live, NamedEncoder("blue")
    live.publish_catalogue(replace(live.state.catalogue, encoder=searched))
    answer = full.must("POST", "/v1/suggestions", {"title": "Printer 3 prints nothing", "description": "floor 3"})
    assert answer["provenance"]["encoder_id"] == "blue"
    assert len(searched.read) == 1


def other_than(shipped: Encoder, settings: Settings) -> Encoder:
    """Return the encoder of a data folder after an update that ships another one: the same weights under an older id."""
    store = parts.store(settings)
    try:
        return index_encoder(settings, store, shipped)
    finally:
        store.close()


def test_the_encoder_of_the_indexes_is_kept_beside_them_and_opened_after_an_update(data_dir: Path) -> None:
    settings, shipped, updated = Settings(data_dir=data_dir), parts.encoder(), NamedEncoder("updated")
    data_dir.mkdir()
    store = parts.store(settings)
    assert index_encoder(settings, store, shipped) is shipped  # nothing was recorded yet
    (data_dir / ENCODERS_FOLDER / "left-behind").mkdir(parents=True)
    keep_encoder(settings, store, shipped)
    keep_encoder(settings, store, shipped)
    assert [each.name for each in (data_dir / ENCODERS_FOLDER).iterdir()] == [shipped.encoder_id]
    with store.begin() as records:
        assert records.fact(INDEX_ENCODER) == shipped.encoder_id
    store.close()
    assert other_than(updated, settings).encoder_id == shipped.encoder_id


def test_without_the_encoder_of_the_indexes_they_are_built_anew(data_dir: Path) -> None:
    settings, shipped, updated = Settings(data_dir=data_dir), parts.encoder(), NamedEncoder("updated")
    data_dir.mkdir()
    store = parts.store(settings)
    keep_encoder(settings, store, shipped)
    store.close()
    shutil.rmtree(data_dir / ENCODERS_FOLDER / shipped.encoder_id)
    assert other_than(updated, settings) is updated

"""A killed service loses nothing that it answered with 2xx, and its indexes equal its store after the restart."""

import http.client
import random
import threading
from pathlib import Path

from smarttriage.bootstrap import parts
from smarttriage.bootstrap.indexing import INDEX_FOLDER, new_indexing
from smarttriage.config import Settings
from smarttriage.domain.access import index_labels
from tests.integration.server import Server

ROUNDS = 5
ALL = index_labels("default", {"everyone"})


def test_killed_while_writing_the_service_keeps_what_it_answered_and_finds_it_again(data_dir: Path) -> None:
    chance = random.Random(7)
    answered: list[tuple[str, str]] = []
    server = Server(data_dir)
    for round_ in range(ROUNDS):
        server.start()
        for incident_id, title in answered:
            assert server.must("GET", f"/v1/incidents/{incident_id}")["title"] == title
        writers = [threading.Thread(target=_write, args=(server, f"r{round_}w{number}", answered)) for number in range(3)]
        killer = threading.Timer(chance.uniform(0.2, 1.0), server.kill)
        for thread in (*writers, killer):
            thread.start()
        for thread in (*writers, killer):
            thread.join()
    assert len(answered) > ROUNDS
    server.start()
    server.stop()
    _indexes_equal_store(data_dir)


def _write(server: Server, name: str, answered: list[tuple[str, str]]) -> None:
    for number in range(10_000):
        title = f"Crash probe {name} number {number}"
        try:
            status, answer = server.ask("POST", "/v1/incidents", {"title": title, "description": "written until the power went"})
        except (OSError, ValueError, http.client.HTTPException):
            return
        if status == 201:
            answered.append((answer["id"], title))


def _indexes_equal_store(data_dir: Path) -> None:
    """What the indexes find must be what a full rebuild from the store finds."""
    settings, encoder = Settings(data_dir=data_dir), parts.encoder()
    store = parts.store(settings)
    try:
        saved = new_indexing(store=store, encoder=encoder)
        saved.open(data_dir / INDEX_FOLDER)
        built = new_indexing(store=store, encoder=encoder)
        built.open(data_dir / "nothing-saved-here")
        with store.begin() as records:
            incidents = list(records.indexable_incidents())
            assert saved.seq == built.seq == records.last_seq()
        searchable = [incident for incident in incidents if incident.text.strip()]
        one, two = saved.catalogue(), built.catalogue()
        assert len(one.incidents.vectors) == len(two.incidents.vectors) >= len(searchable)
        assert len(one.incidents.texts) == len(two.incidents.texts) == len(searchable)
        assert one.entries == two.entries
        probes = [incident.text for incident in searchable if "Crash probe" in incident.title][::7]
        vectors = encoder.encode(probes)
        assert one.incidents.vectors.search(vectors, 5, allowed=ALL) == two.incidents.vectors.search(vectors, 5, allowed=ALL)
    finally:
        store.close()

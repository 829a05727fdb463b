"""A process that is killed at any moment loses nothing that it had committed, and leaves nothing half."""

import multiprocessing
import os
import random
import signal
from collections import Counter
from itertools import count
from pathlib import Path

import pytest

from smarttriage.adapters.stores.sql import SqlStore
from smarttriage.testing.factories import NOON, an_incident

N_ROUNDS = 20
N_EACH = 3


def commit_until_killed(path: Path, round_: int, pipe: int) -> None:
    """Commit three incidents at a time and name each of them only after the commit."""
    store = SqlStore.open(path, clock=lambda: NOON)
    for n in count():
        ids = [f"{round_}-{n}-{part}" for part in range(N_EACH)]
        with store.begin(write=True) as records:
            records.add_incidents([an_incident(id=id_, description="word " * 300) for id_ in ids], key_id=None)
        os.write(pipe, "".join(f"{id_}\n" for id_ in ids).encode())


def _child(path: Path, round_: int, connection: "multiprocessing.connection.Connection") -> None:
    commit_until_killed(path, round_, connection.fileno())


def killed_round(path: Path, round_: int, delay_s: float) -> list[str]:
    """Return the ids that a child named before it was killed, `delay_s` after its first commit."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    reader, writer = context.Pipe(duplex=False)
    child = context.Process(target=_child, args=(path, round_, writer))
    child.start()
    writer.close()
    named = os.read(reader.fileno(), 65_536)
    child.join(delay_s)
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    assert child.exitcode == -signal.SIGKILL
    while more := os.read(reader.fileno(), 65_536):
        named += more
    reader.close()
    return [line for line in named.decode().splitlines(keepends=False) if line]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_sigkill_at_any_moment_loses_no_named_incident_and_halves_no_transaction(tmp_path: Path) -> None:
    path, moments = tmp_path / "store.db", random.Random(11)
    named: list[str] = []
    for round_ in range(N_ROUNDS):
        named += killed_round(path, round_, moments.uniform(0.0, 0.04))
        store = SqlStore.open(path, clock=lambda: NOON)
        with store.begin() as records:
            found = Counter(incident.id for incident in records.indexable_incidents())
            changed = Counter(change.record_id for change in records.changes(0, limit=1_000_000))
        store.close()
        assert set(named) <= set(found)
        assert found == changed
        transactions = Counter(id_.rsplit("-", 1)[0] for id_ in found)
        assert set(transactions.values()) == {N_EACH}
    assert len(named) > N_ROUNDS * N_EACH

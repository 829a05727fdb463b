"""Escalations survive kill -9: nothing is told twice, nothing is lost, and a reader's cursor goes on."""

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
import tomllib
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from smarttriage.adapters.stores.sql import SqlStore
from smarttriage.domain.escalation import EscalationEvent, EscalationMatrix
from smarttriage.domain.priority import PriorityPolicy
from smarttriage.services import emitting
from smarttriage.services.emitting import EscalationPass
from smarttriage.testing.factories import NOON, a_principal, an_incident
from tests.integration.installation import KB
from tests.integration.server import Server, within

N_INCIDENTS, N_ROUNDS, N_STEPS = 160, 8, 5
POLICY = PriorityPolicy.from_mapping(tomllib.loads((KB / "priority.toml").read_text(encoding="utf-8")))
MATRIX = EscalationMatrix.from_mapping(tomllib.loads((KB / "escalation.toml").read_text(encoding="utf-8")), POLICY)


def telling(store: SqlStore) -> EscalationPass:
    late = NOON + timedelta(hours=5)
    return EscalationPass(store=store, matrix=MATRIX, policy=lambda: POLICY, clock=lambda: late, on_event=lambda _event: None)


def tell_until_killed(path: Path, connection: Connection) -> None:
    emitting.AT_ONCE = 5  # many small transactions, so that the kill falls between or into them
    store = SqlStore.open(path, clock=lambda: NOON)
    os.write(connection.fileno(), b"ready")
    telling(store).step()
    os.write(connection.fileno(), b"done")


def killed_round(store: SqlStore, path: Path, at_least: int, delay_s: float) -> None:
    """Kill a process that tells once `at_least` steps stand in the store, and `delay_s` later: a busy machine must not decide what is cut."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    reader, writer = context.Pipe(duplex=False)
    child = context.Process(target=tell_until_killed, args=(path, writer))
    child.start()
    writer.close()
    assert os.read(reader.fileno(), 5) == b"ready"
    while child.is_alive() and len(told(store)) < at_least:
        time.sleep(0.001)
    child.join(delay_s)
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    reader.close()


def told(store: SqlStore, after: int = 0) -> list[EscalationEvent]:
    with store.begin() as records:
        return list(records.escalations(a_principal(), after=after, limit=10_000))


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_sigkill_in_the_middle_of_telling_repeats_and_loses_no_step(tmp_path: Path) -> None:
    path, moments = tmp_path / "store.db", random.Random(7)
    store = SqlStore.open(path, clock=lambda: NOON)
    made = [an_incident(id=f"inc_{n:03}", priority="P1") for n in range(N_INCIDENTS)]
    with store.begin(write=True) as records:
        records.add_incidents(made, key_id=None)
    read: list[EscalationEvent] = []
    cut_in_the_middle = 0
    for at in range(N_ROUNDS):
        killed_round(store, path, 1 + at * N_INCIDENTS * N_STEPS // (2 * N_ROUNDS), moments.uniform(0.0, 0.01))
        read += told(store, read[-1].seq if read else 0)
        cut_in_the_middle += 0 < len(read) < N_INCIDENTS * N_STEPS
    assert cut_in_the_middle
    telling(store).step()
    read += told(store, read[-1].seq)
    store.close()
    wanted = {step.event_id for one in made for step in MATRIX.steps_of(one, POLICY, now=NOON)}
    assert len(wanted) == N_INCIDENTS * N_STEPS
    assert sorted(one.event_id for one in read) == sorted(wanted)


def test_a_killed_service_tells_the_rest_after_its_start_and_the_command_line_reads_the_same(tmp_path: Path) -> None:
    server = Server(tmp_path / "data").start()
    overdue = (datetime.now(UTC) - timedelta(hours=3)).isoformat()
    body = {"title": "vpn down", "description": "nobody can work", "impact": "high", "urgency": "high", "reported_at": overdue}
    try:
        first = server.must("POST", "/v1/incidents", body)["id"]

        def events(after: int = 0) -> list[dict[str, str]]:
            return list(server.must("GET", f"/v1/escalations/events?after={after}")["items"])

        before = within(10, events)
        assert {one["incident_id"] for one in before} == {first}
        second = server.must("POST", "/v1/incidents", body)["id"]
        server.kill()
        server.start()
        deadline = time.monotonic() + 10
        while len(events()) < 2 * len(before) and time.monotonic() < deadline:
            time.sleep(0.05)
        found = events()
        assert found[: len(before)] == before
        assert sorted((one["incident_id"], one["step"]) for one in found) == sorted(
            (incident, one["step"]) for one in before for incident in (first, second)
        )
    finally:
        server.stop()
    command = [
        sys.executable,
        "-c",
        "from smarttriage.cli import main; main()",
        "escalations",
        "--data-dir",
        str(tmp_path / "data"),
    ]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert [line.split()[0] for line in listed] == [str(one["seq"]) for one in found]

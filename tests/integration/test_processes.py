"""Several processes answer on one port: what one takes in all find, one that dies is replaced, and none outlives the first."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.integration.server import Server, within

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="children are looked up in /proc")
TEXT = {"title": "Plotter P-4711 prints mirrored", "description": "the plotter in the drawing office mirrors every sheet"}


def siblings(server: Server) -> list[int]:
    """Return the processes beside the first that hold many threads, as one that answers does; Python's own helper has one."""
    assert server.process is not None
    found = subprocess.run(
        ["ps", "--ppid", str(server.process.pid), "-o", "pid=,nlwp="], capture_output=True, text=True, check=False
    )
    rows = [line.split() for line in found.stdout.splitlines()]
    return [int(pid) for pid, n_threads in rows if int(n_threads) > 3]


def finds_everywhere(server: Server, incident_id: str) -> bool:
    """Return whether twenty answers in a row, whoever gives them, have the incident."""
    answers = [server.must("POST", "/v1/suggestions", TEXT) for _ in range(20)]
    return all(incident_id in [match["id"] for match in answer["similar_incidents"]] for answer in answers)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"


def test_two_processes_answer_as_one_and_a_killed_one_is_replaced(data_dir: Path) -> None:
    server = Server(data_dir).start("--processes", "2")
    try:
        (second,) = within(60, lambda: siblings(server))
        made = server.must("POST", "/v1/incidents", TEXT)
        within(30, lambda: finds_everywhere(server, made["id"]))
        os.kill(second, signal.SIGKILL)
        (third,) = within(60, lambda: [pid for pid in siblings(server) if pid != second])
        within(30, lambda: finds_everywhere(server, made["id"]))
    finally:
        server.stop()
    within(30, lambda: not is_alive(third))


def test_no_process_outlives_the_first(data_dir: Path) -> None:
    server = Server(data_dir).start("--processes", "2")
    (second,) = within(60, lambda: siblings(server))
    time.sleep(1)
    server.kill()
    within(30, lambda: not is_alive(second))

"""Clusters of a running service: a storm is seen within seconds, and a kill -9 neither loses nor doubles anything."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.integration.server import Server

SITES = ("Graz", "Linz", "Wels", "Bregenz", "Villach", "Steyr", "Krems", "Leoben")
PATIENCE_S = 10


def reported(server: Server, number: int) -> str:
    text = f"Badge reader at the turnstile in {SITES[number]} rejects every card since a few minutes, error E-4711"
    body = {"title": "Turnstile rejects all cards", "description": text, "reported_at": datetime.now(UTC).isoformat()}
    return str(server.must("POST", "/v1/incidents", body)["id"])


def storm_of(server: Server, n_members: int) -> dict[str, Any]:
    """Return the one storm once so many are in it."""
    deadline = time.monotonic() + PATIENCE_S
    found: list[dict[str, Any]] = []
    while time.monotonic() < deadline:
        found = server.must("GET", "/v1/clusters?kind=storm")["items"]
        if [one["n_members"] for one in found] == [n_members]:
            return found[0]
        time.sleep(0.1)
    raise AssertionError(f"no storm of {n_members} within {PATIENCE_S} s: {found}")


def test_a_storm_is_seen_and_goes_on_in_the_same_cluster_after_a_kill(tmp_path: Path) -> None:
    server = Server(tmp_path / "data").start()
    try:
        for number in range(6):
            reported(server, number)
        first = storm_of(server, 6)
        assert {one["kind"] for one in first["proposals"]} >= {"emerging_cluster"}
        server.must("POST", f"/v1/clusters/{first['id']}/promote", {"kind": "major_incident"})
        reported(server, 6)
        server.kill()
        server.start()
        reported(server, 7)
        assert storm_of(server, 8)["id"] == first["id"]
        asked = server.must("POST", "/v1/suggestions", {"title": "Turnstile rejects my card", "description": "error E-4711"})
        assert [one["cluster_id"] for one in asked["ongoing"]] == [first["id"]]
    finally:
        server.stop()

"""The knowledge loop survives kill -9: what it had not done is done after the start, and nothing is grouped or drafted twice."""

import random
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.integration.server import Server, within

FIXES = {
    "Outlook ends in error 0x800CCC0E": "Deleted the Outlook mail profile in Control Panel > Mail. Ran outlook.exe /cleanprofile",
    "Label printer in the warehouse prints blank": "Cleaned the print head and set the darkness of the Zebra ZT410 to 22.",
    "SAP order form is frozen in VA01": "Deleted the locked entry in transaction SM12 and cleared the GUI cache folder.",
}
N_ROUNDS = 2
PATIENCE_S = 20


def resolved(server: Server, title: str, note: str, number: int) -> str:
    made = server.must("POST", "/v1/incidents", {"title": title, "description": f"{title} at desk {number} since today."})["id"]
    server.must("POST", f"/v1/incidents/{made}/resolution", {"text": note})
    return str(made)


def rows(data_dir: Path, query: str) -> list[Any]:
    (path,) = data_dir.glob("*.db")
    with closing(sqlite3.connect(path)) as store:
        return store.execute(query).fetchall()


def position(data_dir: Path) -> int:
    """Return how far in the change log the loop is by what it committed."""
    found = rows(data_dir, "SELECT value FROM fact WHERE name = 'knowledge_loop_seq'")
    return int(found[0][0]) if found else 0


def drafts(server: Server) -> list[dict[str, Any]]:
    listed = server.must("GET", "/v1/drafts?status=proposed&limit=100")["items"]
    return [server.must("GET", f"/v1/drafts/{one['id']}") for one in listed]


def test_kills_between_resolutions_leave_one_draft_of_each_fix_in_which_each_incident_joined_once(tmp_path: Path) -> None:
    data_dir, chance = tmp_path / "data", random.Random(11)
    server = Server(data_dir).start()
    made: dict[str, set[str]] = {title: set() for title in FIXES}
    left_open = 0
    try:
        for number in range(N_ROUNDS):
            last_before_the_kill = chance.choice(list(FIXES))
            for title, note in FIXES.items():
                made[title].add(resolved(server, title, note, number))
                if title == last_before_the_kill:
                    server.kill()
                    ((end,),) = rows(data_dir, "SELECT max(seq) FROM change")
                    left_open += position(data_dir) < end
                    server.start()
        wanted = sorted(sorted(ids) for ids in made.values())
        assert left_open
        found = within(PATIENCE_S, lambda: _complete(server, wanted))
        for draft in found:
            assert Counter(event["kind"] for event in draft["history"]) == {"formed": 1, "joined": N_ROUNDS}
    finally:
        server.stop()


def _complete(server: Server, wanted: list[list[str]]) -> list[dict[str, Any]]:
    """Return the proposed drafts once they are exactly one for each fix, with all of its incidents."""
    found = drafts(server)
    return found if sorted(sorted(each["incident_ids"]) for each in found) == wanted else []

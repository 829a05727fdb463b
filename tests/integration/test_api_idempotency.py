"""The same POST twice does its work once, whatever happens in between."""

import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from smarttriage.domain.errors import StoreError
from tests.integration.installation import ADMIN, OTHER_ADMIN, Installation, installation

REPORT = {"title": "VPN drops", "description": "The whole team cannot work."}
ARTICLE = {"title": "Mend a VPN that drops", "body": "Raise the session limit of the VPN gateway."}
ROOT = Path(__file__).parents[2]
# Answers a POST up to the moment before the commit, with claim, incident and answer written, and is gone.
DIES = """
import os, sys
from pathlib import Path
from smarttriage.adapters.stores.keys import KeyRecords
from tests.integration.installation import installation
store_answer = KeyRecords.answer
def die(self, *given):
    store_answer(self, *given)
    os._exit(9)
KeyRecords.answer = die
with installation(Path(sys.argv[1])) as api:
    api.ask("POST", "/v1/incidents", {"title": "VPN drops", "description": "The whole team cannot work."}, Idempotency_Key="a")
"""


def test_every_post_answers_a_repeat_with_its_first_answer(api: Installation) -> None:
    incident = api.must("POST", "/v1/incidents", REPORT)["id"]
    article = api.must("POST", "/v1/articles", ARTICLE)["id"]
    suggestion = api.must("POST", "/v1/suggestions", REPORT)["id"]
    key = api.must("POST", "/v1/admin/keys", {"label": "x", "scopes": ["suggest"]})["id"]
    first, second, one = _clusters(api)
    accepted, rejected = _drafts(api)
    untrusted = api.key("write", trusted=False)
    for _ in range(3):
        api.must("POST", f"/v1/articles/{article}/outcomes", {"outcome": "worked"}, key=untrusted)
    waiting = [each["id"] for each in api.must("GET", "/v1/quarantine")["items"]]
    posts: list[tuple[str, Any]] = [
        ("/v1/suggestions", REPORT),
        ("/v1/predictions:batch", {"texts": [REPORT]}),
        ("/v1/search", {"text": "vpn"}),
        ("/v1/incidents", REPORT),
        (f"/v1/incidents/{incident}/resolution", {"text": "Raised the session limit on the gateway and restarted it."}),
        ("/v1/insights/gaps/drafts", {"incident_ids": [incident]}),
        ("/v1/feedback", {"suggestion_id": suggestion, "action": "replaced", "field": "category", "value": "security"}),
        ("/v1/articles", ARTICLE),
        (f"/v1/articles/{article}/outcomes", {"outcome": "did_not_work"}),
        (f"/v1/articles/{article}/submit", None),
        (f"/v1/articles/{article}/publish", None),
        (f"/v1/articles/{article}/retire", None),
        (f"/v1/clusters/{first}/promote", {"kind": "major_incident"}),
        (f"/v1/clusters/{first}/dismiss", {"kind": "duplicate"}),
        (f"/v1/clusters/{first}/split", {"incident_ids": [one]}),
        (f"/v1/clusters/{second}/merge", {"into": first}),
        (f"/v1/clusters/{first}/resolve", None),
        (f"/v1/drafts/{accepted}/accept", None),
        (f"/v1/drafts/{rejected}/reject", {"reason": "too narrow"}),
        ("/v1/models/shadow", {"version": None}),
        ("/v1/admin/reload", None),
        ("/v1/admin/keys", {"label": "y", "scopes": ["suggest"]}),
        ("/v1/quarantine/confirm", {"ids": waiting[:1]}),
        ("/v1/quarantine/agree", {"ids": waiting[1:2], "given_by": "ann"}),
        ("/v1/quarantine/reject", {"ids": waiting[2:], "reason": "unsafe"}),
        (f"/v1/admin/keys/{key}/trust", {"trusted": True}),
        (f"/v1/admin/keys/{key}/undo", {"since": "2026-01-01T00:00:00Z"}),
        (f"/v1/admin/keys/{key}/revoke", None),
    ]
    documented = [path for path, methods in api.client.get("/openapi.json").json()["paths"].items() if "post" in methods]
    documented.remove("/v1/models/rollback")  # a fresh installation has no version to go back to
    assert len(posts) == len(documented)
    for number, (path, body) in enumerate(posts):
        first = api.ask("POST", path, body, Idempotency_Key=f"key-{number}")
        assert first.status_code < 300, first.text
        seq = _seq(api)
        again = api.ask("POST", path, body, Idempotency_Key=f"key-{number}")
        assert (again.status_code, again.content) == (first.status_code, first.content), path
        assert again.headers["Idempotency-Replayed"] == "true"
        assert [again.headers.get(name) for name in ("ETag", "Location")] == [
            first.headers.get(name) for name in ("ETag", "Location")
        ]
        assert _seq(api) == seq, path


def test_a_repeat_reloads_nothing_again(api: Installation) -> None:
    for _ in range(3):
        api.must("POST", "/v1/admin/reload", Idempotency_Key="once")
    assert len(api.reloaded) == 1


def test_a_key_of_another_request_is_refused(api: Installation) -> None:
    api.must("POST", "/v1/incidents", REPORT, Idempotency_Key="a")
    for path, body in [("/v1/incidents", {"title": "another"}), ("/v1/suggestions", REPORT)]:
        response = api.ask("POST", path, body, Idempotency_Key="a")
        problem = response.json()
        assert (response.status_code, problem["code"], problem["field"]) == (422, "idempotency_key_reused", "Idempotency-Key")


def test_a_refused_request_leaves_its_key_free(api: Installation) -> None:
    assert api.ask("POST", "/v1/incidents", {"title": "x", "category": "plumbing"}, Idempotency_Key="a").status_code == 422
    assert api.ask("POST", "/v1/incidents", {"title": "x", "category": "network"}, Idempotency_Key="a").status_code == 201


def test_callers_do_not_share_keys(api: Installation) -> None:
    first = api.must("POST", "/v1/incidents", REPORT, Idempotency_Key="a")["id"]
    colleague = api.key("write")
    assert api.must("POST", "/v1/incidents", {"title": "other"}, key=colleague, Idempotency_Key="a")["id"] != first
    assert api.must("POST", "/v1/incidents", REPORT, key=OTHER_ADMIN, Idempotency_Key="a")["id"] != first


def test_a_repeat_needs_the_scope_still(api: Installation) -> None:
    key = api.key("write", "suggest")
    api.must("POST", "/v1/incidents", REPORT, key=key, Idempotency_Key="a")
    own = next(item["id"] for item in api.must("GET", "/v1/admin/keys")["items"] if item["id"] in key)
    api.must("POST", f"/v1/admin/keys/{own}/revoke")
    assert api.ask("POST", "/v1/incidents", REPORT, key=key, Idempotency_Key="a").status_code == 401


def test_a_process_killed_between_claim_and_commit_leaves_neither_work_nor_claim(tmp_path: Path) -> None:
    died = subprocess.run([sys.executable, "-c", DIES, str(tmp_path)], cwd=ROOT, check=False, capture_output=True, timeout=60)
    assert died.returncode == 9, died.stderr.decode()
    with installation(tmp_path) as api:
        assert api.must("GET", "/v1/incidents")["items"] == []
        response = api.ask("POST", "/v1/incidents", REPORT, Idempotency_Key="a")
        assert (response.status_code, response.headers.get("Idempotency-Replayed")) == (201, None)
        assert len(api.must("GET", "/v1/incidents")["items"]) == 1


def test_work_whose_error_was_swallowed_is_not_committed_by_halves(api: Installation) -> None:
    with pytest.raises(StoreError, match="nothing of it is stored"):
        _half_done(api)
    with api.services.store.begin() as records:
        assert (records.fact("half"), records.fact("other half")) == (None, None)


def test_a_claim_without_an_answer_is_answered_with_come_again(api: Installation) -> None:
    first = api.ask("POST", "/v1/incidents", REPORT, Idempotency_Key="a")
    assert first.status_code == 201
    with api.inner.begin(write=True) as records:
        fingerprint = records.stored_answer("default", f"{_admin_id(api)}/a").fingerprint
        records.claim("default", f"{_admin_id(api)}/b", fingerprint, at=api.clock())
    response = api.ask("POST", "/v1/incidents", REPORT, Idempotency_Key="b")
    assert (response.status_code, response.json()["code"]) == (409, "idempotency_key_in_use")
    assert response.headers["Retry-After"] == "1"


def test_requests_at_once_with_one_key_do_the_work_once(api: Installation) -> None:
    answers: list[tuple[int, str]] = []
    gate = threading.Barrier(8)

    def client() -> None:
        gate.wait()
        response = api.ask("POST", "/v1/incidents", REPORT, Idempotency_Key="a")
        answers.append((response.status_code, response.text))

    threads = [threading.Thread(target=client) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 8
    assert {status for status, _ in answers} == {201}
    assert len({text for _, text in answers}) == 1
    assert len(api.must("GET", "/v1/incidents")["items"]) == 1


@pytest.mark.parametrize("key", ["", "x" * 201, "with space", "ümlaut"])
def test_a_key_that_cannot_be_kept_is_refused(api: Installation, key: str) -> None:
    headers = {"Authorization": f"Bearer {ADMIN}", "Idempotency-Key": key.encode()}
    response = api.client.post("/v1/incidents", json=REPORT, headers=headers)
    assert (response.status_code, response.json()["field"].lower()) in [(422, "idempotency-key"), (413, "idempotency-key")]


def _drafts(api: Installation) -> list[str]:
    """Return the drafts of two fixes."""
    for title, text in [
        ("Printer jams", "Replaced the fuser of PRN-4F-02."),
        ("Mail refused", "Raised the mailbox quota to 60 GB."),
    ]:
        incident = api.must("POST", "/v1/incidents", {"title": title})["id"]
        api.must("POST", f"/v1/incidents/{incident}/resolution", {"text": text})
    api.services.loop.catch_up()
    return [draft["id"] for draft in api.must("GET", "/v1/drafts")["items"]]


def _seq(api: Installation) -> int:
    with api.inner.begin() as records:
        return records.last_seq()


def _admin_id(api: Installation) -> str:
    return next(item["id"] for item in api.must("GET", "/v1/admin/keys")["items"] if item["label"] == "admin")


def _half_done(api: Installation) -> None:
    store = api.services.store
    with store.unit(first=lambda records: None) as unit:
        with suppress(ZeroDivisionError), store.begin(write=True) as records:
            records.put_fact("half", "done")
            raise ZeroDivisionError
        unit.records().put_fact("other half", "done")


def _clusters(api: Installation) -> tuple[str, str, str]:
    """Return two storms and an incident of the first."""
    for title in ("Payroll shows nothing", "Door of hall 3 is stuck"):
        for _ in range(3):
            api.must("POST", "/v1/incidents", {"title": title})
    found = [one["id"] for one in api.must("GET", "/v1/clusters?kind=storm")["items"]][:2]
    return found[0], found[1], api.must("GET", f"/v1/clusters/{found[0]}")["members"][0]["incident_id"]

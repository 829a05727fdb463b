"""Who may do what: keys, scopes, revocation, and tenants that do not know of each other."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from smarttriage.services.installation import Limits
from smarttriage.services.keys import KeyService, key_identity
from tests.integration.installation import ADMIN, OTHER_ADMIN, Installation, installation

REPORT = {"title": "VPN drops", "description": "The whole team cannot work."}
ARTICLE = {"title": "Mend a VPN that drops", "body": "Raise the session limit of the VPN gateway."}
ANY = ("suggest", "write", "review", "admin")
# Each route with a body that it takes and the scopes that open it.
ROUTES: list[tuple[str, str, Any, tuple[str, ...]]] = [
    ("POST", "/v1/suggestions", REPORT, ("suggest", "admin")),
    ("GET", "/v1/suggestions/{suggestion}", None, ("suggest", "admin")),
    ("POST", "/v1/predictions:batch", {"texts": [REPORT]}, ("suggest", "admin")),
    ("POST", "/v1/search", {"text": "vpn"}, ("suggest", "admin")),
    ("POST", "/v1/incidents", REPORT, ("write", "admin")),
    ("GET", "/v1/incidents", None, ANY),
    ("GET", "/v1/incidents/{incident}", None, ANY),
    ("PATCH", "/v1/incidents/{incident}", {"title": "VPN gone"}, ("write", "admin")),
    ("POST", "/v1/incidents/{incident}/resolution", {"text": "fixed"}, ("write", "admin")),
    (
        "POST",
        "/v1/feedback",
        {"suggestion_id": "{suggestion}", "action": "skipped", "field": "impact"},
        ("write", "admin"),
    ),
    ("POST", "/v1/articles", ARTICLE, ("write", "admin")),
    ("GET", "/v1/articles", None, ANY),
    ("GET", "/v1/articles/{article}", None, ANY),
    ("GET", "/v1/articles/{article}/history", None, ANY),
    ("PATCH", "/v1/articles/{article}", {"title": "Mend it"}, ("write", "admin")),
    ("POST", "/v1/articles/{article}/outcomes", {"outcome": "worked"}, ("write", "admin")),
    ("POST", "/v1/articles/{article}/submit", None, ("write", "admin")),
    ("POST", "/v1/articles/{article}/publish", None, ("review", "admin")),
    ("POST", "/v1/articles/{article}/retire", None, ("review", "admin")),
    ("GET", "/v1/drafts", None, ANY),
    ("GET", "/v1/drafts/{draft}", None, ANY),
    ("POST", "/v1/drafts/{draft}/accept", None, ("review", "admin")),
    ("POST", "/v1/drafts/{draft}/reject", {"reason": "wrong"}, ("review", "admin")),
    ("GET", "/v1/quarantine", None, ANY),
    ("POST", "/v1/quarantine/confirm", {"ids": ["none"]}, ("review", "admin")),
    ("POST", "/v1/quarantine/agree", {"ids": ["none"]}, ("write", "admin")),
    ("POST", "/v1/quarantine/reject", {"ids": ["none"], "reason": "wrong"}, ("review", "admin")),
    ("POST", "/v1/admin/keys/{key}/trust", {"trusted": True}, ("admin",)),
    ("POST", "/v1/admin/keys/{key}/undo", {"since": "2026-01-01T00:00:00Z"}, ("admin",)),
    ("GET", "/v1/taxonomy", None, ANY),
    ("GET", "/v1/fields", None, ("admin",)),
    ("GET", "/v1/fields/{target}", None, ("admin",)),
    ("PUT", "/v1/fields/{target}", {"mode": "recommend"}, ("admin",)),
    ("GET", "/v1/fields/{target}/operating-point", None, ("admin",)),
    ("GET", "/v1/fields/{target}/precision", None, ANY),
    ("GET", "/v1/escalations", None, ANY),
    ("GET", "/v1/escalations/events", None, ANY),
    ("GET", "/v1/incidents/{incident}/escalation", None, ANY),
    ("GET", "/v1/insights/kpis", None, ANY),
    ("GET", "/v1/insights/breaches", None, ANY),
    ("GET", "/v1/insights/trends", None, ANY),
    ("GET", "/v1/insights/gaps", None, ANY),
    ("GET", "/v1/insights/hygiene", None, ANY),
    ("POST", "/v1/insights/gaps/drafts", {"incident_ids": ["{incident}"]}, ("write", "admin")),
    ("GET", "/v1/clusters", None, ANY),
    ("GET", "/v1/clusters/{cluster}", None, ANY),
    ("POST", "/v1/clusters/{cluster}/split", {"incident_ids": ["none"]}, ("write", "admin")),
    ("POST", "/v1/clusters/{cluster}/promote", {"kind": "major_incident"}, ("review", "admin")),
    ("POST", "/v1/clusters/{cluster}/dismiss", {"kind": "major_incident"}, ("write", "admin")),
    ("POST", "/v1/clusters/{cluster}/merge", {"into": "none"}, ("write", "admin")),
    ("POST", "/v1/clusters/{cluster}/resolve", None, ("write", "admin")),
    ("GET", "/v1/cmdb/items", None, ANY),
    ("GET", "/v1/cmdb/items/{item}", None, ANY),
    ("PUT", "/v1/cmdb/items/{item}", {"kind": "ci", "name": "srv-1"}, ("review", "admin")),
    ("GET", "/v1/cmdb/items/{item}/impact", None, ANY),
    ("GET", "/v1/cmdb/items/{item}/changes", None, ANY),
    ("PUT", "/v1/cmdb/changes/chg-1", {"item_id": "{item}", "at": "2026-03-02T06:00:00Z", "what": "patched"}, ("write", "admin")),
    ("GET", "/v1/insights/recurring", None, ANY),
    ("GET", "/v1/models", None, ("admin",)),
    ("GET", "/v1/models/drift", None, ("admin",)),
    ("POST", "/v1/models/shadow", {"version": None}, ("admin",)),
    ("POST", "/v1/models/rollback", None, ("admin",)),
    ("POST", "/v1/admin/reload", None, ("admin",)),
    ("POST", "/v1/admin/keys", {"label": "new", "scopes": ["suggest"]}, ("admin",)),
    ("GET", "/v1/admin/keys", None, ("admin",)),
    ("POST", "/v1/admin/keys/{key}/revoke", None, ("admin",)),
]
OPEN = {"/livez", "/readyz", "/metrics"}


def test_the_table_of_scopes_knows_every_route(api: Installation) -> None:
    documented = {
        (method.upper(), path) for path, methods in api.client.get("/openapi.json").json()["paths"].items() for method in methods
    }
    names = {
        "suggestion": "suggestion_id",
        "incident": "incident_id",
        "article": "article_id",
        "draft": "draft_id",
        "key": "key_id",
        "item": "item_id",
        "target": "target",
        "cluster": "cluster_id",
    }
    listed = {(method, path.format(**{short: f"{{{long}}}" for short, long in names.items()})) for method, path, _, _ in ROUTES}
    listed = {(method, path.replace("/chg-1", "/{change_id}")) for method, path in listed}
    assert documented == listed | {("GET", path) for path in OPEN}


def test_each_route_opens_for_its_scopes_and_for_no_others(api: Installation) -> None:
    ids = _records(api, ADMIN)
    for scope in ANY:
        key = api.key(scope)
        for method, path, body, scopes in ROUTES:
            response = api.ask(method, path.format(**ids), _filled(body, ids), key=key)
            if scope in scopes:
                assert response.status_code not in (401, 403), (scope, method, path, response.text)
            else:
                assert (response.status_code, response.json()["code"]) == (403, "permission_denied"), (scope, method, path)


def test_no_route_below_v1_answers_without_a_key(api: Installation) -> None:
    ids = _records(api, ADMIN)
    for method, path, body, _ in ROUTES:
        for key in (None, "wrong", "st_1234_secret"):
            response = api.ask(method, path.format(**ids), _filled(body, ids), key=key)
            assert (response.status_code, response.json()["code"]) == (401, "unauthenticated"), path
            assert response.headers["WWW-Authenticate"] == "Bearer"


def test_another_tenant_sees_nothing_and_cannot_tell_that_it_exists(api: Installation) -> None:
    ids = _records(api, ADMIN)
    for method, path, body, _ in ROUTES:
        # Fields, like models and taxonomy, are the installation's.
        # Items have the tenant's own ids: another tenant writes one of its own.
        if ("{" in path and "{target}" not in path and (method, path) != ("PUT", "/v1/cmdb/items/{item}")) or (body or {}).get(
            "suggestion_id"
        ):
            response = api.ask(method, path.format(**ids), _filled(body, ids), key=OTHER_ADMIN)
            assert (response.status_code, response.json()["code"]) == (404, "not_found"), (method, path, response.text)
    assert api.must("GET", "/v1/incidents", key=OTHER_ADMIN)["items"] == []
    assert api.must("GET", "/v1/articles", key=OTHER_ADMIN)["items"] == []
    assert api.must("GET", "/v1/drafts", key=OTHER_ADMIN)["items"] == []
    assert "test" not in [key["label"] for key in api.must("GET", "/v1/admin/keys", key=OTHER_ADMIN)["items"]]
    suggestion = api.must("POST", "/v1/suggestions", REPORT, key=OTHER_ADMIN)
    assert suggestion["articles"] == suggestion["similar_incidents"] == []
    by_id = api.ask("POST", "/v1/suggestions", {"incident_id": ids["incident"]}, key=OTHER_ADMIN)
    assert by_id.status_code == 404


def test_an_article_of_another_tenant_cannot_be_linked(api: Installation) -> None:
    article = api.must("POST", "/v1/articles", ARTICLE)["id"]
    incident = api.must("POST", "/v1/incidents", REPORT, key=OTHER_ADMIN)["id"]
    body = {"text": "As it says.", "article_id": article}
    response = api.ask("POST", f"/v1/incidents/{incident}/resolution", body, key=OTHER_ADMIN)
    assert (response.status_code, response.json()["field"]) == (422, "article_id")


def test_audiences_hide_records_inside_a_tenant(api: Installation) -> None:
    hr = api.key("suggest", "write", audiences=["hr"])
    secret = api.must("POST", "/v1/incidents", REPORT, key=hr)
    assert secret["audiences"] == ["hr"]
    assert api.ask("GET", f"/v1/incidents/{secret['id']}").status_code == 404
    assert api.must("POST", "/v1/suggestions", REPORT)["similar_incidents"] == []
    assert [match["id"] for match in api.must("POST", "/v1/suggestions", REPORT, key=hr)["similar_incidents"]] == [secret["id"]]


def test_a_revoked_key_is_refused_at_once_and_cannot_revoke_itself(api: Installation) -> None:
    key = api.key("admin")
    own = key.split("_")[1]
    assert api.ask("POST", f"/v1/admin/keys/{own}/revoke", key=key).status_code == 409
    assert api.must("POST", f"/v1/admin/keys/{own}/revoke")["revoked_at"]
    assert api.ask("GET", "/v1/taxonomy", key=key).status_code == 401


def test_a_key_that_another_process_revokes_is_refused_within_a_second(tmp_path: Path) -> None:
    assert Limits().revocation_s < 1
    with installation(tmp_path, limits=Limits(revocation_s=0.0)) as api:
        key = api.key("suggest")
        assert api.ask("GET", "/v1/taxonomy", key=key).status_code == 200
        _revoke_elsewhere(api, key)
        assert api.ask("GET", "/v1/taxonomy", key=key).status_code == 401


def test_a_verified_key_is_believed_for_a_moment_without_the_store(tmp_path: Path) -> None:
    with installation(tmp_path, limits=Limits(revocation_s=60)) as api:
        key = api.key("suggest")
        assert api.ask("GET", "/v1/taxonomy", key=key).status_code == 200
        _revoke_elsewhere(api, key)
        assert api.ask("GET", "/v1/taxonomy", key=key).status_code == 200


def test_the_text_of_a_key_is_nowhere_in_the_store(api: Installation, tmp_path: Path) -> None:
    key = api.must("POST", "/v1/admin/keys", {"label": "x", "scopes": ["suggest"]}, Idempotency_Key="k1")["key"]
    assert api.ask("GET", "/v1/taxonomy", key=key).status_code == 200
    stored = b"".join(file.read_bytes() for file in tmp_path.glob("store.db*"))
    secret = key.split("_", 2)[2]
    assert secret.encode() not in stored
    assert ADMIN.encode() not in stored
    assert key_identity(key.encode()).sha256.encode() in stored


@pytest.mark.parametrize("header", ["", "Basic abc", "Bearer", "Bearer  ", "st_1_2", "Bearer " + "x" * 5_000, "Bearer ÿ"])
def test_a_malformed_authorization_is_refused(api: Installation, header: str) -> None:
    response = api.client.get("/v1/taxonomy", headers={"Authorization": header.encode("latin-1")})
    assert response.status_code == 401


@pytest.mark.parametrize("text", ["plain words with spaces", "st_looks_like-one", "schlüssel-ß", "_", "st__"])
def test_a_key_of_the_environment_may_have_any_text(tmp_path: Path, text: str) -> None:
    with installation(tmp_path) as api:
        KeyService(store=api.services.store, clock=api.clock).ensure_administrator(text, label="environment")
        response = api.client.get("/v1/admin/keys", headers={"Authorization": b"Bearer " + text.encode()})
        assert response.status_code == 200


def _records(api: Installation, key: str) -> dict[str, str]:
    incident = api.must("POST", "/v1/incidents", REPORT, key=key)["id"]
    article = api.must("POST", "/v1/articles", ARTICLE, key=key)["id"]
    suggestion = api.must("POST", "/v1/suggestions", REPORT, key=key)["id"]
    api.must("PUT", "/v1/cmdb/items/srv-1", {"kind": "ci", "name": "srv-1"}, key=key)
    made = api.must("POST", "/v1/admin/keys", {"label": "to be revoked", "scopes": ["suggest"]}, key=key)["id"]
    api.must("POST", "/v1/incidents", REPORT, key=key)
    cluster = api.must("GET", "/v1/clusters?kind=storm", key=key)["items"][0]["id"]
    resolved = api.must("POST", "/v1/incidents", {"title": "Printer jams"}, key=key)["id"]
    api.must("POST", f"/v1/incidents/{resolved}/resolution", {"text": "Replaced the fuser of PRN-4F-02."}, key=key)
    api.services.loop.catch_up()
    draft = api.must("GET", "/v1/drafts?status=proposed", key=key)["items"][0]["id"]
    others = {"key": made, "item": "srv-1", "target": "urgency", "cluster": cluster, "draft": draft}
    return {"incident": incident, "article": article, "suggestion": suggestion, **others}


def _filled(body: Any, ids: dict[str, str]) -> Any:
    if not isinstance(body, dict):
        return body
    return {name: value.format(**ids) if isinstance(value, str) else value for name, value in body.items()}


def _revoke_elsewhere(api: Installation, key: str) -> None:
    with api.inner.begin(write=True) as records:
        stored = records.api_key(key_identity(key.encode()).id)
        assert stored is not None
        records.put_api_key(replace(stored, revoked_at=api.clock()))

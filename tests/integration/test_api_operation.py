"""Health, metrics, logs, headers, the taxonomy, the documentation, and what happens when something of ours fails."""

import json
import os
import re
from pathlib import Path

from structlog.testing import capture_logs

from smarttriage.api.answer_schemas import ProblemOut
from smarttriage.api.taxonomy_schemas import TaxonomyOut
from smarttriage.domain.errors import BundleError, Overloaded, StoreError
from tests.integration.installation import Installation, installation

GOLDEN = Path(__file__).parents[1] / "golden" / "openapi.json"
REPORT = {"title": "VPN drops", "description": "The whole team cannot work."}


def test_a_process_that_is_not_ready_says_why(tmp_path: Path) -> None:
    with installation(tmp_path, ready=lambda: False) as api:
        response = api.ask("GET", "/readyz", key=None)
        assert (response.status_code, response.json()["status"]) == (503, "not_ready")
        assert response.json()["reasons"]
        assert api.ask("GET", "/livez", key=None).status_code == 200


def test_a_store_that_does_not_answer_makes_the_process_not_ready(tmp_path: Path) -> None:
    with installation(tmp_path) as api:
        assert api.must("GET", "/readyz", key=None) == {"status": "ready", "reasons": []}
        broken = api.services.store
        broken._store = _Broken()  # type: ignore[assignment]
        response = api.ask("GET", "/readyz", key=None)
        assert (response.status_code, response.json()["reasons"]) == (503, ["the store does not answer (store_error)"])
        refused = api.ask("POST", "/v1/suggestions", REPORT)
        assert (refused.status_code, refused.json()["code"], refused.headers["Retry-After"]) == (503, "store_error", "1")
        assert "/secret/path" not in refused.text


def test_metrics_count_requests_stages_and_what_is_searchable(api: Installation) -> None:
    api.must("POST", "/v1/incidents", REPORT)
    api.must("POST", "/v1/suggestions", REPORT)
    api.ask("GET", "/v1/incidents/none")
    api.ask("GET", "/nowhere/at/all")
    text = api.client.get("/metrics").text
    assert 'smarttriage_requests_total{method="GET",route="/v1/incidents/{incident_id}",status="404"} 1.0' in text
    assert 'smarttriage_requests_total{method="GET",route="unmatched",status="404"} 1.0' in text
    assert 'smarttriage_suggestion_seconds_count{stage="encode"} 1.0' in text
    assert "smarttriage_incidents 1.0" in text
    assert "smarttriage_articles 0.0" in text
    assert "smarttriage_index_lag_changes 0.0" in text


def test_metrics_show_how_far_the_index_is_behind(tmp_path: Path) -> None:
    with installation(tmp_path, notify=lambda: None) as api:
        api.must("POST", "/v1/incidents", REPORT)
        assert "smarttriage_index_lag_changes 1.0" in api.client.get("/metrics").text


def test_each_committing_request_wakes_the_follower(api: Installation) -> None:
    incident = api.must("POST", "/v1/incidents", REPORT)["id"]
    api.must("PATCH", f"/v1/incidents/{incident}", {"title": "x"})
    api.must("POST", "/v1/articles", {"title": "x", "body": "y"})
    assert len(api.notified) == 3
    api.must("GET", "/v1/incidents")
    assert len(api.notified) == 3


def test_the_log_says_who_asked_for_what_and_no_word_of_the_incident(api: Installation) -> None:
    with capture_logs() as lines:
        response = api.ask("POST", "/v1/incidents", {"title": "Sesame opens"}, X_Request_Id="platform-7")
        api.ask("POST", "/v1/incidents", {"title": "Sesame opens", "category": "sesame"})
    assert response.headers["X-Request-Id"] == "platform-7"
    first = next(line for line in lines if line["event"] == "request")
    assert (first["route"], first["status"], first["tenant"]) == ("/v1/incidents", 201, "default")
    assert first["key_id"]
    assert "sesame" not in repr(lines).lower()


def test_a_request_id_that_could_forge_a_log_is_replaced(api: Installation) -> None:
    given = api.ask("GET", "/livez", X_Request_Id="a b<script>").headers["X-Request-Id"]
    assert re.fullmatch("[0-9a-f]{32}", given)


def test_a_defect_is_a_problem_document_and_its_log_quotes_nothing(tmp_path: Path) -> None:
    def fails() -> None:
        raise RuntimeError("parameters: 'my secret'")

    with installation(tmp_path, reload=fails) as api, capture_logs() as lines:
        response = api.ask("POST", "/v1/admin/reload")
    assert (response.status_code, response.json()["code"]) == (500, "internal_error")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    ProblemOut.model_validate(response.json())
    failed = next(line for line in lines if line["event"] == "request failed")
    assert failed["error"] == ["RuntimeError"]
    assert "my secret" not in repr(lines) + response.text


def test_a_reload_that_fails_says_why_and_changes_nothing(tmp_path: Path) -> None:
    def fails() -> None:
        raise BundleError("models/7: model.onnx is not what the manifest says; train again")

    with installation(tmp_path, reload=fails) as api:
        response = api.ask("POST", "/v1/admin/reload")
        assert response.status_code == 409
        assert "model.onnx is not what the manifest says" in response.json()["detail"]


def test_a_reload_says_what_serves_from_now_on(api: Installation) -> None:
    assert api.must("POST", "/v1/admin/reload")["provenance"]["model_version"] == "keywords-1"
    assert api.reloaded == [1]


def test_a_store_without_a_free_turn_is_an_overload(tmp_path: Path) -> None:
    def busy() -> None:
        raise Overloaded("no turn", retry_after_s=7)

    with installation(tmp_path, reload=busy) as api:
        response = api.ask("POST", "/v1/admin/reload")
        assert (response.status_code, response.headers["Retry-After"]) == (503, "7")


def test_every_answer_carries_the_security_headers(api: Installation) -> None:
    for path in ("/livez", "/docs", "/v1/incidents", "/nothing"):
        headers = api.client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in headers["Content-Security-Policy"]


def test_the_taxonomy_lists_every_label(api: Installation) -> None:
    answer = api.must("GET", "/v1/taxonomy")
    TaxonomyOut.model_validate(answer)
    models = api.services.live.state.models
    assert [category["name"] for category in answer["categories"]] == list(models.taxonomy.names("category") or ())
    assert len(answer["matrix"]) == len(models.policy.matrix.cells)
    assert answer["field_modes"]["urgency"] == "autofill"


def test_the_documentation_works_without_a_network(api: Installation) -> None:
    assert api.client.get("/").headers["location"] == "/docs"
    page = api.client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "http" not in re.sub("http-equiv", "", page.text)
    for path in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        answer = api.client.get(path)
        assert answer.status_code == 200, path
        assert "https://" not in answer.text or path == "/openapi.json"


def test_the_document_describes_every_operation(api: Installation) -> None:
    document = api.client.get("/openapi.json").json()
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            assert described["summary"], path
            assert described["description"], path
            if path.startswith("/v1"):
                assert described["security"] == [{"ApiKey": []}], path
                assert {"401", "403", "422", "503"} <= set(described["responses"]), path
            if path.startswith("/v1") and method == "post":
                assert "idempotency-key" in [parameter["name"].lower() for parameter in described["parameters"]], path
    assert document["components"]["securitySchemes"]["ApiKey"]["scheme"] == "bearer"


def test_the_document_is_the_one_that_was_agreed(api: Installation) -> None:
    """SMARTTRIAGE_UPDATE_GOLDEN=1 writes the present one down, for a change that is meant."""
    present = api.client.get("/openapi.json").json()
    present["info"]["version"] = "any"
    if os.environ.get("SMARTTRIAGE_UPDATE_GOLDEN"):
        GOLDEN.write_text(_written(present), encoding="utf-8")
    assert _written(present) == GOLDEN.read_text(encoding="utf-8")


def _written(document: object) -> str:
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


class _Broken:
    def begin(self, *, write: bool = False) -> None:
        raise StoreError("disk failure at /secret/path")

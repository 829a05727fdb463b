"""Whatever is sent, the answer is a problem document or a sensible one, never a 500."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.installation import ADMIN, Installation, installation

HEADERS = {"Authorization": f"Bearer {ADMIN}", "Content-Type": "application/json"}
BODIES: list[tuple[str, bytes, int, str | None]] = [
    ("no body", b"", 422, "body"),
    ("null", b"null", 422, "body"),
    ("array for object", b"[]", 422, "body"),
    ("text for object", b'"VPN"', 422, "body"),
    ("number for object", b"17", 422, "body"),
    ("cut off", b'{"title": "VPN', 400, "body"),
    ("two values", b'{"title": "a"} {"title": "b"}', 400, "body"),
    ("single quotes", b"{'title': 'a'}", 400, "body"),
    ("not UTF-8", b'{"title": "\xff\xfe"}', 400, "body"),
    ("surrogate as bytes", b'{"title": "\xed\xa0\x80"}', 400, None),
    ("lone surrogate", b'{"title": "a\\ud800b"}', 400, "title"),
    ("lone surrogate below", b'{"title": "a", "context": {"reporter": "\\udfff"}}', 400, "context.reporter"),
    ("lone surrogate as key", b'{"\\ud800": "a"}', 400, "body"),
    ("NaN", b'{"title": NaN}', 400, "title"),
    ("Infinity", b'{"title": "a", "k": Infinity}', 400, "k"),
    ("minus Infinity", b'{"title": "a", "k": -Infinity}', 400, "k"),
    ("too large for a float", b'{"title": "a", "k": 1e999}', 422, "k"),
    ("deep arrays", b"[" * 100_000, 400, "body"),
    ("deep closed arrays", b'{"title": ' + b"[" * 150 + b"]" * 150 + b"}", 400, "body"),
    ("deep objects", b'{"a":' * 5_000 + b"1" + b"}" * 5_000, 400, "body"),
    ("NUL", b'{"title": "a\\u0000b"}', 422, "title"),
    ("NUL in a list", b'{"title": "a", "context": {"affected_users": ["\\u0000"]}}', 422, "context.affected_users.0"),
    ("NUL in a custom target", b'{"title": "a", "context": {"custom": {"\\u0000": "x"}}}', 422, None),
    ("NUL in an id", b'{"incident_id": "\\u0000"}', 422, "incident_id"),
    ("raw NUL", b'{"title": "a\x00b"}', 400, "body"),
    ("unknown key", b'{"title": "a", "titel": "b"}', 422, "titel"),
    ("unknown key below", b'{"title": "a", "context": {"catgory": "b"}}', 422, "context.catgory"),
    ("very long unknown key", b'{"' + b"k" * 500_000 + b'": 1}', 422, "k" * 100),
    ("number for text", b'{"title": 5}', 422, "title"),
    ("object for text", b'{"title": {"a": "b"}}', 422, "title"),
    ("array for text", b'{"title": ["a"]}', 422, "title"),
    ("text for number", b'{"title": "a", "k": "5"}', 422, "k"),
    ("truth for number", b'{"title": "a", "k": true}', 422, "k"),
    ("fraction for number", b'{"title": "a", "k": 1.5}', 422, "k"),
    ("huge number", b'{"title": "a", "k": 1' + b"0" * 400 + b"}", 422, "k"),
    ("number of 5,000 digits", b'{"title": "a", "k": ' + b"9" * 5_000 + b"}", 400, "body"),
    ("k below", b'{"title": "a", "k": 0}', 422, "k"),
    ("k above", b'{"title": "a", "k": 1000000}', 422, "k"),
    ("instant without offset", b'{"title": "a", "context": {"reported_at": "2026-03-02T12:00:00"}}', 422, "context.reported_at"),
    ("instant as number", b'{"title": "a", "context": {"reported_at": 5}}', 422, "context.reported_at"),
    ("end of the calendar", b'{"title": "a", "context": {"reported_at": "9999-12-31T23:59:59Z"}}', 422, "context.reported_at"),
    (
        "before the calendar",
        b'{"title": "a", "context": {"reported_at": "0001-01-01T00:00:00+23:00"}}',
        422,
        "context.reported_at",
    ),
    ("title too long", json.dumps({"title": "a" * 1_001}).encode(), 413, "title"),
    ("description too long", json.dumps({"description": "a" * 200_001}).encode(), 413, "description"),
    ("more than a megabyte", json.dumps({"description": "a" * 1_000_000}).encode(), 413, "body"),
    (
        "list too long",
        json.dumps({"title": "a", "context": {"affected_users": ["x"] * 201}}).encode(),
        413,
        "context.affected_users",
    ),
]
SENSIBLE: list[tuple[str, Any]] = [
    ("empty texts", {"title": "", "description": ""}),
    ("blanks", {"title": " \n\t", "description": "   "}),
    ("only punctuation", {"title": "???", "description": "..."}),
    ("emoji and combining marks", {"title": "🔥" * 300, "description": "e\u0301" * 5_000}),
    ("right to left", {"title": "الطابعة لا تعمل", "description": "\u202eabc"}),
    ("one word of 200,000 letters", {"title": "", "description": "a" * 200_000}),
    ("query syntax", {"title": 'title:"x" AND (a OR b) NOT ^~*', "description": "'; DROP TABLE incident; --"}),
    ("markup", {"title": "<script>alert(1)</script>", "description": "{{7*7}} %s %n ${x}"}),
    ("control characters", {"title": "a\x01\x02\x7f", "description": "\ufeff\u2028"}),
]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """One for all: nothing here may leave a trace."""
    with installation(tmp_path_factory.mktemp("hostile")) as running:
        yield running


@pytest.mark.parametrize(("body", "status", "field"), [row[1:] for row in BODIES], ids=[row[0] for row in BODIES])
def test_a_body_that_cannot_be_used_is_refused_by_field(api: Installation, body: bytes, status: int, field: str | None) -> None:
    response = api.client.post("/v1/suggestions", content=body, headers=HEADERS)
    _is_problem(response, status)
    if field is not None:
        assert response.json()["field"] == field


def test_every_route_with_a_body_refuses_what_is_no_json_object(api: Installation) -> None:
    paths = api.client.get("/openapi.json").json()["paths"]
    asked = 0
    for path, methods in paths.items():
        for method, described in methods.items():
            if "requestBody" in described:
                for body in (b"", b"[]", b"{", b'{"x": NaN}', b'"\\ud800"', b"[" * 10_000, b'{"nobody knows this": 1}', b"\xff"):
                    url = re.sub(r"\{\w+\}", "none", path)
                    _is_problem(api.client.request(method.upper(), url, content=body, headers=HEADERS))
                    asked += 1
    assert asked >= 8 * 8


@pytest.mark.parametrize("body", [row[1] for row in SENSIBLE], ids=[row[0] for row in SENSIBLE])
def test_odd_texts_get_a_sensible_answer(api: Installation, body: Any) -> None:
    for path, sent in [("/v1/suggestions", body), ("/v1/predictions:batch", {"texts": [body]})]:
        assert api.ask("POST", path, sent).status_code == 200
    stored = api.ask("POST", "/v1/incidents", body)
    if "".join(body.values()).strip():
        assert (stored.status_code, stored.json()["title"], stored.json()["description"]) == (
            201,
            body["title"],
            body["description"],
        )
    else:
        _is_problem(stored, 422)


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        (None, 415),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/json; charset=utf-16", 415),
        ("nonsense", 415),
        ("application/json; charset=UTF-8", 200),
        ("application/vnd.itsm+json", 200),
    ],
)
def test_only_json_in_utf_8_is_read(api: Installation, content_type: str | None, status: int) -> None:
    headers = {"Authorization": HEADERS["Authorization"], **({"Content-Type": content_type} if content_type else {})}
    response = api.client.post("/v1/suggestions", content=b'{"title": "VPN"}', headers=headers)
    assert response.status_code == status
    if status == 415:
        _is_problem(response, 415)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/incidents/%00",
        "/v1/incidents/%ff%fe",
        "/v1/incidents/%ED%A0%80",
        "/v1/incidents/" + "x" * 5_000,
        "/v1/articles/%00/history",
        "/v1/suggestions/%00",
        "/v1/incidents?cursor=%00",
        "/v1/incidents?cursor=" + "A" * 400,
        "/v1/incidents?category=%00",
        "/v1/incidents?category=%ED%A0%80&status=open",
        "/v1/incidents?limit=99999999999999999999999999",
        "/v1/incidents?limit=abc",
        "/v1/incidents?reported_from=yesterday",
        "/v1/articles?cursor=%F0%9F%94%A5",
        "/v1/articles?status=secret",
        "/v1/nothing",
        "/nothing/%00",
        "/static/..%2f..%2fapp.py",
        "/static/app.py",
    ],
)
def test_odd_paths_and_queries_are_no_defects(api: Installation, path: str) -> None:
    response = api.client.get(path, headers=HEADERS)
    if response.status_code != 200:
        _is_problem(response)
    else:
        assert response.json()["items"] == []


def test_a_wrong_method_is_a_problem_document(api: Installation) -> None:
    response = api.client.delete("/v1/suggestions", headers=HEADERS)
    _is_problem(response, 405)
    assert "POST" in response.headers["Allow"]


def test_malformed_json_of_a_stranger_is_not_even_parsed(api: Installation) -> None:
    _is_problem(api.client.post("/v1/suggestions", content=b"{", headers={"Content-Type": "application/json"}), 401)


def test_a_problem_document_never_repeats_the_text_that_was_sent(api: Installation) -> None:
    response = api.client.post("/v1/incidents", headers=HEADERS, content=b'{"title": "my secret", "k": "my secret", "impact": 5}')
    assert "my secret" not in response.text
    assert len(response.json()["errors"]) == 2


def _is_problem(response: Any, status: int | None = None) -> None:
    assert response.headers["content-type"] == "application/problem+json", response.text
    problem = response.json()
    assert 400 <= response.status_code < 500
    assert status in (None, response.status_code), problem
    assert set(problem) == {"type", "title", "status", "detail", "code", "field", "errors"}
    assert problem["status"] == response.status_code
    assert problem["detail"]
    assert problem["code"]

"""Incidents over HTTP: stored whole, read, listed, changed under If-Match, resolved."""

import pytest

from smarttriage.api.record_schemas import IncidentOut, OutcomeOut
from tests.integration.installation import Installation

EVERYTHING = {
    "title": "VPN drops",
    "description": "The whole team cannot work.",
    "status": "in_progress",
    "kind": "incident",
    "category": "network",
    "sub_category": "vpn",
    "impact": "high",
    "urgency": "high",
    "custom": {"assignment_group": "north"},
    "audiences": ["everyone", "network"],
    "support_group": "Team North",
    "detected_at": "2026-03-02T08:00:00+01:00",
    "reported_at": "2026-03-02T08:05:00Z",
    "reporter": "maria",
    "affected_users": ["maria", "jo"],
    "affected_services": ["VPN"],
    "configuration_items": ["vpn-gw-1"],
    "symptoms": ["disconnects"],
    "initial_impact": "all of sales",
    "source_system": "servicenow",
    "source_id": "INC1",
    "logged_by": "monitoring",
    "language": "en",
}


def test_everything_a_platform_sends_comes_back(api: Installation) -> None:
    response = api.ask("POST", "/v1/incidents", EVERYTHING)
    assert response.status_code == 201
    stored = response.json()
    IncidentOut.model_validate(stored)
    assert response.headers["Location"] == f"/v1/incidents/{stored['id']}"
    expected = {**EVERYTHING, "detected_at": "2026-03-02T07:00:00Z"}
    assert {name: stored[name] for name in EVERYTHING} == expected
    assert stored["priority"] == "P1"
    assert set(stored["reviewed"]) == {"kind", "category", "sub_category", "impact", "urgency", "assignment_group"}
    read = api.ask("GET", response.headers["Location"])
    assert (read.json(), read.headers["ETag"]) == (stored, '"1"')


def test_unknown_stays_unknown(api: Installation) -> None:
    stored = api.must("POST", "/v1/incidents", {"description": "It hums."})
    assert [stored[name] for name in ("category", "priority", "reporter", "detected_at")] == [None] * 4
    assert stored["logged_by"]


def test_the_same_source_is_not_stored_twice(api: Installation) -> None:
    api.must("POST", "/v1/incidents", EVERYTHING)
    again = api.ask("POST", "/v1/incidents", EVERYTHING)
    assert (again.status_code, again.json()["field"]) == (409, "source_id")
    half = api.ask("POST", "/v1/incidents", {"title": "x", "source_id": "1"})
    assert (half.status_code, half.json()["field"]) == (422, "source_system")


def test_a_change_names_only_what_changes_and_null_takes_back(api: Installation) -> None:
    stored = api.must("POST", "/v1/incidents", EVERYTHING)
    change = {"urgency": "low", "category": None, "sub_category": None, "reporter": None, "custom": {"assignment_group": None}}
    response = api.ask("PATCH", f"/v1/incidents/{stored['id']}", change)
    changed = response.json()
    assert response.headers["ETag"] == '"2"'
    assert (changed["title"], changed["urgency"], changed["priority"]) == ("VPN drops", "low", "P3")
    assert (changed["category"], changed["reporter"], changed["custom"]) == (None, None, {})
    assert changed["affected_users"] == ["maria", "jo"]


@pytest.mark.parametrize(
    ("tag", "status"), [('"1"', 200), ("1", 200), ("*", 200), (None, 200), ('"2"', 412), ('"nonsense"', 412), ('W/"1"', 412)]
)
def test_an_edit_under_if_match_needs_the_present_version(api: Installation, tag: str | None, status: int) -> None:
    stored = api.must("POST", "/v1/incidents", {"title": "VPN drops"})
    headers = {} if tag is None else {"If_Match": tag}
    response = api.ask("PATCH", f"/v1/incidents/{stored['id']}", {"title": "VPN gone"}, **headers)
    assert response.status_code == status, response.text
    if status == 412:
        assert response.json()["code"] == "version_mismatch"


def test_several_etags_at_once_are_refused(api: Installation) -> None:
    stored = api.must("POST", "/v1/incidents", {"title": "VPN drops"})
    response = api.ask("PATCH", f"/v1/incidents/{stored['id']}", {"title": "x"}, If_Match='"1", "2"')
    assert (response.status_code, response.json()["field"]) == (422, "If-Match")


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("", ["c", "b", "a"]),
        ("status=in_progress", ["b"]),
        ("category=hardware", ["c"]),
        ("priority=P1", ["a"]),
        ("support_group=Team%20X", ["b"]),
        ("source_system=mail", ["b", "a"]),
        ("source_system=mail&source_id=1", ["a"]),
        ("reported_from=2026-03-01T02:00:00Z", ["c", "b"]),
        ("reported_before=2026-03-01T02:00:00Z", ["a"]),
        ("status=closed", []),
    ],
)
def test_lists_are_narrowed_by_every_filter(api: Installation, query: str, titles: list[str]) -> None:
    first = {"category": "network", "impact": "high", "urgency": "high", "source_system": "mail", "source_id": "1"}
    api.must("POST", "/v1/incidents", {"title": "a", "reported_at": "2026-03-01T01:00:00Z", **first})
    second = {"status": "in_progress", "support_group": "Team X", "source_system": "mail", "source_id": "2"}
    api.must("POST", "/v1/incidents", {"title": "b", "reported_at": "2026-03-01T02:00:00Z", **second})
    api.must("POST", "/v1/incidents", {"title": "c", "reported_at": "2026-03-01T03:00:00Z", "category": "hardware"})
    assert [item["title"] for item in api.must("GET", f"/v1/incidents?{query}")["items"]] == titles


def test_pages_follow_each_other_without_gap_or_double(api: Installation) -> None:
    for number in range(5):
        api.must("POST", "/v1/incidents", {"title": str(number), "reported_at": f"2026-03-01T0{number}:00:00Z"})
    seen, cursor = [], ""
    while cursor is not None:
        page = api.must("GET", f"/v1/incidents?limit=2{cursor and '&cursor=' + cursor}")
        seen += [item["title"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert seen == ["4", "3", "2", "1", "0"]


@pytest.mark.parametrize(
    ("query", "field"),
    [("limit=0", "limit"), ("limit=201", "limit"), ("statuss=open", "statuss"), ("cursor=zzz", "cursor"), ("status=x", "status")],
)
def test_a_wrong_filter_is_refused_by_name(api: Installation, query: str, field: str) -> None:
    response = api.ask("GET", f"/v1/incidents?{query}")
    assert (response.status_code, response.json()["field"]) == (422, field)


def test_a_resolution_drafts_an_article_that_a_reviewer_finds(api: Installation) -> None:
    incident = api.must("POST", "/v1/incidents", {"title": "VPN drops", "description": "The whole team cannot work."})
    note = "Raised the session limit on vpn-gw-1 from 500 to 800 and restarted the tunnel service."
    response = api.ask("POST", f"/v1/incidents/{incident['id']}/resolution", {"text": note, "category": "network"})
    outcome = response.json()
    OutcomeOut.model_validate(outcome)
    assert (response.status_code, response.headers["ETag"], outcome["effect"]) == (200, '"2"', "drafted")
    assert outcome["incident"]["status"] == "resolved"
    assert outcome["incident"]["category"] == "network"
    assert api.must("GET", f"/v1/articles/{outcome['article_id']}")["status"] == "draft"
    again = api.ask("POST", f"/v1/incidents/{incident['id']}/resolution", {"text": note})
    assert again.status_code == 409


def test_a_resolution_links_the_article_that_was_used_and_refuses_one_that_is_not_there(api: Installation) -> None:
    incident = api.must("POST", "/v1/incidents", {"title": "VPN drops"})
    article = api.must("POST", "/v1/articles", {"title": "Mend the VPN", "body": "Restart it."})
    path = f"/v1/incidents/{incident['id']}/resolution"
    refused = api.ask("POST", path, {"text": "As the article says.", "article_id": "kb_none"})
    assert (refused.status_code, refused.json()["field"]) == (422, "article_id")
    assert api.must("POST", path, {"text": "As the article says.", "article_id": article["id"]})["effect"] == "linked"


def test_a_resolution_that_a_published_article_tells_already_drafts_nothing(api: Installation) -> None:
    body = "## Resolution\n1. Raise the session limit of the VPN gateway."
    article = api.must("POST", "/v1/articles", {"title": "VPN drops for many people", "body": body})
    for step in ("submit", "publish"):
        api.must("POST", f"/v1/articles/{article['id']}/{step}")
    note = {"text": "Raised the session limit of the VPN gateway from 500 to 800."}
    known = api.must("POST", "/v1/incidents", {"title": "VPN drops", "description": "It drops for many of our people."})
    outcome = api.must("POST", f"/v1/incidents/{known['id']}/resolution", note)
    assert (outcome["effect"], outcome["article_id"]) == ("similar_article_exists", article["id"])
    other = api.must("POST", "/v1/incidents", {"title": "Till refuses cards", "description": "Nobody can pay at the bakery."})
    note = {"text": "Raised the session limit from 500 to 800."}
    assert api.must("POST", f"/v1/incidents/{other['id']}/resolution", note)["effect"] == "drafted"


def test_fixed_drafts_nothing_and_says_so(api: Installation) -> None:
    incident = api.must("POST", "/v1/incidents", {"title": "VPN drops"})
    outcome = api.must("POST", f"/v1/incidents/{incident['id']}/resolution", {"text": "fixed"})
    assert (outcome["effect"], outcome["article_id"]) == ("no_content", None)
    assert outcome["question"] in outcome["message"]
    assert outcome["question"].endswith("is enough.") or outcome["question"].endswith("?")
    assert "?" in outcome["message"]

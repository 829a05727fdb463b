"""Knowledge gaps over HTTP: topics without an article, what they cost, and the button that begins a draft."""

from datetime import timedelta
from typing import Any

from smarttriage.api.gap_schemas import GapsOut
from tests.integration.installation import Installation

ARTICLE = {"title": "Mend a VPN that drops", "body": "Raise the session limit of the VPN gateway."}
VPN = {"title": "VPN drops", "description": "Mend a VPN that drops, please."}
PRINTER = {"title": "Printer prints blank pages", "description": "The printer prints blank pages only."}
BADGE = {"title": "Badge opens no door", "description": "My badge opens no door any more."}
REMEDY = (
    "Replaced the drum unit in the printer and ran the calibration from its service menu. Call ann@example.org if it returns."
)


def stored(api: Installation, report: dict[str, Any], *, hours: float | None = None, asked: bool = True, **more: Any) -> str:
    incident = str(api.must("POST", "/v1/incidents", {**report, "reported_at": api.clock().isoformat(), **more})["id"])
    if asked:
        api.must("POST", "/v1/suggestions", {"incident_id": incident})
    if hours is not None:
        at = (api.clock() + timedelta(hours=hours)).isoformat()
        api.must("POST", f"/v1/incidents/{incident}/resolution", {"text": REMEDY, "resolved_at": at})
    return incident


def published(api: Installation) -> str:
    made = str(api.must("POST", "/v1/articles", ARTICLE)["id"])
    api.must("POST", f"/v1/articles/{made}/submit")
    api.must("POST", f"/v1/articles/{made}/publish")
    return made


def gaps(api: Installation, query: str = "", **options: Any) -> Any:
    found = api.must("GET", f"/v1/insights/gaps{query}", **options)
    GapsOut.model_validate(found)
    return found


def test_topics_without_an_article_are_ranked_by_volume_times_handling_time(api: Installation) -> None:
    published(api)
    stored(api, VPN)
    printers = [stored(api, PRINTER, hours=4) for _ in range(3)]
    badge = stored(api, BADGE, hours=1)
    found = gaps(api)
    assert [(gap["n"], gap["median_hours"], gap["cost"]) for gap in found["items"]] == [(3, 4.0, 12.0), (1, 1.0, 1.0)]
    assert [gap["vital"] for gap in found["items"]] == [True, False]
    assert found["items"][1]["cumulative"] == 1.0
    assert {one["id"] for one in found["items"][0]["sample"]} == set(printers)
    assert found["items"][1]["sample"] == [{"id": badge, "title": BADGE["title"]}]
    assert "printer" in found["items"][0]["words"]
    assert found["helped"] == {"not_said": 1, "no_article": 4}


def test_an_article_that_only_failed_leaves_a_gap_and_one_that_worked_does_not(api: Installation) -> None:
    article = published(api)
    failing, helped = stored(api, VPN), stored(api, VPN)
    said = {"outcome": "did_not_work", "given_by": "ann"}
    api.must("POST", f"/v1/articles/{article}/outcomes", {**said, "incident_id": failing})
    api.must("POST", f"/v1/incidents/{helped}/resolution", {"text": "As it says.", "article_id": article})
    (gap,) = gaps(api)["items"]
    assert ([one["id"] for one in gap["sample"]], gap["n_only_failed"], gap["found_now"]) == ([failing], 1, article)


def test_incidents_that_nobody_asked_about_are_asked_about_now(api: Installation) -> None:
    published(api)
    stored(api, VPN, asked=False)
    stored(api, BADGE, asked=False)
    found = gaps(api)
    assert [gap["sample"][0]["title"] for gap in found["items"]] == [BADGE["title"]]
    assert found["helped"] == {"not_said": 1, "no_article": 1}


def test_the_button_drafts_an_article_that_quotes_its_incidents_and_only_once(api: Installation) -> None:
    incidents = [stored(api, PRINTER, hours=4) for _ in range(2)]
    button = gaps(api)["items"][0]["draft"]
    response = api.ask(button["method"], button["path"], button["body"])
    made = response.json()
    assert (response.status_code, response.headers["Location"], made["status"]) == (201, f"/v1/articles/{made['id']}", "draft")
    assert set(made["source_incidents"]) == set(incidents)
    assert made["body"].count("Replaced the drum unit") == 2
    assert all(f"({each})" in made["body"] for each in incidents)
    assert "ann@example.org" not in made["body"]
    again = api.ask(button["method"], button["path"], button["body"])
    assert (again.status_code, made["id"] in again.json()["detail"]) == (409, True)


def test_a_draft_is_seen_by_those_only_who_may_see_all_its_incidents(api: Installation) -> None:
    both = api.key("write", "suggest", audiences=["everyone", "hr"])
    shared = stored(api, PRINTER, audiences=["everyone"])
    secret = str(api.must("POST", "/v1/incidents", {**PRINTER, "audiences": ["hr"]}, key=both)["id"])
    body = {"incident_ids": [shared, secret]}
    assert api.ask("POST", "/v1/insights/gaps/drafts", body).status_code == 404
    refused = api.ask("POST", "/v1/insights/gaps/drafts", body, key=both)
    assert (refused.status_code, refused.json()["field"]) == (422, "incident_ids")
    assert api.must("POST", "/v1/insights/gaps/drafts", {"incident_ids": [secret]}, key=both)["audiences"] == ["hr"]
    assert {one["id"] for gap in gaps(api)["items"] for one in gap["sample"]} == {shared}


def test_a_resolution_that_says_what_an_unsuggested_article_says_was_a_missed_opportunity(api: Installation) -> None:
    incident = stored(api, VPN)
    article = published(api)
    text = "Mend a VPN that drops: raised the session limit of the VPN gateway."
    outcome = api.must("POST", f"/v1/incidents/{incident}/resolution", {"text": text})
    assert (outcome["effect"], outcome["article_id"]) == ("similar_article_exists", article)
    assert gaps(api)["missed"] == [{"incident_id": incident, "title": VPN["title"], "article_id": article}]
    suggested_in_time = stored(api, VPN)
    api.must("POST", f"/v1/incidents/{suggested_in_time}/resolution", {"text": text})
    assert gaps(api)["n_missed"] == 1


def test_a_period_narrows_what_is_looked_at(api: Installation) -> None:
    stored(api, PRINTER)
    api.clock.forward(timedelta(days=2))
    stored(api, BADGE)
    found = gaps(api, "?reported_from=2026-03-04T00:00:00Z")
    assert [gap["sample"][0]["title"] for gap in found["items"]] == [BADGE["title"]]
    assert gaps(api, "?limit=1")["n_topics"] == 2

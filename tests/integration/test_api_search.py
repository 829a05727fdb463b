"""Search over HTTP, for an agent who wants others than were suggested."""

from typing import Any

import pytest

from smarttriage.api.answer_schemas import SearchOut
from tests.integration.installation import Installation
from tests.integration.test_translated_suggestions import _translating

SPOOLER = ("Printer queue stuck", "## Resolution\n1. Restart the spooler, the printer queue is stuck no more.")
VPN = ("Mend a VPN that drops", "## Resolution\n1. Raise the session limit of the VPN gateway, the VPN drops no more.")


def _published(api: Installation, title: str, body: str, **more: Any) -> str:
    article = api.must("POST", "/v1/articles", {"title": title, "body": body, **more})
    api.must("POST", f"/v1/articles/{article['id']}/submit")
    api.must("POST", f"/v1/articles/{article['id']}/publish")
    return str(article["id"])


def _search(api: Installation, text: str, **more: Any) -> Any:
    answer = api.must("POST", "/v1/search", {"text": text, **more})
    SearchOut.model_validate(answer)
    return answer


def test_words_find_articles_and_incidents_best_first(api: Installation) -> None:
    spooler, vpn = _published(api, *SPOOLER), _published(api, *VPN)
    incident = api.must("POST", "/v1/incidents", {"title": "VPN drops often", "description": "The whole team cannot work."})
    answer = _search(api, "vpn drops")
    assert [article["id"] for article in answer["articles"]] == [vpn, spooler]
    assert "shares drops" in answer["articles"][0]["why"]
    assert [found["id"] for found in answer["incidents"]] == [incident["id"]]
    assert set(answer) == {"articles", "incidents", "provenance", "timing_ms"}


def test_what_a_suggestion_would_hold_back_comes_behind_and_says_so(api: Installation) -> None:
    _published(api, *SPOOLER), _published(api, *VPN)
    text = "Session limits of gateways"
    suggested = [each["id"] for each in api.must("POST", "/v1/suggestions", {"description": text})["articles"]]
    found = _search(api, text)["articles"]
    assert [article["id"] for article in found if article["relevant"]] == suggested
    assert [article["relevant"] for article in found] == [True, False]


def test_only_what_is_asked_for_is_searched(api: Installation) -> None:
    _published(api, *VPN)
    api.must("POST", "/v1/incidents", {"title": "VPN drops often", "description": "The whole team cannot work."})
    articles = _search(api, "vpn drops", collections=["articles"])
    assert (len(articles["articles"]), articles["incidents"]) == (1, None)
    incidents = _search(api, "vpn drops", collections=["incidents"])
    assert (incidents["articles"], len(incidents["incidents"])) == (None, 1)
    assert _search(api, "vpn drops", k=1, collections=["incidents"])["incidents"] == incidents["incidents"]


def test_k_bounds_each_collection(api: Installation) -> None:
    _published(api, *SPOOLER), _published(api, *VPN)
    assert len(_search(api, "vpn", k=1)["articles"]) == 1


def test_nobody_finds_what_the_key_may_not_see(api: Installation) -> None:
    _published(api, *VPN)
    api.must("POST", "/v1/incidents", {"title": "VPN drops often", "description": "The whole team cannot work."})
    stranger = api.must("POST", "/v1/search", {"text": "vpn drops"}, key=api.key("suggest", audiences=["hr"]))
    assert (stranger["articles"], stranger["incidents"]) == ([], [])


def test_a_search_in_german_finds_an_english_article(api: Installation) -> None:
    _published(api, *SPOOLER)
    _translating(api)
    (found,) = _search(api, "Die Druckerwarteschlange ist voll und der Drucker steht", collections=["articles"])["articles"]
    assert "translated Druckerwarteschlange -> printer queue" in found["why"]


def test_a_greeting_can_be_searched(api: Installation) -> None:
    hello = _published(api, "Hello", "## Resolution\n1. Say hello to the welcome desk.")
    assert _search(api, "Hello")["articles"][0]["id"] == hello


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"text": " \n"}, 422, "text"),
        ({}, 422, "text"),
        ({"text": "x", "collections": []}, 422, "collections"),
        ({"text": "x", "collections": ["people"]}, 422, "collections.0"),
        ({"text": "x", "k": 21}, 422, "k"),
        ({"text": "x" * 200_001}, 413, "text"),
    ],
)
def test_what_cannot_be_searched_is_refused_by_name(api: Installation, body: Any, status: int, field: str) -> None:
    refused = api.ask("POST", "/v1/search", body)
    assert (refused.status_code, refused.json()["field"]) == (status, field)

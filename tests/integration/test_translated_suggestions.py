"""An incident in German finds an English article, and the reason says which words were translated."""

import tomllib
from dataclasses import replace
from typing import Any

from smarttriage.bootstrap import resources
from smarttriage.domain.glossary import parse_glossary
from smarttriage.services.gate import Gate
from tests.integration.installation import KB, Installation

ARTICLE = ("Printer queue stuck", "## Resolution\n1. Restart the spooler, the printer queue is stuck no more.")
GERMAN = {"title": "Druckerwarteschlange", "description": "Die Warteschlange ist voll und der Drucker steht seit heute."}


def _translating(api: Installation) -> None:
    glossary = parse_glossary(tomllib.loads((KB / "glossary.toml").read_text(encoding="utf-8")))
    api.services.triage._live.update_models(lambda models: replace(models, gate=Gate(resources.intake()), glossary=glossary))


def _published(api: Installation, title: str, body: str) -> None:
    article = api.must("POST", "/v1/articles", {"title": title, "body": body})
    api.must("POST", f"/v1/articles/{article['id']}/submit")
    api.must("POST", f"/v1/articles/{article['id']}/publish")


def _articles(api: Installation, body: dict[str, str]) -> list[Any]:
    found: list[Any] = api.must("POST", "/v1/suggestions", body)["articles"]
    return found


def test_a_german_incident_finds_an_english_article_and_says_what_was_translated(api: Installation) -> None:
    _published(api, *ARTICLE)
    without = _articles(api, GERMAN)
    _translating(api)
    (found,) = _articles(api, GERMAN)
    assert not without or without[0]["score"] < found["score"]
    assert found["title"] == ARTICLE[0]
    assert "translated Druckerwarteschlange -> printer queue" in found["why"]


def test_an_english_incident_is_untouched(api: Installation) -> None:
    _published(api, *ARTICLE)
    asked = {"title": "Printer queue stuck", "description": "The queue is full and the printer has not worked since today."}
    before = _articles(api, asked)
    _translating(api)
    assert _articles(api, asked) == before
    assert "translated" not in before[0]["why"]

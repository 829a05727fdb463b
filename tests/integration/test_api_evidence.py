"""What becomes of articles moves them, over HTTP: enough failures demote and send to review, looks do nothing, a review settles."""

from datetime import timedelta
from typing import Any

import pytest

from smarttriage.api.answer_schemas import SuggestionOut
from smarttriage.api.record_schemas import ArticleReadOut, EvidenceLifeOut
from smarttriage.domain.outcome import OutcomeKind
from smarttriage.services.evidence import read_evidence
from tests.integration.installation import Installation

WRONG = {"title": "Mend a VPN that drops", "body": "Reinstall the VPN client twice.", "owner": "network team"}
RIGHT = {"title": "VPN that drops at the gateway", "body": "Raise the session limit of the VPN gateway."}
REPORT = {"title": "VPN drops", "description": "Mend a VPN that drops, please."}


def published(api: Installation, article: dict[str, Any]) -> str:
    made = api.must("POST", "/v1/articles", article)["id"]
    api.must("POST", f"/v1/articles/{made}/submit")
    api.must("POST", f"/v1/articles/{made}/publish")
    return str(made)


def suggested(api: Installation) -> list[Any]:
    answer = api.must("POST", "/v1/suggestions", REPORT)
    SuggestionOut.model_validate(answer)
    return list(answer["articles"])


def say(api: Installation, article: str, outcome: str, *people: str, **more: str) -> Any:
    said = [api.must("POST", f"/v1/articles/{article}/outcomes", {"outcome": outcome, "given_by": p, **more}) for p in people]
    EvidenceLifeOut.model_validate(said[-1])
    return said[-1]


def resolve(api: Installation, text: str, **more: str) -> str:
    incident = api.must("POST", "/v1/incidents", REPORT)["id"]
    api.must("POST", f"/v1/incidents/{incident}/resolution", {"text": text, **more})
    return str(incident)


def test_three_people_for_whom_it_failed_move_an_article_and_two_do_not(api: Installation) -> None:
    wrong, right = published(api, WRONG), published(api, RIGHT)
    before = suggested(api)
    assert [match["id"] for match in before] == [wrong, right]
    assert before[0]["evidence"] is None
    say(api, wrong, "did_not_work", "ann", "bob")
    held = suggested(api)
    assert [match["id"] for match in held] == [wrong, right]
    assert held[0]["score"] == before[0]["score"]
    say(api, wrong, "did_not_work", "cem")
    moved = suggested(api)
    assert [match["id"] for match in moved] == [right, wrong]
    assert moved[1]["why"].endswith("worked for 0 of 3 who tried")
    assert (moved[1]["evidence"]["failed"], moved[1]["evidence"]["needs_review"]) == (3, False)


def test_one_person_however_often_moves_nothing(api: Installation) -> None:
    wrong = published(api, WRONG)
    score = suggested(api)[0]["score"]
    life = say(api, wrong, "did_not_work", *["ann"] * 12)
    assert (life["failed"], life["counts"]["did_not_work"]) == (1, 12)
    assert suggested(api)[0]["score"] == score
    assert api.must("GET", f"/v1/articles/{wrong}")["status"] == "published"


def test_enough_failures_send_an_article_to_review_and_a_reviewer_settles_them(api: Installation) -> None:
    wrong, right = published(api, WRONG), published(api, RIGHT)
    say(api, wrong, "did_not_work", *(f"p{n}" for n in range(9)))
    read = api.must("GET", f"/v1/articles/{wrong}")
    ArticleReadOut.model_validate(read)
    assert (read["status"], read["updated_by"], read["evidence"]["owner"]) == (
        "in_review",
        "smarttriage:evidence",
        "network team",
    )
    assert read["evidence"]["doubt"] >= 0.99
    assert [match["id"] for match in suggested(api)] == [right, wrong]
    statuses = [version["status"] for version in api.must("GET", f"/v1/articles/{wrong}/history")["items"]]
    assert statuses == ["in_review", "published", "in_review", "draft"]
    api.must("POST", f"/v1/articles/{wrong}/publish")
    assert api.must("GET", f"/v1/articles/{wrong}")["evidence"]["counts"] == {}
    assert suggested(api)[0] == {**suggested(api)[0], "id": wrong, "evidence": None}


def test_what_a_key_said_is_withdrawn_with_what_followed_from_it(api: Installation) -> None:
    article = published(api, WRONG)
    say(api, article, "worked", "zoe")
    poison = api.key("write")
    since = api.clock()
    for n in range(15):
        body = {"outcome": "did_not_work", "given_by": f"p{n}"}
        api.must("POST", f"/v1/articles/{article}/outcomes", body, key=poison)
    assert api.must("GET", f"/v1/articles/{article}")["status"] == "in_review"
    undone = api.must("POST", f"/v1/admin/keys/{poison.split('_')[1]}/undo", {"since": since.isoformat()})
    assert undone["n_outcomes"] == 15
    read = api.must("GET", f"/v1/articles/{article}")
    assert (read["status"], read["evidence"]["worked"], read["evidence"]["failed"]) == ("published", 1, 0)
    assert suggested(api)[0]["evidence"]["failed"] == 0


def test_looks_neither_confirm_nor_move(api: Installation) -> None:
    article = published(api, WRONG)
    first = suggested(api)
    for _ in range(10):
        suggested(api)
        api.must("GET", f"/v1/articles/{article}")
    assert suggested(api) == first
    read = api.must("GET", f"/v1/articles/{article}")["evidence"]
    assert (read["confirmed_at"], read["counts"]) == (None, {})


def test_a_resolution_confirms_its_article_and_reopening_takes_that_back(api: Installation) -> None:
    article = published(api, WRONG)
    incident = resolve(api, "As the article says.", article_id=article, resolved_by="ann")
    api.clock.forward(timedelta(days=40))
    read = api.must("GET", f"/v1/articles/{article}")["evidence"]
    assert (read["worked"], read["failed"], read["days_since_confirmed"]) == (1, 0, 40)
    api.must("PATCH", f"/v1/incidents/{incident}", {"status": "open"})
    read = api.must("GET", f"/v1/articles/{article}")["evidence"]
    assert (read["worked"], read["failed"], read["counts"]) == (0, 1, {"worked": 1, "reopened": 1})


def test_thumbs_count_and_articles_that_were_only_shown_were_not_tried(api: Installation) -> None:
    wrong, right = published(api, WRONG), published(api, RIGHT)
    incident = api.must("POST", "/v1/incidents", REPORT)["id"]
    made = api.must("POST", "/v1/suggestions", {"incident_id": incident})
    body = {"suggestion_id": made["id"], "action": "thumbs_up", "match_id": wrong, "given_by": "ann"}
    api.must("POST", "/v1/feedback", body)
    api.must("POST", f"/v1/incidents/{incident}/resolution", {"text": "done"})
    counts = [api.must("GET", f"/v1/articles/{each}")["evidence"]["counts"] for each in (wrong, right)]
    assert counts == [{"worked": 1}, {"not_tried": 1}]


def test_a_newer_resolution_without_an_article_that_failed_contradicts_it(api: Installation) -> None:
    wrong = published(api, WRONG)
    incident = api.must("POST", "/v1/incidents", REPORT)["id"]
    say(api, wrong, "did_not_work", "ann", incident_id=incident)
    assert suggested(api)[0]["evidence"]["contradicted"] is False
    text = "Raised the session limit of the VPN gateway to 500 and restarted the tunnel service."
    api.must("POST", f"/v1/incidents/{incident}/resolution", {"text": text})
    assert suggested(api)[0]["evidence"]["contradicted"] is True
    read = api.must("GET", f"/v1/articles/{wrong}")["evidence"]
    assert (read["contradicted"], read["contradicted_by"]) == (1, [incident])


def test_an_expired_article_is_marked_and_gives_way_to_one_as_near(api: Installation) -> None:
    old = published(api, {**WRONG, "valid_until": "2026-03-02"})
    twin = published(api, WRONG)
    assert [match["id"] for match in suggested(api)] == sorted([old, twin])
    api.clock.forward(timedelta(days=1))
    found = suggested(api)
    assert [match["id"] for match in found] == [twin, old]
    assert (found[0]["evidence"], found[1]["evidence"]["expired"]) == (None, True)


def test_evidence_is_found_again_after_a_restart(api: Installation) -> None:
    wrong = published(api, WRONG)
    say(api, wrong, "did_not_work", "ann", "bob", "cem")
    seen = api.services.live.state.catalogue.entries[wrong].evidence
    with api.inner.begin() as records:
        assert read_evidence(records)[wrong] == seen


@pytest.mark.parametrize("kind", [OutcomeKind.REOPENED, OutcomeKind.CONTRADICTED])
def test_what_follows_from_incidents_cannot_be_said(api: Installation, kind: OutcomeKind) -> None:
    article = published(api, WRONG)
    response = api.ask("POST", f"/v1/articles/{article}/outcomes", {"outcome": kind})
    assert (response.status_code, response.json()["field"]) == (422, "outcome")
    missing = api.ask("POST", f"/v1/articles/{article}/outcomes", {"outcome": "worked", "incident_id": "inc_none"})
    assert (missing.status_code, missing.json()["field"]) == (404, "incident_id")

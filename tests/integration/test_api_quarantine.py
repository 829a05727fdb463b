"""What a key that is not trusted teaches counts for that key alone until somebody else confirms it."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from smarttriage.domain.review import ReviewPolicy
from tests.integration.installation import ADMIN, Installation, installation

REPORT = {"title": "Badge reader beeps twice", "description": "The badge reader at the west gate beeps twice and stays shut."}
HARMFUL = "Switched the badge reader off at its fuse and wedged the west gate open for good."
RIGHT = "Re-enrolled the badge on the controller of the west gate and restarted the badge reader."


def key_id(key: str) -> str:
    return key.split("_")[1]


def similar(api: Installation, key: str = ADMIN) -> list[dict[str, Any]]:
    return api.must("POST", "/v1/suggestions", REPORT, key=key)["similar_incidents"]


def category(api: Installation, key: str = ADMIN) -> str:
    return api.must("POST", "/v1/suggestions", REPORT, key=key)["category"]["alternatives"][0]["value"]


def resolve(api: Installation, text: str, *, key: str, **more: Any) -> dict[str, Any]:
    incident = api.must("POST", "/v1/incidents", REPORT, key=key)["id"]
    return api.must("POST", f"/v1/incidents/{incident}/resolution", {"text": text, **more}, key=key)


def correct(api: Installation, label: str, *, key: str) -> dict[str, Any]:
    made = api.must("POST", "/v1/suggestions", REPORT, key=key)
    body = {"suggestion_id": made["id"], "action": "replaced", "field": "category", "value": label}
    return api.must("POST", "/v1/feedback", body, key=key)


def waiting(api: Installation, **options: Any) -> list[dict[str, Any]]:
    return api.must("GET", "/v1/quarantine", **options)["items"]


@pytest.fixture
def stranger(api: Installation) -> str:
    return api.key("write", "suggest", trusted=False)


def test_a_resolution_of_a_stranger_is_shown_to_that_key_alone(api: Installation, stranger: str) -> None:
    outcome = resolve(api, HARMFUL, key=stranger, resolved_by="a trustworthy name")
    assert (outcome["effect"], outcome["incident"]["counts_whole"]) == ("quarantined", False)
    assert outcome["incident"]["resolution"]["text"] == HARMFUL
    assert similar(api) == []
    assert [match["resolution"] for match in similar(api, stranger)] == [HARMFUL]
    (lesson,) = waiting(api)
    assert (lesson["key_id"], lesson["resolution"], lesson["standing"]) == (key_id(stranger), HARMFUL, "quarantined")
    assert lesson["person"] == f"key:{key_id(stranger)}"


def test_a_confirmed_resolution_is_shown_to_everybody_and_drafted(api: Installation, stranger: str) -> None:
    resolve(api, RIGHT, key=stranger)
    api.services.loop.catch_up()
    assert api.must("GET", "/v1/drafts")["items"] == []
    reviewer = api.key("review", "suggest")
    (lesson,) = waiting(api, key=reviewer)
    confirmed = api.must("POST", "/v1/quarantine/confirm", {"ids": [lesson["id"]]}, key=reviewer)["items"]
    assert [(each["standing"], each["decided_by"]) for each in confirmed] == [("counts", key_id(reviewer))]
    assert [match["resolution"] for match in similar(api)] == [RIGHT]
    api.services.loop.catch_up()
    assert len(api.must("GET", "/v1/drafts")["items"]) == 1
    assert waiting(api) == []
    assert api.must("POST", "/v1/quarantine/confirm", {"ids": [lesson["id"]]}, key=reviewer)["items"] == confirmed


def test_a_correction_counts_at_once_for_its_own_key_and_for_others_after_a_review(api: Installation, stranger: str) -> None:
    before = category(api)
    assert correct(api, "security", key=stranger)["quarantined"]
    assert (category(api), category(api, stranger)) == (before, "security")
    api.must("POST", "/v1/quarantine/confirm", {"ids": [each["id"] for each in waiting(api)]})
    assert category(api) == "security"


def test_a_trusted_key_teaches_with_one_correction(api: Installation) -> None:
    correct(api, "security", key=api.key("write", "suggest"))
    assert (category(api), waiting(api)) == ("security", [])


def test_what_is_rejected_counts_for_nobody_not_even_its_own_key(api: Installation, stranger: str) -> None:
    before = category(api)
    resolve(api, HARMFUL, key=stranger)
    correct(api, "security", key=stranger)
    body = {"ids": [each["id"] for each in waiting(api)], "reason": "unsafe"}
    assert {each["standing"] for each in api.must("POST", "/v1/quarantine/reject", body)["items"]} == {"rejected"}
    assert (similar(api, stranger), category(api, stranger)) == ([], before)
    refused = api.ask("POST", "/v1/quarantine/agree", {"ids": body["ids"]})
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    listed = api.must("GET", "/v1/quarantine?standing=rejected")["items"]
    assert [(each["id"], each["reason"]) for each in listed] == [(id_, "unsafe") for id_ in body["ids"]]


def test_a_stranger_cannot_take_away_what_others_taught(api: Installation, stranger: str) -> None:
    taught = resolve(api, RIGHT, key=ADMIN, category="security")["incident"]["id"]
    assert category(api) == "security"
    changed = {"category": "network", "title": "Printer jams", "description": "The printer on floor two jams."}
    after = api.must("PATCH", f"/v1/incidents/{taught}", changed, key=stranger)
    assert (after["category"], after["title"], after["counts_whole"]) == ("network", "Printer jams", False)
    assert category(api) == "security"
    assert [(match["title"], match["resolution"]) for match in similar(api)] == [(REPORT["title"], RIGHT)]


def test_saying_it_twice_does_not_make_it_count(api: Installation, stranger: str) -> None:
    before = category(api)
    incident = correct(api, "security", key=stranger)["incident_id"]
    api.must("PATCH", f"/v1/incidents/{incident}", {"category": "security"}, key=stranger)
    other = api.key("write", "suggest", trusted=False)
    api.must("PATCH", f"/v1/incidents/{incident}", {"category": "security"}, key=other)
    assert category(api) == before
    api.must("PATCH", f"/v1/incidents/{incident}", {"category": "security"})
    assert category(api) == "security"


def test_an_outcome_of_a_stranger_moves_no_article_however_many_names_it_gives(api: Installation, stranger: str) -> None:
    article = api.must("POST", "/v1/articles", {"title": REPORT["title"], "body": f"## Resolution\n1. {RIGHT}"})["id"]
    for step in ("submit", "publish"):
        api.must("POST", f"/v1/articles/{article}/{step}")
    for n in range(12):
        body = {"outcome": "did_not_work", "given_by": f"person {n}"}
        api.must("POST", f"/v1/articles/{article}/outcomes", body, key=stranger)
    read = api.must("GET", f"/v1/articles/{article}")
    assert (read["status"], read["evidence"]["failed"]) == ("published", 0)
    api.must("POST", "/v1/quarantine/confirm", {"ids": [each["id"] for each in waiting(api)]})
    read = api.must("GET", f"/v1/articles/{article}")
    assert (read["status"], read["evidence"]["failed"]) == ("published", 1)


def test_enough_trusted_people_confirm_without_a_reviewer(api: Installation, stranger: str) -> None:
    resolve(api, RIGHT, key=stranger)
    (lesson,) = waiting(api)
    desk, other = api.key("write"), api.key("write", trusted=False)

    def agree(key: str, name: str) -> Any:
        return api.ask("POST", "/v1/quarantine/agree", {"ids": [lesson["id"]], "given_by": name}, key=key)

    assert agree(other, "ann").status_code == agree(stranger, "ann").status_code == 403
    for _ in range(3):
        assert [each["n_agreed"] for each in agree(desk, "ann").json()["items"]] == [1]
    assert similar(api) == []
    assert [each["standing"] for each in agree(desk, "bob").json()["items"]] == ["counts"]
    assert [match["resolution"] for match in similar(api)] == [RIGHT]


def test_nobody_confirms_their_own_word(api: Installation) -> None:
    own = api.key("write", "suggest", "review", trusted=False)
    resolve(api, HARMFUL, key=own)
    (lesson,) = waiting(api)
    refused = api.ask("POST", "/v1/quarantine/confirm", {"ids": [lesson["id"]]}, key=own)
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")


def test_what_a_key_may_not_see_it_can_neither_list_nor_confirm(api: Installation) -> None:
    hr = api.key("write", "suggest", trusted=False, audiences=["hr"])
    resolve(api, RIGHT, key=hr)
    inside = api.key("review", audiences=["hr"])
    (lesson,) = waiting(api, key=inside)
    outside = api.key("review")
    assert waiting(api, key=outside) == []
    hidden = api.ask("POST", "/v1/quarantine/confirm", {"ids": [lesson["id"]]}, key=outside)
    assert (hidden.status_code, hidden.json()["code"]) == (404, "not_found")


def test_the_list_comes_by_page_and_by_key(api: Installation, stranger: str) -> None:
    other = api.key("write", "suggest", trusted=False)
    for key in (stranger, other, stranger):
        resolve(api, RIGHT, key=key)
    first = api.must("GET", "/v1/quarantine?limit=2")
    rest = api.must("GET", f"/v1/quarantine?limit=2&cursor={first['next_cursor']}")
    assert ([len(page["items"]) for page in (first, rest)], rest["next_cursor"]) == ([2, 1], None)
    assert len(waiting(api)) == 3
    own = api.must("GET", f"/v1/quarantine?key_id={key_id(other)}")["items"]
    assert [each["key_id"] for each in own] == [key_id(other)]
    assert api.ask("GET", "/v1/quarantine?cursor=bm8").status_code == 422


def test_a_key_that_is_trusted_later_teaches_from_then_on(api: Installation, stranger: str) -> None:
    resolve(api, HARMFUL, key=stranger)
    assert api.must("POST", f"/v1/admin/keys/{key_id(stranger)}/trust", {"trusted": True})["trusted"]
    resolve(api, RIGHT, key=stranger)
    assert ([match["resolution"] for match in similar(api)], len(waiting(api))) == ([RIGHT], 1)


def test_a_stranger_publishes_nothing_and_changes_nothing_that_is_published(api: Installation) -> None:
    own = api.key("write", "review", trusted=False)
    article = api.must("POST", "/v1/articles", {"title": REPORT["title"], "body": f"## Resolution\n1. {HARMFUL}"}, key=own)["id"]
    api.must("POST", f"/v1/articles/{article}/submit", key=own)
    refused = api.ask("POST", f"/v1/articles/{article}/publish", key=own)
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
    api.must("POST", f"/v1/articles/{article}/publish")
    api.must("PATCH", f"/v1/articles/{article}", {"valid_until": "2020-01-01"}, key=own)
    (match,) = api.must("POST", "/v1/suggestions", REPORT)["articles"]
    assert match["evidence"] is None


def test_with_four_eyes_not_even_a_trusted_key_accepts_what_it_wrote(tmp_path: Path) -> None:
    with installation(tmp_path, review=ReviewPolicy(four_eyes=True)) as api:
        resolve(api, RIGHT, key=ADMIN)
        api.services.loop.catch_up()
        (draft,) = api.must("GET", "/v1/drafts")["items"]
        refused = api.ask("POST", f"/v1/drafts/{draft['id']}/accept")
        assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
        api.must("POST", f"/v1/drafts/{draft['id']}/accept", key=api.key("review"))


def test_nobody_accepts_more_in_an_hour_than_can_be_read(tmp_path: Path) -> None:
    with installation(tmp_path, review=ReviewPolicy(accepted_an_hour=2)) as api:
        stranger, reviewer = api.key("write", "suggest", trusted=False), api.key("review")
        for _ in range(4):
            resolve(api, RIGHT, key=stranger)
        ids = [each["id"] for each in waiting(api)]
        refused = api.ask("POST", "/v1/quarantine/confirm", {"ids": ids[:3]}, key=reviewer)
        assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
        api.must("POST", "/v1/quarantine/confirm", {"ids": ids[:2]}, key=reviewer)
        api.services.loop.catch_up()
        (draft, *_) = api.must("GET", "/v1/drafts")["items"]
        assert api.ask("POST", f"/v1/drafts/{draft['id']}/accept", key=reviewer).status_code == 409
        api.clock.forward(timedelta(hours=2))
        api.must("POST", f"/v1/drafts/{draft['id']}/accept", key=reviewer)

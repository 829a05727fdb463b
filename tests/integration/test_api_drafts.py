"""The loop from resolved incidents to a suggested article: grouped, drafted with sources, reviewed, published."""

from dataclasses import replace
from typing import Any

import pytest

from smarttriage.domain.access import EVERYONE
from smarttriage.domain.draft import ArticleDraft
from smarttriage.services.loop import SEQ_FACT, KnowledgeLoop
from smarttriage.services.proposing import Proposer
from tests.integration.installation import ADMIN, Installation

REPORTS = [
    ("Outlook error 0x800CCC0E", "Outlook shows 0x800CCC0E when sending mail."),
    ("Cannot send mail", "Outlook shows 0x800CCC0E when sending mail since today."),
    ("Outlook will not send", "Sending mail with Outlook ends in error 0x800CCC0E."),
]
NOTES = [
    "Hi Tom,\nDeleted the Outlook mail profile in Control Panel > Mail.\nRan outlook.exe /cleanprofile\nPassword: Summer2024!\nRegards",
    "Deleted the Outlook mail profile in Control Panel > Mail. Ran outlook.exe /cleanprofile",
    "Deleted the mail profile of Outlook in Control Panel > Mail. Disabled the add-in of the Avast scanner.",
]


class _Dies(Proposer):
    """Is gone in the middle of a pass, after the vectors and before the commit."""

    def drafts(self, *_given: Any, **_named: Any) -> list[ArticleDraft]:
        raise KeyboardInterrupt


def _resolve(api: Installation, title: str, description: str, note: str, *, key: str = ADMIN, **more: Any) -> dict[str, Any]:
    incident = api.must("POST", "/v1/incidents", {"title": title, "description": description, **more}, key=key)["id"]
    outcome = api.must("POST", f"/v1/incidents/{incident}/resolution", {"text": note}, key=key)
    api.services.loop.catch_up()
    return outcome


def _resolve_all(api: Installation) -> list[dict[str, Any]]:
    return [_resolve(api, *report, note) for report, note in zip(REPORTS, NOTES, strict=True)]


def _by(api: Installation, person: str | None, number: int, *, key: str = ADMIN) -> None:
    title, description = REPORTS[number]
    incident = api.must("POST", "/v1/incidents", {"title": title, "description": description}, key=key)["id"]
    body = {"text": NOTES[2], **({"resolved_by": person} if person else {})}
    api.must("POST", f"/v1/incidents/{incident}/resolution", body, key=key)
    api.services.loop.catch_up()


def _open(api: Installation, **options: Any) -> list[dict[str, Any]]:
    return api.must("GET", "/v1/drafts?status=proposed", **options)["items"]


def test_three_incidents_of_one_fix_make_one_draft_in_which_each_sentence_cites_them(api: Installation) -> None:
    outcomes = _resolve_all(api)
    (summary,) = _open(api)
    draft = api.must("GET", f"/v1/drafts/{summary['id']}")
    ids = {outcome["incident"]["id"] for outcome in outcomes}
    assert (draft["kind"], set(draft["incident_ids"]), draft["article_id"]) == ("new", ids, outcomes[0]["article_id"])
    said = {sentence["text"]: sentence for sentence in draft["sentences"]}
    assert {
        cited["incident_id"] for cited in said["Deleted the Outlook mail profile in Control Panel > Mail."]["citations"]
    } == ids
    assert len(said["Ran outlook.exe /cleanprofile"]["citations"]) == 2
    assert said["Disabled the add-in of the Avast scanner."]["section"] == "also_reported"
    assert draft["keywords"][0] == "0x800CCC0E"
    for sentence in draft["sentences"]:
        assert sentence["text"] in [cited["quote"] for cited in sentence["citations"]]
        assert sentence["section"] == "title" or sentence["text"] in draft["body"]
    assert not {"Summer2024!", "Tom", "Regards"} & set(draft["body"].replace("\n", " ").split())
    assert [event["kind"] for event in draft["history"]] == ["formed", "joined", "joined", "joined"]


def test_an_accepted_draft_is_published_suggested_and_the_drafts_of_single_incidents_retire(api: Installation) -> None:
    outcomes = _resolve_all(api)
    (summary,) = _open(api)
    reader = api.key("write", "suggest")
    assert api.ask("POST", f"/v1/drafts/{summary['id']}/accept", key=reader).status_code == 403
    stale = api.ask("POST", f"/v1/drafts/{summary['id']}/accept", If_Match='"99"')
    assert (stale.status_code, stale.json()["code"]) == (412, "version_mismatch")
    done = api.must("POST", f"/v1/drafts/{summary['id']}/accept", If_Match=f'"{summary["version"]}"')
    article = done["article"]
    assert (done["draft"]["status"], article["status"], article["id"]) == ("accepted", "published", outcomes[0]["article_id"])
    statuses = [each["status"] for each in api.must("GET", f"/v1/articles/{article['id']}/history")["items"]]
    assert statuses == ["published", "in_review", "draft", "draft"]
    found = api.must("POST", "/v1/suggestions", {"title": "Outlook cannot send mail, 0x800CCC0E"})["articles"]
    assert found[0]["id"] == article["id"]
    others = {outcome["article_id"] for outcome in outcomes} - {article["id"]}
    assert {api.must("GET", f"/v1/articles/{id_}")["status"] for id_ in others if id_} <= {"retired"}
    again = api.ask("POST", f"/v1/drafts/{summary['id']}/accept")
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    api.services.loop.catch_up()
    assert _open(api) == []


def test_one_person_in_two_tickets_changes_no_reviewed_article_and_neither_does_one_source(api: Installation) -> None:
    body = "## Resolution\n1. Deleted the Outlook mail profile in Control Panel > Mail."
    article = api.must("POST", "/v1/articles", {"title": "Outlook shows 0x800CCC0E when sending mail", "body": body})
    for step in ("submit", "publish"):
        api.must("POST", f"/v1/articles/{article['id']}/{step}")
    stranger = api.key("write", trusted=False)
    for number, name in ((0, "ann"), (1, "bob")):
        _by(api, name, number, key=stranger)
    waiting = [each["id"] for each in api.must("GET", "/v1/quarantine")["items"]]
    api.must("POST", "/v1/quarantine/confirm", {"ids": waiting})
    api.services.loop.catch_up()
    assert _open(api) == []
    _by(api, "cleo", 2)
    (summary,) = _open(api)
    assert (summary["kind"], len(summary["incident_ids"])) == ("edit", 3)


def test_what_incidents_add_to_an_article_is_an_edit_with_a_diff_and_no_twin(api: Installation) -> None:
    body = "## Resolution\n1. Deleted the Outlook mail profile in Control Panel > Mail."
    article = api.must("POST", "/v1/articles", {"title": "Outlook shows 0x800CCC0E when sending mail", "body": body})
    for step in ("submit", "publish"):
        api.must("POST", f"/v1/articles/{article['id']}/{step}")
    _resolve(api, *REPORTS[0], NOTES[1])
    assert _open(api) == []
    _resolve(api, *REPORTS[1], NOTES[2])
    (summary,) = _open(api)
    draft = api.must("GET", f"/v1/drafts/{summary['id']}")
    assert (draft["kind"], draft["article_id"]) == ("edit", article["id"])
    added = [line for line in draft["diff"].splitlines() if line.startswith("+") and not line.startswith("+++")]
    assert set(added[-2:]) == {"+- Ran outlook.exe /cleanprofile", "+- Disabled the add-in of the Avast scanner."}
    assert not [line for line in draft["diff"].splitlines() if line.startswith("-") and not line.startswith("---")]
    published = api.must("POST", f"/v1/drafts/{summary['id']}/accept")["article"]
    assert published["body"].startswith(body)
    assert (published["revision"], len(published["source_incidents"])) == (2, 2)


def test_a_draft_of_an_article_that_changed_since_cannot_be_accepted(api: Installation) -> None:
    written = {
        "title": "Outlook shows 0x800CCC0E when sending mail",
        "body": "## Resolution\n1. Deleted the Outlook mail profile.",
    }
    article = api.must("POST", "/v1/articles", written)
    for step in ("submit", "publish"):
        api.must("POST", f"/v1/articles/{article['id']}/{step}")
    for report, note in zip(REPORTS[:2], NOTES[1:], strict=True):
        _resolve(api, *report, note)
    (summary,) = _open(api)
    api.must("PATCH", f"/v1/articles/{article['id']}", {"owner": "mail team"})
    refused = api.ask("POST", f"/v1/drafts/{summary['id']}/accept")
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    api.services.loop.catch_up()
    (renewed,) = _open(api)
    assert api.must("POST", f"/v1/drafts/{renewed['id']}/accept")["article"]["owner"] == "mail team"


def test_a_rejected_draft_is_not_proposed_again_until_incidents_say_more(api: Installation) -> None:
    _resolve(api, *REPORTS[0], NOTES[1])
    (summary,) = _open(api)
    assert api.ask("POST", f"/v1/drafts/{summary['id']}/reject", {"reason": " "}).json()["field"] == "reason"
    rejected = api.must("POST", f"/v1/drafts/{summary['id']}/reject", {"reason": "too narrow"})
    assert (rejected["status"], rejected["reason"]) == ("rejected", "too narrow")
    _resolve(api, *REPORTS[0], NOTES[1])
    assert _open(api) == []
    _resolve(api, *REPORTS[1], NOTES[2])
    assert len(_open(api)) == 1


def test_a_reviewer_reads_and_accepts_only_what_its_audiences_allow(api: Installation) -> None:
    hr = api.key("write", "review", audiences=["hr"])
    _resolve(api, *REPORTS[0], NOTES[1], key=hr)
    _resolve(api, *REPORTS[1], NOTES[1])
    (of_hr,), (of_all,) = _open(api, key=hr), _open(api)
    assert of_hr["id"] != of_all["id"]
    assert api.ask("GET", f"/v1/drafts/{of_hr['id']}").status_code == 404
    both = api.key("review", "write", audiences=["hr", EVERYONE])
    api.must("PATCH", f"/v1/incidents/{of_hr['incident_ids'][0]}", {"audiences": ["board", "hr"]}, key=both)
    with api.inner.begin(write=True) as records:
        (incident,) = records.indexable_incidents(of_hr["incident_ids"])
        records.update_incident(replace(incident, audiences=frozenset({"board"}), version=incident.version + 1), key_id=None)
    shown = api.must("GET", f"/v1/drafts/{of_hr['id']}", key=hr)
    assert (shown["sentences"], shown["incident_ids"], shown["keywords"]) == ([], [], [])
    assert shown["n_withheld"] > 0
    assert "0x800CCC0E" not in f"{shown['body']}{shown['title']}{shown['diff']}"
    refused = api.ask("POST", f"/v1/drafts/{of_hr['id']}/accept", key=hr)
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")


def test_an_incident_that_is_opened_again_takes_its_words_back(api: Installation) -> None:
    outcomes = [_resolve(api, *REPORTS[0], NOTES[1]), _resolve(api, *REPORTS[1], NOTES[2])]
    (before,) = _open(api)
    api.must("PATCH", f"/v1/incidents/{outcomes[1]['incident']['id']}", {"status": "open"})
    api.services.loop.catch_up()
    (after,) = _open(api)
    assert len(before["incident_ids"]) == 2
    assert after["incident_ids"] == [outcomes[0]["incident"]["id"]]
    assert api.must("GET", f"/v1/drafts/{before['id']}")["status"] == "superseded"


def test_the_same_passes_over_again_change_nothing(api: Installation) -> None:
    _resolve_all(api)
    present = api.must("GET", "/v1/drafts")
    before = api.must("GET", f"/v1/drafts/{present['items'][0]['id']}")
    with api.inner.begin(write=True) as records:
        records.put_fact(SEQ_FACT, "0")
    loop = KnowledgeLoop(store=api.services.store, clock=api.clock, live=api.services.live, level=0.45)
    assert loop.catch_up() > 0
    assert api.must("GET", "/v1/drafts") == present
    assert api.must("GET", f"/v1/drafts/{before['id']}") == before


def test_notes_that_say_nothing_and_the_seed_make_no_observation(api: Installation) -> None:
    outcome = _resolve(api, *REPORTS[0], "fixed")
    assert outcome["effect"] == "no_content"
    seeded = {"source_system": "seed", "source_id": "1"}
    skipping = KnowledgeLoop(store=api.services.store, clock=api.clock, live=api.services.live, skip_sources={"seed"})
    incident = api.must("POST", "/v1/incidents", {"title": "x", **seeded})["id"]
    api.must("POST", f"/v1/incidents/{incident}/resolution", {"text": NOTES[1]})
    skipping.catch_up()
    assert _open(api) == []


def test_a_pass_that_was_killed_left_nothing_and_is_made_again(api: Installation) -> None:
    live, store = api.services.live, api.services.store
    dying = KnowledgeLoop(store=store, clock=api.clock, live=live, level=0.45, proposer=_Dies(live=live))
    incident = api.must("POST", "/v1/incidents", {"title": REPORTS[0][0], "description": REPORTS[0][1]})["id"]
    api.must("POST", f"/v1/incidents/{incident}/resolution", {"text": NOTES[1]})
    with pytest.raises(KeyboardInterrupt):
        dying.step()
    with api.inner.begin() as records:
        assert (records.fact(SEQ_FACT), dict(records.observations([incident]))) == (None, {})
    api.services.loop.catch_up()
    assert len(_open(api)) == 1


def test_two_processes_make_each_pass_once_and_see_each_others_groups(api: Installation) -> None:
    live, store = api.services.live, api.services.store
    other = KnowledgeLoop(store=store, clock=api.clock, live=live, level=0.45, proposer=Proposer(live=live, same_fix=0.45))
    _resolve(api, *REPORTS[0], NOTES[1])
    assert not other.step()
    incident = api.must("POST", "/v1/incidents", {"title": REPORTS[1][0], "description": REPORTS[1][1]})["id"]
    api.must("POST", f"/v1/incidents/{incident}/resolution", {"text": NOTES[2]})
    assert other.catch_up() > 0
    assert not api.services.loop.step()
    (summary,) = _open(api)
    assert len(summary["incident_ids"]) == 2


def test_one_old_record_makes_no_article_and_two_that_say_the_same_do(api: Installation) -> None:
    for number, (report, note) in enumerate(zip(REPORTS[:2], NOTES[1:], strict=True)):
        assert _open(api) == []
        incident = api.must("POST", "/v1/incidents", {"title": report[0], "description": report[1]})["id"]
        old = {"text": note, "resolved_at": f"2020-01-0{number + 1}T08:00:00Z"}
        api.must("POST", f"/v1/incidents/{incident}/resolution", old)
        api.services.loop.catch_up()
    assert len(_open(api)) == 1

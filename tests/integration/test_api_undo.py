"""Everything that a key taught since an instant, undone: what is left is what would be there had it said nothing."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from smarttriage import cli
from smarttriage.adapters.bundles import write_bundle
from smarttriage.domain.access import index_labels
from smarttriage.domain.text import model_text
from smarttriage.ports import PromotionAction, PromotionEntry
from smarttriage.services.lineage import ROWS_FILE, rows_file
from smarttriage.services.matching import N_CANDIDATES
from tests.integration.installation import A_TRAINING, ADMIN, Installation, installation, two_categories

OUTLOOK = [
    ("Outlook error 0x800CCC0E", "Outlook shows 0x800CCC0E when sending mail."),
    ("Cannot send mail", "Outlook shows 0x800CCC0E when sending mail since today."),
    ("Outlook will not send", "Sending mail with Outlook ends in error 0x800CCC0E."),
]
GATE = ("Badge reader beeps twice", "The badge reader at the west gate beeps twice and stays shut.")
FIX = "Deleted the Outlook mail profile in Control Panel > Mail. Ran outlook.exe /cleanprofile"
HARM = "Deleted the mailbox of the user in the admin centre of Outlook and emptied its archive."
ARTICLE = {"title": "Badge reader of the west gate beeps", "body": "## Resolution\n1. Enrol the badge again on the west gate."}
QUESTIONS = [*OUTLOOK, GATE, ("Mailbox archive", "The archive of the mailbox in the admin centre is empty, badge reader shut.")]
Words = Callable[[Installation, str, dict[str, Any]], None]


def key_id(key: str) -> str:
    return key.split("_")[1]


def report(api: Installation, told: tuple[str, str], **options: Any) -> str:
    body = {"title": told[0], "description": told[1], **options.pop("labels", {})}
    return str(api.must("POST", "/v1/incidents", body, **options)["id"])


def resolve(api: Installation, told: tuple[str, str], text: str, *, key: str = ADMIN, **more: Any) -> str:
    incident = report(api, told, key=key)
    api.must("POST", f"/v1/incidents/{incident}/resolution", {"text": text, **more}, key=key)
    return incident


def publish(api: Installation, body: dict[str, Any], *, key: str = ADMIN) -> str:
    article = str(api.must("POST", "/v1/articles", body, key=key)["id"])
    for step in ("submit", "publish"):
        api.must("POST", f"/v1/articles/{article}/{step}", key=key)
    return article


def stream(api: Installation, key: str, words: Words) -> None:
    """What honest people teach before, between and after the words."""
    made: dict[str, Any] = {"article": publish(api, ARTICLE)}
    made["gate"] = resolve(api, GATE, "Enrolled the badge again on the west gate.", category="security")
    made["outlook"] = [resolve(api, OUTLOOK[0], FIX)]
    api.must("POST", f"/v1/articles/{made['article']}/outcomes", {"outcome": "worked", "given_by": "ann"})
    api.services.loop.catch_up()
    api.clock.forward(timedelta(hours=1))
    words(api, key, made)
    api.services.loop.catch_up()
    api.clock.forward(timedelta(hours=1))
    resolve(api, OUTLOOK[1], FIX)
    resolve(api, ("Printer jams", "The printer on floor two jams."), "Replaced the pick-up roller of the printer on floor two.")
    api.services.loop.catch_up()


def silence(api: Installation, key: str, made: dict[str, Any]) -> None:
    """Say nothing."""


def poison(api: Installation, key: str, made: dict[str, Any]) -> None:
    """Say everything that can be said, and all of it wrong."""
    for told in OUTLOOK:
        resolve(api, told, HARM, key=key, resolved_by="somebody else", category="access")
    api.must("PATCH", f"/v1/incidents/{made['gate']}", {"category": "network", "title": "Mail is down"}, key=key)
    asked = api.must("POST", "/v1/suggestions", {"title": GATE[0], "description": GATE[1]}, key=key)
    judged = {"action": "replaced", "field": "category", "value": "hardware"}
    api.must("POST", "/v1/feedback", {"suggestion_id": asked["id"], **judged}, key=key)
    report(api, GATE, key=key, labels={"category": "hardware"})
    report(api, GATE, key=key)
    for n in range(12):
        outcome = {"outcome": "did_not_work", "given_by": f"person {n}"}
        api.must("POST", f"/v1/articles/{made['article']}/outcomes", outcome, key=key)
    edited = {"body": "## Resolution\n1. Wedge the west gate open.", "title": "Badge reader: wedge the gate open"}
    api.must("PATCH", f"/v1/articles/{made['article']}", edited, key=key)
    for step in ("submit", "publish"):
        api.must("POST", f"/v1/articles/{made['article']}/{step}", key=key)
    publish(api, {"title": "Outlook 0x800CCC0E", "body": f"## Resolution\n1. {HARM}"}, key=key)
    api.services.loop.catch_up()
    for draft in api.must("GET", "/v1/drafts?status=proposed", key=key)["items"]:
        if draft["kind"] == "new" and "Outlook" in draft["title"]:
            api.must("POST", f"/v1/drafts/{draft['id']}/accept", key=key)
        else:
            api.must("POST", f"/v1/drafts/{draft['id']}/reject", {"reason": "no"}, key=key)


def seen(api: Installation) -> dict[str, Any]:
    """Return what an installation suggests, finds, holds and proposes, without ids and instants."""
    suggestions = []
    for title, description in QUESTIONS:
        made = api.must("POST", "/v1/suggestions", {"title": title, "description": description})
        articles = [{name: match[name] for name in ("title", "score", "passage", "why")} for match in made["articles"]]
        evidence = [(match["evidence"] or {}).get("usefulness") for match in made["articles"]]
        shown = [
            {name: match[name] for name in ("title", "status", "score", "resolution")} for match in made["similar_incidents"]
        ]
        fields = {name: made[name]["alternatives"] for name in ("kind", "category", "sub_category", "impact", "urgency")}
        suggestions.append((articles, evidence, shown, fields, made["priority"]["value"], made["routing"]))
    articles = [each for each in api.must("GET", "/v1/articles")["items"] if each["status"] != "retired"]
    drafts = [api.must("GET", f"/v1/drafts/{each['id']}") for each in api.must("GET", "/v1/drafts?status=proposed")["items"]]
    return {
        "suggestions": suggestions,
        "index": indexed(api),
        "articles": sorted((each["title"], each["body"], each["status"]) for each in articles),
        "drafts": sorted((each["title"], each["kind"], each["body"], len(each["incident_ids"])) for each in drafts),
    }


def indexed(api: Installation) -> list[Any]:
    """Return everything that both indexes find for words of all texts, with its scores."""
    catalogue = api.services.live.state.catalogue
    text = " ".join(word for told in QUESTIONS for word in told)
    vector = catalogue.encoder.encode([text])
    allowed = index_labels("default", {"everyone"})
    dense = [catalogue.incidents.vectors, catalogue.articles.vectors]
    lexical = [catalogue.incidents.texts, catalogue.articles.texts]
    hits = [each.search(vector, N_CANDIDATES, allowed=allowed)[0] for each in dense]
    hits += [each.search([text], N_CANDIDATES, allowed=allowed)[0] for each in lexical]
    return [sorted(round(hit.score, 5) for hit in found) for found in hits]


def test_after_an_undo_all_is_as_if_the_key_had_said_nothing(tmp_path: Path) -> None:
    with installation(tmp_path / "without") as api:
        stream(api, api.key("write", "suggest", "review"), silence)
        without = seen(api)
    with installation(tmp_path / "with") as api:
        key = api.key("write", "suggest", "review")
        since = api.clock()
        stream(api, key, poison)
        spoiled = seen(api)
        assert all(spoiled[name] != without[name] for name in without)
        asked = {"since": since.isoformat(), "reason": "the key was stolen"}
        planned = api.must("POST", f"/v1/admin/keys/{key_id(key)}/undo", {**asked, "dry_run": True})
        assert seen(api) == spoiled
        done = api.must("POST", f"/v1/admin/keys/{key_id(key)}/undo", asked)
        assert done == {**planned, "dry_run": False}
        api.services.loop.catch_up()
        after = seen(api)
        for name in without:
            assert after[name] == without[name], name


def test_a_second_undo_finds_nothing_left(api: Installation) -> None:
    key, since = api.key("write", "suggest", "review"), api.clock()
    stream(api, key, poison)
    asked = {"since": since.isoformat()}
    assert api.must("POST", f"/v1/admin/keys/{key_id(key)}/undo", asked)["n_lessons"] > 0
    api.services.loop.catch_up()
    before, seq = seen(api), api.services.live.state.catalogue.seq
    again = api.must("POST", f"/v1/admin/keys/{key_id(key)}/undo", asked)
    left = ("n_lessons", "incidents", "n_outcomes", "n_confirmed", "articles", "drafts", "models")
    assert not any(again[name] for name in left)
    assert (seen(api), api.services.live.state.catalogue.seq) == (before, seq)


def test_what_the_key_said_before_stays(api: Installation) -> None:
    key = api.key("write", "suggest")
    resolve(api, GATE, "Enrolled the badge again on the west gate.", key=key)
    api.clock.forward(timedelta(hours=1))
    since = api.clock()
    resolve(api, OUTLOOK[0], HARM, key=key)
    done = api.must("POST", f"/v1/admin/keys/{key_id(key)}/undo", {"since": since.isoformat()})
    assert len(done["incidents"]) == 1
    shown = [seen(api)["suggestions"][place][2] for place in (0, 3)]
    assert [[match["resolution"] for match in each] for each in shown] == [[], ["Enrolled the badge again on the west gate."]]


def test_what_others_taught_on_an_incident_of_the_key_stays_found(api: Installation) -> None:
    key, since = api.key("write", "suggest"), api.clock()
    incident = report(api, GATE, key=key, labels={"category": "network"})
    api.must("POST", f"/v1/incidents/{incident}/resolution", {"text": FIX, "category": "security"})
    api.must("POST", f"/v1/admin/keys/{key_id(key)}/undo", {"since": since.isoformat()})
    made = api.must("POST", "/v1/suggestions", {"title": GATE[0], "description": GATE[1]})
    assert [match["resolution"] for match in made["similar_incidents"]] == [FIX]
    assert made["category"]["neighbours"][0]["label"] == "security"


def test_what_the_key_confirmed_waits_again(api: Installation) -> None:
    stranger, reviewer = api.key("write", "suggest", trusted=False), api.key("review", "write")
    since = api.clock()
    resolve(api, OUTLOOK[0], HARM, key=stranger)
    publish(api, ARTICLE)
    waiting = api.must("GET", "/v1/quarantine")["items"]
    api.must("POST", "/v1/quarantine/confirm", {"ids": [each["id"] for each in waiting]}, key=reviewer)
    assert seen(api)["suggestions"][0][2] != []
    done = api.must("POST", f"/v1/admin/keys/{key_id(reviewer)}/undo", {"since": since.isoformat()})
    assert done["n_confirmed"] == 1
    assert seen(api)["suggestions"][0][2] == []
    assert api.must("GET", "/v1/quarantine")["items"] == waiting


def test_what_was_undone_by_mistake_is_confirmed_again(api: Installation) -> None:
    key, since = api.key("write", "suggest"), api.clock()
    article = publish(api, ARTICLE)
    resolve(api, OUTLOOK[0], FIX, key=key, category="access")
    api.must("POST", f"/v1/articles/{article}/outcomes", {"outcome": "worked", "given_by": "ann"}, key=key)
    before = seen(api)
    api.must("POST", f"/v1/admin/keys/{key_id(key)}/undo", {"since": since.isoformat()})
    assert seen(api) != before
    undone = api.must("GET", f"/v1/quarantine?standing=undone&key_id={key_id(key)}")["items"]
    api.must("POST", "/v1/quarantine/confirm", {"ids": [each["id"] for each in undone]})
    after = seen(api)
    assert {name: after[name] for name in ("suggestions", "index")} == {name: before[name] for name in ("suggestions", "index")}


def test_an_article_that_others_published_from_its_words_is_named(api: Installation) -> None:
    key, since = api.key("write", "suggest"), api.clock()
    resolve(api, OUTLOOK[0], HARM, key=key)
    api.services.loop.catch_up()
    (draft,) = api.must("GET", "/v1/drafts")["items"]
    article = api.must("POST", f"/v1/drafts/{draft['id']}/accept")["article"]["id"]
    done = api.must("POST", f"/v1/admin/keys/{key_id(key)}/undo", {"since": since.isoformat()})
    assert done["built_on"] == [article]
    assert api.must("GET", f"/v1/articles/{article}")["status"] == "published"


def test_models_that_learnt_from_it_are_named_and_the_last_one_before_them_serves_again(
    api: Installation, tmp_path: Path
) -> None:
    encoder, key = api.services.live.state.models.encoder, api.key("write", "suggest")
    since = api.clock()
    told = [report(api, OUTLOOK[0], key=key, labels={"category": "network"}), report(api, OUTLOOK[1])]
    texts = [model_text(*OUTLOOK[0]), model_text(*OUTLOOK[1])]
    previous = None
    for name, rows in (("clean", texts[1:]), ("spoiled", texts), ("spoiled-too", texts[:1])):
        api.clock.forward(timedelta(hours=1))
        facts = replace(A_TRAINING, created_at=api.clock(), attachments={ROWS_FILE: rows_file(rows)})
        write_bundle(tmp_path / name, two_categories(encoder), facts, version=name)  # type: ignore[arg-type]
        api.versions.install(tmp_path / name)
        api.versions.serve(PromotionEntry(api.clock(), "test", PromotionAction.PROMOTED, name, previous))
        previous = name
    asked = {"since": since.isoformat(), "dry_run": True}
    planned = api.must("POST", f"/v1/admin/keys/{key_id(key)}/undo", asked)
    assert (planned["models"], planned["serving"], planned["serves"]) == (["spoiled", "spoiled-too"], "spoiled-too", "clean")
    assert (api.versions.current(), len(api.reloaded)) == ("spoiled-too", 0)
    api.must("POST", f"/v1/admin/keys/{key_id(key)}/undo", {"since": since.isoformat()})
    assert (api.versions.current(), len(api.reloaded)) == ("clean", 1)
    entry = api.versions.history()[-1]
    assert (entry.action, entry.previous) == (PromotionAction.ROLLED_BACK, "spoiled-too")
    assert f"key {key_id(key)}" in entry.reason
    assert told[0] in planned["incidents"]


def test_the_command_line_undoes_what_an_import_taught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    incidents, articles = tmp_path / "past.csv", tmp_path / "kb.jsonl"
    incidents.write_text(f'title,note,number\n"{OUTLOOK[0][0]}","{HARM}",7\n', encoding="utf-8")
    articles.write_text(json.dumps({"id": "KB7", **ARTICLE}) + "\n", encoding="utf-8")
    data = ["--data-dir", str(tmp_path / "data")]
    columns = [part for pair in ("title=title", "resolution=note", "source_id=number") for part in ("--map", pair)]
    assert run(monkeypatch, "import", "incidents", str(incidents), *columns, *data) == 0
    assert run(monkeypatch, "import", "articles", str(articles), *data) == 0
    capsys.readouterr()
    asked = ["undo", "import", "--since", "2026-01-01", *data]
    assert run(monkeypatch, *asked, "--dry-run") == 0
    told = capsys.readouterr().out
    assert told.startswith("would be undone: 1 lessons about 1 incidents")
    assert "article KB7 without its versions 1: retired" in told
    assert run(monkeypatch, *asked, "--json") == 0
    assert json.loads(capsys.readouterr().out)["n_lessons"] == 1
    assert run(monkeypatch, *asked, "--json") == 0
    assert json.loads(capsys.readouterr().out)["n_lessons"] == 0
    assert run(monkeypatch, "undo", "nobody", "--since", "2026-01-01", *data) == 1


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["smarttriage", *arguments])
    try:
        cli.main()
    except SystemExit as exit_:
        return int(exit_.code or 0)
    return 0


def test_a_key_that_never_was_cannot_be_undone(api: Installation) -> None:
    refused = api.ask("POST", "/v1/admin/keys/none/undo", {"since": "2026-01-01T00:00:00Z"})
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
    other = api.must("POST", "/v1/admin/keys", {"label": "x", "scopes": ["write"]}, key="the other tenant's")["id"]
    assert api.ask("POST", f"/v1/admin/keys/{other}/undo", {"since": "2026-01-01T00:00:00Z"}).status_code == 404

"""The two journeys over HTTP, on the shipped models and the seed: incident in, suggestion out; resolution in, knowledge grows."""

import threading

from tests.integration.server import Server, within

LEVELS = {"low", "medium", "high"}


def suggest(server: Server, title: str, description: str, **more: object) -> dict:
    return server.must("POST", "/v1/suggestions", {"title": title, "description": description, **more})


def test_a_fresh_service_suggests_a_fix_for_a_real_incident(server: Server) -> None:
    answer = suggest(
        server, "VPN keeps dropping", "The VPN client disconnects every ten minutes for the whole sales team, calls break off."
    )
    assert answer["category"]["alternatives"][0]["value"] == "network"
    assert answer["articles"][0]["id"].startswith("STKB1")
    assert answer["articles"][0]["passage"]
    assert answer["articles"][0]["why"]
    assert answer["similar_incidents"]
    assert answer["provenance"]["index_seq"] > 0


def test_the_answer_has_the_promised_shape(server: Server) -> None:
    answer = suggest(
        server, "Printer on the third floor prints blank pages", "Only mine, the others can print. I use the one next door."
    )
    fields = {"value", "confidence", "mode", "alternatives", "evidence", "reason", "neighbours", "rule"}
    assert all(set(answer[name]) == fields for name in ("kind", "category", "sub_category", "impact", "urgency"))
    assert {"value", "because"} <= set(answer["priority"])
    assert answer["sla"] is None or {"due_at", "target_minutes", "clock"} <= set(answer["sla"])
    assert set(answer["routing"]) == {"support_group", "escalation", "because"}
    assert set(answer["provenance"]) == {"model_version", "encoder_id", "index_seq", "taxonomy_version"}
    assert set(answer["timing_ms"]) == {"encode", "classify", "search", "store", "total"}
    assert {option["value"] for option in answer["impact"]["alternatives"]} <= LEVELS


def test_evidence_points_into_the_callers_own_words(server: Server) -> None:
    sent = {
        "title": "Payroll stands still",
        "description": "Nobody in accounting can start the payroll run, it is due at 4 pm today.",
    }
    answer = server.must("POST", "/v1/suggestions", sent)
    spans = [span for name in ("impact", "urgency") for span in answer[name]["evidence"]]
    assert spans
    assert all(sent[span["field"]][span["start"] : span["end"]] == span["text"] for span in spans)


def test_a_text_without_words_is_answered_with_unknowns(server: Server) -> None:
    answer = suggest(server, " ", "\n")
    assert answer["category"]["value"] is None
    assert answer["category"]["reason"] == "empty_text"
    assert answer["articles"] == []
    assert answer["priority"]["value"] is None


def test_thanks_are_no_work_and_get_no_category(server: Server) -> None:
    answer = suggest(server, "Re: printer", "Thank you so much, it works again, have a nice weekend!")
    assert answer["kind"]["reason"] == "no_work_item"
    assert answer["category"]["value"] is None


def test_nonsense_finds_no_article(server: Server) -> None:
    assert suggest(server, "", "qwxz vlorb trantiplex gnurr")["articles"] == []


def test_one_correction_is_seen_by_the_next_similar_incident(server: Server) -> None:
    text = "The zorbulator console in bay 9 shows a purple grid instead of the flow chart."
    first = suggest(server, "Zorbulator console purple", text)
    before = first["category"]["alternatives"][0]["value"]
    wanted = "security" if before != "security" else "hardware"
    judged = {"suggestion_id": first["id"], "action": "replaced", "field": "category", "value": wanted, "given_by": "agent 7"}
    server.must("POST", "/v1/feedback", judged)

    def corrected() -> bool:
        again = suggest(server, "Zorbulator console purple again", text)["category"]
        return again["alternatives"][0]["value"] == wanted

    within(1.0, corrected)


def test_a_published_article_is_suggested_within_a_second(server: Server) -> None:
    draft = {
        "title": "Quibblefax gateway answers E-7731",
        "body": "## Resolution\n1. Restart the quibblefax relay on fax01.\n2. Send a test page.",
    }
    article = server.must("POST", "/v1/articles", draft)
    question = ("Quibblefax error", "our quibblefax gateway says E-7731 when sending")
    assert article["id"] not in [match["id"] for match in suggest(server, *question)["articles"]]
    server.must("POST", f"/v1/articles/{article['id']}/submit")
    server.must("POST", f"/v1/articles/{article['id']}/publish")
    within(1.0, lambda: article["id"] in [match["id"] for match in suggest(server, *question)["articles"]])
    server.must("POST", f"/v1/articles/{article['id']}/retire")
    within(1.0, lambda: article["id"] not in [match["id"] for match in suggest(server, *question)["articles"]])


def test_a_resolution_is_shown_to_the_next_similar_incident(server: Server) -> None:
    report = {
        "title": "Wobblegate 12 beeps",
        "description": "Wobblegate 12 at the north entrance beeps for every badge since noon.",
    }
    incident = server.must("POST", "/v1/incidents", report)
    note = "Replaced the reader's ribbon cable on wobblegate 12 and recalibrated the antenna with the service tool."
    outcome = server.must("POST", f"/v1/incidents/{incident['id']}/resolution", {"text": note})
    assert outcome["effect"] == "drafted"

    def shown() -> bool:
        matches = suggest(server, "Wobblegate beeping", report["description"])["similar_incidents"]
        return any(match["id"] == incident["id"] and match["resolution"] == note for match in matches)

    within(1.0, shown)


def test_a_note_without_content_drafts_nothing_and_asks(server: Server) -> None:
    incident = server.must(
        "POST", "/v1/incidents", {"title": "Screen flickers", "description": "My second screen flickers now and then."}
    )
    outcome = server.must("POST", f"/v1/incidents/{incident['id']}/resolution", {"text": "fixed"})
    assert outcome["effect"] == "no_content"
    assert outcome["article_id"] is None
    assert "?" in outcome["message"]


def test_a_stored_incident_is_not_its_own_similar_incident(server: Server) -> None:
    report = {"title": "Badge printer jams", "description": "The badge printer at reception jams on every second card."}
    incident = server.must("POST", "/v1/incidents", report)
    within(
        1.0,
        lambda: incident["id"] in [m["id"] for m in suggest(server, report["title"], report["description"])["similar_incidents"]],
    )
    own = server.must("POST", "/v1/suggestions", {"incident_id": incident["id"]})
    assert incident["id"] not in [match["id"] for match in own["similar_incidents"]]


def test_reload_under_load_drops_and_mixes_nothing(server: Server) -> None:
    failures: list[object] = []
    stop = threading.Event()

    def client(number: int) -> None:
        while not stop.is_set():
            status, answer = server.ask(
                "POST", "/v1/suggestions", {"title": "Laptop slow", "description": f"fan is loud, run {number}"}
            )
            versions = answer.get("provenance", {}) if isinstance(answer, dict) else {}
            if status not in (200, 201) or not versions.get("model_version") or not versions.get("taxonomy_version"):
                failures.append((status, answer))

    threads = [threading.Thread(target=client, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        server.must("POST", "/v1/admin/reload")
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []

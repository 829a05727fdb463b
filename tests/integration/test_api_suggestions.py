"""Suggestions over HTTP: the shape is a contract."""

from typing import Any

from smarttriage.api.answer_schemas import PredictionsOut, SuggestionOut
from tests.integration.installation import Installation

REPORT = {"title": "VPN drops", "description": "The whole team cannot work since nine."}
FIELDS = ("kind", "category", "sub_category", "impact", "urgency")
SHAPE = {
    *FIELDS,
    *(
        "id",
        "priority",
        "sla",
        "routing",
        "articles",
        "ongoing",
        "configuration_items",
        "similar_incidents",
        "provenance",
        "timing_ms",
    ),
}
FIELD = {"value", "confidence", "mode", "alternatives", "evidence", "reason", "neighbours", "rule"}


def test_a_suggestion_has_exactly_the_promised_shape(api: Installation) -> None:
    _published(
        api, "Mend a VPN that drops", "## Resolution\n1. Raise the session limit of the VPN gateway, the VPN drops no more."
    )
    api.must("POST", "/v1/incidents", {"title": "VPN drops often", "description": "The whole team cannot work."})
    answer = api.must("POST", "/v1/suggestions", REPORT)
    assert set(answer) == SHAPE
    assert all(set(answer[name]) == FIELD for name in FIELDS)
    assert set(answer["category"]["alternatives"][0]) == {"value", "confidence"}
    assert answer["category"]["evidence"] == [
        {"text": "VPN", "start": 0, "end": 3, "field": "title", "type": None, "cue": None, "weight": 1.0}
    ]
    assert set(answer["priority"]) == {"value", "because", "rule", "counterfactual"}
    assert answer["category"]["mode"] == "autofill"
    assert answer["priority"]["value"] == "P1"
    assert "whole" in answer["priority"]["because"]
    assert answer["sla"] == {"due_at": "2026-03-02T16:00:00Z", "target_minutes": 240, "clock": "round_the_clock"}
    assert set(answer["routing"]) == {"support_group", "escalation", "because"}
    assert set(answer["articles"][0]) == {"id", "title", "score", "passage", "why", "confidence", "evidence"}
    kept = {"id", "title", "status", "score", "resolution"}
    assert set(answer["similar_incidents"][0]) == kept | {"relation", "related_ids", "n_alike", "resolved_with", "shared"}
    assert set(answer["provenance"]) == {"model_version", "encoder_id", "index_seq", "taxonomy_version"}
    assert set(answer["timing_ms"]) == {"encode", "classify", "search", "store", "total"}
    SuggestionOut.model_validate(answer)


def test_what_is_not_known_is_null_with_its_reason(api: Installation) -> None:
    answer = api.must("POST", "/v1/suggestions", {"title": "Something hums", "description": "In the basement."})
    assert (answer["category"]["value"], answer["category"]["reason"]) == (None, "low_confidence")
    assert answer["priority"]["value"] is None
    assert answer["sla"] is None
    SuggestionOut.model_validate(answer)


def test_a_stored_suggestion_is_read_again_as_it_was_given(api: Installation) -> None:
    given = api.must("POST", "/v1/suggestions", REPORT)
    read = api.must("GET", f"/v1/suggestions/{given['id']}")
    assert {**read, "timing_ms": None} == {**given, "timing_ms": None}


def test_a_suggestion_is_hidden_from_a_key_that_may_see_less_than_the_one_that_asked(api: Installation) -> None:
    wide = api.key("suggest", audiences=["everyone", "hr"])
    given = api.must("POST", "/v1/suggestions", REPORT, key=wide)
    assert api.ask("GET", f"/v1/suggestions/{given['id']}", key=wide).status_code == 200
    narrow = api.key("suggest", audiences=["everyone"])
    assert api.ask("GET", f"/v1/suggestions/{given['id']}", key=narrow).status_code == 404


def test_what_the_platform_knows_already_is_kept_and_starts_the_clock(api: Installation) -> None:
    context = {"category": "hardware", "impact": "low", "reported_at": "2026-03-01T12:00:00+02:00", "affected_services": ["VPN"]}
    answer = api.must("POST", "/v1/suggestions", {**REPORT, "context": context})
    assert (answer["category"]["value"], answer["category"]["reason"]) == ("hardware", "given")
    assert answer["priority"]["value"] == "P3"
    earlier = api.must("POST", "/v1/suggestions", {**REPORT, "context": {"reported_at": "2026-03-01T12:00:00+02:00"}})
    assert earlier["sla"]["due_at"] == "2026-03-01T14:00:00Z"


def test_a_label_that_the_taxonomy_lacks_is_refused_by_name(api: Installation) -> None:
    response = api.ask("POST", "/v1/suggestions", {**REPORT, "context": {"category": "plumbing"}})
    assert (response.status_code, response.json()["field"]) == (422, "category")


def test_a_stored_incident_is_suggested_for_by_its_id(api: Installation) -> None:
    incident = api.must("POST", "/v1/incidents", {**REPORT, "category": "hardware"})
    answer = api.must("POST", "/v1/suggestions", {"incident_id": incident["id"]})
    assert answer["category"]["reason"] == "given"
    assert answer["similar_incidents"] == []
    assert api.ask("POST", "/v1/suggestions", {"incident_id": "inc_none"}).status_code == 404


def test_text_beside_an_incident_id_is_refused_and_so_is_nothing_at_all(api: Installation) -> None:
    both = api.ask("POST", "/v1/suggestions", {"incident_id": "x", "title": "y"})
    assert (both.status_code, both.json()["field"]) == (422, "title")
    neither = api.ask("POST", "/v1/suggestions", {"k": 3})
    assert (neither.status_code, neither.json()["field"]) == (422, "title")


def test_k_bounds_the_matches(api: Installation) -> None:
    for name in ("Berlin", "Lisbon office today", "for our sales colleagues", "since the update of the client"):
        api.must("POST", "/v1/incidents", {"title": f"VPN drops {name}", "description": "The whole team cannot work."})
    assert len(api.must("POST", "/v1/suggestions", {**REPORT, "k": 2})["similar_incidents"]) == 2


def test_open_reports_in_the_same_words_are_one_line_that_names_the_possible_duplicates(api: Installation) -> None:
    stored = [api.must("POST", "/v1/incidents", REPORT)["id"] for _ in range(2)]
    answer = api.must("POST", "/v1/suggestions", REPORT)
    (match,) = answer["similar_incidents"]
    assert (match["relation"], sorted(match["related_ids"]), match["n_alike"]) == ("possible_duplicate", stored, 1)


def test_a_batch_keeps_its_order_and_stores_nothing(api: Installation) -> None:
    texts = [{"title": "VPN drops"}, {"description": "printer jams"}, {"title": ""}, {"title": "x", "category": "network"}]
    answer = api.must("POST", "/v1/predictions:batch", {"texts": texts})
    PredictionsOut.model_validate(answer)
    found = [(fields["category"]["value"], fields["category"]["reason"]) for fields in answer["predictions"]]
    assert found == [("network", None), ("hardware", None), (None, "empty_text"), ("network", "given")]
    assert api.must("GET", "/v1/incidents")["items"] == []


def test_a_batch_has_a_limit_of_its_own(api: Installation) -> None:
    assert api.ask("POST", "/v1/predictions:batch", {"texts": [{"title": "x"}] * 256}).status_code == 200
    refused = api.ask("POST", "/v1/predictions:batch", {"texts": [{"title": "x"}] * 257})
    assert (refused.status_code, refused.json()["field"]) == (413, "texts")
    assert api.ask("POST", "/v1/predictions:batch", {"texts": []}).status_code == 422


def _published(api: Installation, title: str, body: str) -> dict[str, Any]:
    article = api.must("POST", "/v1/articles", {"title": title, "body": body})
    api.must("POST", f"/v1/articles/{article['id']}/submit")
    return api.must("POST", f"/v1/articles/{article['id']}/publish")

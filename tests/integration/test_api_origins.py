"""What agents say is told apart from what they leave standing, over the API, and the holdout estimates the precision."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from smarttriage.services.triage import TriageService
from tests.integration.installation import Installation, a_caller, installation

VPN = {"title": "VPN down", "description": "The vpn of the whole team is gone, we cannot work."}


@pytest.fixture
def held_out(tmp_path: Path) -> Iterator[Installation]:
    """The API with everything held out."""
    with installation(tmp_path) as running:
        services = running.services
        numbers = iter(range(1_000))
        triage = TriageService(
            store=services.store,
            clock=services.clock,
            live=services.live,
            new_id=lambda prefix: f"{prefix}_held_{next(numbers)}",
            holdout_share=1.0,
        )
        shared = running.client.app.state.shared  # type: ignore[attr-defined]
        running.client.app.state.shared = replace(shared, services=replace(services, triage=triage))  # type: ignore[attr-defined]
        yield running


def suggested(api: Installation) -> Any:
    made = api.must("POST", "/v1/suggestions", VPN)
    assert made["category"]["value"] == "network"
    return made


def precision(api: Installation, target: str = "category", query: str = "") -> Any:
    return api.must("GET", f"/v1/fields/{target}/precision{query}")


def test_a_label_that_came_back_as_it_was_filled_in_is_left_standing(api: Installation) -> None:
    made = suggested(api)
    stored = api.must("POST", "/v1/incidents", {**VPN, "category": "network", "urgency": "low", "suggestion_id": made["id"]})
    assert stored["label_origins"] == {"category": "left_standing", "urgency": "corrected"}
    assert stored["reviewed"] == ["urgency"]


def test_a_label_left_standing_does_not_vote(api: Installation) -> None:
    made = suggested(api)
    api.must("POST", "/v1/incidents", {**VPN, "category": "network", "suggestion_id": made["id"]})
    assert api.services.live.state.catalogue.seq == 1
    incident_id = suggested(api)["similar_incidents"][0]["id"]
    assert api.must("GET", f"/v1/incidents/{incident_id}")["reviewed"] == []


def test_an_incident_of_an_unknown_suggestion_is_refused(api: Installation) -> None:
    refused = api.ask("POST", "/v1/incidents", {**VPN, "suggestion_id": "sug_nothing"})
    assert (refused.status_code, refused.json()["field"]) == (404, "suggestion_id")


def test_a_confirmation_stays_one_when_the_platform_sends_its_record_again(api: Installation) -> None:
    made = suggested(api)
    stored = api.must("POST", "/v1/incidents", {**VPN, "suggestion_id": made["id"]})
    api.must("POST", "/v1/feedback", {"suggestion_id": made["id"], "action": "accepted", "field": "category"})
    api.must("POST", f"/v1/incidents/{stored['id']}/resolution", {"text": "Tunnel restarted.", "category": "network"})
    found = api.must("GET", f"/v1/incidents/{stored['id']}")
    assert found["label_origins"]["category"] == "confirmed"
    assert "category" in found["reviewed"]
    assert precision(api)["confirmed"] == 1


def test_feedback_left_standing_makes_no_incident_and_never_reviews(api: Installation) -> None:
    made = suggested(api)
    judged = api.must("POST", "/v1/feedback", {"suggestion_id": made["id"], "action": "left_standing", "field": "category"})
    assert judged["incident_id"] is None
    assert precision(api)["left_standing"] == 1


def test_closing_an_incident_untouched_counts_its_autofills_apart(api: Installation) -> None:
    stored = api.must("POST", "/v1/incidents", VPN)
    api.must("POST", "/v1/suggestions", {"incident_id": stored["id"]})
    api.must("POST", f"/v1/incidents/{stored['id']}/resolution", {"text": "Tunnel restarted."})
    found = precision(api)
    assert (found["left_standing"], found["confirmed"], found["corrected"]) == (1, 0, 0)
    assert (found["naive"]["n"], found["naive"]["right"], found["naive"]["biased"]) == (1, 1, True)
    assert (found["holdout"]["n"], found["holdout"]["estimate"]) == (0, None)


def test_a_held_out_field_keeps_its_value_first_among_the_alternatives(held_out: Installation) -> None:
    made = held_out.must("POST", "/v1/suggestions", VPN)
    for target, label in {"category": "network", "sub_category": "vpn", "urgency": "high"}.items():
        field = made[target]
        assert (field["value"], field["mode"], field["reason"]) == (None, "recommend", "holdout")
        assert field["alternatives"][0]["value"] == label
    assert made["priority"]["value"] is None
    assert held_out.must("GET", f"/v1/suggestions/{made['id']}")["category"]["reason"] == "holdout"


def test_the_estimate_uses_what_agents_chose_for_held_out_fields(held_out: Installation) -> None:
    stored = held_out.must("POST", "/v1/incidents", VPN)
    held_out.must("POST", "/v1/suggestions", {"incident_id": stored["id"]})
    held_out.must("POST", f"/v1/incidents/{stored['id']}/resolution", {"text": "Tunnel restarted."})
    for chosen in ("network", "network", "network", "hardware"):
        made = held_out.must("POST", "/v1/suggestions", VPN)
        item = {"suggestion_id": made["id"], "action": "accepted", "field": "category", "value": chosen}
        held_out.must("POST", "/v1/feedback", item)
    found = precision(held_out)
    assert (found["holdout"]["n"], found["holdout"]["right"], found["holdout"]["estimate"]) == (4, 3, 0.75)
    assert found["holdout"]["lower"] < 0.75 < found["holdout"]["upper"]
    assert (found["undecided"], found["naive"]["n"]) == (1, 0)


def test_a_stored_incident_is_drawn_once_however_often_it_is_asked_about(api: Installation) -> None:
    services = api.services
    numbers = iter(range(1_000))
    triage = TriageService(
        store=services.store,
        clock=services.clock,
        live=services.live,
        new_id=lambda prefix: f"{prefix}_again_{next(numbers)}",
        holdout_share=0.5,
    )
    stored = api.must("POST", "/v1/incidents", VPN)
    drawn = {triage.suggest_for(a_caller(), stored["id"]).category.reason for _ in range(12)}
    assert len(drawn) == 1


def test_the_estimate_can_be_narrowed_to_what_was_decided_since(api: Installation) -> None:
    made = suggested(api)
    api.must("POST", "/v1/feedback", {"suggestion_id": made["id"], "action": "accepted", "field": "category"})
    assert precision(api, query="?since=2026-03-02T12:00:00Z")["confirmed"] == 1
    assert precision(api, query="?since=2026-03-02T12:00:01Z")["confirmed"] == 0


def test_a_field_that_is_none_is_not_found(api: Installation) -> None:
    refused = api.ask("GET", "/v1/fields/colour/precision")
    assert (refused.status_code, refused.json()["field"]) == (404, "target")

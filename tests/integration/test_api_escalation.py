"""Escalation over the API: due steps appear as the clock runs, keep their ids, and vanish with the resolution."""

from datetime import timedelta

from tests.integration.installation import OTHER_ADMIN, Installation

REPORTED = {"title": "vpn down", "description": "no connection", "category": "network", "impact": "high", "urgency": "high"}


def reported(api: Installation) -> str:
    return str(api.must("POST", "/v1/incidents", {**REPORTED, "reported_at": api.clock().isoformat()})["id"])


def due(api: Installation, **options: str) -> list[tuple[str, str]]:
    return [(one["step"], one["event_id"]) for one in api.must("GET", "/v1/escalations", **options)["items"]]


def test_steps_fall_due_as_the_clock_runs_and_keep_their_ids(api: Installation) -> None:
    reported(api)
    assert due(api) == []
    api.clock.forward(timedelta(minutes=120))
    first = due(api)
    assert [step for step, _ in first] == ["p1-tell-users", "sla-50"]
    api.clock.forward(timedelta(minutes=120))
    later = due(api)
    assert later[:2] == first
    assert [step for step, _ in later[2:]] == ["sla-75", "sla-75-tell", "sla-100"]
    assert len({event for _, event in later}) == 5


def test_all_steps_of_one_incident_are_shown_with_their_reasons(api: Installation) -> None:
    found = api.must("GET", f"/v1/incidents/{reported(api)}/escalation")
    assert [one["is_due"] for one in found["items"]] == [False] * 5
    assert "50% of the 4:00:00" in found["items"][1]["because"]


def test_resolved_incident_has_no_due_step(api: Installation) -> None:
    incident = reported(api)
    api.clock.forward(timedelta(hours=5))
    assert due(api)
    api.must("POST", f"/v1/incidents/{incident}/resolution", {"text": "Renewed the certificate."})
    assert due(api) == []


def test_another_tenant_sees_neither_steps_nor_incident(api: Installation) -> None:
    incident = reported(api)
    api.clock.forward(timedelta(hours=5))
    assert due(api, key=OTHER_ADMIN) == []
    assert api.ask("GET", f"/v1/incidents/{incident}/escalation", key=OTHER_ADMIN).status_code == 404

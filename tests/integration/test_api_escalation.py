"""Escalation over the API: due steps appear as the clock runs, keep their ids, and vanish with the resolution."""

from datetime import timedelta
from typing import Any

from smarttriage.services.emitting import EscalationPass
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


def telling(api: Installation) -> EscalationPass:
    services = api.services
    assert services.escalation is not None
    policy = services.live.state.models.policy
    return EscalationPass(
        store=services.store, matrix=services.escalation, policy=lambda: policy, clock=api.clock, on_event=lambda _event: None
    )


def told(api: Installation, after: int = 0, **options: Any) -> list[str]:
    return [one["step"] for one in api.must("GET", f"/v1/escalations/events?after={after}", **options)["items"]]


def test_each_step_is_told_once_when_it_falls_due_and_goes_on_behind_the_cursor(api: Installation) -> None:
    steps = telling(api)
    steps.step()
    reported(api)
    assert steps.step() == 0
    api.clock.forward(timedelta(minutes=120))
    assert (steps.step(), steps.step()) == (2, 0)
    first = api.must("GET", "/v1/escalations/events")
    assert [one["step"] for one in first["items"]] == ["p1-tell-users", "sla-50"]
    api.clock.forward(timedelta(minutes=120))
    assert telling(api).step() == 3  # another process, or the same one after a restart
    assert steps.step() == 0
    assert told(api, after=first["next_after"]) == ["sla-75", "sla-75-tell", "sla-100"]
    assert len(told(api)) == 5


def test_what_is_resolved_or_lowered_before_it_falls_due_is_not_told(api: Installation) -> None:
    steps = telling(api)
    resolved, lowered = reported(api), reported(api)
    steps.step()
    api.must("POST", f"/v1/incidents/{resolved}/resolution", {"text": "Renewed the certificate."})
    api.must("PATCH", f"/v1/incidents/{lowered}", {"impact": "low", "urgency": "low"})
    api.clock.forward(timedelta(hours=5))
    assert steps.step() == 0
    assert told(api) == []


def test_another_tenant_and_another_audience_are_told_nothing(api: Installation) -> None:
    reported(api)
    api.clock.forward(timedelta(hours=5))
    assert telling(api).step() == 5
    assert told(api, key=OTHER_ADMIN) == []
    assert told(api, key=api.key("suggest", audiences=["hr"])) == []


def test_promotion_of_a_cluster_brings_the_steps_of_a_major_incident(api: Installation) -> None:
    text = {
        "title": "Turnstile rejects all cards",
        "description": "error E-4711 at the turnstile",
        "impact": "low",
        "urgency": "low",
    }
    for _ in range(2):
        incident = api.must("POST", "/v1/incidents", {**text, "reported_at": api.clock().isoformat()})["id"]
    steps = telling(api)
    api.clock.forward(timedelta(days=1))
    steps.step()
    assert "major-manager" not in told(api)
    (cluster,) = api.must("GET", "/v1/clusters?kind=storm")["items"]
    api.must("POST", f"/v1/clusters/{cluster['id']}/promote", {"kind": "major_incident"})
    assert steps.step() == 2
    assert told(api)[-2:] == ["major-manager"] * 2
    assert "major-manager" in [step for step, _ in due(api)]
    shown = api.must("GET", f"/v1/incidents/{incident}/escalation")["items"][0]
    assert shown["because"].endswith(f"part of {cluster['id']}, which was declared a major incident")

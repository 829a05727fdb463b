"""Key figures over the API: what is counted, for whom, and what is refused."""

from datetime import timedelta

from tests.integration.installation import OTHER_ADMIN, Installation

DONE = {"text": "Renewed the certificate of the gateway.", "resolved_by": "someone"}
REPORTED = {"title": "vpn down", "description": "no connection", "category": "network", "impact": "high", "urgency": "high"}


def an_incident(api: Installation, *, minutes: int) -> str:
    made = api.must("POST", "/v1/incidents", {**REPORTED, "reported_at": api.clock().isoformat()})
    api.clock.forward(timedelta(minutes=minutes))
    api.must("POST", f"/v1/incidents/{made['id']}/resolution", DONE)
    return str(made["id"])


def test_key_figures_stand_beside_their_targets(api: Installation) -> None:
    an_incident(api, minutes=60)
    late = an_incident(api, minutes=300)
    found = api.must("GET", "/v1/insights/kpis")
    goals = {one["name"]: (one["value"], one["standing"]) for one in found["goals"]}
    assert goals["MTTR P1"] == (3.0, "met")
    assert goals["SLA compliance"] == (0.5, "missed")
    assert goals["first-contact resolution"] == (1.0, "met")
    breaches = api.must("GET", "/v1/insights/breaches")
    assert [(one["id"], one["hours_late"]) for one in breaches["items"]] == [(late, 1.0)]
    assert "someone" not in str(found) + str(breaches)


def test_figures_count_only_what_the_key_may_see(api: Installation) -> None:
    an_incident(api, minutes=300)
    other = {path: api.must("GET", f"/v1/insights/{path}", key=OTHER_ADMIN) for path in ("kpis", "breaches", "trends")}
    assert (other["kpis"]["figures"]["n"], other["breaches"]["n"], other["trends"]["opened_by_month"]) == (0, 0, {})


def test_figures_can_be_narrowed_to_a_time(api: Installation) -> None:
    start = api.clock().isoformat().replace("+00:00", "Z")
    an_incident(api, minutes=60)
    assert api.must("GET", f"/v1/insights/kpis?reported_from={start}")["figures"]["n"] == 1
    assert api.must("GET", f"/v1/insights/kpis?reported_before={start}")["figures"]["n"] == 0
    assert sum(api.must("GET", "/v1/insights/trends")["opened_by_month"].values()) == 1


def test_unknown_parameter_is_refused(api: Installation) -> None:
    assert api.ask("GET", "/v1/insights/breaches?agent=me").status_code == 422


def test_reopening_and_change_of_group_are_counted_by_the_store(api: Installation) -> None:
    incident = an_incident(api, minutes=60)
    api.must("PATCH", f"/v1/incidents/{incident}", {"support_group": "first line"})
    api.must("PATCH", f"/v1/incidents/{incident}", {"status": "open", "support_group": "second line"})
    figures = api.must("GET", "/v1/insights/kpis")["figures"]
    counted = {name: figures[name]["n_yes"] for name in ("reopened", "reopened_soon", "reassigned", "first_contact")}
    assert counted == {"reopened": 1, "reopened_soon": 1, "reassigned": 1, "first_contact": 0}


def test_figures_follow_each_write_and_each_minute(api: Installation) -> None:
    first = api.must("GET", "/v1/insights/kpis")
    assert first["figures"]["n"] == 0
    made = api.must("POST", "/v1/incidents", {**REPORTED, "reported_at": api.clock().isoformat()})
    assert api.must("GET", "/v1/insights/kpis")["figures"]["backlog"]["n"] == 1
    api.clock.forward(timedelta(hours=5))
    late = api.must("GET", "/v1/insights/breaches")
    assert [one["id"] for one in late["items"]] == [made["id"]]
    api.must("POST", f"/v1/incidents/{made['id']}/resolution", DONE)
    assert api.must("GET", "/v1/insights/kpis")["figures"]["n_resolved"] == 1

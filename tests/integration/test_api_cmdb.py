"""The CMDB over HTTP, and where suggestions use it."""

from dataclasses import replace
from typing import Any

import pytest

from smarttriage.bootstrap.resources import lexicon
from smarttriage.domain.rules import RuleBook
from tests.integration.installation import OTHER_ADMIN, Installation

DEAD = {"title": "srv-erp-01 is down", "description": "The server is completely dead.", "context": {"kind": "incident"}}
SERVER = {"kind": "ci", "name": "srv-erp-01", "owner_group": "Data Centre", "host_patterns": ["erp-node-##"]}
ERP = {"kind": "service", "name": "Helio", "criticality": "critical", "depends_on": ["srv"]}


@pytest.fixture
def cmdb(api: Installation) -> Installation:
    """An ERP on a server on a storage, and rules that can read evidence."""
    api.services.live.update_models(lambda models: replace(models, rules=RuleBook(cues=lexicon())))
    put(api, "san", {"kind": "ci", "name": "san-9"})
    put(api, "srv", {**SERVER, "depends_on": ["san"]})
    put(api, "erp", ERP)
    return api


def put(api: Installation, item_id: str, body: dict[str, Any], **options: Any) -> Any:
    return api.must("PUT", f"/v1/cmdb/items/{item_id}", body, **options)


def suggest(api: Installation, **body: Any) -> Any:
    return api.must("POST", "/v1/suggestions", {**DEAD, **body})


def test_a_server_that_carries_a_critical_service_raises_the_impact_and_says_why(cmdb: Installation) -> None:
    answer = suggest(cmdb)
    assert answer["impact"]["value"] == "high"
    assert answer["impact"]["rule"] == {
        "id": "cmdb-impact",
        "reason": "CI srv-erp-01 has failed; it carries 1 service: Helio (critical).",
    }
    assert answer["routing"]["support_group"] == "Data Centre"
    assert answer["routing"]["because"] == "Data Centre owns CI srv-erp-01"
    (item,) = answer["configuration_items"]
    assert (item["id"], item["how"], item["services"], item["n_services"]) == ("srv", "srv-erp-01", ["Helio"], 1)


def test_an_impact_that_a_person_gave_stands_and_none_is_ever_lowered(cmdb: Installation) -> None:
    given = suggest(cmdb, context={"kind": "incident", "impact": "low"})["impact"]
    assert (given["value"], given["reason"]) == ("low", "given")
    put(cmdb, "erp", {**ERP, "criticality": "low"})
    text = {"title": "srv-erp-01 is down", "description": "The whole company cannot work."}
    assert cmdb.must("POST", "/v1/suggestions", {**text, "context": {"kind": "incident"}})["impact"]["value"] == "high"


@pytest.mark.parametrize(
    "text", ["Question about srv-erp-01: who may log in?", "srv-erp-01 is slow today", "srv-erp-01 is down, but only for me"]
)
def test_a_name_alone_raises_nothing(cmdb: Installation, text: str) -> None:
    answer = suggest(cmdb, title=text, description="")
    assert [item["id"] for item in answer["configuration_items"]] == ["srv"]
    assert answer["impact"]["rule"] is None


def test_an_item_that_the_platform_names_counts_as_one_in_the_text(cmdb: Installation) -> None:
    context = {"kind": "incident", "configuration_items": ["SRV-ERP-01"]}
    answer = suggest(cmdb, title="Alarm", description="The machine is completely dead.", context=context)
    assert answer["configuration_items"][0]["how"] == "given"
    assert answer["impact"]["value"] == "high"


def test_similar_incidents_say_what_they_have_in_common(cmdb: Installation) -> None:
    change = {"item_id": "san", "at": "2026-03-02T09:00:00Z", "what": "Firmware updated"}
    for _ in range(2):
        assert cmdb.must("PUT", "/v1/cmdb/changes/CHG-1", change)["what"] == "Firmware updated"
    for title in ("srv-erp-01 is down", "san-9 is down", "something else is down"):
        cmdb.must("POST", "/v1/incidents", {"title": title, "description": "The server is completely dead."})
    answer = suggest(cmdb)
    shared = {match["title"]: match["shared"] for match in answer["similar_incidents"]}
    assert shared["srv-erp-01 is down"] == ["same CI srv-erp-01"]
    assert shared["san-9 is down"] == ["CI san-9, which srv-erp-01 depends on", "both soon after change CHG-1 on san-9"]
    assert shared.get("something else is down", []) == []
    assert [change["id"] for change in answer["configuration_items"][0]["recent_changes"]] == ["CHG-1"]
    assert cmdb.must("GET", f"/v1/suggestions/{answer['id']}")["similar_incidents"] == answer["similar_incidents"]
    assert [each["id"] for each in cmdb.must("GET", "/v1/cmdb/items/san/changes")["items"]] == ["CHG-1"]


def test_items_that_keep_failing_are_counted_over_weeks(cmdb: Installation) -> None:
    for day in ("02-02", "02-09", "02-16"):
        report = {"title": "erp-node-07 crashed", "reported_at": f"2026-{day}T09:00:00Z"}
        cmdb.must("POST", "/v1/incidents", report)
    cmdb.must("POST", "/v1/incidents", {"title": "san-9 beeps"})
    found = {item["id"]: item for item in cmdb.must("GET", "/v1/insights/recurring")["items"]}
    assert (found["srv"]["n_incidents"], found["srv"]["n_weeks"], found["srv"]["recurring"]) == (3, 3, True)
    assert found["srv"]["mean_hours_between"] == 168.0
    assert found["san"]["recurring"] is False


def test_the_impact_of_an_item_is_read_in_both_directions(cmdb: Installation) -> None:
    found = cmdb.must("GET", "/v1/cmdb/items/srv/impact")
    assert (found["services"], found["severity"]) == (["Helio"], "greatest")
    assert [each["id"] for each in found["dependencies"]["items"]] == ["san"]
    put(cmdb, "san", {"kind": "ci", "name": "san-9", "depends_on": ["erp"]})
    around = cmdb.must("GET", "/v1/cmdb/items/srv/impact")["dependents"]
    assert ([each["id"] for each in around["items"]], around["truncated"]) == (["erp", "san"], False)


def test_a_repeated_put_changes_nothing_and_an_old_version_is_refused(cmdb: Installation) -> None:
    first = cmdb.ask("PUT", "/v1/cmdb/items/srv", {**SERVER, "depends_on": ["san"]})
    assert (first.status_code, first.headers["ETag"]) == (200, '"1"')
    changed = cmdb.ask("PUT", "/v1/cmdb/items/srv", SERVER, If_Match='"1"')
    assert (changed.headers["ETag"], changed.json()["depends_on"]) == ('"2"', [])
    assert cmdb.ask("PUT", "/v1/cmdb/items/srv", SERVER, If_Match='"1"').status_code == 412


def test_a_relation_or_change_to_nothing_is_refused_with_the_way_out(cmdb: Installation) -> None:
    wrong = cmdb.ask("PUT", "/v1/cmdb/items/srv", {**SERVER, "depends_on": ["gone"]})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "depends_on")
    assert 'there is no item "gone"; store it first' in wrong.json()["detail"]
    body = {"item_id": "gone", "at": "2026-03-02T09:00:00Z", "what": "x"}
    assert cmdb.ask("PUT", "/v1/cmdb/changes/c", body).json()["field"] == "item_id"


def test_audiences_and_tenants_hide_items_everywhere(cmdb: Installation) -> None:
    hr = cmdb.key("suggest", "review", "write", audiences=["hr"])
    assert put(cmdb, "hr-db", {"kind": "ci", "name": "hr-db", "depends_on": []}, key=hr)["audiences"] == ["hr"]
    assert cmdb.ask("GET", "/v1/cmdb/items/hr-db").status_code == 404
    assert cmdb.ask("PUT", "/v1/cmdb/items/hr-db", SERVER).status_code == 404
    assert suggest(cmdb, title="hr-db is down")["configuration_items"] == []
    assert cmdb.must("GET", "/v1/cmdb/items", key=OTHER_ADMIN)["items"] == []
    theirs = cmdb.must("POST", "/v1/suggestions", DEAD, key=OTHER_ADMIN)
    assert theirs["configuration_items"] == []


def test_a_relation_that_its_editor_cannot_see_is_kept(cmdb: Installation) -> None:
    both = cmdb.key("review", audiences=["hr", "everyone"])
    put(cmdb, "hr-db", {"kind": "ci", "name": "hr-db", "audiences": ["hr"]}, key=both)
    put(cmdb, "srv", {**SERVER, "audiences": ["everyone"], "depends_on": ["hr-db"]}, key=both)
    assert put(cmdb, "srv", {**SERVER, "type": "server"})["depends_on"] == []
    assert cmdb.must("GET", "/v1/cmdb/items/srv", key=both)["depends_on"] == ["hr-db"]

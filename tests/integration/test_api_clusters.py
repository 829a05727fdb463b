"""Clusters over the API: a storm is seen, declared, suggested first and ended; people correct what the detector found."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from smarttriage.domain.errors import StoreError
from smarttriage.ports import Records, Store
from smarttriage.services.clustering import POSITION, ClusterPass
from smarttriage.services.ongoing import Board
from tests.integration.installation import OTHER_ADMIN, Installation, installation

WORDS = ("mail gateway", "outlook", "sending mail", "mails", "the mail server")
PEOPLE = ("ann", "bob", "cid", "dan", "eve", "fay", "gus", "hal", "ida", "jon")
OTHERS = (
    ("Toner empty", "the printer on floor 3 wants magenta toner"),
    ("Badge refused", "door B does not open with my card"),
    ("Wiki account", "please create a login for the new colleague"),
    ("Slow laptop", "starting takes twenty minutes since Monday"),
)


def report(api: Installation, number: int, **more: Any) -> str:
    """Store one report of the mail outage."""
    body = {
        "title": "Mail gateway rejects all messages",
        "description": f"Mail gateway rejects all messages with error 550, {WORDS[number % 5]} down for {PEOPLE[number % 10]}",
        "reporter": PEOPLE[number % 10],
        "affected_services": ["mail"],
        "reported_at": api.clock().isoformat(),
    }
    api.clock.forward(timedelta(minutes=1))
    return str(api.must("POST", "/v1/incidents", body | more)["id"])


def storm(api: Installation, n: int = 9, **more: Any) -> list[str]:
    """Store the reports of an ordinary day, then those of an outage."""
    for number in range(40):
        title, text = OTHERS[number % 4]
        api.must("POST", "/v1/incidents", {"title": title, "description": text, "reported_at": api.clock().isoformat()})
        api.clock.forward(timedelta(hours=3))
    return [report(api, number, **more) for number in range(n)]


def storms(api: Installation, **options: str) -> list[dict[str, Any]]:
    return list(api.must("GET", "/v1/clusters?kind=storm", **options)["items"])


def the_storm(api: Installation) -> str:
    (found,) = storms(api)
    return str(found["id"])


def asked(api: Installation, **options: str) -> dict[str, Any]:
    text = {"title": "Mail gateway rejects all messages", "description": "error 550 for everybody"}
    return dict(api.must("POST", "/v1/suggestions", text, **options))


def test_a_storm_is_a_cluster_with_its_evidence_and_a_major_incident_is_proposed(api: Installation) -> None:
    changed = {"title": "Upgrade of the mail gateway", "description": "please do it tonight", "kind": "request"}
    began = api.clock() + timedelta(hours=119)
    api.must("POST", "/v1/incidents", {**changed, "affected_services": ["mail"], "reported_at": began.isoformat()})
    ids = storm(api)
    found = api.must("GET", f"/v1/clusters/{the_storm(api)}")
    assert sorted(one["incident_id"] for one in found["members"]) == sorted(ids)
    assert [(one["kind"], one["state"]) for one in found["proposals"]] == [
        ("emerging_cluster", "proposed"),
        ("major_incident", "proposed"),
    ]
    evidence = found["evidence"]
    assert evidence["n_reports"] == evidence["n_open"] == len(evidence["reporters"]) == 9
    assert evidence["places"] == [{"name": "service mail", "n": 9}]
    assert evidence["since"] == found["began_at"] == found["members"][0]["reported_at"]
    assert "gateway" in evidence["words"]
    (changed,) = evidence["changed"]
    assert (changed["kind"], changed["title"], changed["shared"]) == ("incident", "Upgrade of the mail gateway", ["service mail"])
    assert found["proposals"][1]["figures"]["surprise"] > 8


def test_an_ordinary_day_makes_no_storm(api: Installation) -> None:
    storm(api, n=1)
    assert storms(api) == []


def test_a_declared_major_incident_is_suggested_first_until_it_is_resolved(api: Installation) -> None:
    storm(api)
    assert asked(api)["ongoing"] == []
    cluster = the_storm(api)
    promoted = api.must("POST", f"/v1/clusters/{cluster}/promote", {})
    assert [one["state"] for one in promoted["proposals"]] == ["proposed", "promoted"]
    answer = asked(api)
    (ongoing,) = answer["ongoing"]
    assert (ongoing["cluster_id"], ongoing["kind"], ongoing["n_reports"]) == (cluster, "major_incident", 9)
    assert list(answer).index("ongoing") < list(answer).index("similar_incidents")
    assert api.must("GET", f"/v1/suggestions/{answer['id']}")["ongoing"] == answer["ongoing"]
    assert api.must("POST", "/v1/suggestions", {"title": "Toner empty", "description": "magenta"})["ongoing"] == []
    assert asked(api, key=OTHER_ADMIN)["ongoing"] == []
    api.must("POST", f"/v1/clusters/{cluster}/resolve")
    assert asked(api)["ongoing"] == []


def test_a_resolved_cluster_takes_in_nothing_and_the_next_reports_found_another(api: Installation) -> None:
    storm(api)
    first = the_storm(api)
    api.must("POST", f"/v1/clusters/{first}/resolve")
    later = [report(api, number) for number in range(3)]
    assert {one["state"] for one in storms(api)} == {"resolved", "open"}
    second = next(one["id"] for one in storms(api) if one["state"] == "open")
    assert [one["incident_id"] for one in api.must("GET", f"/v1/clusters/{second}")["members"]] == later
    assert api.ask("POST", f"/v1/clusters/{first}/dismiss", {}).status_code == 409


def test_a_storm_is_over_when_its_last_incident_is_resolved(api: Installation) -> None:
    for incident in (ids := storm(api, n=5)):
        assert storms(api)[0]["state"] == "open"
        api.must("POST", f"/v1/incidents/{incident}/resolution", {"text": "Restarted the gateway's queue runner."})
    assert storms(api)[0]["state"] == "resolved"
    assert api.must("GET", f"/v1/clusters/{the_storm(api)}")["n_members"] == len(ids)


def test_a_dismissed_proposal_is_not_made_again(api: Installation) -> None:
    storm(api)
    cluster = the_storm(api)
    api.must("POST", f"/v1/clusters/{cluster}/dismiss", {"kind": "major_incident"})
    for number in range(6):
        report(api, number)
    found = api.must("GET", f"/v1/clusters/{cluster}")
    assert found["n_members"] == 15
    assert [one["state"] for one in found["proposals"] if one["kind"] == "major_incident"] == ["dismissed"]
    assert asked(api)["ongoing"] == []


def test_merging_and_splitting_lose_no_ticket_and_keep_the_history(api: Installation) -> None:
    ids = storm(api, n=6)
    cluster = the_storm(api)
    apart = api.must("POST", f"/v1/clusters/{cluster}/split", {"incident_ids": ids[:2]})
    assert sorted(one["incident_id"] for one in apart["members"]) == ids[:2]
    left = api.must("GET", f"/v1/clusters/{cluster}")
    assert [one["incident_id"] for one in left["members"]] == ids[2:]
    assert {(one["incident_id"], one["ended_by"] is not None) for one in left["history"]} == {(one, True) for one in ids[:2]}
    merged = api.must("POST", f"/v1/clusters/{apart['id']}/merge", {"into": cluster})
    assert sorted(one["incident_id"] for one in merged["members"]) == ids
    gone = api.must("GET", f"/v1/clusters/{apart['id']}")
    assert (gone["state"], gone["merged_into"], gone["n_members"]) == ("merged", cluster, 0)
    assert all(api.must("GET", f"/v1/incidents/{one}")["status"] == "open" for one in ids)
    report(api, 7)
    assert api.must("GET", f"/v1/clusters/{cluster}")["n_members"] == 7


@pytest.mark.parametrize(
    ("step", "body", "status"),
    [
        ("split", {"incident_ids": ["unknown"]}, 422),
        ("merge", {"into": "clu_none"}, 404),
        ("merge", {"into": "{itself}"}, 422),
        ("promote", {"kind": "outage"}, 422),
        ("promote", {"kinds": "major_incident"}, 422),
    ],
)
def test_a_step_that_makes_no_sense_is_refused(api: Installation, step: str, body: dict[str, Any], status: int) -> None:
    storm(api, n=3)
    cluster = the_storm(api)
    sent = {name: cluster if value == "{itself}" else value for name, value in body.items()}
    assert api.ask("POST", f"/v1/clusters/{cluster}/{step}", sent).status_code == status


def test_a_change_on_an_old_version_is_refused(api: Installation) -> None:
    storm(api)
    cluster = the_storm(api)
    read = api.ask("GET", f"/v1/clusters/{cluster}").headers["ETag"]
    report(api, 3)
    assert api.ask("POST", f"/v1/clusters/{cluster}/resolve", If_Match=read).status_code == 412


def test_a_person_may_declare_what_no_rule_proposed(api: Installation) -> None:
    storm(api, n=2)
    cluster = the_storm(api)
    assert api.ask("POST", f"/v1/clusters/{cluster}/promote", {}).status_code == 409
    made = api.must("POST", f"/v1/clusters/{cluster}/promote", {"kind": "major_incident"})
    assert [(one["rule"], one["state"]) for one in made["proposals"]] == [("person", "promoted")]


def test_neither_tenants_nor_audiences_see_each_others_clusters(api: Installation) -> None:
    hr = api.key("write", "suggest", "review", audiences=["hr"])
    storm(api, n=5)
    for number in range(3):
        api.must("POST", "/v1/incidents", {"title": "Payroll shows nothing", "description": f"empty {number}"}, key=hr)
    assert storms(api, key=OTHER_ADMIN) == []
    (own,) = storms(api, key=hr)
    assert own["n_members"] == 3
    assert own["id"] not in {one["id"] for one in storms(api)}
    assert api.ask("GET", f"/v1/clusters/{own['id']}").status_code == 404
    assert api.ask("POST", f"/v1/clusters/{the_storm(api)}/merge", {"into": own["id"]}, key=hr).status_code == 404


def test_an_incident_whose_audiences_change_leaves_its_cluster(api: Installation) -> None:
    ids = storm(api, n=5)
    api.must("PATCH", f"/v1/incidents/{ids[0]}", {"audiences": ["hr"]})
    found = api.must("GET", f"/v1/clusters/{the_storm(api)}")
    assert ids[0] not in [one["incident_id"] for one in (*found["members"], *found["history"])]


def test_a_second_report_in_the_same_words_is_proposed_as_a_duplicate(api: Installation) -> None:
    first, second = report(api, 0), report(api, 0)
    (found,) = api.must("GET", "/v1/clusters?kind=duplicates")["items"]
    assert [(one["kind"], one["state"]) for one in found["proposals"]] == [("duplicate", "proposed")]
    members = api.must("GET", f"/v1/clusters/{found['id']}")["members"]
    assert [one["incident_id"] for one in members] == [first, second]


def test_what_comes_again_for_weeks_is_a_recurring_problem_and_then_a_known_one(api: Installation) -> None:
    for number in range(5):
        incident = report(api, number)
        api.must("POST", f"/v1/incidents/{incident}/resolution", {"text": "Restarted the gateway's queue runner."})
        api.clock.forward(timedelta(days=5))
    (found,) = api.must("GET", "/v1/clusters?kind=recurring")["items"]
    assert (found["n_members"], found["proposals"][0]["kind"]) == (5, "recurring_problem")
    api.must("POST", f"/v1/clusters/{found['id']}/promote", {})
    assert [one["kind"] for one in asked(api)["ongoing"]] == ["recurring_problem"]


def test_what_was_recognised_as_recurring_counts_as_come_again_until_it_is_dismissed(api: Installation) -> None:
    for number in range(5):
        incident = report(api, number)
        api.must("POST", f"/v1/incidents/{incident}/resolution", {"text": "Restarted the gateway's queue runner."})
        api.clock.forward(timedelta(days=5))
    api.clock.forward(timedelta(days=30))
    recurred = api.must("GET", "/v1/insights/kpis")["figures"]["recurred"]
    assert (recurred["n_yes"], recurred["n"]) == (4, 5)
    (found,) = api.must("GET", "/v1/clusters?kind=recurring")["items"]
    api.must("POST", f"/v1/clusters/{found['id']}/dismiss", {})
    assert api.must("GET", "/v1/insights/kpis")["figures"]["recurred"]["n"] == 0


def another_pass(api: Installation, board: Board, policy: Any = None, store: Any = None) -> ClusterPass:
    """Return a pass that knows nothing but the store, as after a kill."""
    live = api.services.live
    return ClusterPass(
        store=store or api.services.store,
        policy=policy or api.policy,
        behind=lambda: (live.state.catalogue.seq, live.state.search_encoder),
        clock=api.clock,
        publish=board.publish,
    )


def everything(api: Installation) -> Any:
    shown = [api.must("GET", f"/v1/clusters/{one['id']}") for one in api.must("GET", "/v1/clusters")["items"]]
    return sorted((one["id"], one["n_members"], tuple(each["id"] for each in one["proposals"])) for one in shown)


def test_a_pass_that_begins_again_repeats_nothing_and_one_from_an_older_position_finds_the_same(api: Installation) -> None:
    with api.services.store.begin() as records:
        start = records.fact(POSITION)
    storm(api)
    found, board = everything(api), Board()
    another_pass(api, board).step()
    assert everything(api) == found
    with api.services.store.begin(write=True) as records:
        records.put_fact(POSITION, str(start))
    another_pass(api, board).step()
    assert [each[0] for each in everything(api)] == [each[0] for each in found]
    assert everything(api) == found


def test_it_goes_on_in_the_same_cluster_after_a_kill(tmp_path: Path) -> None:
    with installation(tmp_path) as api:
        storm(api, n=5)
        cluster = the_storm(api)
        at = api.clock()
    with installation(tmp_path) as api:
        api.clock.at = at
        api.services.notify()
        report(api, 6)
        assert the_storm(api) == cluster
        assert storms(api)[0]["n_members"] == 6


def test_other_thresholds_delete_no_cluster(api: Installation) -> None:
    storm(api)
    found, board = everything(api), Board()
    strict = another_pass(api, board, api.policy.__class__(api.policy.linking, ()))
    strict.step()
    assert everything(api) == found


class DiesOnce:
    """A store of which one write is lost at its very end, like that of a process that is killed before the commit."""

    def __init__(self, store: Store, n_before: int) -> None:
        self._store, self._left = store, n_before

    @contextmanager
    def begin(self, *, write: bool = False) -> Iterator[Records]:
        with self._store.begin(write=write) as records:
            yield records
            self._left -= write
            if write and self._left == 0:
                raise StoreError("the process was killed")

    def close(self) -> None:
        self._store.close()


def from_the_start(api: Installation, incidents: int) -> str:
    """Let a storm come while nobody detects; return where detection has to begin."""
    with api.services.store.begin() as records:
        start = str(records.fact(POSITION))
    storm(api, n=incidents)
    return start


def rewound(api: Installation, start: str, store: Any = None) -> ClusterPass:
    """Return a pass over an installation whose clusters are all forgotten."""
    with api.inner._writer.begin() as connection:
        for table in ("cluster_membership", "cluster_proposal", "cluster_audience", "cluster"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
    with api.inner.begin(write=True) as records:
        records.put_fact(POSITION, start)
    return another_pass(api, Board(), store=store)


@pytest.mark.parametrize("n_before", [1, 2, 3])
def test_a_pass_killed_before_a_commit_ends_with_the_same_clusters(api: Installation, n_before: int) -> None:
    start = from_the_start(api, 9)
    rewound(api, start).step()
    undisturbed = everything(api)
    dying = rewound(api, start, DiesOnce(api.services.store, n_before))
    with suppress(StoreError):
        dying.step()
    another_pass(api, Board()).step()
    assert everything(api) == undisturbed
    assert len(undisturbed) >= 1


def test_two_processes_that_follow_at_once_store_everything_once(api: Installation) -> None:
    start = from_the_start(api, 9)
    alone = rewound(api, start)
    alone.step()
    expected = everything(api)
    first, second = rewound(api, start), another_pass(api, Board())
    for each in (first, second, first, second):
        each.step()
    assert everything(api) == expected


def test_the_cmdb_tells_what_the_reports_hang_on_and_what_was_changed_there(api: Installation) -> None:
    began = api.clock() + timedelta(hours=119)
    put_item = "/v1/cmdb/items/"
    api.must("PUT", f"{put_item}mx", {"kind": "ci", "name": "mx-01"})
    api.must("PUT", f"{put_item}mail", {"kind": "service", "name": "mail", "depends_on": ["mx"]})
    api.must("PUT", f"{put_item}crm", {"kind": "service", "name": "CRM", "depends_on": ["mail"]})
    api.must("PUT", "/v1/cmdb/changes/chg-1", {"item_id": "mx", "at": began.isoformat(), "what": "New queue runner"})
    storm(api)
    evidence = api.must("GET", f"/v1/clusters/{the_storm(api)}")["evidence"]
    assert evidence["carried"] == ["CRM"]
    assert [(one["kind"], one["id"], one["title"], one["shared"]) for one in evidence["changed"]] == [
        ("change", "chg-1", "New queue runner", ["CI mx-01"])
    ]

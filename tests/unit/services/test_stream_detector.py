"""The detector: what arrives together, says the same and is unusual belongs together; the rest is left alone."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from smarttriage.domain.stream_rules import Action, Linking, StreamPolicy, StreamRule
from smarttriage.domain.streams import ClusterKind, ProposalKind
from smarttriage.ports import Vectors
from smarttriage.services.stream_detector import Join, StreamDetector
from smarttriage.services.stream_window import Entry, Report, Window
from smarttriage.testing.factories import NOON, an_incident

DIM = 64
HOUR = timedelta(hours=1)
LINKING = Linking(cosine=0.6, floor=0.6, rarity=0.0, shared_place=0.1, gap=HOUR, burst=HOUR, history=timedelta(days=28))
MAJOR = StreamRule("major", ProposalKind.MAJOR, Action.PROPOSE, {"n_reports": 6, "surprise": 5})
EMERGING = StreamRule("emerging", ProposalKind.EMERGING, Action.PROPOSE, {"n_reports": 3})
TWICE = StreamRule("twice", ProposalKind.DUPLICATE, Action.PROPOSE, {"cosine": 0.95}, within=HOUR * 24)
AGAIN = StreamRule("again", ProposalKind.RECURRING, Action.PROPOSE, {"cosine": 0.7, "n_reports": 4, "n_weeks": 3})


def detector(*rules: StreamRule, capacity: int = 256) -> StreamDetector:
    return StreamDetector(policy=StreamPolicy(LINKING, rules), dim=DIM, capacity=capacity)


def about(topic: int, variant: int = 0, cosine: float = 0.9) -> Vectors:
    """Return a vector near the topic's axis; two variants of it have about cosine squared."""
    vector = np.zeros(DIM, dtype=np.float32)
    vector[topic], vector[32 + variant % 32] = cosine, np.sqrt(1 - cosine**2)
    return vector


def report(name: str, minutes: float = 0, **more: Any) -> Report:
    values: dict[str, Any] = {"tenant": "default", "audiences": frozenset({"everyone"}), "title": name} | more
    return Report(id=name, at=NOON + timedelta(minutes=minutes), **values)


def storm(found: list[Join]) -> Join | None:
    return next((join for join in found if join.kind is ClusterKind.STORM), None)


def flood(watch: StreamDetector, n: int, *, topic: int = 1, start: float = 0, name: str = "s") -> list[Join | None]:
    return [storm(watch.arrive(report(f"{name}{i}", start + 2 * i), about(topic, i))) for i in range(n)]


def background(watch: StreamDetector, n: int = 60) -> None:
    """Let unlike reports arrive in the days before."""
    for i in range(n):
        watch.arrive(report(f"b{i}", -10_000 + 150 * i), about(2 + i % 30, i // 30, cosine=0.99))


def test_reports_that_say_the_same_within_the_hour_found_one_cluster_and_are_proposed_once_by_each_rule() -> None:
    watch = detector(MAJOR, EMERGING)
    background(watch)
    found = flood(watch, 9)
    assert found[0] is None
    assert found[1] is not None
    assert found[1].founded
    assert found[1].incident_ids == ("s0", "s1")
    assert {join.cluster_id for join in found[1:] if join} == {found[1].cluster_id}
    said = [(i, join.rule.id) for i, join in enumerate(found) if join and join.rule]
    assert said == [(2, "emerging"), (5, "major")]


def test_a_flood_that_is_usual_here_is_no_surprise() -> None:
    watch = detector(MAJOR)
    for i in range(60):
        watch.arrive(report(f"u{i}", -10_000 + 150 * i), about(1, i))
    found = flood(watch, 8)
    assert found[-1] is not None
    assert found[-1].facts.surprise < 5
    assert all(join.rule is None for join in found if join)


def test_the_same_words_hours_apart_are_no_storm_and_other_words_at_once_neither() -> None:
    watch = detector(EMERGING)
    assert all(storm(watch.arrive(report(f"a{i}", 61 * i), about(1, i))) is None for i in range(5))
    assert all(storm(watch.arrive(report(f"c{i}", 400 + i), about(2 + i))) is None for i in range(5))


def test_a_shared_service_brings_together_what_the_words_alone_would_not() -> None:
    near = about(1, 0, cosine=0.75), about(1, 1, cosine=0.75)
    for places, together in (({"service mail"}, True), (set(), False)):
        watch = detector()
        watch.arrive(report("a", places=frozenset({"service mail"})), near[0])
        join = storm(watch.arrive(report("b", 5, places=frozenset(places)), near[1]))
        assert (join is not None) is together
        assert join is None or "both name service mail" in join.because


def test_others_who_may_not_see_each_other_never_share_a_cluster() -> None:
    watch = detector()
    watch.arrive(report("a"), about(1))
    for more in ({"tenant": "other"}, {"audiences": frozenset({"hr"})}):
        assert watch.arrive(report(f"b{len(more)}{more}", 1, **more), about(1)) == []


def test_a_closed_cluster_takes_in_nothing_and_its_members_found_nothing() -> None:
    watch = detector(EMERGING)
    found = flood(watch, 4)
    assert found[-1] is not None
    watch.close(found[-1].cluster_id)
    later = flood(watch, 2, start=20, name="t")
    assert later[0] is None
    assert later[1] is not None
    assert later[1].founded
    assert later[1].incident_ids == ("t0", "t1")


def test_resolved_incidents_draw_nothing_in_and_start_nothing() -> None:
    watch = detector()
    watch.arrive(report("a"), about(1))
    assert watch.update(report("a", is_open=False))
    assert storm(watch.arrive(report("b", 1), about(1))) is None
    assert storm(watch.arrive(report("c", 2, is_open=False), about(1))) is None


def test_an_incident_that_others_may_see_now_leaves_its_clusters() -> None:
    watch = detector()
    flood(watch, 2)
    assert watch.update(report("s1", 2, audiences=frozenset({"hr"}))) is False
    join = storm(watch.arrive(report("h", 3, audiences=frozenset({"hr"})), about(1)))
    assert join is not None
    assert join.incident_ids == ("s1", "h")


def test_the_second_report_of_an_open_incident_is_proposed_as_its_duplicate() -> None:
    watch = detector(TWICE)
    watch.arrive(report("a"), about(1, 0, cosine=1.0))
    (join,) = watch.arrive(report("b", 600), about(1, 0, cosine=0.99))
    assert (join.kind, join.incident_ids) == (ClusterKind.DUPLICATES, ("a", "b"))
    assert join.rule is TWICE
    assert watch.arrive(report("c", 3_000), about(1, 0, cosine=1.0)) == []
    (third,) = watch.arrive(report("d", 700), about(1, 0, cosine=1.0))
    assert (third.founded, third.cluster_id) == (False, join.cluster_id)


def test_what_comes_again_in_a_third_week_is_a_recurring_problem_and_a_storm_counts_once() -> None:
    week = 7 * 24 * 60
    watch = detector(AGAIN)
    for i in range(8):
        assert all(join.kind is ClusterKind.STORM for join in watch.arrive(report(f"s{i}", 2 * i), about(1, i)))
    assert watch.arrive(report("again", week), about(1, 9)) == []
    assert watch.arrive(report("and again", week * 1.1), about(1, 10)) == []
    (join,) = watch.arrive(report("third week", 2 * week), about(1, 11))
    assert join.kind is ClusterKind.RECURRING
    assert join.rule is AGAIN
    assert (join.facts.n_reports, join.facts.n_weeks) == (4, 3)
    assert len(join.incident_ids) == 11
    (later,) = watch.arrive(report("fourth", 2.5 * week), about(1, 12))
    assert (later.founded, later.rule, later.cluster_id) == (False, None, join.cluster_id)


def test_the_same_reports_give_the_same_clusters_under_the_same_ids() -> None:
    def run() -> list[str | None]:
        watch = detector(MAJOR, EMERGING)
        return [join and join.cluster_id for topic in (1, 2) for join in flood(watch, 5, topic=topic, name=str(topic))]

    assert run() == run()


def test_a_full_window_forgets_its_oldest_reports() -> None:
    watch = detector(capacity=8)
    for i in range(9):
        watch.arrive(report(f"r{i}", i * 100), about(i))
    assert [watch.knows(f"r{i}") for i in range(9)] == [False] * 2 + [True] * 7


def test_removing_from_a_window_keeps_vectors_beside_their_reports() -> None:
    window = Window(DIM, 4)
    for i in range(3):
        window.put(Entry(report(f"r{i}", i)), about(i, cosine=1.0))
    window.remove("r1")
    assert [(each.report.id, int(window.vector(place).argmax())) for place, each in enumerate(window.entries)] == [
        ("r0", 0),
        ("r2", 2),
    ]
    assert window.find("r2") == 1


@pytest.mark.parametrize("name", ["site", "location"])
def test_places_of_an_incident_are_its_services_items_and_site(name: str) -> None:
    incident = an_incident(affected_services=("mail",), configuration_items=("mx1",))
    incident.labels.custom[name] = "Vienna"
    assert Report.of(incident).places == {"service mail", "CI mx1", "site Vienna"}


def test_what_is_near_to_everything_must_be_nearer_and_what_is_near_to_nothing_need_not() -> None:
    rare = replace(LINKING, cosine=0.9, floor=0.4, rarity=0.01)
    for usual, together in ((False, True), (True, False)):
        watch = StreamDetector(policy=StreamPolicy(rare, ()), dim=DIM, capacity=1_000)
        for i in range(400):
            watch.arrive(report(f"b{i}", -30_000 + 70 * i), about(1 if usual else 2 + i % 30, i, cosine=0.8))
        watch.arrive(report("a"), about(1, 0, cosine=0.75))
        join = storm(watch.arrive(report("b", 5), about(1, 1, cosine=0.75)))
        assert (join is not None) is together


def test_requests_are_of_no_storm() -> None:
    watch = StreamDetector(policy=StreamPolicy(replace(LINKING, not_kinds=frozenset({"request"})), (EMERGING,)), dim=DIM)
    assert all(storm(watch.arrive(report(f"r{i}", i, kind="request"), about(1, i))) is None for i in range(5))
    assert storm(watch.arrive(report("i", 6), about(1))) is None


def test_a_young_installation_measures_against_what_is_older_than_its_history() -> None:
    watch = detector(MAJOR, capacity=1_000)
    for i in range(400):
        watch.arrive(report(f"old{i}", -400_000 - 10 * i), about(2 + i % 30, i, cosine=0.99))
    found = flood(watch, 6)
    assert found[-1] is not None
    assert found[-1].rule is MAJOR

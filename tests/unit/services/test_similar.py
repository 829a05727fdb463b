"""Similar incidents: one for each problem, what fixed it, and open ones that may be the same event."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from smarttriage.domain.incident import Incident, IncidentStatus, Resolution
from smarttriage.domain.matches import Relation
from smarttriage.services.matching import N_NEIGHBOURS, behind
from smarttriage.services.retrieval import SearchResult
from smarttriage.services.similar import BOUNDS, Neighbour, clusters, similar
from smarttriage.testing.factories import NOON, an_incident

FLOOD = "node down alert on host in rack please check the power supply and the network cable"
RICH = "Replaced the power supply of the switch in rack 4 and restarted it."


def near(incident: Incident, score: float = 0.9, dense: float = 0.9) -> Neighbour:
    return SearchResult(incident.id, score, dense, None, incident.id), incident


def flood(n: int, **more: object) -> list[Incident]:
    return [an_incident(id=f"inc-{i}", title=f"alert {i}", description=f"{FLOOD} {i}", **more) for i in range(n)]


def resolved(incident: Incident, note: str, article: str | None = None) -> Incident:
    return replace(incident, status=IncidentStatus.RESOLVED, resolution=Resolution(note, NOON, article_id=article))


def shown(neighbours: Sequence[Neighbour], k: int = 5) -> list[str]:
    return [match.id for match in similar(neighbours, k, at=NOON)]


def test_a_flood_is_shown_once_and_makes_room_for_other_problems() -> None:
    other = an_incident(id="other", title="mail is slow", description="sending takes minutes")
    found = similar([*(near(each, 0.9 - i / 100) for i, each in enumerate(flood(6))), near(other, 0.6)], 5, at=NOON)
    assert [(match.id, match.n_alike) for match in found] == [("inc-0", 5), ("other", 0)]


def test_an_incident_without_a_title_is_shown_by_the_beginning_of_its_text() -> None:
    mail = an_incident(
        id="mail", title="", description="Hello,\n\nthe label printer in hall 3\nprints blank labels " + "and more " * 20
    )
    (match,) = similar([near(mail)], 5, at=NOON)
    assert match.title == "the label printer in hall 3 prints blank labels and more and more and more and m"
    assert len(match.title) == 80


def test_numbers_alone_do_not_make_another_problem_and_other_words_do() -> None:
    first, second = flood(2)
    other = an_incident(id="x", title="alert 1", description="certificate of the mail gateway has expired")
    assert [len(each) for each in clusters([near(first), near(second), near(other)])] == [2, 1]


def test_what_says_how_it_was_fixed_stands_for_its_cluster_before_an_open_one_before_an_empty_note() -> None:
    a, b, c = flood(3)
    empty, rich = resolved(a, "done"), resolved(c, RICH, "article-7")
    assert shown([near(empty, 0.95), near(b), near(rich, 0.8)]) == ["inc-2"]
    assert shown([near(empty, 0.95), near(b)]) == ["inc-1"]
    assert similar([near(rich)], 5, at=NOON)[0].resolved_with == "article-7"


def test_an_open_one_in_nearly_the_same_words_within_hours_may_be_a_duplicate() -> None:
    (incident,) = flood(1)
    late = NOON + BOUNDS.duplicate_within + timedelta(minutes=1)
    assert similar([near(incident, dense=0.97)], 5, at=NOON)[0].relation is Relation.POSSIBLE_DUPLICATE
    assert similar([near(incident, dense=0.97)], 5, at=late)[0].relation is None
    assert similar([near(incident, dense=BOUNDS.duplicate - 0.01)], 5, at=NOON)[0].relation is None
    assert similar([near(resolved(incident, RICH), dense=0.97)], 5, at=NOON)[0].relation is None


def test_several_open_ones_within_a_short_time_may_be_one_outage_and_one_fewer_are_not() -> None:
    words = ("vpn drops", "mail client hangs", "portal shows an error", "wifi gone", "cannot log in", "files cannot be opened")
    reports = [near(an_incident(id=word, title=word, description=word), dense=0.7) for word in words]
    enough = reports[: BOUNDS.outage_reports - 1]
    assert {match.relation for match in similar(enough, 9, at=NOON)} == {Relation.SAME_OUTAGE}
    assert {match.relation for match in similar(enough[1:], 9, at=NOON)} == {None}
    assert {match.relation for match in similar(enough, 9, at=NOON + BOUNDS.outage_within * 2)} == {None}


def test_a_fix_that_stands_for_open_ones_still_names_them() -> None:
    a, b = flood(2)
    found = similar([near(resolved(a, RICH), dense=0.97), near(b, dense=0.96)], 5, at=NOON)
    assert [(match.id, match.relation, match.related_ids) for match in found] == [
        ("inc-0", Relation.POSSIBLE_DUPLICATE, ("inc-1",))
    ]


def test_behind_equal_scores_others_are_read_and_else_none() -> None:
    same = [near(each, 0.9)[0] for each in flood(N_NEIGHBOURS)]
    rest = [replace(same[0], id="same", score=0.9), replace(same[0], id="a", score=0.8), replace(same[0], id="b", score=0.7)]
    assert [result.id for result in behind(same, rest, 3)] == ["a", "b"]
    assert behind([replace(result, score=0.9 - i / 100) for i, result in enumerate(same)], rest, 5) == []

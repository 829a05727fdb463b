"""What counts of an incident is what its lessons add up to that count."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from smarttriage.domain.incident import FEEDBACK_SOURCE, Counted, Incident, IncidentStatus, Labels, Resolution, Teaching
from smarttriage.domain.lesson import Lesson, LessonKind, Said, Standing, counted
from smarttriage.testing.factories import NOON, an_incident

FIX = Resolution("Restarted the spooler.", NOON)
QUESTION = Teaching(an_incident().title, an_incident().description)


def a_lesson(said: Said, before: Teaching, *, standing: Standing = Standing.COUNTS, key: str = "k", **more: object) -> Lesson:
    base = Lesson("les_1", "default", LessonKind.INCIDENT, "incident-1", key, f"key:{key}", NOON, standing, said, before)
    return replace(base, **more)  # type: ignore[arg-type]


def labelled(label: str | None) -> Said:
    return Said({"category": label}, frozenset({"category"} if label else ()))


def standing_on(*told: tuple[Said, Standing]) -> tuple[Incident, list[Lesson]]:
    """Return an incident as all lessons left it, and the lessons."""
    state, lessons = QUESTION, []
    for n, (said, standing) in enumerate(told):
        lessons.append(a_lesson(said, state, standing=standing, id=f"les_{n}", at=NOON + timedelta(minutes=n)))
        state = said.on(state)
    text = {"title": state.title, "description": state.description}
    return an_incident(**text, labels=state.labels, reviewed=state.reviewed, resolution=state.resolution), lessons


def test_an_incident_whose_lessons_all_count_needs_no_note_of_it() -> None:
    assert counted(*standing_on((labelled("network"), Standing.COUNTS), (Said(resolution=FIX), Standing.COUNTS))) is None


def test_what_waits_is_known_to_its_key_alone() -> None:
    incident, lessons = standing_on((labelled("network"), Standing.COUNTS), (Said(resolution=FIX), Standing.QUARANTINED))
    held = counted(incident, lessons)
    assert held is not None
    assert (held.teaching.labels.category, held.teaching.resolution, held.known_to) == ("network", None, "k")
    with_note = replace(incident, counted=held)
    assert with_note.counting_for("k").resolution == FIX
    assert with_note.counting_for("other").resolution is None is with_note.counting_for().resolution


def test_what_two_keys_wait_with_is_known_to_neither() -> None:
    incident, lessons = standing_on((labelled("network"), Standing.QUARANTINED), (Said(resolution=FIX), Standing.QUARANTINED))
    held = counted(incident, [lessons[0], replace(lessons[1], key_id="other")])
    assert held == Counted(QUESTION, None)


def test_a_label_that_is_taken_back_in_quarantine_still_counts() -> None:
    incident, lessons = standing_on((labelled("network"), Standing.COUNTS), (labelled(None), Standing.QUARANTINED))
    held = counted(incident, lessons)
    assert incident.labels == Labels()
    assert held is not None
    assert (held.teaching.labels.category, held.teaching.reviewed) == ("network", {"category"})


@given(st.lists(st.tuples(st.sampled_from(["network", "hardware", None]), st.sampled_from(list(Standing))), max_size=6))
def test_what_counts_is_what_would_stand_there_without_the_rest(told: list[tuple[str | None, Standing]]) -> None:
    incident, lessons = standing_on(*((labelled(label), standing) for label, standing in told))
    without, _ = standing_on(*((labelled(label), standing) for label, standing in told if standing is Standing.COUNTS))
    held = counted(incident, lessons)
    assert (incident if held is None else replace(incident, counted=held).counting_for()).teaching == without.teaching


def test_a_mere_lesson_that_does_not_count_is_found_by_its_key_alone_and_an_open_report_by_all() -> None:
    held = Counted(QUESTION, "k")
    report = an_incident(counted=held)
    solved, judged = replace(report, status=IncidentStatus.RESOLVED), replace(report, source_system=FEEDBACK_SOURCE)
    assert not report.is_hidden
    assert solved.is_hidden
    assert judged.is_hidden
    assert len(solved.index_labels) == 1
    assert solved.index_labels.isdisjoint(report.index_labels)
    assert replace(solved, counted=Counted(QUESTION)).index_labels == frozenset()


def test_a_report_that_was_taken_back_is_found_only_for_what_others_taught_on_it() -> None:
    gone = an_incident(counted=Counted(QUESTION, taken_back=True))
    assert gone.is_hidden
    taught = replace(QUESTION, resolution=FIX)
    assert not replace(gone, counted=Counted(taught, taken_back=True)).is_hidden

"""Incidents written together with the lesson that they are: who said what, and whether it counts before somebody confirms it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from smarttriage.domain.access import Principal
from smarttriage.domain.incident import Incident, Teaching
from smarttriage.domain.lesson import Lesson, LessonKind, Said, Standing, counted, said_of
from smarttriage.domain.outcome import person_of
from smarttriage.ports import Records


@dataclass(frozen=True, slots=True)
class Taught:
    """What a change of an incident says.

    Attributes:
        labels: Target -> label that was given, whether or not it is another one now; None takes one back.
        resolves: Whether it says what ended the incident.
        person: Who speaks, as the platform names them.
        outcome_ids: Outcomes of articles that follow from it.
    """

    labels: Mapping[str, str | None] = field(default_factory=dict)
    resolves: bool = False
    person: str | None = None
    outcome_ids: tuple[str, ...] = ()


def write_down(
    records: Records, principal: Principal, before: Incident | None, after: Incident, taught: Taught, *, at: datetime
) -> Incident:
    """Store an incident as it is after a change, as its next version, with the lesson; return it.

    `before` is what stands there, None if it is new. What a key says that is not trusted stands on the record at once and counts
    for that key alone.
    """
    stored = after if before is None else replace(after, version=before.version + 1, updated_at=at)
    lesson = lesson_of(principal, before, stored, taught, at=at)
    if lesson is not None:
        records.add_lessons([lesson])
        if lesson.standing is not Standing.COUNTS or stored.counted is not None:
            lessons = records.lessons_about([stored.id]).get(stored.id, ())
            stored = replace(stored, counted=counted(stored, lessons))
    if before is None:
        records.add_incidents([stored], key_id=principal.key_id)
    else:
        records.update_incident(stored, key_id=principal.key_id)
    return stored


def lesson_of(principal: Principal, before: Incident | None, after: Incident, taught: Taught, *, at: datetime) -> Lesson | None:
    """Return the lesson of a change, None where it says nothing; `before` is None for an incident that is new."""
    said = said_of(before, after, taught.labels, resolves=taught.resolves)
    if before is not None and said.is_nothing:
        return None
    return Lesson(
        id=f"les_{after.id}.{after.version}",
        tenant=after.tenant,
        kind=LessonKind.INCIDENT,
        record_id=after.id,
        key_id=principal.key_id,
        person=person_of(taught.person, principal),
        at=at,
        standing=Standing.COUNTS if principal.is_trusted or not _changes(before, after, said) else Standing.QUARANTINED,
        said=said,
        before=Teaching(after.title, after.description) if before is None else before.teaching,
        creates=before is None,
        outcome_ids=taught.outcome_ids,
    )


def recount(records: Records, incident_ids: Collection[str], *, key_id: str) -> None:
    """Store anew what counts of incidents whose lessons have another standing now."""
    about = records.lessons_about(incident_ids)
    for incident in list(records.indexable_incidents(incident_ids)) if incident_ids else ():
        counts = counted(incident, about.get(incident.id, ()))
        if counts != incident.counted:
            records.put_counted(incident, counts, key_id=key_id)


def _changes(before: Incident | None, after: Incident, said: Said) -> bool:
    """Return whether something else would be learnt from what counts if it were said there."""
    counts = Teaching(after.title, after.description) if before is None else before.counting_for().teaching
    return said.on(counts).lessons != counts.lessons

"""Lessons: what a key taught, when, and whether it counts. What counts of a record is what its lessons add up to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from smarttriage.domain.incident import Counted, Incident, Resolution, Teaching


class LessonKind(StrEnum):
    """What was taught about. Stable codes.

    "incident": labels, a resolution or a text; "outcome": what became of an article; "decision": of a draft.
    """

    INCIDENT = "incident"
    OUTCOME = "outcome"
    DECISION = "decision"


class Standing(StrEnum):
    """Whether a lesson counts. Stable codes."""

    COUNTS = "counts"
    QUARANTINED = "quarantined"
    REJECTED = "rejected"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class Said:
    """What was said of an incident at once.

    Attributes:
        labels: Target -> label; None takes one back.
        reviewed: Those of the targets that a person decided.
        resolution: What ended it, None if that was not said.
        title: The text as it reads since, None if it was left alone.
        description: The same.
    """

    labels: Mapping[str, str | None] = field(default_factory=dict)
    reviewed: frozenset[str] = frozenset()
    resolution: Resolution | None = None
    title: str | None = None
    description: str | None = None

    @property
    def is_nothing(self) -> bool:
        """Whether nothing was said."""
        return not self.labels and self.resolution is None and self.title is None and self.description is None

    def on(self, before: Teaching) -> Teaching:
        """Return what stands after it was said."""
        given = {target: label for target, label in self.labels.items() if label is not None}
        return Teaching(
            before.title if self.title is None else self.title,
            before.description if self.description is None else self.description,
            before.labels.without(self.labels.keys() - given.keys()).with_values(given),
            (before.reviewed - self.labels.keys()) | self.reviewed,
            self.resolution or before.resolution,
        )


@dataclass(frozen=True, slots=True)
class Lesson:
    """One thing that was taught.

    Attributes:
        id: Ours.
        tenant: Owner of the record.
        kind: What it is about.
        record_id: The incident, article or draft.
        key_id: API key that sent it: the source.
        person: Who speaks through the key, as `domain.outcome.person_of` counts people.
        at: When, UTC.
        standing: Whether it counts.
        said: What was said of an incident.
        before: What stood there before; None where the incident was made by it, and for what is not about an incident.
        creates: Whether it made the incident.
        told: The outcome or decision, in its stable code.
        outcome_ids: Outcomes of articles that follow from it.
        group_article: The article of a draft's group before the decision.
        agreed: (key, person) of everybody who said that it is right.
        decided_at: When it was confirmed, rejected or undone, UTC.
        decided_by: By which key.
        reason: Why it was rejected or undone.
    """

    id: str
    tenant: str
    kind: LessonKind
    record_id: str
    key_id: str
    person: str
    at: datetime
    standing: Standing = Standing.COUNTS
    said: Said = field(default_factory=Said)
    before: Teaching | None = None
    creates: bool = False
    told: str | None = None
    outcome_ids: tuple[str, ...] = ()
    group_article: str | None = None
    agreed: tuple[tuple[str, str], ...] = ()
    decided_at: datetime | None = None
    decided_by: str | None = None
    reason: str | None = None

    @property
    def n_agreed(self) -> int:
        """How many people said that it is right, through whatever key."""
        return len({person for _, person in self.agreed})

    def settled(self, standing: Standing, *, by: str, at: datetime, reason: str | None = None) -> "Lesson":
        """Return it with another standing."""
        return replace(self, standing=standing, decided_by=by, decided_at=at, reason=reason)


def said_of(before: Incident | None, after: Incident, named: Mapping[str, str | None], *, resolves: bool) -> Said:
    """Return what is said by changing an incident, or by making one, where `named` are the labels that were given or taken back."""
    labels = {target: after.labels.get(target) for target in named}
    return Said(
        labels=labels,
        reviewed=after.reviewed & labels.keys(),
        resolution=after.resolution if resolves else None,
        title=after.title if before is not None and before.title != after.title else None,
        description=after.description if before is not None and before.description != after.description else None,
    )


def counted(incident: Incident, lessons: Sequence[Lesson]) -> Counted | None:
    """Return what counts of an incident after all its lessons, oldest first; None where all that stands on it counts.

    Before the first lesson that does not count, all that stood there did; from then on only what the others say is added.
    """
    first = next((place for place, lesson in enumerate(lessons) if lesson.standing is not Standing.COUNTS), None)
    if first is None:
        return None
    state = lessons[first].before or Teaching(incident.title, incident.description)
    for lesson in lessons[first:]:
        if lesson.standing is Standing.COUNTS:
            state = lesson.said.on(state)
    gone = any(lesson.creates and lesson.standing is Standing.UNDONE for lesson in lessons)
    if state == incident.teaching and not gone:
        return None
    waiting = {lesson.key_id for lesson in lessons if lesson.standing is Standing.QUARANTINED}
    refused = any(lesson.standing in (Standing.REJECTED, Standing.UNDONE) for lesson in lessons)
    known_to = waiting.pop() if len(waiting) == 1 and not refused else None
    return Counted(state, known_to, gone)

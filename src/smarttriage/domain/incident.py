"""An incident as ITIL's logging stage wants it: what was seen, by whom, where it came from; unknown stays unknown (None)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from smarttriage.domain.access import EVERYONE, index_labels, own_label
from smarttriage.domain.text import model_text

# Incidents that were made of a judged suggestion: they are there to vote, nobody reported them.
FEEDBACK_SOURCE = "smarttriage-feedback"


class LabelOrigin(StrEnum):
    """How a label came to stand on an incident. Stable codes.

    A label that was filled in by the service and is still there when the incident is closed says nothing: the agent may have
    agreed or may not have looked. Such labels stand apart, so that the service never learns from itself.
    """

    RECORDED = "recorded"
    CONFIRMED = "confirmed"
    CORRECTED = "corrected"
    LEFT_STANDING = "left_standing"


class IncidentStatus(StrEnum):
    """Where an incident stands. Reopened ones are open again and keep their resolution's history in the change log."""

    OPEN = "open"
    IN_PROGRESS = "in_progress"
    RESOLVED = "resolved"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Resolution:
    """What ended an incident.

    Attributes:
        text: What was done, in the engineer's words.
        resolved_at: When, UTC.
        resolved_by: Who, as the source system names them; None if not said.
        article_id: The article that was used; None if none was.
        drafted_article_id: The draft that grew from this resolution; None if none did.
    """

    text: str
    resolved_at: datetime
    resolved_by: str | None = None
    article_id: str | None = None
    drafted_article_id: str | None = None


@dataclass(frozen=True, slots=True)
class Labels:
    """What an incident is. None means nobody has said; other targets (assignment group, product) stand in `custom`."""

    kind: str | None = None
    category: str | None = None
    sub_category: str | None = None
    impact: str | None = None
    urgency: str | None = None
    custom: dict[str, str] = field(default_factory=dict)

    def get(self, target: str) -> str | None:
        """Return the label of a target, one of the five or a custom one."""
        return getattr(self, target) if target in TARGETS else self.custom.get(target)

    def with_values(self, values: Mapping[str, str]) -> "Labels":
        """Return the labels with those of some targets replaced."""
        own = {target: value for target, value in values.items() if target not in TARGETS}
        return replace(self, **{t: values[t] for t in TARGETS if t in values}, custom={**self.custom, **own})

    def without(self, targets: Collection[str]) -> "Labels":
        """Return the labels with those of some targets taken back."""
        custom = {target: value for target, value in self.custom.items() if target not in targets}
        return replace(self, **dict.fromkeys((t for t in TARGETS if t in targets), None), custom=custom)


MAX_HEADING_CHARS = 80
TARGETS = ("kind", "category", "sub_category", "impact", "urgency")


@dataclass(frozen=True, slots=True)
class Teaching:
    """What of an incident teaches: its text, the labels that people decided, and what ended it."""

    title: str
    description: str
    labels: Labels = field(default_factory=Labels)
    reviewed: frozenset[str] = frozenset()
    resolution: Resolution | None = None

    @property
    def teaches(self) -> bool:
        """Whether it votes or tells a fix."""
        return bool(self.reviewed) or self.resolution is not None

    @property
    def lessons(self) -> tuple[object, ...]:
        """What somebody would learn from it; a text without labels and fix is a question, not a lesson."""
        decided = {target: self.labels.get(target) for target in sorted(self.reviewed)}
        return (decided, self.resolution, (self.title, self.description) if self.teaches else None)


@dataclass(frozen=True, slots=True)
class Counted:
    """What of an incident counts, where that is not all that stands on it.

    Attributes:
        teaching: What counts for everybody.
        known_to: The key that sees the incident whole, because all that is held back is its own; None: nobody does.
        taken_back: Whether the incident itself was taken back: it stays as a record, and is found only for what others taught on it.
    """

    teaching: Teaching
    known_to: str | None = None
    taken_back: bool = False


@dataclass(frozen=True, slots=True)
class Incident:
    """One reported event.

    Attributes:
        id: Ours, unique over all tenants.
        tenant: Owner of the record.
        audiences: Who inside the tenant may see it; empty means nobody.
        title: One line; may be empty if the description is not.
        description: The reporter's own words.
        status: Where it stands.
        labels: What it is.
        reviewed: Targets whose label a person decided (not merely left standing); only these vote and are learnt from.
        priority: P1..P5 by the matrix, None while impact or urgency is unknown.
        support_group: Who has it.
        detected_at: When monitoring or the reporter noticed, UTC.
        reported_at: When the desk was told, UTC; the SLA clock starts here.
        reporter: Who told.
        affected_users: Who is hit.
        affected_services: Which services are hit.
        configuration_items: Which CIs are named.
        symptoms: What is seen, where the source lists it apart from the description.
        initial_impact: What the reporter said of the impact, in their words.
        source_system: Where the record came from ("servicenow", "mail", ...).
        source_id: Its id there; unique together with tenant and source_system.
        logged_by: Who or what wrote it down.
        language: ISO 639-1 code, None if not known.
        created_at: When it was stored here, UTC.
        updated_at: When it last changed here, UTC.
        version: Counts changes from 1; the ETag.
        resolution: None while unresolved.
        label_origins: Target -> how its label came to stand, where that is known.
        counted: What of it counts for others; None: all of it.
    """

    id: str
    tenant: str
    title: str
    description: str
    created_at: datetime
    updated_at: datetime
    reported_at: datetime
    status: IncidentStatus = IncidentStatus.OPEN
    audiences: frozenset[str] = frozenset({EVERYONE})
    labels: Labels = field(default_factory=Labels)
    reviewed: frozenset[str] = frozenset()
    priority: str | None = None
    support_group: str | None = None
    detected_at: datetime | None = None
    reporter: str | None = None
    affected_users: tuple[str, ...] = ()
    affected_services: tuple[str, ...] = ()
    configuration_items: tuple[str, ...] = ()
    symptoms: tuple[str, ...] = ()
    initial_impact: str | None = None
    source_system: str | None = None
    source_id: str | None = None
    logged_by: str | None = None
    language: str | None = None
    version: int = 1
    resolution: Resolution | None = None
    label_origins: dict[str, LabelOrigin] = field(default_factory=dict)
    counted: Counted | None = None

    @property
    def text(self) -> str:
        """What models and indexes read."""
        return model_text(self.title, self.description)

    @property
    def heading(self) -> str:
        """The line that others show of it: its title, or the beginning of its text, without line breaks, where it has none."""
        return self.title or " ".join(self.text.split())[:MAX_HEADING_CHARS]

    @property
    def is_open(self) -> bool:
        """Whether work goes on."""
        return self.status in (IncidentStatus.OPEN, IncidentStatus.IN_PROGRESS)

    @property
    def teaching(self) -> Teaching:
        """What stands on it, whether it counts or not."""
        return Teaching(self.title, self.description, self.labels, self.reviewed, self.resolution)

    @property
    def index_labels(self) -> frozenset[str]:
        """Who finds it: its audiences; of one that is hidden the key that alone knows of it, if there is one."""
        if not self.is_hidden:
            return index_labels(self.tenant, self.audiences)
        known_to = self.counted.known_to if self.counted is not None else None
        return frozenset({own_label(self.tenant, known_to)} if known_to is not None else ())

    @property
    def is_hidden(self) -> bool:
        """Whether searches pass it over: it was taken back, or is there only for a lesson that is held back.

        An open incident that somebody reported is found however little of it counts: duplicates and outages must be seen.
        """
        held = self.counted
        mere_lesson = not self.is_open or self.source_system == FEEDBACK_SOURCE
        return held is not None and not held.teaching.teaches and (held.taken_back or mere_lesson)

    def counting_for(self, key_id: str | None = None) -> "Incident":
        """Return the incident as it counts for that key, by default for everybody."""
        held = self.counted
        if held is None or (key_id is not None and key_id == held.known_to):
            return self
        own = held.teaching
        return replace(
            self,
            title=own.title,
            description=own.description,
            labels=own.labels,
            reviewed=own.reviewed,
            resolution=own.resolution,
        )

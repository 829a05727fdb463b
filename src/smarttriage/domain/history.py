"""What happened to an incident after it was reported: resolved, reopened, given to another group."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from smarttriage.domain.incident import Incident, IncidentStatus


class HistoryKind(StrEnum):
    """What happened. Stable codes."""

    RESOLVED = "resolved"
    REOPENED = "reopened"
    REASSIGNED = "reassigned"


@dataclass(frozen=True, slots=True)
class IncidentCounts:
    """How often it happened, since the incident was reported; None where nobody counted from the beginning."""

    n_reopened: int | None = None
    n_reassigned: int | None = None


@dataclass(frozen=True, slots=True)
class Stand:
    """What of a stored incident decides what a change of it is."""

    status: IncidentStatus
    support_group: str | None
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True)
class Happening:
    """One step of an incident's history.

    Attributes:
        kind: What happened.
        before: Of a reassignment the group that had it; else the status.
        after: The group, or the status, since.
        resolved_at: Of a reopening when that resolution was; of a resolution when it was made.
    """

    kind: HistoryKind
    before: str
    after: str
    resolved_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class HistoryEvent:
    """A happening as it is stored; `at` is when the store was told, UTC."""

    seq: int
    incident_id: str
    happening: Happening
    at: datetime
    key_id: str | None = None


def happenings(before: Stand, after: Incident) -> Iterator[Happening]:
    """Yield what a change of an incident amounts to. A first group is no reassignment."""
    was_open = before.status in (IncidentStatus.OPEN, IncidentStatus.IN_PROGRESS)
    if was_open and not after.is_open:
        resolved_at = after.resolution.resolved_at if after.resolution else None
        yield Happening(HistoryKind.RESOLVED, before.status, after.status, resolved_at)
    if after.is_open and not was_open:
        yield Happening(HistoryKind.REOPENED, before.status, after.status, before.resolved_at)
    if before.support_group and after.support_group and before.support_group != after.support_group:
        yield Happening(HistoryKind.REASSIGNED, before.support_group, after.support_group)

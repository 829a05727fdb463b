"""What the store keeps of the course of incidents: events, counts, escalations; and what key figures are made of."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from smarttriage.domain.access import Principal
from smarttriage.domain.escalation import EscalationEvent
from smarttriage.domain.history import HistoryEvent, IncidentCounts
from smarttriage.domain.incident import Incident
from smarttriage.domain.kpi import IncidentFacts

if TYPE_CHECKING:
    from smarttriage.ports.store import IncidentFilter


class HistoryRecords(Protocol):
    """The part of `Records` that is about the course of incidents.

    Adding an incident sets its counts to zero, changing it writes what happened; both happen in the store, whoever writes.
    """

    def set_incident_counts(self, counts: Mapping[str, IncidentCounts]) -> None:
        """Replace what was counted of incidents, by id (for records that had a life elsewhere before)."""
        ...

    def incident_counts(self, incident_id: str) -> IncidentCounts:
        """Return how often it was reopened and reassigned; None where it is not known from the beginning."""
        ...

    def incident_history(self, incident_id: str) -> Sequence[HistoryEvent]:
        """Return what happened to the incident, oldest first."""
        ...

    def incident_facts(self, principal: Principal, where: "IncidentFilter") -> Sequence[IncidentFacts]:
        """Return what key figures need to know of the incidents that the principal may see, without due dates and verdicts."""
        ...

    def open_incidents(self, after: str, *, limit: int) -> Sequence[Incident]:
        """Return open incidents of every tenant with greater ids, by id (for background passes only)."""
        ...

    def n_open_at(self, tenant: str, at: datetime) -> int:
        """Return how many incidents that the tenant had been told of before were open at the instant."""
        ...

    def add_escalations(self, events: Sequence[EscalationEvent]) -> int:
        """Store events that are not there yet, by event id, in that order; return how many those are."""
        ...

    def told_escalations(self, event_ids: Collection[str]) -> frozenset[str]:
        """Return which of the event ids are stored."""
        ...

    def escalations(self, principal: Principal, *, after: int, limit: int) -> Sequence[EscalationEvent]:
        """Return stored events behind `after`, by seq, of incidents that the principal may see."""
        ...

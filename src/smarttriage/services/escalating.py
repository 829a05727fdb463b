"""Which escalation steps are due. They follow from the record and the clock alone, so that no crash can lose or repeat one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from smarttriage.domain.access import Principal
from smarttriage.domain.errors import ConfigurationError, NotFound
from smarttriage.domain.escalation import EscalationEvent, EscalationMatrix, StepOfIncident
from smarttriage.domain.incident import Incident, IncidentStatus
from smarttriage.domain.priority import PriorityPolicy
from smarttriage.domain.streams import ProposalKind
from smarttriage.ports import Clock, IncidentFilter, Records, Store

_PAGE = 500


@dataclass(frozen=True, slots=True)
class EscalationService:
    """Reads open incidents and says which duties their clocks have brought.

    A step's event has an id that is computed from incident, step and deadline: it is told as long as the incident is open (at least
    once), always under the same id, and nothing has to be remembered between two questions.
    """

    store: Store
    matrix: EscalationMatrix | None
    policy: PriorityPolicy
    clock: Clock

    def of(self, principal: Principal, incident_id: str) -> list[StepOfIncident]:
        """Return every step of an incident, due or to come. Raises NotFound for one that the principal may not see."""
        with self.store.begin() as records:
            incident = records.incident(incident_id, principal)
            declared = declared_major(records)
        if incident is None:
            raise NotFound(f'there is no incident "{incident_id}" that this key may see')
        return self._matrix().steps_of(incident, self.policy, now=self.clock(), declared=declared.get(incident_id))

    def due(self, principal: Principal) -> list[StepOfIncident]:
        """Return the steps that are due on all open incidents, oldest first."""
        matrix, now = self._matrix(), self.clock()
        with self.store.begin() as records:
            declared = declared_major(records)
        steps = [
            step
            for one in self._open(principal)
            for step in matrix.steps_of(one, self.policy, now=now, declared=declared.get(one.id))
            if step.is_due
        ]
        return sorted(steps, key=lambda one: (one.due_at, one.event_id))

    def events(self, principal: Principal, *, after: int, limit: int) -> Sequence[EscalationEvent]:
        """Return what was told behind `after`, in the order in which it was told."""
        with self.store.begin() as records:
            return records.escalations(principal, after=after, limit=limit)

    def _matrix(self) -> EscalationMatrix:
        if self.matrix is None:
            raise ConfigurationError("this installation has no escalation matrix; give it an escalation.toml")
        return self.matrix

    def _open(self, principal: Principal) -> Iterator[Incident]:
        for status in (IncidentStatus.OPEN, IncidentStatus.IN_PROGRESS):
            cursor: str | None = None
            while True:
                with self.store.begin() as records:
                    page = records.incidents(principal, IncidentFilter(status=status), limit=_PAGE, cursor=cursor)
                yield from page.items
                cursor = page.next_cursor
                if cursor is None:
                    break


def declared_major(records: Records) -> dict[str, str]:
    """Return incident id -> the open cluster that holds it and was promoted to a major incident."""
    promoted = [cluster.id for cluster, proposal in records.ongoing() if proposal.kind is ProposalKind.MAJOR]
    present = (each for cluster in promoted for each in records.memberships(cluster) if each.until is None)
    return {each.incident_id: each.cluster_id for each in present}

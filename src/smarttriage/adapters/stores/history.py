"""The course of incidents in a transaction: what happened to them, how often, and which escalations were told."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, exists, func, insert, or_, select, update

from smarttriage.adapters.stores.history_schema import escalation_event, incident_count, incident_event
from smarttriage.adapters.stores.incident_rows import incident_of
from smarttriage.adapters.stores.schema import incident, incident_audience
from smarttriage.adapters.stores.transaction import Transaction, chunks
from smarttriage.adapters.stores.types import InsertIfNew
from smarttriage.domain.access import Principal
from smarttriage.domain.escalation import EscalationEvent, EscalationKind
from smarttriage.domain.history import Happening, HistoryEvent, HistoryKind, IncidentCounts, Stand, happenings
from smarttriage.domain.incident import Incident, IncidentStatus

_COUNTED = {HistoryKind.REOPENED: incident_count.c.n_reopened, HistoryKind.REASSIGNED: incident_count.c.n_reassigned}
_OPEN = (IncidentStatus.OPEN, IncidentStatus.IN_PROGRESS)

_ADD_COUNTS = insert(incident_count)
_SET_COUNTS = (
    update(incident_count)
    .where(incident_count.c.incident_id == bindparam("of_incident"))
    .values(n_reopened=bindparam("reopened"), n_reassigned=bindparam("reassigned"))
)
_COUNTS = select(incident_count).where(incident_count.c.incident_id == bindparam("incident_id"))
_ADD_ONE = {
    kind: update(incident_count).where(incident_count.c.incident_id == bindparam("of_incident")).values({column: column + 1})
    for kind, column in _COUNTED.items()
}
_STAND = select(incident.c.status, incident.c.support_group, incident.c.resolved_at).where(
    incident.c.id == bindparam("id"), incident.c.tenant == bindparam("tenant")
)
_ADD_EVENT = insert(incident_event)
_HISTORY = select(incident_event).where(incident_event.c.incident_id == bindparam("incident_id")).order_by(incident_event.c.seq)
_OPEN_BEHIND = {
    status: select(incident)
    .where(incident.c.status == status, incident.c.id > bindparam("after"))
    .order_by(incident.c.id)
    .limit(bindparam("n_rows"))
    for status in _OPEN
}
_N_OPEN_AT = select(func.count()).where(
    incident.c.tenant == bindparam("tenant"),
    incident.c.reported_at < bindparam("at"),
    or_(incident.c.status.in_(_OPEN), incident.c.resolved_at.is_(None), incident.c.resolved_at >= bindparam("at")),
)
_ADD_ESCALATION = InsertIfNew(escalation_event)
_TOLD = select(escalation_event.c.event_id).where(escalation_event.c.event_id.in_(bindparam("ids", expanding=True)))
_ESCALATIONS = (
    select(escalation_event)
    .where(
        escalation_event.c.seq > bindparam("after"),
        escalation_event.c.tenant == bindparam("tenant"),
        exists().where(
            incident_audience.c.incident_id == escalation_event.c.incident_id,
            incident_audience.c.audience.in_(bindparam("audiences", expanding=True)),
        ),
    )
    .order_by(escalation_event.c.seq)
    .limit(bindparam("n_rows"))
)


class HistoryRecords(Transaction):
    """What happened to incidents; written with each change of one."""

    def set_incident_counts(self, counts: Mapping[str, IncidentCounts]) -> None:
        """Replace what was counted of incidents, by id."""
        if counts:
            rows = [
                {"of_incident": id_, "reopened": one.n_reopened, "reassigned": one.n_reassigned} for id_, one in counts.items()
            ]
            self._writes.execute(_SET_COUNTS, rows)

    def incident_counts(self, incident_id: str) -> IncidentCounts:
        """Return how often it was reopened and reassigned; None where it is not known from the beginning."""
        row = self._reads.execute(_COUNTS, {"incident_id": incident_id}).one_or_none()
        return IncidentCounts() if row is None else IncidentCounts(row.n_reopened, row.n_reassigned)

    def incident_history(self, incident_id: str) -> Sequence[HistoryEvent]:
        """Return what happened to the incident, oldest first."""
        return [_event_of(row) for row in self._reads.execute(_HISTORY, {"incident_id": incident_id})]

    def open_incidents(self, after: str, *, limit: int) -> Sequence[Incident]:
        """Return open incidents of every tenant with greater ids, by id."""
        rows = [row for query in _OPEN_BEHIND.values() for row in self._reads.execute(query, {"after": after, "n_rows": limit})]
        return [incident_of(row) for row in sorted(rows, key=lambda row: str(row.id))[:limit]]

    def n_open_at(self, tenant: str, at: datetime) -> int:
        """Return how many incidents that the tenant had been told of before were open at the instant."""
        return int(self._reads.execute(_N_OPEN_AT, {"tenant": tenant, "at": at}).scalar_one())

    def add_escalations(self, events: Sequence[EscalationEvent]) -> int:
        """Store events that are not there yet, by event id, in that order; return how many those are."""
        # One by one: drivers do not count rows of many at once, and new events are few.
        return sum(self._writes.execute(_ADD_ESCALATION, _escalation_row(one)).rowcount for one in events)

    def told_escalations(self, event_ids: Collection[str]) -> frozenset[str]:
        """Return which of the event ids are stored."""
        return frozenset(row.event_id for part in chunks(event_ids) for row in self._reads.execute(_TOLD, {"ids": part}))

    def escalations(self, principal: Principal, *, after: int, limit: int) -> Sequence[EscalationEvent]:
        """Return stored events behind `after`, by seq, of incidents that the principal may see."""
        values = {"after": after, "tenant": principal.tenant, "audiences": sorted(principal.audiences), "n_rows": limit}
        return [_escalation_of(row) for row in self._reads.execute(_ESCALATIONS, values)]

    def _begin_counting(self, incidents: Sequence[Incident]) -> None:
        self._writes.execute(_ADD_COUNTS, [{"incident_id": one.id, "n_reopened": 0, "n_reassigned": 0} for one in incidents])

    def _stand(self, changed: Incident) -> Stand | None:
        """Return how the incident stands before the change, None for an unknown one."""
        row = self._reads.execute(_STAND, {"id": changed.id, "tenant": changed.tenant}).one_or_none()
        return None if row is None else Stand(IncidentStatus(row.status), row.support_group, row.resolved_at)

    def _record_change(self, before: Stand | None, after: Incident, key_id: str | None) -> None:
        for one in () if before is None else happenings(before, after):
            named = {"incident_id": after.id, "tenant": after.tenant, "at": self._clock(), "key_id": key_id}
            own = {"kind": one.kind, "before": one.before, "after": one.after, "resolved_at": one.resolved_at}
            self._writes.execute(_ADD_EVENT, named | own)
            if one.kind in _ADD_ONE:
                self._writes.execute(_ADD_ONE[one.kind], {"of_incident": after.id})


def _event_of(row: Row[Any]) -> HistoryEvent:
    happening = Happening(HistoryKind(row.kind), row.before, row.after, row.resolved_at)
    return HistoryEvent(row.seq, row.incident_id, happening, row.at, row.key_id)


def _escalation_row(one: EscalationEvent) -> dict[str, Any]:
    return {name: getattr(one, name) for name in EscalationEvent.__slots__ if name != "seq"}


def _escalation_of(row: Row[Any]) -> EscalationEvent:
    values = {name: getattr(row, name) for name in EscalationEvent.__slots__}
    return EscalationEvent(**{**values, "kind": EscalationKind(row.kind)})

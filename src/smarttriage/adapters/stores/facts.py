"""What key figures are made of, read in four passes over narrow columns instead of whole incidents."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import exists, func, select

from smarttriage.adapters.stores.cluster_schema import cluster, cluster_membership, cluster_proposal
from smarttriage.adapters.stores.history_schema import incident_count, incident_event
from smarttriage.adapters.stores.incidents import narrowed, visible_to
from smarttriage.adapters.stores.schema import incident, suggestion
from smarttriage.adapters.stores.transaction import Transaction
from smarttriage.domain.access import Principal
from smarttriage.domain.history import HistoryKind
from smarttriage.domain.incident import IncidentStatus
from smarttriage.domain.kpi import RECURRENCE_WINDOW, IncidentFacts
from smarttriage.domain.streams import ClusterKind, ProposalKind, ProposalState
from smarttriage.ports import IncidentFilter

_COLUMNS = (
    incident.c.id,
    incident.c.reported_at,
    incident.c.detected_at,
    incident.c.status,
    incident.c.resolved_at,
    incident.c.priority,
    incident.c.category,
    incident.c.support_group,
    incident.c.resolution_article_id,
    incident_count.c.n_reopened,
    incident_count.c.n_reassigned,
)
_FACTS = select(*_COLUMNS).outerjoin(incident_count, incident_count.c.incident_id == incident.c.id)
_DISMISSED = exists().where(
    cluster_proposal.c.cluster_id == cluster.c.id,
    cluster_proposal.c.kind == ProposalKind.RECURRING.value,
    cluster_proposal.c.state == ProposalState.DISMISSED.value,
)
_RECURRING = (
    select(cluster_membership.c.incident_id, cluster_membership.c.cluster_id)
    .join(cluster, cluster.c.id == cluster_membership.c.cluster_id)
    .where(cluster.c.kind == ClusterKind.RECURRING.value, cluster_membership.c.until.is_(None), ~_DISMISSED)
)
_OPEN = frozenset({IncidentStatus.OPEN.value, IncidentStatus.IN_PROGRESS.value})


class FactRecords(Transaction):
    """Facts of many incidents at once."""

    def incident_facts(self, principal: Principal, where: IncidentFilter) -> Sequence[IncidentFacts]:
        """Return what key figures need to know of the incidents that the principal may see, without due dates and verdicts."""
        rows = self._reads.execute(_FACTS.where(visible_to(principal), *narrowed(where)))
        tenant, now = principal.tenant, self._clock()
        suggested, reopened = self._first_suggested(tenant), self._soonest_reopened(tenant)
        problems = dict(tuple(row) for row in self._reads.execute(_RECURRING.where(cluster.c.tenant == tenant)))
        return [_facts_of(tuple(row), suggested.get(row[0]), reopened.get(row[0]), problems.get(row[0]), now) for row in rows]

    def _first_suggested(self, tenant: str) -> Mapping[str, datetime]:
        of_incident = (
            select(suggestion.c.incident_id, func.min(suggestion.c.created_at))
            .where(suggestion.c.tenant == tenant, suggestion.c.incident_id.is_not(None))
            .group_by(suggestion.c.incident_id)
        )
        return {row[0]: row[1] for row in self._reads.execute(of_incident)}

    def _soonest_reopened(self, tenant: str) -> Mapping[str, bool]:
        """Return incident id -> whether a reopening followed its resolution within the window."""
        reopened = select(incident_event.c.incident_id, incident_event.c.at, incident_event.c.resolved_at).where(
            incident_event.c.tenant == tenant,
            incident_event.c.kind == HistoryKind.REOPENED,
            incident_event.c.resolved_at.is_not(None),
        )
        found: dict[str, bool] = {}
        for incident_id, at, resolved_at in self._reads.execute(reopened):
            found[incident_id] = found.get(incident_id, False) or at - resolved_at <= RECURRENCE_WINDOW
        return found


def _facts_of(
    row: tuple[Any, ...], suggested_at: datetime | None, reopened: bool | None, problem: str | None, now: datetime
) -> IncidentFacts:
    id_, opened_at, detected_at, status, resolved_at, priority, category, group, article, n_reopened, n_reassigned = row
    is_open = status in _OPEN
    ended_at = None if is_open else resolved_at
    return IncidentFacts(
        id=id_,
        opened_at=opened_at,
        detected_at=detected_at,
        resolved_at=ended_at,
        priority=priority,
        category=category,
        group=group,
        problem=None if is_open else article,
        known_problem=problem,
        n_reopened=n_reopened,
        n_reassigned=n_reassigned,
        used_article=None if ended_at is None else article is not None,
        reopened_soon=_reopened_soon(reopened, n_reopened, ended_at, now),
        had_suggestion=suggested_at is not None and (ended_at is None or suggested_at <= ended_at),
    )


def _reopened_soon(reopened: bool | None, n_reopened: int | None, resolved_at: datetime | None, now: datetime) -> bool | None:
    """Return whether it was; None where instants are missing or there is still time for it."""
    if reopened or n_reopened is None:
        return reopened or None
    if resolved_at is None or resolved_at + RECURRENCE_WINDOW > now or (n_reopened and reopened is None):
        return None
    return False

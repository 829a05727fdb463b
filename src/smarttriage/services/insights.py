"""The key figures of what the store holds, as far as the caller may see it."""

from dataclasses import dataclass, field
from datetime import datetime

from smarttriage.domain.access import Principal
from smarttriage.domain.priority import PriorityPolicy
from smarttriage.ports import Clock, IncidentFilter, Store
from smarttriage.services.clustering import POSITION
from smarttriage.services.kpi_facts import with_sla
from smarttriage.services.kpi_report import KpiReport, kpi_report
from smarttriage.services.report_cache import ReportCache


@dataclass(frozen=True, slots=True)
class InsightsService:
    """Reads narrow facts instead of incidents, in one transaction that no writer waits for; `cache` keeps what was counted."""

    store: Store
    policy: PriorityPolicy
    clock: Clock
    cache: ReportCache = field(default_factory=ReportCache)

    def report(
        self, principal: Principal, *, reported_from: datetime | None = None, reported_before: datetime | None = None
    ) -> KpiReport:
        """Return the report on the incidents that the principal may see, as of the instant that it names."""
        where = IncidentFilter(reported_from=reported_from, reported_before=reported_before)
        question = (principal.tenant, principal.audiences, reported_from, reported_before)
        return self.cache.get(question, state=self._state, now=self.clock, make=lambda: self._counted(principal, where))

    def _counted(self, principal: Principal, where: IncidentFilter) -> KpiReport:
        now = self.clock()
        with self.store.begin() as records:
            facts = records.incident_facts(principal, where)
        known = [with_sla(one, self.policy, now=now) for one in facts]
        return kpi_report(known, source=principal.tenant, now=now)

    def _state(self) -> object:
        """Return what differs after every write that may alter a figure.

        Incidents, their counts and what people do with clusters stand in the change log; what the detector does, behind its position.
        A suggestion counts once it belongs to a resolved incident, and both linking and resolving change an incident.
        """
        with self.store.begin() as records:
            return records.last_seq(), records.fact(POSITION), self.policy

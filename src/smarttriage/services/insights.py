"""The key figures of what the store holds, as far as the caller may see it."""

from dataclasses import dataclass
from datetime import datetime

from smarttriage.domain.access import Principal
from smarttriage.domain.priority import PriorityPolicy
from smarttriage.ports import Clock, IncidentFilter, Store
from smarttriage.services.kpi_facts import with_sla
from smarttriage.services.kpi_report import KpiReport, kpi_report


@dataclass(frozen=True, slots=True)
class InsightsService:
    """Reads narrow facts instead of incidents, in one transaction that no writer waits for."""

    store: Store
    policy: PriorityPolicy
    clock: Clock

    def report(
        self, principal: Principal, *, reported_from: datetime | None = None, reported_before: datetime | None = None
    ) -> KpiReport:
        """Return the report on the incidents that the principal may see."""
        now = self.clock()
        where = IncidentFilter(reported_from=reported_from, reported_before=reported_before)
        with self.store.begin() as records:
            facts = records.incident_facts(principal, where)
        known = [with_sla(one, self.policy, now=now) for one in facts]
        return kpi_report(known, source=principal.tenant, now=now)

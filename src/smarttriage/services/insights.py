"""The key figures of what the store holds, as far as the caller may see it."""

from dataclasses import dataclass
from datetime import datetime

from smarttriage.domain.access import Principal
from smarttriage.domain.incident import Incident
from smarttriage.domain.priority import PriorityPolicy
from smarttriage.ports import Clock, IncidentFilter, Store
from smarttriage.services.kpi_facts import facts_of_incidents
from smarttriage.services.kpi_report import KpiReport, kpi_report

_PAGE = 500


@dataclass(frozen=True, slots=True)
class InsightsService:
    """Reads incidents page by page, each page in a transaction of its own, so that no writer waits for a report."""

    store: Store
    policy: PriorityPolicy
    clock: Clock

    def report(
        self, principal: Principal, *, reported_from: datetime | None = None, reported_before: datetime | None = None
    ) -> KpiReport:
        """Return the report on the incidents that the principal may see."""
        now = self.clock()
        where = IncidentFilter(reported_from=reported_from, reported_before=reported_before)
        known = list(facts_of_incidents(self._incidents(principal, where), self.policy, now=now))
        return kpi_report(known, source=principal.tenant, now=now)

    def _incidents(self, principal: Principal, where: IncidentFilter) -> list[Incident]:
        found: list[Incident] = []
        cursor: str | None = None
        while True:
            with self.store.begin() as records:
                page = records.incidents(principal, where, limit=_PAGE, cursor=cursor)
            found += page.items
            cursor = page.next_cursor
            if cursor is None:
                return found

"""Forecasts of a desk: learnt from the resolved incidents of its store, asked of an open one."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from smarttriage.domain.access import Principal
from smarttriage.domain.errors import NotFound
from smarttriage.domain.incident import Incident
from smarttriage.domain.priority import PriorityPolicy
from smarttriage.ports import Clock, Store
from smarttriage.services.breach import BreachModel, Forecast, Method, Resolved, unknown
from smarttriage.services.resolution_time import Arrival

# The newest; a desk changes, and the features of so many take 80 MB while they are fitted.
MOST_ROWS = 20_000
_SECONDS_PER_HOUR = 3600


def learn(store: Store, policy: PriorityPolicy, *, tenant: str) -> BreachModel:
    """Return what the tenant's resolved incidents teach. Raises InvalidInput where they are too few.

    Priority, group and category are those that stand on the record now; the load is that of the instant of the report. Incidents that
    are still open teach nothing, so that in a quick growing backlog the newest rows are quicker than the desk is.
    """
    with store.begin() as records:
        own = [one for one in records.indexable_incidents() if one.tenant == tenant]
    return BreachModel.fit(resolved_rows(own, policy))


def resolved_rows(incidents: Sequence[Incident], policy: PriorityPolicy) -> list[Resolved]:
    """Return the newest resolved incidents that have a target, in order of arrival."""
    starts = sorted(one.reported_at for one in incidents)
    ends = sorted(at for one in incidents if (at := _ended(one)) is not None)
    known = [
        (one, at, one.priority)
        for one in sorted(incidents, key=lambda one: (one.reported_at, one.id))
        if (at := _ended(one)) is not None and at >= one.reported_at and one.priority in policy.targets
    ]
    rows = []
    for one, at, priority in known[-MOST_ROWS:]:
        n_open = bisect_left(starts, one.reported_at) - bisect_left(ends, one.reported_at)
        allowed = _hours(one.reported_at, policy.due_at(str(priority), one.reported_at))
        rows.append(Resolved(arrival_of(one, max(0, n_open)), _hours(one.reported_at, at), str(priority), allowed))
    return rows


def arrival_of(incident: Incident, n_open: int) -> Arrival:
    """Return what is known of the incident, with the load that it met."""
    facts = {"priority": incident.priority, "group": incident.support_group, "category": incident.labels.category}
    known = {name: value for name, value in facts.items() if value is not None}
    return Arrival(known, incident.reported_at.hour, incident.reported_at.weekday(), n_open, incident.text)


@dataclass(frozen=True, slots=True)
class ForecastService:
    """Answers for single incidents; `model` returns that of a tenant, None where none was trained."""

    store: Store
    policy: PriorityPolicy
    clock: Clock
    model: Callable[[str], BreachModel | None]

    def of(self, principal: Principal, incident_id: str) -> Forecast:
        """Return what is expected of the incident. Raises NotFound for one that the principal may not see."""
        with self.store.begin() as records:
            incident = records.incident(incident_id, principal)
            if incident is None:
                raise NotFound(f'there is no incident "{incident_id}" that this key may see')
            model = self.model(incident.tenant) if incident.is_open else None
            # Counting the load reads every incident of the tenant once; the median does not ask for it.
            asks_load = model is not None and model.method is Method.MODEL
            n_open = records.n_open_at(incident.tenant, incident.reported_at) if asks_load else 0
        if not incident.is_open:
            return unknown("it is resolved")
        if model is None:
            return unknown("no forecast was trained; `smarttriage forecast` does it once there is a history")
        has_target = incident.priority in self.policy.targets
        due_at = self.policy.due_at(str(incident.priority), incident.reported_at) if has_target else None
        return model.forecast(
            arrival_of(incident, n_open),
            priority=incident.priority,
            allowed_hours=None if due_at is None else _hours(incident.reported_at, due_at),
            open_for_hours=max(0.0, _hours(incident.reported_at, self.clock())),
        )


def _ended(one: Incident) -> datetime | None:
    return None if one.is_open or one.resolution is None else one.resolution.resolved_at


def _hours(start: datetime, end: datetime) -> float:
    return (end - start).total_seconds() / _SECONDS_PER_HOUR

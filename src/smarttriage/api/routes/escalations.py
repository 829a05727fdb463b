"""Escalation steps, as the clocks of open incidents bring them."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field

from smarttriage.api import documented
from smarttriage.api.answer_schemas import Out
from smarttriage.api.answers import answer
from smarttriage.api.calls import Call, Reader
from smarttriage.api.schemas import Body
from smarttriage.api.strict_json import StrictRoute
from smarttriage.domain.escalation import StepOfIncident
from smarttriage.services.breach import Method
from smarttriage.services.escalating import EscalationService
from smarttriage.services.forecasting import ForecastService

router = APIRouter(route_class=StrictRoute, tags=["escalation"])


class EscalationQuery(Body):
    """How many events are listed."""

    limit: Annotated[int, Field(ge=1, le=1000)] = 200


class EventQuery(Body):
    """Which events are listed: those behind `after`."""

    after: Annotated[int, Field(ge=0, le=2**62)] = 0
    limit: Annotated[int, Field(ge=1, le=1000)] = 200


class EscalationOut(Out):
    """A duty. Receivers tell repeats by `event_id`: the same step of the same incident and deadline always has the same."""

    event_id: str
    incident_id: str
    step: str
    kind: str = Field(description="functional, hierarchical or communication.")
    to: str
    action: str
    due_at: datetime
    is_due: bool
    because: str


class EscalationsOut(Out):
    """Steps in the order in which they fall due; `n` counts those that the limit leaves out too."""

    now: datetime
    n: int
    items: list[EscalationOut]


class EscalationEventOut(Out):
    """A duty that fell due: stored once, when it did; `seq` is its place in the feed."""

    seq: int
    event_id: str
    incident_id: str
    step: str
    kind: str = Field(description="functional, hierarchical or communication.")
    to: str
    action: str
    because: str
    due_at: datetime
    emitted_at: datetime


class EscalationEventsOut(Out):
    """Events in the order in which they were told; send `next_after` as `after` to go on behind them, now or later."""

    items: list[EscalationEventOut]
    next_after: int


class ForecastOut(Out):
    """How long the incident is expected to take; all null where too little is known, and `because` says why."""

    method: Method | None = Field(description="What did better on the newest fifth of the history: the model or the median.")
    hours: float | None = Field(description="Median of the hours from report to resolution, round the clock.")
    low: float | None = Field(description="90 % interval (conformal) of these hours.")
    high: float | None
    risk: float | None = Field(description="How likely the target is missed, given how long the incident has been open.")
    because: str


class IncidentEscalationOut(EscalationsOut):
    """Every step of an incident, and how likely it is to miss its target."""

    forecast: ForecastOut


@router.get(
    "/v1/escalations/events",
    summary="Follow escalation events",
    responses=documented.answers(EscalationEventsOut, *documented.READ),
)
def list_events(call: Reader, query: Annotated[EventQuery, Query()]) -> Response:
    """Return what was told behind `after`, on incidents that the key may see: each step of each incident once, for good."""
    found = _service(call).events(call.principal, after=query.after, limit=query.limit)
    items = [{name: getattr(one, name) for name in EscalationEventOut.model_fields} for one in found]
    return answer({"items": items, "next_after": found[-1].seq if found else query.after}).response


@router.get(
    "/v1/escalations", summary="List due escalation steps", responses=documented.answers(EscalationsOut, *documented.READ)
)
def list_due(call: Reader, query: Annotated[EscalationQuery, Query()]) -> Response:
    """Return what is due now on the open incidents that the key may see, told again under the same id until they are resolved."""
    return _answer(call, _service(call).due(call.principal), limit=query.limit)


@router.get(
    "/v1/incidents/{incident_id}/escalation",
    summary="Read an incident's escalation steps",
    responses=documented.answers(IncidentEscalationOut, *documented.READ_ONE),
)
def read_steps(call: Reader, incident_id: str) -> Response:
    """Return every step of the incident, due or to come, and why it applies; and how long it is expected to take."""
    services = call.services
    policy = services.live.state.models.policy
    steps = _service(call).of(call.principal, incident_id)
    service = ForecastService(store=services.store, policy=policy, clock=services.clock, model=services.forecast)
    found = service.of(call.principal, incident_id)
    forecast = {name: _rounded(getattr(found, name)) for name in ForecastOut.model_fields}
    items = [_shown(one) for one in steps]
    return answer({"now": services.clock(), "n": len(steps), "items": items, "forecast": forecast}).response


def _service(call: Call) -> EscalationService:
    services = call.services
    policy = services.live.state.models.policy
    return EscalationService(store=services.store, matrix=services.escalation, policy=policy, clock=services.clock)


def _answer(call: Call, steps: list[StepOfIncident], *, limit: int) -> Response:
    items = [_shown(one) for one in steps[:limit]]
    return answer({"now": call.services.clock(), "n": len(steps), "items": items}).response


def _shown(one: StepOfIncident) -> dict[str, Any]:
    duty = {"step": one.step.id, "kind": one.step.kind, "to": one.step.to, "action": one.step.action}
    own = {name: getattr(one, name) for name in ("event_id", "incident_id", "due_at", "is_due", "because")}
    return own | duty


def _rounded(value: object) -> object:
    return round(value, 3) if isinstance(value, float) else value

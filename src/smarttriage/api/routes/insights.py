"""Key figures, missed targets and trends of the incidents that the key may see."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from smarttriage.api import documented
from smarttriage.api.answers import answer
from smarttriage.api.calls import Call, Reader
from smarttriage.api.insight_schemas import BreachesOut, InsightQuery, KpisOut, TrendsOut
from smarttriage.api.routes import gaps, hygiene
from smarttriage.api.strict_json import StrictRoute
from smarttriage.services.insights import InsightsService
from smarttriage.services.kpi_report import KpiReport, plain

router = APIRouter(route_class=StrictRoute, tags=["insights"])
router.include_router(gaps.router)
router.include_router(hygiene.router)


class BreachQuery(InsightQuery):
    """Which incidents count, and how many of them are listed."""

    limit: Annotated[int, Field(ge=1, le=1000)] = 100


@router.get("/v1/insights/kpis", summary="Read the key figures", responses=documented.answers(KpisOut, *documented.READ))
def read_kpis(call: Reader, query: Annotated[InsightQuery, Query()]) -> Response:
    """Return times, shares and backlog, by priority, category and group, beside the targets. No figure is of a person."""
    return answer(plain(_report(call, query), KpisOut.model_fields)).response


@router.get("/v1/insights/breaches", summary="List missed targets", responses=documented.answers(BreachesOut, *documented.READ))
def read_breaches(call: Reader, query: Annotated[BreachQuery, Query()]) -> Response:
    """Return the incidents that missed their target on the business calendar, newest first."""
    found = _report(call, query)
    listed = plain(replace(found, breaches=found.breaches[: query.limit]), ("now", "breaches"))
    return answer({"now": listed["now"], "n": len(found.breaches), "items": listed["breaches"]}).response


@router.get("/v1/insights/trends", summary="Read volume and mix", responses=documented.answers(TrendsOut, *documented.READ))
def read_trends(call: Reader, query: Annotated[InsightQuery, Query()]) -> Response:
    """Return volume by month, the largest categories by month, and days unlike the same weekday before."""
    found = _report(call, query)
    shown = plain(found, ("now", "category_mix", "unusual_days"))
    return answer({**shown, "opened_by_month": found.figures.opened_by_month}).response


def _report(call: Call, query: InsightQuery) -> KpiReport:
    services = call.services
    policy = services.live.state.models.policy
    service = InsightsService(store=services.store, policy=policy, clock=services.clock, cache=services.reports)
    return service.report(call.principal, reported_from=query.reported_from, reported_before=query.reported_before)

"""Knowledge gaps, and the button that begins to close one."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from smarttriage.api import documented, wire
from smarttriage.api.answers import Answer, answer, etag
from smarttriage.api.calls import Call, Reader, Writer
from smarttriage.api.gap_schemas import GapDraftCreate, GapQuery, GapsOut
from smarttriage.api.record_schemas import ArticleOut
from smarttriage.api.strict_json import StrictRoute
from smarttriage.domain.gaps import Gap
from smarttriage.services.gaps import GapService

router = APIRouter(route_class=StrictRoute, tags=["insights"])
DRAFTS = "/v1/insights/gaps/drafts"
# A draft quotes at most so many incidents; the sample comes first.
_MAX_QUOTED = 10


@router.get("/v1/insights/gaps", summary="List knowledge gaps", responses=documented.answers(GapsOut, *documented.READ))
def list_gaps(call: Reader, query: Annotated[GapQuery, Query()]) -> Response:
    """Return topics that no article helps with, the costliest first, and opportunities that were missed."""
    found = _service(call).report(call.principal, reported_from=query.reported_from, reported_before=query.reported_before)
    shown = {
        "now": call.services.clock(),
        "n_incidents": found.n,
        "n_unread": found.n_unread,
        "helped": found.helped,
        "n_topics": len(found.gaps),
        "n_vital": sum(gap.vital for gap in found.gaps),
        "items": [_shown(gap) for gap in found.gaps[: query.limit]],
        "n_missed": len(found.missed),
        "missed": found.missed[: query.limit],
    }
    return answer(shown).response


@router.post(
    DRAFTS,
    status_code=201,
    summary="Draft an article from incidents",
    responses=documented.answers(ArticleOut, *documented.WRITE_ONE, status=201, headers=("ETag", "Location")),
)
def draft_article(call: Writer, body: GapDraftCreate) -> Response:
    """Store a draft that quotes symptoms and resolutions, each line with its incident; the same incidents again answer 409."""

    def work() -> Answer:
        made = _service(call).draft(call.principal, body.incident_ids, title=body.title, knowledge=call.services.knowledge)
        return answer(wire.article(made), 201, ETag=etag(made.version), Location=f"/v1/articles/{made.id}")

    return call.commit(work)


def _service(call: Call) -> GapService:
    services = call.services
    return GapService(store=services.store, live=services.live, clock=services.clock)


def _shown(gap: Gap) -> dict[str, Any]:
    """Return the topic with the request that drafts an article from it."""
    own = {name: getattr(gap, name) for name in Gap.__slots__ if name != "incident_ids"}
    quoted = list(dict.fromkeys([*(one.id for one in gap.sample), *gap.incident_ids]))[:_MAX_QUOTED]
    return own | {"draft": {"method": "POST", "path": DRAFTS, "body": {"incident_ids": quoted}}}

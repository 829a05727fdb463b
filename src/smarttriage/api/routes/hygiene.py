"""What is wrong with the knowledge base as a whole."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from smarttriage.api import documented
from smarttriage.api.answers import answer
from smarttriage.api.calls import Reader
from smarttriage.api.hygiene_schemas import HygieneOut, HygieneQuery
from smarttriage.api.strict_json import StrictRoute
from smarttriage.services.hygiene import Hygiene, HygieneService

router = APIRouter(route_class=StrictRoute, tags=["insights"])


@router.get(
    "/v1/insights/hygiene", summary="List what is wrong with articles", responses=documented.answers(HygieneOut, *documented.READ)
)
def list_faults(call: Reader, query: Annotated[HygieneQuery, Query()]) -> Response:
    """Return twins, links that cannot work, articles never suggested, wrong categories, and those that somebody should look at."""
    services = call.services
    found = HygieneService(store=services.store, live=services.live, clock=services.clock).report(call.principal)
    lists = _lists(found)
    counts = {"articles": len(found.titles)} | {name: len(items) for name, items in lists.items()}
    listed = {name: items[: query.limit] for name, items in lists.items()}
    return answer({"now": services.clock(), "counts": counts, **listed}).response


def _lists(found: Hygiene) -> dict[str, list[Any]]:
    def named(article_id: str) -> dict[str, Any]:
        return {"id": article_id, "title": found.titles[article_id]}

    return {
        "twins": [
            {"keep": named(pair.keep), "merge": named(pair.merge), "cosine": pair.cosine, "same_words": pair.same_words}
            for pair in found.twins
        ],
        "links": [{**named(each.article_id), "links": each.links} for each in found.links],
        "never_suggested": [named(article_id) for article_id in found.never_suggested],
        "categories": [
            {
                **named(each.article_id),
                "category": each.category,
                "proposed": each.proposed,
                "n": each.n,
                "n_proposed": each.n_proposed,
            }
            for each in found.drawers
        ],
        "attention": [{**named(each.article_id), "owner": each.owner, "reasons": each.reasons} for each in found.attention],
    }

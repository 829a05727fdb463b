"""Search by words of one's own."""

from fastapi import APIRouter, Response

from smarttriage.api import documented, suggestion_wire
from smarttriage.api.answer_schemas import SearchOut
from smarttriage.api.answers import Answer, answer
from smarttriage.api.calls import Suggester, not_longer
from smarttriage.api.schemas import Search
from smarttriage.api.strict_json import StrictRoute

router = APIRouter(route_class=StrictRoute, tags=["suggestions"])


@router.post(
    "/v1/search",
    summary="Search articles and past incidents",
    responses=documented.answers(SearchOut, *documented.WRITE),
)
def search(call: Suggester, body: Search) -> Response:
    """Return what is nearest by meaning and by words; what a suggestion would hold back comes too, with `relevant` false."""
    not_longer("text", body.text, call.services.limits.max_description_chars)

    def work() -> Answer:
        found = call.services.search.search(call.principal, body.text, k=body.k, collections=frozenset(body.collections))
        return answer(suggestion_wire.found(found))

    return call.once(work).response

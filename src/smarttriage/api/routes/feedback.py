"""What people say of a suggestion."""

from fastapi import APIRouter, Response

from smarttriage.api import documented, wire
from smarttriage.api.answers import Answer, answer
from smarttriage.api.calls import Writer
from smarttriage.api.feedback_schemas import FeedbackCreate, FeedbackItem
from smarttriage.api.record_schemas import JudgedOut
from smarttriage.api.strict_json import StrictRoute
from smarttriage.domain.errors import InvalidInput
from smarttriage.services.learning import Judgement

router = APIRouter(route_class=StrictRoute, tags=["feedback"])
_ITEM = ("action", "field", "value", "match_id", "given_by")


@router.post(
    "/v1/feedback",
    status_code=201,
    summary="Judge a suggestion",
    responses=documented.answers(JudgedOut, *documented.WRITE_ONE, status=201),
)
def create_feedback(call: Writer, body: FeedbackCreate) -> Response:
    """Store judgements. Accepted and replaced labels vote at once for the incidents that come next."""
    judgements = [_judgement(item) for item in _items(body)]

    def work() -> Answer:
        stored, incident_id = call.services.learning.judge(call.principal, body.suggestion_id, judgements)
        items = [wire.feedback(item) for item in stored]
        return answer(
            {
                "suggestion_id": body.suggestion_id,
                "incident_id": incident_id,
                "items": items,
                "quarantined": not call.principal.is_trusted,
            },
            201,
        )

    return call.commit(work)


def _items(body: FeedbackCreate) -> list[FeedbackItem]:
    inline = {name: getattr(body, name) for name in _ITEM if getattr(body, name) is not None}
    if body.items is None:
        if body.action is None:
            raise InvalidInput("nothing is judged; send an action, or a list of items", field="action")
        return [FeedbackItem(**inline)]
    if inline:
        first = next(iter(inline))
        raise InvalidInput(f"{first} cannot stand beside items; put it into one of them", field=first)
    return body.items


def _judgement(item: FeedbackItem) -> Judgement:
    return Judgement(item.action, item.field, item.value, item.match_id, item.given_by)

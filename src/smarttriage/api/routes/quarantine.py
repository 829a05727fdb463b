"""What keys taught that are not trusted: listed, confirmed, rejected."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import ConfigDict, Field

from smarttriage.api import documented
from smarttriage.api.answer_schemas import Out
from smarttriage.api.answers import Answer, answer
from smarttriage.api.calls import Reader, Reviewer, Writer
from smarttriage.api.schemas import MAX_PAGE, Body, Line
from smarttriage.api.strict_json import StrictRoute
from smarttriage.domain.lesson import Lesson, LessonKind, Standing

router = APIRouter(route_class=StrictRoute, tags=["quarantine"])
_OWN = ("id", "kind", "record_id", "key_id", "person", "at", "standing", "decided_at", "decided_by", "reason")
_SAID = ("title", "description")
Ids = Annotated[list[Annotated[str, Field(max_length=200)]], Field(min_length=1, max_length=100)]


class QuarantineQuery(Body):
    """Filters of the list."""

    standing: Standing = Field(Standing.QUARANTINED, description="What was rejected or undone is listed as well, if asked for.")
    key_id: Line | None = Field(None, description="Only what this key taught.")
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = 50
    cursor: Line | None = Field(None, description="`next_cursor` of the page before.")


class LessonsConfirm(Body):
    """Which lessons are right."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"ids": ["les_inc_01a20e782d7c.2"]}]})
    ids: Ids


class LessonsAgree(LessonsConfirm):
    """Which lessons are right, and who says so."""

    given_by: Line | None = Field(None, description="The person, as the platform names them; only a trusted key may name one.")


class LessonsReject(Body):
    """Which lessons are wrong, and why."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"ids": ["les_inc_01a20e782d7c.2"], "reason": "Unsafe advice."}]})
    ids: Ids
    reason: Line = Field(description="What is wrong, in a few words.")


class LessonOut(Out):
    """What was taught at once about one incident or article."""

    id: str
    kind: LessonKind
    record_id: str = Field(description="The incident or article.")
    key_id: str = Field(description="The source.")
    person: str = Field(description="Who counts as having said it: the key itself where it is not trusted.")
    at: datetime
    standing: Standing
    labels: dict[str, str | None] = Field(description="Labels that were given; null: taken back.")
    resolution: str | None
    title: str | None = Field(description="The title as it was changed to, null if it was not.")
    description: str | None
    outcome: str | None = Field(description="What became of the article.")
    n_agreed: int = Field(description="Trusted people who said that it is right.")
    decided_at: datetime | None
    decided_by: str | None
    reason: str | None


class LessonsOut(Out):
    """Lessons as they stand now."""

    items: list[LessonOut]


class QuarantineOut(LessonsOut):
    """A page of lessons, the oldest first; `next_cursor` is null on the last."""

    next_cursor: str | None


@router.get("/v1/quarantine", summary="List what waits", responses=documented.answers(QuarantineOut, *documented.READ))
def list_quarantine(call: Reader, query: Annotated[QuarantineQuery, Query()]) -> Response:
    """Return a page of lessons about what the key may see; without a filter those that count for their own key alone."""
    page = call.services.quarantine.lessons(
        call.principal, standing=query.standing, key_id=query.key_id, limit=query.limit, cursor=query.cursor
    )
    return answer({"items": [_lesson(each) for each in page.items], "next_cursor": page.next_cursor}).response


@router.post(
    "/v1/quarantine/confirm",
    summary="Confirm lessons",
    responses=documented.answers(LessonsOut, *documented.WRITE_ONE),
)
def confirm_lessons(call: Reviewer, body: LessonsConfirm) -> Response:
    """Let lessons count from now on, all or none; also what was rejected or undone; not the key's own."""

    def work() -> Answer:
        confirmed = call.services.quarantine.confirm(call.principal, body.ids)
        return answer({"items": [_lesson(each) for each in confirmed]})

    return call.commit(work)


@router.post(
    "/v1/quarantine/agree",
    summary="Agree with lessons",
    responses=documented.answers(LessonsOut, *documented.WRITE_ONE),
)
def agree_with_lessons(call: Writer, body: LessonsAgree) -> Response:
    """Add a person's word for lessons, through a trusted key; they count once enough people agree."""

    def work() -> Answer:
        agreed = call.services.quarantine.agree(call.principal, body.ids, given_by=body.given_by)
        return answer({"items": [_lesson(each) for each in agreed]})

    return call.commit(work)


@router.post(
    "/v1/quarantine/reject",
    summary="Reject lessons",
    responses=documented.answers(LessonsOut, *documented.WRITE_ONE),
)
def reject_lessons(call: Reviewer, body: LessonsReject) -> Response:
    """Let lessons count for nobody, all or none; they stay on their records as they were written."""

    def work() -> Answer:
        rejected = call.services.quarantine.reject(call.principal, body.ids, reason=body.reason)
        return answer({"items": [_lesson(each) for each in rejected]})

    return call.commit(work)


def _lesson(lesson: Lesson) -> dict[str, Any]:
    said = lesson.said
    told = {"labels": said.labels, "resolution": said.resolution.text if said.resolution else None, "outcome": lesson.told}
    own = {name: getattr(lesson, name) for name in _OWN} | {name: getattr(said, name) for name in _SAID}
    return own | told | {"n_agreed": lesson.n_agreed}

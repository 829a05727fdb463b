"""Everything that a key taught since an instant, undone at once."""

from dataclasses import asdict
from datetime import datetime

from fastapi import APIRouter, Response
from pydantic import AwareDatetime, ConfigDict, Field

from smarttriage.api import documented
from smarttriage.api.answer_schemas import Out
from smarttriage.api.answers import Answer, answer
from smarttriage.api.calls import Administrator
from smarttriage.api.schemas import Body, Line
from smarttriage.api.strict_json import StrictRoute
from smarttriage.domain.article import ArticleStatus
from smarttriage.domain.errors import BundleError, Conflict

router = APIRouter(route_class=StrictRoute, tags=["administration"])


class UndoCreate(Body):
    """Since when the words of a key are taken back."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"since": "2026-11-23T08:00:00Z", "dry_run": True}]})
    since: AwareDatetime
    dry_run: bool = Field(False, description="Only say what would be undone.")
    reason: Line | None = Field(None, description="Why; kept with each lesson.")


class UndoneArticleOut(Out):
    """An article, the versions that the key wrote, and its status without them."""

    id: str
    undone: list[int]
    status: ArticleStatus


class UndoneOut(Out):
    """What was undone; a second time nothing is left."""

    key_id: str
    since: datetime
    dry_run: bool
    n_lessons: int
    incidents: list[str] = Field(description="Incidents that teach something else now, or nothing; the records stay.")
    n_outcomes: int
    n_confirmed: int = Field(description="Lessons of others that wait again because only this key had decided them.")
    articles: list[UndoneArticleOut]
    built_on: list[str] = Field(description="Published articles of others that were drafted from it; they stay: read them again.")
    drafts: list[str] = Field(description="Drafts that are to be decided anew.")
    models: list[str] = Field(description="Versions that were trained since then on rows that the key had labelled.")
    serving: str | None = Field(description="The version that served before; null: the shipped starter.")
    serves: str | None = Field(description="The version that serves now.")


@router.post(
    "/v1/admin/keys/{key_id}/undo",
    summary="Undo what a key taught",
    responses=documented.answers(UndoneOut, *documented.WRITE_ONE),
)
def undo_key(call: Administrator, key_id: str, body: UndoCreate) -> Response:
    """Bring knowledge base, indexes, drafts and models back to what they would be had the key taught nothing since then."""

    def work() -> Answer:
        try:
            undone = call.services.undoing.undo(
                call.principal, key_id, since=body.since, reason=body.reason or "", dry_run=body.dry_run
            )
        except BundleError as error:
            raise Conflict(f"nothing was undone, the model before cannot be served: {error.message}") from error
        return answer(asdict(undone))

    return call.commit(work)

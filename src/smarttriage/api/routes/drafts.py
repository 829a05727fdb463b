"""Drafts that grew from resolved incidents: listed, read with their sources, accepted, rejected."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import ConfigDict, Field

from smarttriage.api import documented, wire
from smarttriage.api.answer_schemas import Out
from smarttriage.api.answers import Answer, answer, etag
from smarttriage.api.calls import IfMatch, Reader, Reviewer, version_of
from smarttriage.api.record_schemas import ArticleOut
from smarttriage.api.schemas import MAX_PAGE, Body, Line
from smarttriage.api.strict_json import StrictRoute
from smarttriage.domain.draft import ArticleDraft, DraftKind, DraftStatus, Section, SourceField
from smarttriage.domain.observation import GroupEventKind
from smarttriage.services.drafts import DraftView

router = APIRouter(route_class=StrictRoute, tags=["drafts"])
_OWN = (
    "id",
    "kind",
    "status",
    "title",
    "category",
    "sub_category",
    "language",
    "article_id",
    "group_id",
    "created_at",
    "updated_at",
)
_DECISION = ("decided_at", "decided_by", "reason", "version")


class DraftQuery(Body):
    """Filters of a list of drafts."""

    status: DraftStatus | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = 50
    cursor: Line | None = Field(None, description="`next_cursor` of the page before.")


class DraftReject(Body):
    """Why a draft is not published."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "Step 2 is only safe outside office hours."}]})
    reason: Line = Field(description="What is wrong with it, in a few words.")


class DraftSummaryOut(Out):
    """A draft without its text; `incident_ids` are those that the key may see."""

    id: str
    kind: DraftKind
    status: DraftStatus
    title: str
    category: str | None
    sub_category: str | None
    keywords: list[str]
    language: str
    article_id: str | None = Field(description="The article that is edited, or the unpublished one that would be.")
    group_id: str
    incident_ids: list[str]
    created_at: datetime
    updated_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    reason: str | None
    version: int


class DraftsOut(Out):
    """A page of drafts, the last changed first; `next_cursor` is null on the last."""

    items: list[DraftSummaryOut]
    next_cursor: str | None


class CitationOut(Out):
    """Where a sentence comes from: `quote` is [start, end) of a field of the incident as it was when it was resolved."""

    incident_id: str
    field: SourceField
    start: int
    end: int
    quote: str


class DraftSentenceOut(Out):
    """One sentence, and every incident that said it and that the key may see."""

    section: Section
    text: str
    citations: list[CitationOut]


class GroupEventOut(Out):
    """What happened to the group of incidents behind the draft."""

    kind: GroupEventKind
    at: datetime
    observation_id: str | None
    other_id: str | None


class DraftOut(DraftSummaryOut):
    """A draft with its sources; `n_withheld` sentences come only from incidents that the key may not see."""

    sentences: list[DraftSentenceOut]
    n_withheld: int
    body: str
    diff: str = Field(description="The proposed body beside the present article's, as a unified diff.")
    history: list[GroupEventOut]


class AcceptedOut(Out):
    """The decided draft and the article as it is published."""

    draft: DraftSummaryOut
    article: ArticleOut


@router.get("/v1/drafts", summary="List drafts", responses=documented.answers(DraftsOut, *documented.READ))
def list_drafts(call: Reader, query: Annotated[DraftQuery, Query()]) -> Response:
    """Return a page of the drafts that the key may see."""
    page = call.services.drafts.list(call.principal, status=query.status, limit=query.limit, cursor=query.cursor)
    return answer({"items": [_summary(draft) for draft in page.items], "next_cursor": page.next_cursor}).response


@router.get(
    "/v1/drafts/{draft_id}",
    summary="Read a draft with its sources",
    responses=documented.answers(DraftOut, *documented.READ_ONE, headers=("ETag",)),
)
def read_draft(call: Reader, draft_id: str) -> Response:
    """Return every sentence with the incidents that said it, and the diff against the present article."""
    view = call.services.drafts.get(call.principal, draft_id)
    return answer(_shown(view), ETag=etag(view.draft.version)).response


@router.post(
    "/v1/drafts/{draft_id}/accept",
    summary="Accept a draft",
    responses=documented.answers(AcceptedOut, *documented.EDIT_ONE, headers=("ETag",)),
)
def accept_draft(call: Reviewer, draft_id: str, if_match: IfMatch = None) -> Response:
    """Publish what it proposes as a new article or a new revision; it is suggested within a second."""
    version = version_of(if_match)

    def work() -> Answer:
        draft, article = call.services.drafts.accept(call.principal, draft_id, version=version)
        return answer({"draft": _summary(draft), "article": wire.article(article)}, ETag=etag(draft.version))

    return call.commit(work)


@router.post(
    "/v1/drafts/{draft_id}/reject",
    summary="Reject a draft",
    responses=documented.answers(DraftSummaryOut, *documented.EDIT_ONE, headers=("ETag",)),
)
def reject_draft(call: Reviewer, draft_id: str, body: DraftReject, if_match: IfMatch = None) -> Response:
    """Publish nothing, and do not propose the same again."""
    version = version_of(if_match)

    def work() -> Answer:
        draft = call.services.drafts.reject(call.principal, draft_id, reason=body.reason, version=version)
        return answer(_summary(draft), ETag=etag(draft.version))

    return call.commit(work)


def _summary(draft: ArticleDraft) -> dict[str, Any]:
    lists = {"keywords": list(draft.keywords), "incident_ids": list(draft.incident_ids)}
    return {name: getattr(draft, name) for name in (*_OWN, *_DECISION)} | lists


def _shown(view: DraftView) -> dict[str, Any]:
    sentences = [
        {
            "section": sentence.section,
            "text": sentence.text,
            "citations": [
                {name: getattr(source.citation, name) for name in ("incident_id", "field", "start", "end")}
                | {"quote": source.quote}
                for source in sources
            ],
        }
        for sentence, sources in zip(view.draft.sentences, view.sources, strict=True)
    ]
    history = [{name: getattr(event, name) for name in ("kind", "at", "observation_id", "other_id")} for event in view.history]
    text = {"n_withheld": view.n_withheld, "body": view.body, "diff": view.diff}
    return _summary(view.draft) | {"sentences": sentences, **text, "history": history}

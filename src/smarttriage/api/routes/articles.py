"""Articles: written, edited as revisions, submitted, published, retired."""

from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from smarttriage.api import documented, wire
from smarttriage.api.answers import Answer, answer, etag
from smarttriage.api.calls import Call, Editor, IfMatch, Reader, Reviewer, Writer, not_longer, version_of
from smarttriage.api.feedback_schemas import OutcomeCreate
from smarttriage.api.record_schemas import ArticleOut, ArticleReadOut, ArticlesOut, EvidenceLifeOut, HistoryOut
from smarttriage.api.schemas import ArticleCreate, ArticlePatch, ArticleQuery
from smarttriage.api.strict_json import StrictRoute
from smarttriage.domain.article import Article, ArticleStatus
from smarttriage.domain.errors import InvalidInput

router = APIRouter(route_class=StrictRoute, tags=["articles"])
AcceptWarnings = Annotated[
    bool,
    Query(
        description="Publish although the article looks written to be found rather than read (repeated words, lists of keywords)."
    ),
]
_FIELDS = ("title", "body", "category", "sub_category", "language", "owner", "valid_until", "keywords", "source_incidents")


@router.post(
    "/v1/articles",
    status_code=201,
    summary="Write an article",
    responses=documented.answers(ArticleOut, *documented.WRITE, status=201, headers=("ETag", "Location")),
)
def create_article(call: Writer, body: ArticleCreate) -> Response:
    """Store a draft; only published articles are suggested."""
    not_longer("body", body.body, call.services.limits.max_description_chars)
    now = call.services.clock()
    article = Article(
        id="",
        tenant=call.principal.tenant,
        created_at=now,
        updated_at=now,
        audiences=frozenset(body.audiences or call.principal.audiences),
        **_values(body, _FIELDS),
    )

    def work() -> Answer:
        stored = call.services.knowledge.create(call.principal, article)
        return _present(stored, 201, Location=f"/v1/articles/{stored.id}")

    return call.commit(work)


@router.get("/v1/articles", summary="List articles", responses=documented.answers(ArticlesOut, *documented.READ))
def list_articles(call: Reader, query: Annotated[ArticleQuery, Query()]) -> Response:
    """Return a page of the latest revisions that the key may see, by id."""
    page = call.services.knowledge.list(call.principal, status=query.status, limit=query.limit, cursor=query.cursor)
    return answer(wire.articles(page)).response


@router.get(
    "/v1/articles/{article_id}",
    summary="Read an article",
    responses=documented.answers(ArticleReadOut, *documented.READ_ONE, headers=("ETag",)),
)
def read_article(call: Reader, article_id: str) -> Response:
    """Return the latest revision, its ETag, and what those who tried the article say of it."""
    found = call.services.knowledge.get(call.principal, article_id)
    evidence = wire.article_life(call.services.outcomes.life(call.principal, article_id), call.services.clock())
    return answer({**wire.article(found), "evidence": evidence}, ETag=etag(found.version)).response


@router.post(
    "/v1/articles/{article_id}/outcomes",
    status_code=201,
    summary="Say what became of an article",
    responses=documented.answers(EvidenceLifeOut, *documented.WRITE_ONE, status=201),
)
def say_outcome(call: Writer, article_id: str, body: OutcomeCreate) -> Response:
    """Store that it worked, did not work or was not tried; return what is known of it now.

    A resolution that names its article, thumbs on a suggestion and a reopened incident say the same by themselves.
    """

    def work() -> Answer:
        said = call.services.outcomes.say(
            call.principal, article_id, body.outcome, given_by=body.given_by, incident_id=body.incident_id
        )
        return answer(wire.article_life(said, call.services.clock()), 201)

    return call.commit(work)


@router.get(
    "/v1/articles/{article_id}/history",
    summary="Read every version of an article",
    responses=documented.answers(HistoryOut, *documented.READ_ONE),
)
def read_history(call: Reader, article_id: str) -> Response:
    """Return every version, newest first."""
    versions = call.services.knowledge.history(call.principal, article_id)
    return answer({"items": [wire.article(version) for version in versions]}).response


@router.patch(
    "/v1/articles/{article_id}",
    summary="Edit an article",
    responses=documented.answers(ArticleOut, *documented.EDIT_ONE, headers=("ETag",)),
)
def edit_article(call: Editor, article_id: str, body: ArticlePatch, if_match: IfMatch = None) -> Response:
    """Change what the body names. A change of content is a new revision; the published one is suggested until the next is."""
    not_longer("body", body.body, call.services.limits.max_description_chars)
    version = version_of(if_match)
    return call.commit(
        lambda: _present(call.services.knowledge.edit(call.principal, article_id, _changes(body), version=version))
    )


@router.post(
    "/v1/articles/{article_id}/submit",
    summary="Submit an article for review",
    responses=documented.answers(ArticleOut, *documented.EDIT_ONE, headers=("ETag",)),
)
def submit_article(call: Writer, article_id: str, if_match: IfMatch = None) -> Response:
    """Hand a draft over to the reviewers."""
    return _moved(call, article_id, ArticleStatus.IN_REVIEW, if_match)


@router.post(
    "/v1/articles/{article_id}/publish",
    summary="Publish an article",
    responses=documented.answers(ArticleOut, *documented.EDIT_ONE, headers=("ETag",)),
)
def publish_article(
    call: Reviewer, article_id: str, if_match: IfMatch = None, accept_warnings: AcceptWarnings = False
) -> Response:
    """Let a reviewed article be suggested, within a second; 409 for one that looks stuffed with words to be found by."""
    return _moved(call, article_id, ArticleStatus.PUBLISHED, if_match, accept_warnings=accept_warnings)


@router.post(
    "/v1/articles/{article_id}/retire",
    summary="Retire an article",
    responses=documented.answers(ArticleOut, *documented.EDIT_ONE, headers=("ETag",)),
)
def retire_article(call: Reviewer, article_id: str, if_match: IfMatch = None) -> Response:
    """Suggest it no longer; its history stays."""
    return _moved(call, article_id, ArticleStatus.RETIRED, if_match)


def _moved(
    call: Call, article_id: str, status: ArticleStatus, if_match: str | None, *, accept_warnings: bool = False
) -> Response:
    version = version_of(if_match)

    def work() -> Answer:
        move = call.services.knowledge.move
        return _present(move(call.principal, article_id, status, version=version, accept_warnings=accept_warnings))

    return call.commit(work)


def _changes(body: ArticlePatch) -> dict[str, Any]:
    changes = _values(body, [name for name in _FIELDS if name in body.model_fields_set])
    if "audiences" in body.model_fields_set:
        if body.audiences is None:
            raise InvalidInput("audiences cannot be null; name at least one", field="audiences")
        changes["audiences"] = frozenset(body.audiences)
    return changes


def _values(body: ArticlePatch, names: Iterable[str]) -> dict[str, Any]:
    """Return the domain's values of the named fields: its lists are tuples."""
    values = {name: getattr(body, name) for name in names}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}


def _present(article: Article, status: int = 200, **headers: str) -> Answer:
    return answer(wire.article(article), status, ETag=etag(article.version), **headers)

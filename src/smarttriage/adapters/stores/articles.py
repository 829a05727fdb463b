"""The articles of a transaction, every version of them."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Row, and_, bindparam, exists, false, insert, select, update
from sqlalchemy.exc import IntegrityError

from smarttriage.adapters.stores.cursors import checked_limit, decode_cursor, encode_cursor, page
from smarttriage.adapters.stores.schema import article as head
from smarttriage.adapters.stores.schema import article_audience, article_version
from smarttriage.adapters.stores.transaction import Transaction, chunks, json_of_set, set_of, texts_of, to_json
from smarttriage.domain.access import Principal
from smarttriage.domain.article import Article, ArticleStatus
from smarttriage.domain.errors import Conflict, NotFound, VersionMismatch
from smarttriage.ports import Page

_IDS: BindParameter[str] = bindparam("ids", expanding=True)

_ADD_HEAD = insert(head)
_ADD_VERSION = insert(article_version)
_ADD_AUDIENCES = insert(article_audience)
_TAKEN = select(head.c.id).where(head.c.id == bindparam("id"))
_VERSION = select(head.c.version).where(head.c.id == bindparam("id"), head.c.tenant == bindparam("tenant"))
_ADVANCE = (
    update(head)
    .where(head.c.id == bindparam("stored_id"), head.c.tenant == bindparam("stored_tenant"))
    .where(head.c.version == bindparam("stored_version"))
)

_EVERY = select(article_version, head.c.tenant).join(head, head.c.id == article_version.c.article_id)
_LATEST = _EVERY.where(article_version.c.version == head.c.version).order_by(head.c.id)
_PUBLISHED = _EVERY.where(article_version.c.version == head.c.published_version).order_by(head.c.id)


_VERSIONS_OF = (
    select(article_version.c.article_id, article_version.c.version)
    .join(head, head.c.id == article_version.c.article_id)
    .where(
        head.c.tenant == bindparam("tenant"),
        article_version.c.updated_by == bindparam("key_id"),
        article_version.c.updated_at >= bindparam("since"),
        article_version.c.undone_at.is_(None),
    )
    .order_by(article_version.c.article_id, article_version.c.version)
)
_MARK_UNDONE = (
    update(article_version)
    .where(article_version.c.article_id == bindparam("of_article"), article_version.c.version.in_(_IDS))
    .values(undone_at=bindparam("at"))
)


class ArticleRecords(Transaction):
    """Articles by id and by page, their history, and the revision that is suggested."""

    def article(self, article_id: str, principal: Principal) -> Article | None:
        """Return the latest revision."""
        return self.articles_by_id([article_id], principal).get(article_id)

    def articles(self, principal: Principal, *, status: ArticleStatus | None, limit: int, cursor: str | None) -> Page:
        """Return a page of `Article` (latest revisions), by id."""
        conditions = [_visible_to(principal)]
        if status is not None:
            conditions.append(article_version.c.status == status)
        if cursor is not None:
            conditions.append(head.c.id > decode_cursor(cursor, 1)[0])
        rows = self._reads.execute(_LATEST.where(*conditions).limit(checked_limit(limit) + 1))
        return page([_article_of(row) for row in rows], limit, lambda last: encode_cursor(last.id))

    def articles_by_id(self, ids: Collection[str], principal: Principal) -> Mapping[str, Article]:
        """Return those of `ids` that the principal may see."""
        visible = _LATEST.where(head.c.id.in_(_IDS), _visible_to(principal))
        rows = (row for part in chunks(ids) for row in self._reads.execute(visible, {"ids": part}))
        return {row.article_id: _article_of(row) for row in rows}

    def article_history(self, article_id: str, principal: Principal) -> Sequence[Article]:
        """Return every stored version that the principal may see, newest first; none if it may not see the latest."""
        if self.article(article_id, principal) is None:
            return []
        versions = _EVERY.where(head.c.id == article_id, _visible_to(principal)).order_by(article_version.c.version.desc())
        return [_article_of(row) for row in self._reads.execute(versions)]

    def published_revision(self, article_id: str) -> Article | None:
        """Return the revision that is suggested at present."""
        return next(self.indexable_articles([article_id]), None)

    def indexable_articles(self, ids: Collection[str] | None = None) -> Iterator[Article]:
        """Yield the published revision of the articles of every tenant (all, or those of `ids`), by id."""
        if ids is None:
            yield from map(_article_of, self._reads.execute(_PUBLISHED, execution_options={"yield_per": 1_000}))
            return
        for part in chunks(ids):
            yield from map(_article_of, self._reads.execute(_PUBLISHED.where(head.c.id.in_(_IDS)), {"ids": part}))

    def add_articles(self, articles: Sequence[Article], *, key_id: str | None) -> None:
        """Store new articles. Raises Conflict naming the first whose id is there already; then none of them is stored."""
        if not articles:
            return
        try:
            with self._writes.begin_nested():
                self._writes.execute(_ADD_HEAD, [_head_row(article) for article in articles])
        except IntegrityError as error:
            raise self._article_conflict(articles) from error
        self._add_article_versions(articles, key_id)

    def update_article(self, article: Article, *, key_id: str | None) -> None:
        """Store the next version. Raises VersionMismatch unless it follows the stored one, NotFound for an unknown id."""
        values: dict[str, int | None] = {"version": article.version}
        if article.status is ArticleStatus.PUBLISHED:
            values["published_version"] = article.version
        elif article.status is ArticleStatus.RETIRED:
            values["published_version"] = None
        stored = {"stored_id": article.id, "stored_tenant": article.tenant, "stored_version": article.version - 1}
        if self._writes.execute(_ADVANCE.values(**values), stored).rowcount == 0:
            raise self._article_mismatch(article)
        self._add_article_versions([article], key_id)

    def article_versions_of(self, tenant: str, key_id: str, *, since: datetime) -> Mapping[str, Sequence[int]]:
        """Return article id -> the versions that the key wrote since then and that were not undone, oldest first."""
        found: dict[str, list[int]] = defaultdict(list)
        for article_id, version in self._reads.execute(_VERSIONS_OF, {"tenant": tenant, "key_id": key_id, "since": since}):
            found[article_id].append(version)
        return found

    def article_course(self, article_id: str) -> Sequence[tuple[Article, bool]]:
        """Return every version, oldest first, and whether it was undone."""
        versions = _EVERY.where(head.c.id == article_id).order_by(article_version.c.version)
        return [(_article_of(row), row.undone_at is not None) for row in self._reads.execute(versions)]

    def mark_undone(self, article_id: str, versions: Collection[int], *, at: datetime) -> None:
        """Let versions count as undone."""
        self._writes.execute(_MARK_UNDONE, {"of_article": article_id, "ids": list(versions), "at": at})

    def _add_article_versions(self, articles: Sequence[Article], key_id: str | None) -> None:
        self._writes.execute(_ADD_VERSION, [_version_row(article) for article in articles])
        audiences = [
            {"article_id": each.id, "version": each.version, "audience": audience}
            for each in articles
            for audience in sorted(each.audiences)
        ]
        if audiences:
            self._writes.execute(_ADD_AUDIENCES, audiences)
        self._log("article", [(article.id, article.tenant) for article in articles], key_id)

    def _article_conflict(self, articles: Sequence[Article]) -> Conflict:
        ids: set[str] = set()
        for each in articles:
            if each.id in ids or self._reads.execute(_TAKEN, {"id": each.id}).first():
                return Conflict(f'article "{each.id}" is there already; update it, or choose another id.', field="id")
            ids.add(each.id)
        return Conflict("one of the articles is there already; read them again before the next try.", field="id")

    def _article_mismatch(self, article: Article) -> NotFound | VersionMismatch:
        version = self._reads.execute(_VERSION, {"id": article.id, "tenant": article.tenant}).scalar()
        if version is None:
            return NotFound(f'there is no article "{article.id}".')
        return VersionMismatch(
            f'article "{article.id}" is at version {version}, the change was made on version {article.version - 1}; '
            "read it again and repeat the change."
        )


def _visible_to(principal: Principal) -> ColumnElement[bool]:
    """Return the condition on one version: its own audiences count, not those that an earlier or later one has."""
    if not principal.audiences:
        return false()
    shared = exists().where(
        article_audience.c.article_id == article_version.c.article_id,
        article_audience.c.version == article_version.c.version,
        article_audience.c.audience.in_(sorted(principal.audiences)),
    )
    return and_(head.c.tenant == principal.tenant, shared)


def _head_row(article: Article) -> dict[str, Any]:
    published = article.version if article.status is ArticleStatus.PUBLISHED else None
    return {"id": article.id, "tenant": article.tenant, "version": article.version, "published_version": published}


def _version_row(article: Article) -> dict[str, Any]:
    return {
        "article_id": article.id,
        "version": article.version,
        "title": article.title,
        "body": article.body,
        "created_at": article.created_at,
        "updated_at": article.updated_at,
        "status": article.status,
        "audiences": json_of_set(article.audiences),
        "revision": article.revision,
        "category": article.category,
        "sub_category": article.sub_category,
        "keywords": to_json(article.keywords),
        "language": article.language,
        "owner": article.owner,
        "valid_until": article.valid_until,
        "source_incidents": to_json(article.source_incidents),
        "updated_by": article.updated_by,
    }


def _article_of(row: Row[Any]) -> Article:
    return Article(
        id=row.article_id,
        tenant=row.tenant,
        title=row.title,
        body=row.body,
        created_at=row.created_at,
        updated_at=row.updated_at,
        status=ArticleStatus(row.status),
        audiences=set_of(row.audiences),
        revision=row.revision,
        version=row.version,
        category=row.category,
        sub_category=row.sub_category,
        keywords=texts_of(row.keywords),
        language=row.language,
        owner=row.owner,
        valid_until=row.valid_until,
        source_incidents=texts_of(row.source_incidents),
        updated_by=row.updated_by,
    )

"""The life of an article: created, edited as a new revision, submitted, published, retired."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from smarttriage.domain.access import Principal, Scope
from smarttriage.domain.article import TRANSITIONS, Article, ArticleStatus
from smarttriage.domain.errors import Conflict, InvalidInput, NotFound, VersionMismatch
from smarttriage.domain.review import ReviewPolicy
from smarttriage.domain.stuffing import signs
from smarttriage.domain.taxonomy import Taxonomy
from smarttriage.ports import Clock, Page, Records, Store

_CONTENT = ("title", "body", "category", "sub_category", "keywords", "language")


class KnowledgeService:
    """Reads and changes articles."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        new_id: Callable[[str], str],
        taxonomy: Callable[[], Taxonomy],
        policy: ReviewPolicy | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._new_id = new_id
        self._taxonomy = taxonomy
        self._policy = policy or ReviewPolicy()

    def create(self, principal: Principal, article: Article) -> Article:
        """Store a draft under a new id (or its own, if it has one); return it."""
        principal.require(Scope.WRITE)
        _check(article, self._taxonomy())
        now = self._clock()
        stored = replace(
            article,
            id=article.id or self._new_id("kb"),
            tenant=principal.tenant,
            status=ArticleStatus.DRAFT,
            created_at=now,
            updated_at=now,
            updated_by=principal.key_id,
        )
        with self._store.begin(write=True) as records:
            records.add_articles([stored], key_id=principal.key_id)
        return stored

    def get(self, principal: Principal, article_id: str) -> Article:
        """Return the latest revision. Raises NotFound."""
        with self._store.begin() as records:
            return _found(records, principal, article_id)

    def list(self, principal: Principal, *, status: ArticleStatus | None, limit: int, cursor: str | None) -> Page:
        """Return a page of articles."""
        with self._store.begin() as records:
            return records.articles(principal, status=status, limit=limit, cursor=cursor)

    def history(self, principal: Principal, article_id: str) -> Sequence[Article]:
        """Return every version, newest first. Raises NotFound."""
        with self._store.begin() as records:
            _found(records, principal, article_id)
            return records.article_history(article_id, principal)

    def edit(self, principal: Principal, article_id: str, changes: dict[str, object], *, version: int | None) -> Article:
        """Return the article with `changes`; a change of content is a new revision and a draft, until it is published again.

        Of a key that is not trusted every change is a draft: it must not widen an audience or end a validity by itself.

        Raises VersionMismatch if `version` is given and is not the stored one.
        """
        principal.require(Scope.WRITE)
        with self._store.begin(write=True) as records:
            present = _found(records, principal, article_id)
            _same_version(present, version)
            changed = replace(present, **changes)  # type: ignore[arg-type]
            _check(changed, self._taxonomy())
            if any(getattr(changed, name) != getattr(present, name) for name in _CONTENT):
                changed = replace(changed, revision=present.revision + 1, status=ArticleStatus.DRAFT)
            elif not principal.is_trusted:
                changed = replace(changed, status=ArticleStatus.DRAFT)
            return self._put(records, principal, changed)

    def move(
        self,
        principal: Principal,
        article_id: str,
        status: ArticleStatus,
        *,
        version: int | None,
        accept_warnings: bool = False,
    ) -> Article:
        """Return the article in its next status. Publishing and retiring need the scope `review`; others need `write`.

        Raises Conflict if the present status does not lead there, and if it would publish what looks stuffed with words to be
        found by, unless the reviewer accepts that; PermissionDenied if the reviewer would publish what they wrote and may not.
        """
        needs_review = status in (ArticleStatus.PUBLISHED, ArticleStatus.RETIRED)
        principal.require(Scope.REVIEW if needs_review else Scope.WRITE)
        with self._store.begin(write=True) as records:
            present = _found(records, principal, article_id)
            _same_version(present, version)
            if status not in TRANSITIONS[present.status]:
                ways = ", ".join(sorted(TRANSITIONS[present.status]))
                raise Conflict(f"article {article_id} is {present.status}; from there it can become {ways}", field="status")
            if status is ArticleStatus.PUBLISHED:
                self._policy.check_author(principal, _authors(records, principal, present), f"article {article_id}")
                if not accept_warnings:
                    _not_stuffed(present)
            return self._put(records, principal, replace(present, status=status))

    def publish_reviewed(self, records: Records, principal: Principal, article: Article, *, base: Article | None) -> Article:
        """Return the article published inside the caller's transaction, through every status of a review, each in its history.

        `base` is the article that it changes, None if it is new. Needs the scope `review`. Raises Conflict if it looks stuffed
        with words to be found by.
        """
        principal.require(Scope.REVIEW)
        _check(article, self._taxonomy())
        _not_stuffed(article)
        if base is None:
            stored = replace(article, status=ArticleStatus.DRAFT, updated_by=principal.key_id)
            records.add_articles([stored], key_id=principal.key_id)
        else:
            stored = replace(article, version=base.version, revision=base.revision + 1, status=ArticleStatus.DRAFT)
            stored = self._put(records, principal, stored)
        for status in (ArticleStatus.IN_REVIEW, ArticleStatus.PUBLISHED):
            stored = self._put(records, principal, replace(stored, status=status))
        return stored

    def retire_untouched(self, records: Records, principal: Principal, article_ids: Iterable[str]) -> None:
        """Retire those of the articles that nobody has touched since they were drafted."""
        for article in records.articles_by_id(list(article_ids), principal).values():
            if article.version == 1 and article.status is ArticleStatus.DRAFT:
                self._put(records, principal, replace(article, status=ArticleStatus.RETIRED))

    def _put(self, records: Records, principal: Principal, article: Article) -> Article:
        stored = replace(article, version=article.version + 1, updated_at=self._clock(), updated_by=principal.key_id)
        records.update_article(stored, key_id=principal.key_id)
        return stored


def _authors(records: Records, principal: Principal, article: Article) -> set[str]:
    """Return the keys that wrote what would be published: everything since the revision that is published now."""
    published = records.published_revision(article.id)
    history = records.article_history(article.id, principal)
    since = published.version if published is not None else 0
    # What moved the article on without changing it, like its submission, is no writing.
    pairs = zip(history, [*history[1:], None], strict=True)
    return {
        version.updated_by or ""
        for version, before in pairs
        if version.version > since and (before is None or _written(version) != _written(before))
    }


def _written(article: Article) -> tuple[object, ...]:
    return (*(getattr(article, name) for name in _CONTENT), article.audiences, article.owner, article.valid_until)


def _not_stuffed(article: Article) -> None:
    found = signs(article.title, article.body, article.keywords)
    if found:
        raise Conflict(
            f"{'; '.join(found)}: this looks written to be found rather than read; mend it, or publish it with accept_warnings=true",
            field="body",
        )


def _found(records: Records, principal: Principal, article_id: str) -> Article:
    article = records.article(article_id, principal)
    if article is None:
        raise NotFound(f"there is no article {article_id}", field="article_id")
    return article


def _same_version(article: Article, version: int | None) -> None:
    if version is not None and version != article.version:
        raise VersionMismatch(
            f"article {article.id} is at version {article.version}, not {version}; read it again and repeat the change"
        )


def _check(article: Article, taxonomy: Taxonomy) -> None:
    if not article.title.strip():
        raise InvalidInput("title is empty; say what somebody with the problem would search for", field="title")
    for name in ("category", "sub_category"):
        value, known = getattr(article, name), taxonomy.names(name)
        if value is not None and known is not None and value not in known:
            raise InvalidInput(f'{name} "{value}" is not in the taxonomy; use one of {", ".join(known)}', field=name)

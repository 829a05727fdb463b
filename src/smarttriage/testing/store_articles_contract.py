"""What a store promises of articles."""

from datetime import date, timedelta
from typing import Any

import pytest

from smarttriage.domain.access import Principal
from smarttriage.domain.article import Article, ArticleStatus
from smarttriage.domain.errors import Conflict, InvalidInput, NotFound, VersionMismatch
from smarttriage.ports import Store
from smarttriage.testing.factories import NOON, a_principal, an_article
from smarttriage.testing.store_incidents_contract import OUTSIDERS

FULL: dict[str, Any] = {
    "id": "article-full",
    "title": "Drucker «wiederbeleben» 🔥",
    "body": "## Ursache\n\nПринтер\n",
    "created_at": NOON + timedelta(microseconds=1),
    "updated_at": NOON + timedelta(days=1, microseconds=2),
    "status": ArticleStatus.IN_REVIEW,
    "audiences": frozenset({"everyone", "Büro"}),
    "revision": 4,
    "category": "hardware",
    "sub_category": "printer",
    "keywords": ("toner", "übrig", ""),
    "language": "de",
    "owner": "Zoë",
    "valid_until": date(2027, 2, 28),
    "source_incidents": ("incident-2", "incident-1"),
    "updated_by": "key-9",
}
DRAFT, PUBLISHED, RETIRED = ArticleStatus.DRAFT, ArticleStatus.PUBLISHED, ArticleStatus.RETIRED
HR = frozenset({"hr"})


def add(store: Store, *articles: Article) -> None:
    """Store the articles in one transaction."""
    with store.begin(write=True) as records:
        records.add_articles(articles, key_id="key-1")


def update(store: Store, *articles: Article) -> None:
    """Store the next versions, each in its own transaction."""
    for article in articles:
        with store.begin(write=True) as records:
            records.update_article(article, key_id="key-1")


class ArticlesContract:
    """Round trips, visibility, history and the published revision of articles."""

    def test_every_field_of_an_article_comes_back(self, store: Store) -> None:
        """Full and bare alike."""
        full, bare = an_article(**FULL), an_article()
        assert {n for n in Article.__slots__ if getattr(full, n) == getattr(bare, n)} == {"tenant", "version"}
        add(store, full, bare)
        with store.begin() as records:
            assert records.articles_by_id(["article-full", "article-1", "x"], a_principal()) == {full.id: full, bare.id: bare}
            assert records.article_history("article-full", a_principal()) == [full]
            assert records.published_revision("article-1") == bare

    @pytest.mark.parametrize("outsider", OUTSIDERS, ids=["other tenant", "other audience", "no audience"])
    def test_an_outsider_sees_no_article_on_any_read(self, store: Store, outsider: Principal) -> None:
        """Neither by id, nor in a list, nor in the history."""
        add(store, an_article())
        with store.begin() as records:
            assert records.article("article-1", outsider) is None
            assert records.articles_by_id(["article-1"], outsider) == {}
            assert records.article_history("article-1", outsider) == []
            assert records.articles(outsider, status=None, limit=5, cursor=None).items == []

    def test_a_version_is_seen_by_its_own_audience_only(self, store: Store) -> None:
        """Widening an article does not open what was written when it was narrow, narrowing it closes all of it."""
        add(store, an_article(id="wider", audiences=HR), an_article(id="narrower"))
        update(store, an_article(id="wider", version=2), an_article(id="narrower", version=2, audiences=HR))
        with store.begin() as records:
            assert [each.version for each in records.article_history("wider", a_principal())] == [2]
            assert records.article_history("narrower", a_principal()) == []
            assert records.article("narrower", a_principal()) is None

    def test_history_keeps_every_version_newest_first(self, store: Store) -> None:
        """Nothing that was ever stored changes."""
        versions = [an_article(version=n, revision=n, body=f"text {n}", status=DRAFT) for n in (1, 2, 3)]
        add(store, versions[0])
        update(store, *versions[1:])
        with store.begin() as records:
            assert records.article_history("article-1", a_principal()) == versions[::-1]
            assert records.article("article-1", a_principal()) == versions[-1]

    @pytest.mark.parametrize(
        ("statuses", "expected"),
        [
            ([DRAFT], None),
            ([PUBLISHED], 1),
            ([PUBLISHED, DRAFT], 1),
            ([PUBLISHED, DRAFT, ArticleStatus.IN_REVIEW, PUBLISHED], 4),
            ([PUBLISHED, RETIRED], None),
            ([PUBLISHED, RETIRED, DRAFT], None),
            ([PUBLISHED, DRAFT, RETIRED], None),
            ([RETIRED, DRAFT, PUBLISHED], 3),
        ],
    )
    def test_the_published_revision_stands_beside_drafts_until_retired(
        self, store: Store, statuses: list[ArticleStatus], expected: int | None
    ) -> None:
        """What is suggested and what is indexed are the same."""
        versions = [an_article(version=n, status=status, body=f"text {n}") for n, status in enumerate(statuses, 1)]
        add(store, versions[0])
        update(store, *versions[1:])
        wanted = None if expected is None else versions[expected - 1]
        with store.begin() as records:
            assert records.published_revision("article-1") == wanted
            assert list(records.indexable_articles()) == ([wanted] if wanted else [])
            assert list(records.indexable_articles(["article-1"])) == ([wanted] if wanted else [])

    def test_an_article_nobody_knows_has_no_revision(self, store: Store) -> None:
        """None, not an error."""
        with store.begin() as records:
            assert records.published_revision("unknown") is None
            assert records.article("unknown", a_principal()) is None

    def test_pages_of_articles_go_by_id_and_by_status_of_the_latest(self, store: Store) -> None:
        """Articles added before the cursor shift nothing."""
        add(store, *(an_article(id=f"a{n}", status=DRAFT if n == 2 else PUBLISHED) for n in (4, 3, 2, 1)))
        with store.begin() as records:
            first = records.articles(a_principal(), status=PUBLISHED, limit=2, cursor=None)
        add(store, an_article(id="a0"))
        with store.begin() as records:
            second = records.articles(a_principal(), status=PUBLISHED, limit=2, cursor=first.next_cursor)
        assert [each.id for each in (*first.items, *second.items)] == ["a1", "a3", "a4"]
        assert second.next_cursor is None

    def test_a_word_that_is_no_cursor_of_articles_is_refused(self, store: Store) -> None:
        """By the name of the field."""
        with store.begin() as records, pytest.raises(InvalidInput, match="next_cursor"):
            records.articles(a_principal(), status=None, limit=2, cursor="nonsense")

    def test_a_second_article_of_the_same_id_is_a_conflict(self, store: Store) -> None:
        """The first in the way is named, nothing of the call is stored."""
        add(store, an_article())
        with store.begin(write=True) as records:
            with pytest.raises(Conflict, match="article-1"):
                records.add_articles([an_article(id="fine"), an_article(tenant="other")], key_id=None)
            assert records.article("fine", a_principal()) is None

    @pytest.mark.parametrize("version", [1, 3])
    def test_an_article_on_another_version_is_refused(self, store: Store, version: int) -> None:
        """Only the next version is stored."""
        add(store, an_article())
        with pytest.raises(VersionMismatch, match="is at version 1"):
            update(store, an_article(version=version))
        with store.begin() as records:
            assert len(records.article_history("article-1", a_principal())) == 1

    def test_an_unknown_article_cannot_be_updated(self, store: Store) -> None:
        """Nor one of another tenant."""
        add(store, an_article())
        with pytest.raises(NotFound, match="article-1"):
            update(store, an_article(version=2, tenant="other"))

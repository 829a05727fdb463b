"""An article without some of its versions."""

from dataclasses import replace

from smarttriage.domain.article import Article, ArticleStatus
from smarttriage.domain.undoing import without
from smarttriage.testing.factories import an_article

DRAFT, REVIEW, PUBLISHED, RETIRED = (
    ArticleStatus.DRAFT,
    ArticleStatus.IN_REVIEW,
    ArticleStatus.PUBLISHED,
    ArticleStatus.RETIRED,
)
Written = tuple[str, str, ArticleStatus]


def course(*versions: Written) -> list[Article]:
    """Return versions of (author, body, status); another body is another revision."""
    bodies: list[str] = []
    made = []
    for number, (author, body, status) in enumerate(versions, 1):
        if not bodies or bodies[-1] != body:
            bodies.append(body)
        made.append(an_article(version=number, revision=len(bodies), body=body, status=status, updated_by=author))
    return made


def undone(*versions: Written, key: str = "k") -> list[tuple[str, ArticleStatus]]:
    told = course(*versions)
    steps = without(told, {each.version for each in told if each.updated_by == key}, repeats="undo")
    return [(each.body, each.status) for each in steps]


def test_an_article_of_that_key_alone_is_retired() -> None:
    assert undone(("k", "a", DRAFT), ("k", "a", REVIEW), ("t", "a", PUBLISHED)) == [("a", RETIRED)]


def test_an_article_that_the_key_did_not_write_stays() -> None:
    assert undone(("t", "a", DRAFT), ("t", "a", REVIEW), ("t", "a", PUBLISHED)) == []


def test_the_revision_before_is_published_again_even_where_others_published_the_key_s_one() -> None:
    before = (("t", "a", DRAFT), ("t", "a", PUBLISHED))
    assert undone(*before, ("k", "b", DRAFT), ("k", "b", PUBLISHED)) == [("a", PUBLISHED)]
    assert undone(*before, ("k", "b", DRAFT), ("t", "b", REVIEW), ("t", "b", PUBLISHED)) == [("a", PUBLISHED)]


def test_a_draft_beside_what_is_published_comes_back_behind_it() -> None:
    before = (("t", "a", PUBLISHED), ("t", "b", DRAFT))
    assert undone(*before, ("k", "c", DRAFT), ("k", "c", PUBLISHED)) == [("a", PUBLISHED), ("b", DRAFT)]


def test_what_the_key_retired_is_published_again() -> None:
    assert undone(("t", "a", PUBLISHED), ("k", "a", RETIRED)) == [("a", PUBLISHED)]


def test_what_the_key_published_goes_back_to_where_it_stood() -> None:
    assert undone(("t", "a", DRAFT), ("t", "a", REVIEW), ("k", "a", PUBLISHED)) == [("a", RETIRED), ("a", REVIEW)]


def test_what_others_wrote_since_stays() -> None:
    assert undone(("t", "a", PUBLISHED), ("k", "b", PUBLISHED), ("t", "c", DRAFT), ("t", "c", PUBLISHED)) == []


def test_a_second_undo_passes_over_the_first() -> None:
    told = course(("t", "a", PUBLISHED), ("k", "b", PUBLISHED), ("undo", "a", PUBLISHED), ("other", "c", PUBLISHED))
    (step,) = without(told, {2, 4}, repeats="undo")
    assert (step.body, step.status, step.revision) == ("a", PUBLISHED, 5)
    back = [*told, replace(step, version=5, updated_by="undo")]
    assert without(back, {2, 4}, repeats="undo") == []

"""An article as it would be if some of its versions had not been written."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from smarttriage.domain.article import Article, ArticleStatus

_CONTENT = ("title", "body", "category", "sub_category", "keywords", "language", "audiences", "owner", "valid_until", "status")


def without(course: Sequence[Article], undone: Collection[int], *, repeats: str) -> list[Article]:
    """Return what must be written behind `course`, oldest first, so that the article is as if the `undone` versions were not.

    The last one is what it would be; where another one would be published beside it, that comes before. An article that nobody
    else wrote is retired. Nothing is returned where it is so already. A version that only moves on what an undone one wrote is
    passed over like it, and so are those of the author `repeats`, which bring back earlier ones.
    """
    latest, published = _kept(course, undone, repeats)
    last, suggested = course[-1], _suggested(course)
    steps: list[Article] = []
    if not _same(published, suggested):
        steps.append(published if published is not None else replace(last, status=ArticleStatus.RETIRED))
    if latest is not None and not _same(latest, steps[-1] if steps else last):
        steps.append(latest)
    if latest is None and not steps and last.status is not ArticleStatus.RETIRED:
        steps.append(replace(last, status=ArticleStatus.RETIRED))
    revision = max(version.revision for version in course)
    return [replace(step, revision=revision + place) for place, step in enumerate(steps, 1)]


def _kept(course: Sequence[Article], undone: Collection[int], repeats: str) -> tuple[Article | None, Article | None]:
    """Return the latest version and the published one of those that are left."""
    latest: Article | None = None
    published: Article | None = None
    tainted: set[int] = set()
    written: set[int] = set()
    for version in course:
        first = version.revision not in written
        written.add(version.revision)
        if version.version in undone and first:
            tainted.add(version.revision)
        if version.version in undone or version.revision in tainted or version.updated_by == repeats:
            continue
        latest = version
        published = _moved(published, version)
    return latest, published


def _suggested(course: Sequence[Article]) -> Article | None:
    published: Article | None = None
    for version in course:
        published = _moved(published, version)
    return published


def _moved(published: Article | None, version: Article) -> Article | None:
    if version.status is ArticleStatus.PUBLISHED:
        return version
    return None if version.status is ArticleStatus.RETIRED else published


def _same(one: Article | None, other: Article | None) -> bool:
    if one is None or other is None:
        return one is other
    return all(getattr(one, name) == getattr(other, name) for name in _CONTENT)

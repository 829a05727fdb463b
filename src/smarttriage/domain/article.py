"""A knowledge-base article, its life from draft to retirement, and the passages that are searched."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from smarttriage.domain.access import EVERYONE

# all-MiniLM-L6-v2 reads 256 tokens, about 1,000 characters of English with its title; longer passages would be cut unread.
MAX_PASSAGE_CHARS = 900
_TITLE_MARK = "#title"


class ArticleStatus(StrEnum):
    """Only published articles are suggested."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    PUBLISHED = "published"
    RETIRED = "retired"


# From each status to those it may go to next.
TRANSITIONS: dict[ArticleStatus, frozenset[ArticleStatus]] = {
    ArticleStatus.DRAFT: frozenset({ArticleStatus.IN_REVIEW, ArticleStatus.RETIRED}),
    ArticleStatus.IN_REVIEW: frozenset({ArticleStatus.DRAFT, ArticleStatus.PUBLISHED, ArticleStatus.RETIRED}),
    ArticleStatus.PUBLISHED: frozenset({ArticleStatus.DRAFT, ArticleStatus.RETIRED}),
    ArticleStatus.RETIRED: frozenset({ArticleStatus.DRAFT}),
}


@dataclass(frozen=True, slots=True)
class Article:
    """One revision of an article.

    Attributes:
        id: Stable over revisions, unique over all tenants.
        tenant: Owner of the record.
        audiences: Who inside the tenant may see it; empty means nobody.
        title: What somebody with the problem would search for.
        body: Markdown.
        status: Where it stands.
        revision: Counts contents from 1; a changed body is a new revision.
        version: Counts changes of any kind from 1; the ETag.
        category: Category it belongs to, None if not said.
        sub_category: Sub-category, None if not said.
        keywords: Words that should find it.
        language: ISO 639-1 code.
        owner: Who keeps it right.
        valid_until: Last day on which it may be trusted unseen; None: no end.
        source_incidents: Incidents it grew from.
        created_at: UTC.
        updated_at: UTC.
        updated_by: Key or person of the last change.
    """

    id: str
    tenant: str
    title: str
    body: str
    created_at: datetime
    updated_at: datetime
    status: ArticleStatus = ArticleStatus.DRAFT
    audiences: frozenset[str] = frozenset({EVERYONE})
    revision: int = 1
    version: int = 1
    category: str | None = None
    sub_category: str | None = None
    keywords: tuple[str, ...] = ()
    language: str = "en"
    owner: str | None = None
    valid_until: date | None = None
    source_incidents: tuple[str, ...] = ()
    updated_by: str | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of an article's body that is searched and shown.

    Attributes:
        id: "<article id>#<position>".
        article_id: Whose it is.
        text: The words as they stand in the body.
        start: Offset in the body.
        end: Offset behind the last character.
    """

    id: str
    article_id: str
    text: str
    start: int
    end: int


def passages(article_id: str, body: str, max_chars: int = MAX_PASSAGE_CHARS) -> tuple[Passage, ...]:
    """Return the body cut at headings, then at blank lines, lines, sentences and words, each piece at most `max_chars` long.

    Neighbouring pieces of one section are joined while they fit. A body without text gives one empty passage, so that an
    article is always found by its title.
    """
    pieces: list[tuple[int, int]] = []
    for start, end in _sections(body):
        pieces += _cut(body, start, end, max_chars)
    return tuple(
        Passage(f"{article_id}#{position}", article_id, body[start:end], start, end)
        for position, (start, end) in enumerate(pieces or [(0, 0)])
    )


def passage_text(title: str, passage: str) -> str:
    """Return what an index reads for a passage: its article's title and itself."""
    return f"{title}\n{passage}" if passage else title


@dataclass(frozen=True, slots=True)
class SearchedText:
    """What an index holds of an article: one passage below the title, or the title alone.

    Attributes:
        id: That of the passage, or `title_id` of the article.
        text: What is encoded.
    """

    id: str
    text: str

    @property
    def is_title(self) -> bool:
        """Whether it is the title alone, which is compared by meaning only: its words stand in every passage already."""
        return is_title(self.id)


def title_id(article_id: str) -> str:
    """Return the id under which the title alone is searched; no passage has it."""
    return f"{article_id}{_TITLE_MARK}"


def is_title(part: str) -> bool:
    """Return whether an id of a searched text is that of a title."""
    return part.endswith(_TITLE_MARK)


def searched_texts(article_id: str, title: str, pieces: Iterable[Passage]) -> list[SearchedText]:
    """Return what is searched of an article in these passages: each below the title, and the title alone.

    A short question is nearer to a title than to a title with a page of steps below it; benchmarks/retrieval.py prints what that is
    worth ("without titles alone"). A passage without text is the title already.
    """
    texts = [SearchedText(passage.id, passage_text(title, passage.text)) for passage in pieces]
    if title and all(each.text != title for each in texts):
        texts.append(SearchedText(title_id(article_id), title))
    return texts


def _sections(body: str) -> list[tuple[int, int]]:
    starts = sorted({0, *(match.start() for match in re.finditer(r"^#{1,6} ", body, re.MULTILINE))})
    spans = [_strip(body, start, end) for start, end in zip(starts, [*starts[1:], len(body)], strict=True)]
    return [(start, end) for start, end in spans if start < end]


def _cut(body: str, start: int, end: int, max_chars: int) -> list[tuple[int, int]]:
    """Return [start, end) in pieces: the latest break that fits, the coarsest kind of break first."""
    pieces = []
    while end - start > max_chars:
        window = body[start : start + max_chars]
        breaks = (window.rfind("\n\n"), window.rfind("\n"), window.rfind(". ") + 1, window.rfind(" "))
        at = next((position for position in breaks if position > max_chars // 3), max_chars)
        pieces.append(_strip(body, start, start + at))
        start = _strip(body, start + at, end)[0]
    return [piece for piece in (*pieces, _strip(body, start, end)) if piece[0] < piece[1]]


def _strip(body: str, start: int, end: int) -> tuple[int, int]:
    while start < end and body[start].isspace():
        start += 1
    while end > start and body[end - 1].isspace():
        end -= 1
    return start, end

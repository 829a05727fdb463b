"""The searchable state: two collections (articles by passage, incidents), each an immutable value that a request reads whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from smarttriage.domain.article import Passage
from smarttriage.domain.article_evidence import NOTHING, ArticleEvidence
from smarttriage.ports import Encoder
from smarttriage.services.retrieval import HybridSearch


@dataclass(frozen=True, slots=True)
class ArticleEntry:
    """What a suggestion shows of a published article, and what those who tried it say of it."""

    id: str
    title: str
    category: str | None
    keywords: tuple[str, ...]
    passages: Mapping[str, Passage]
    valid_until: date | None = None
    evidence: ArticleEvidence = NOTHING


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything that searches read.

    Attributes:
        articles: Passages of published articles.
        entries: Article id -> what is shown of it.
        incidents: Open and resolved incidents.
        seq: Position in the change log that all three hold.
        encoder: Whose vectors the indexes hold.
    """

    articles: HybridSearch
    entries: Mapping[str, ArticleEntry]
    incidents: HybridSearch
    seq: int
    encoder: Encoder

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
        waiting: Incidents that are there only for a lesson that counts for one key alone; apart, because even a text that nobody
            may find would move the weights of its words for all.
        seq: Position in the change log that all of them hold.
        encoder: Whose vectors the indexes hold.
    """

    articles: HybridSearch
    entries: Mapping[str, ArticleEntry]
    incidents: HybridSearch
    waiting: HybridSearch
    seq: int
    encoder: Encoder

"""The searchable state: two collections (articles by passage, incidents), each an immutable value that a request reads whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from smarttriage.domain.article import Passage, SearchedText, searched_texts
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

    @property
    def searched(self) -> list[SearchedText]:
        """What an index holds of it."""
        return searched_texts(self.id, self.title, self.passages.values())

    def passage(self, part: str) -> Passage:
        """Return the passage that was found; the first where the title was."""
        return self.passages.get(part) or next(iter(self.passages.values()))


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

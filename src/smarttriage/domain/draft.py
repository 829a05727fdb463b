"""A draft that grew from incidents: every sentence with those who said it, and what became of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256


class Section(StrEnum):
    """Where a sentence stands in an article."""

    TITLE = "title"
    SYMPTOMS = "symptoms"
    RESOLUTION = "resolution"
    ALSO_REPORTED = "also_reported"
    APPLIES_TO = "applies_to"


class SourceField(StrEnum):
    """Which part of an incident is cited."""

    TITLE = "title"
    DESCRIPTION = "description"
    RESOLUTION = "resolution"
    AFFECTED_SERVICES = "affected_services"
    CONFIGURATION_ITEMS = "configuration_items"


class DraftKind(StrEnum):
    """Whether an article would be new or changed."""

    NEW = "new"
    EDIT = "edit"


class DraftStatus(StrEnum):
    """Where a draft stands. A superseded one gave way to what later incidents added."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a sentence comes from: [start, end) of a field of an incident as it was when it was resolved; of a list, the item's own text."""

    incident_id: str
    field: SourceField
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class DraftSentence:
    """A sentence that an incident said, masked where it named people or secrets, and all incidents that said it."""

    section: Section
    text: str
    citations: tuple[Citation, ...]

    @property
    def n_incidents(self) -> int:
        """How many incidents said it."""
        return len({citation.incident_id for citation in self.citations})


@dataclass(frozen=True, slots=True)
class ArticleDraft:
    """What a group of observations proposes.

    Attributes:
        id: Made from group and sentences: the same proposal is made once, however often it is computed.
        tenant: Whose it is.
        audiences: Who may see it: those of the incidents.
        group_id: The fix.
        kind: A new article, or an edit of `article_id`.
        status: Where it stands.
        title: Proposed title.
        sentences: The text, in order; of an edit only what is added.
        created_at: UTC.
        updated_at: UTC.
        category: What most incidents turned out to be.
        sub_category: The same, closer.
        keywords: Words that several incidents share, codes first.
        language: ISO 639-1 code.
        incident_ids: All incidents of the group, those that are not cited too.
        article_id: The article that is edited, or the unpublished one that would be.
        article_version: Version of that article that the draft was made on.
        version: Counts changes from 1; the ETag.
        decided_at: When it was accepted or rejected, UTC.
        decided_by: By which key.
        reason: Why it was rejected.
    """

    id: str
    tenant: str
    audiences: frozenset[str]
    group_id: str
    kind: DraftKind
    title: str
    sentences: tuple[DraftSentence, ...]
    created_at: datetime
    updated_at: datetime
    status: DraftStatus = DraftStatus.PROPOSED
    category: str | None = None
    sub_category: str | None = None
    keywords: tuple[str, ...] = ()
    language: str = "en"
    incident_ids: tuple[str, ...] = ()
    article_id: str | None = None
    article_version: int | None = None
    version: int = 1
    decided_at: datetime | None = None
    decided_by: str | None = None
    reason: str | None = None


def draft_id(group_id: str, article_id: str | None, sentences: tuple[DraftSentence, ...]) -> str:
    """Return the id of these sentences proposed by that group for that article."""
    said = "\x1e".join((group_id, article_id or "", *(f"{each.section}\x1f{each.text}" for each in sentences)))
    return "draft_" + sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:24]

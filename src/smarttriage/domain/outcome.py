"""What became of an article that was tried: the only thing that tells whether it is right. Being looked at tells nothing."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class OutcomeKind(StrEnum):
    """What became of it. Stable codes.

    "reopened": the incident that it had resolved came back. "not_tried": it was shown, and the incident was resolved otherwise.
    "contradicted": it had failed, and then a resolution that does not use it ended the incident. "missed": it says what the
    resolution says, and had not been suggested.
    """

    WORKED = "worked"
    DID_NOT_WORK = "did_not_work"
    REOPENED = "reopened"
    NOT_TRIED = "not_tried"
    CONTRADICTED = "contradicted"
    MISSED = "missed"


# What nobody found out by trying: it says nothing of the article's worth.
UNTRIED = frozenset({OutcomeKind.NOT_TRIED, OutcomeKind.MISSED})
FAILURES = frozenset({OutcomeKind.DID_NOT_WORK, OutcomeKind.REOPENED})


@dataclass(frozen=True, slots=True)
class ArticleOutcome:
    """One outcome of one article.

    Attributes:
        id: Ours.
        tenant: Owner of the record.
        article_id: Which article.
        version: The article's newest version then; outcomes of what was published before tell nothing of what is published now.
        kind: What became of it.
        person: Who says so, as the platform names them, or the API key where nobody is named.
        created_at: UTC.
        key_id: API key that sent it.
        incident_id: Of which incident, if of one.
        suggestion_id: Of which suggestion, if of one.
    """

    id: str
    tenant: str
    article_id: str
    version: int
    kind: OutcomeKind
    person: str
    created_at: datetime
    key_id: str
    incident_id: str | None = None
    suggestion_id: str | None = None


def person_of(name: str | None, key_id: str) -> str:
    """Return who speaks: all that a key sends without a name counts as one person."""
    return f"person:{name}" if name else f"key:{key_id}"

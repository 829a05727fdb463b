"""What became of an article that was tried: the only thing that tells whether it is right. Being looked at tells nothing."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from smarttriage.domain.access import Principal


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
_PERSON = "person:"


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
        quarantined: Whether it does not count until somebody confirms it.
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
    quarantined: bool = False


def person_of(name: str | None, principal: Principal) -> str:
    """Return who speaks: the key itself where it names nobody or is not trusted to, however many names it gives."""
    return f"{_PERSON}{name}" if name and principal.is_trusted else f"key:{principal.key_id}"


def is_named(person: str) -> bool:
    """Return whether who speaks is a person that a trusted key named, not the key itself."""
    return person.startswith(_PERSON)

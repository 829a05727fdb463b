"""What people say of a suggestion."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class FeedbackAction(StrEnum):
    """What was done with a predicted field or a match.

    "accepted" means that somebody said so; a value that was filled in and saved untouched is "left_standing".
    """

    ACCEPTED = "accepted"
    REPLACED = "replaced"
    SKIPPED = "skipped"
    LEFT_STANDING = "left_standing"
    THUMBS_UP = "thumbs_up"
    THUMBS_DOWN = "thumbs_down"


FIELD_ACTIONS = frozenset(
    {FeedbackAction.ACCEPTED, FeedbackAction.REPLACED, FeedbackAction.SKIPPED, FeedbackAction.LEFT_STANDING}
)


@dataclass(frozen=True, slots=True)
class Feedback:
    """One judgement.

    Attributes:
        id: Ours.
        tenant: Owner of the record.
        suggestion_id: What was judged.
        action: What was done.
        field: The predicted field, for accepted, replaced, skipped and left_standing; None for thumbs.
        value: The label that stands now; None for skipped and thumbs.
        match_id: The article or incident, for thumbs.
        given_by: Person, as the platform names them; None if not said.
        key_id: API key that sent it.
        created_at: UTC.
    """

    id: str
    tenant: str
    suggestion_id: str
    action: FeedbackAction
    created_at: datetime
    key_id: str
    field: str | None = None
    value: str | None = None
    match_id: str | None = None
    given_by: str | None = None

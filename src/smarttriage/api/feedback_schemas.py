"""What people say of a suggestion and of an article that they had before them, as callers send it."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from smarttriage.api.schemas import Body, Name
from smarttriage.domain.feedback import FeedbackAction
from smarttriage.domain.outcome import OutcomeKind


class FeedbackItem(Body):
    """One judgement: a field's fate, or a thumb on a match."""

    action: FeedbackAction
    field: Name | None = Field(None, description="For accepted, replaced, skipped and left_standing.")
    value: Name | None = Field(None, description="The label that is right, for replaced.")
    match_id: Name | None = Field(None, description="The article or incident, for thumbs.")
    given_by: Name | None = None


class FeedbackCreate(Body):
    """Judgements of a suggestion: a list of items, or one item's keys beside suggestion_id."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"suggestion_id": "sug_0198c2f4", "action": "replaced", "field": "category", "value": "network"}]
        }
    )
    suggestion_id: Name
    items: Annotated[list[FeedbackItem], Field(min_length=1, max_length=100)] | None = None
    action: FeedbackAction | None = None
    field: Name | None = None
    value: Name | None = None
    match_id: Name | None = None
    given_by: Name | None = None


class OutcomeCreate(Body):
    """What became of an article that somebody had before them."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"outcome": "did_not_work", "given_by": "jo"}]})
    outcome: Literal[OutcomeKind.WORKED, OutcomeKind.DID_NOT_WORK, OutcomeKind.NOT_TRIED]
    given_by: Name | None = Field(
        None, description="Who says so; all that a key says without a name counts as one person's word."
    )
    incident_id: Name | None = Field(None, description="Of which incident.")

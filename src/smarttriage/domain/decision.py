"""How a label came to stand: said by a person, or merely left standing. Only the first kind votes and trains."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from smarttriage.domain.feedback import FeedbackAction
from smarttriage.domain.incident import LabelOrigin
from smarttriage.domain.suggestion import FieldMode, FieldPrediction, Reason


class Shown(StrEnum):
    """How a field was put before the agent. Stable codes."""

    AUTOFILLED = "autofilled"
    HELD_OUT = "held_out"
    RECOMMENDED = "recommended"


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of one predicted field; a later decision about the same field replaces it.

    Attributes:
        suggestion_id: Where it was predicted.
        tenant: Owner of the suggestion.
        field: The target.
        shown: How it was put before the agent.
        predicted: The service's first label.
        origin: How `value` came to stand.
        value: The label that stands; None where the incident was closed without one.
        decided_at: UTC.
    """

    suggestion_id: str
    tenant: str
    field: str
    shown: Shown
    predicted: str
    origin: LabelOrigin
    value: str | None
    decided_at: datetime

    @property
    def deliberate(self) -> bool:
        """Whether a person said so."""
        return self.origin is not LabelOrigin.LEFT_STANDING


@dataclass(frozen=True, slots=True)
class DecisionCount:
    """How many decisions of one field fell alike; `right` is None where no label stands."""

    shown: Shown
    origin: LabelOrigin
    right: bool | None
    n: int


def shown_as(field: FieldPrediction) -> Shown | None:
    """Return how the field was put before the agent; None where nothing of the service's was."""
    if field.reason is Reason.GIVEN or not field.alternatives:
        return None
    if field.reason is Reason.HOLDOUT:
        return Shown.HELD_OUT
    return Shown.AUTOFILLED if field.value is not None and field.mode is FieldMode.AUTOFILL else Shown.RECOMMENDED


def origin_of(value: str, field: FieldPrediction | None, action: FeedbackAction | None = None) -> LabelOrigin:
    """Return how a label came to stand that was written after `field` was shown.

    A label that repeats what was filled in counts as confirmed only if somebody said so: without an action it may have been
    copied by the platform. Where nothing was filled in, somebody had to choose, so the same label is a confirmation.
    """
    shown = shown_as(field) if field is not None else None
    if field is None or shown is None:
        return LabelOrigin.RECORDED
    if action is FeedbackAction.LEFT_STANDING:
        return LabelOrigin.LEFT_STANDING
    if value != field.alternatives[0].value:
        return LabelOrigin.CORRECTED
    silent = action is None and shown is Shown.AUTOFILLED
    return LabelOrigin.LEFT_STANDING if silent else LabelOrigin.CONFIRMED


def total(counts: Iterable[DecisionCount], **wanted: object) -> int:
    """Return how many decisions have the wanted attributes, for example `total(counts, shown=Shown.HELD_OUT)`."""
    return sum(count.n for count in counts if all(getattr(count, name) == value for name, value in wanted.items()))

"""Model versions, shadow mode and drift as callers send and get them."""

from datetime import datetime

from pydantic import Field

from smarttriage.api.answer_schemas import Out
from smarttriage.api.schemas import Body, Line
from smarttriage.ports import PromotionAction


class ShadowIn(Body):
    """Which version answers beside the champion, unseen; null ends it."""

    version: Line | None = Field(description="A version that GET /v1/models lists.")


class RollbackIn(Body):
    """Why the version before is to serve again."""

    reason: Line = Field("", description="Kept in the history.")


class VersionOut(Out):
    """What a version says about its making."""

    version: str
    created_at: datetime
    parent: str | None
    data_sha256: str
    n_rows: int | None
    code_version: str
    encoder_id: str | None
    seed: int
    targets: list[str]


class ComparedOut(Out):
    """Champion and challenger on one target; rates are null where nothing was judged."""

    target: str
    n: int
    agreement: float
    n_judged: int
    champion_accuracy: float | None
    challenger_accuracy: float | None


class PromotionOut(Out):
    """One change of what serves; a version of null is the shipped starter."""

    at: datetime
    by: str
    action: PromotionAction
    version: str | None
    previous: str | None
    reason: str


class ModelsOut(Out):
    """What there is, what serves and what listens."""

    champion: str
    challenger: str | None
    promoted: str | None
    versions: list[VersionOut]
    comparison: list[ComparedOut]
    n_left_out: int
    history: list[PromotionOut]


class ShadowOut(Out):
    """What listens from now on."""

    champion: str
    challenger: str | None


class SignalOut(Out):
    """One thing that is watched; a limit of null means that there are too few rows to tell."""

    name: str
    target: str | None
    n: int
    value: float
    limit: float | None
    alarm: bool


class DriftOut(Out):
    """Whether anything has drifted."""

    alarm: bool
    signals: list[SignalOut]

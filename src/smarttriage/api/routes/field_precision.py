"""How often a field is right where it is filled in."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field

from smarttriage.api import documented
from smarttriage.api.answer_schemas import Out
from smarttriage.api.answers import answer
from smarttriage.api.calls import Reader
from smarttriage.api.schemas import Body, Instant
from smarttriage.api.strict_json import StrictRoute
from smarttriage.services.precision import FieldPrecision, PrecisionService, Share

router = APIRouter(route_class=StrictRoute, tags=["fields"])


class PrecisionQuery(Body):
    """What the estimate is narrowed to."""

    since: Instant | None = None


class ShareOut(Out):
    """A share that was counted, with its exact (Clopper-Pearson) interval; `estimate` is null where nothing was counted."""

    n: int
    right: int
    estimate: float | None
    lower: float
    upper: float


class NaiveShareOut(ShareOut):
    """The same from what was filled in, with what was left standing taken for right: too high, for comparison only."""

    biased: Literal[True]


class PrecisionOut(Out):
    """The precision of a field where it would be filled in: `holdout` is the estimate, `naive` shows what counting would say."""

    field: str
    since: datetime | None
    confidence: float
    holdout: ShareOut
    undecided: int = Field(description="Held-out fields whose incident was closed without a label; the estimate leaves them out.")
    naive: NaiveShareOut
    left_standing: int = Field(description="Filled in, and nobody said anything about it; neither votes nor trains.")
    confirmed: int
    corrected: int


@router.get(
    "/v1/fields/{target}/precision",
    summary="Read how often a field is right where it is filled in",
    responses=documented.answers(PrecisionOut, *documented.READ_ONE),
)
def read_precision(call: Reader, target: str, query: Annotated[PrecisionQuery, Query()]) -> Response:
    """Return the estimate from the holdout, whose agents had to decide by themselves, beside the naive one."""
    services = call.services
    found = PrecisionService(store=services.store, live=services.live).of(call.principal, target, since=query.since)
    return answer(_plain(found)).response


def _plain(found: FieldPrecision) -> dict[str, Any]:
    plain = {name: getattr(found, name) for name in FieldPrecision.__slots__}
    return {**plain, "holdout": _share(found.holdout), "naive": {**_share(found.naive), "biased": True}}


def _share(share: Share) -> dict[str, Any]:
    return {name: getattr(share, name) for name in Share.__slots__}

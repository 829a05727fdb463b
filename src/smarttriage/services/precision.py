"""How often a field is right where it is filled in, estimated from the holdout."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from smarttriage.domain.access import Principal
from smarttriage.domain.decision import DecisionCount, Shown, total
from smarttriage.domain.errors import NotFound
from smarttriage.domain.incident import TARGETS, LabelOrigin
from smarttriage.domain.interval import clopper_pearson
from smarttriage.ports import Store
from smarttriage.services.live import Live

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Share:
    """A share that was counted, with its exact interval; the estimate is None where nothing was counted."""

    n: int
    right: int
    estimate: float | None
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class FieldPrecision:
    """How often a field is right where the service would fill it in.

    Attributes:
        field: The target.
        since: First instant that counts; None: all.
        confidence: Of the intervals.
        holdout: Estimated from the fields that would have been filled in and were only recommended, as far as agents decided.
        undecided: Held-out fields whose incident was closed without a label that we know of; the estimate leaves them out.
        naive: Estimated from what was filled in, with what was left standing taken for right. Biased upwards: an agent who
            does not look makes everything right. Shown for comparison only.
        left_standing: How many of `naive` nobody said anything about; they neither vote nor train.
        confirmed: Filled in and confirmed.
        corrected: Filled in and corrected.
    """

    field: str
    since: datetime | None
    confidence: float
    holdout: Share
    undecided: int
    naive: Share
    left_standing: int
    confirmed: int
    corrected: int


class PrecisionService:
    """Reads what became of predicted fields."""

    def __init__(self, *, store: Store, live: Live) -> None:
        self._store = store
        self._live = live

    def of(self, principal: Principal, field: str, *, since: datetime | None = None) -> FieldPrecision:
        """Return the estimates of one field, over the principal's tenant. Raises NotFound for a field that is none here."""
        known = dict.fromkeys((*TARGETS, *self._live.state.models.classifier.cards))
        if field not in known:
            raise NotFound(f'there is no field "{field}"; there are {", ".join(known)}', field="target")
        with self._store.begin() as records:
            return estimated(field, records.decision_counts(field, principal, since=since), since=since)


def estimated(field: str, counts: Sequence[DecisionCount], *, since: datetime | None = None) -> FieldPrecision:
    """Return the estimates that follow from the counts of decisions about a field."""
    filled = [count for count in counts if count.shown is Shown.AUTOFILLED]
    held_out = [count for count in counts if count.shown is Shown.HELD_OUT]
    return FieldPrecision(
        field=field,
        since=since,
        confidence=CONFIDENCE,
        holdout=_share(held_out),
        undecided=total(held_out, right=None),
        naive=_share(filled),
        left_standing=total(filled, origin=LabelOrigin.LEFT_STANDING),
        confirmed=total(filled, origin=LabelOrigin.CONFIRMED),
        corrected=total(filled, origin=LabelOrigin.CORRECTED),
    )


def _share(counts: Sequence[DecisionCount]) -> Share:
    right = total(counts, right=True)
    n = right + total(counts, right=False)
    lower, upper = clopper_pearson(right, n, confidence=CONFIDENCE)
    return Share(n, right, right / n if n else None, lower, upper)

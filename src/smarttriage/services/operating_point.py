"""Precision against coverage: choose one, get the other, with the thresholds that bring it about."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from smarttriage.domain.contract import ClassContract
from smarttriage.domain.errors import Conflict, InvalidInput
from smarttriage.ports import TargetCard

# Finer than any bound that a few thousand held-out rows can tell apart.
_STEPS = 1000
LEAST_PRECISION = 0.5


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """One point of a target's precision-coverage curve.

    Attributes:
        target_precision: What every label that is filled in guarantees, or all of them together (`together`).
        precision: Share right of the held-out rows that are filled in; None where none is.
        coverage: Share of the held-out rows that are filled in.
        confidence: How sure the guarantee is.
        contracts: Label -> its threshold and what that guarantees.
        together: Whether the model was trained to promise a precision of all labels taken together.
    """

    target_precision: float
    precision: float | None
    coverage: float
    confidence: float
    contracts: Mapping[str, ClassContract]
    together: bool = False

    @property
    def thresholds(self) -> dict[str, float]:
        """Return label -> least confidence; above 1 means recommend only."""
        return {label: contract.threshold for label, contract in self.contracts.items()}


def at_precision(card: TargetCard, precision: float) -> OperatingPoint:
    """Return the point at which every label that is filled in guarantees the precision.

    Raises:
        InvalidInput: The precision is out of range.
        Conflict: The model stores no curve.
    """
    if not LEAST_PRECISION <= precision < 1:
        raise InvalidInput(f"precision is {precision}; give a number from {LEAST_PRECISION} to below 1.", field="precision")
    if card.curve is None:
        message = f"the model stores no precision curve of target {card.name!r}; train it again with smarttriage train"
        raise Conflict(message, field="target")
    contracts = card.curve.contracts(precision)
    n = sum(contract.n for contract in contracts.values())
    wrong = sum(contract.n_errors for contract in contracts.values())
    return OperatingPoint(
        precision,
        1 - wrong / n if n else None,
        card.curve.coverage(precision),
        card.curve.confidence,
        contracts,
        card.curve.together,
    )


def at_coverage(card: TargetCard, coverage: float) -> OperatingPoint:
    """Return the point of the highest precision that still fills in this share of rows.

    Raises:
        InvalidInput: The coverage is out of range, or not even the least precision brings it about.
        Conflict: The model stores no curve.
    """
    if not 0 < coverage <= 1:
        raise InvalidInput(f"coverage is {coverage}; give a number above 0 and at most 1.", field="coverage")
    most = at_precision(card, LEAST_PRECISION)
    if card.curve is None or most.coverage < coverage:
        reached = f"precision {LEAST_PRECISION} fills in {most.coverage:.4f} of the rows"
        raise InvalidInput(f"coverage is {coverage}, but even {reached}; ask for at most that.", field="coverage")
    # Coverage never grows with the precision, so the least step that is too much can be found by halving.
    low, high = round(LEAST_PRECISION * _STEPS), _STEPS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if card.curve.coverage(middle / _STEPS) >= coverage else (low, middle)
    return at_precision(card, low / _STEPS)


def card_at(card: TargetCard, precision: float) -> TargetCard:
    """Return the card with its thresholds moved to another target precision. Raises as `at_precision` does."""
    point = at_precision(card, precision)
    thresholds = {**card.thresholds, **point.thresholds}
    return replace(card, thresholds=thresholds, target_precision=precision, contracts=point.contracts)

"""The precision contract of a trained target, label by label, as lines for people and as plain data."""

from collections.abc import Iterator
from dataclasses import asdict

from smarttriage.domain.contract import ClassContract
from smarttriage.ports import TargetCard


def contract_lines(card: TargetCard) -> Iterator[str]:
    """Yield a line for the target and one for each label, most coverage first."""
    if card.curve is None:
        return
    met = [contract for contract in card.contracts.values() if contract.met]
    labels = "all labels together" if card.curve.together else f"{len(met)} of {len(card.contracts)} labels"
    yield (
        f"{card.name}: filled in for {sum(contract.coverage for contract in met):.1%} of the rows; {labels} "
        f"guarantee a precision of {card.target_precision:g} with confidence {card.curve.confidence:g}"
    )
    order = sorted(card.contracts, key=lambda label: (-card.contracts[label].coverage, label))
    width = max(map(len, order))
    for label in order:
        yield f"  {label:<{width}}  {_promise(card, card.contracts[label])}"


def contract_json(card: TargetCard) -> dict[str, object]:
    """Return the contract as plain data; a null threshold means recommend only."""
    if card.curve is None:
        return {}
    needed = card.curve.rows_needed(card.target_precision)
    labels = {
        label: {
            **asdict(contract),
            "threshold": contract.threshold if contract.met else None,
            "n_needed": None if contract.met else needed,
        }
        for label, contract in card.contracts.items()
    }
    coverage = sum(contract.coverage for contract in card.contracts.values())
    return {
        "target_precision": card.target_precision,
        "confidence": card.curve.confidence,
        "together": card.curve.together,
        "coverage": coverage,
        "n_held_out": card.curve.n_rows,
        "labels": labels,
    }


def _promise(card: TargetCard, contract: ClassContract) -> str:
    if contract.precision_bound is not None:
        return (
            f"from {contract.threshold:.3f} on: {contract.coverage:.1%} of the rows, {_bound(card, contract.precision_bound)}"
            f"({contract.n_errors:g} of {contract.n} held-out rows wrong)"
        )
    needed = card.curve.rows_needed(card.target_precision) if card.curve else 0
    return (
        f"recommend only: cannot meet {card.target_precision:g} with {contract.n_predicted} held-out rows; "
        f"needs about {needed} right in a row"
    )


def _bound(card: TargetCard, bound: float) -> str:
    """Return what a label promises by itself; nothing where all are promised together."""
    return "" if card.curve and card.curve.together else f"at least {bound:.3f} right "

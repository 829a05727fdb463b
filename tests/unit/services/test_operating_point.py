"""Precision against coverage, computed from the cuts that a training stored."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smarttriage.cli.contracts import contract_json, contract_lines
from smarttriage.domain.contract import NEVER, Cut, PrecisionCurve, last_that_holds
from smarttriage.domain.errors import Conflict, InvalidInput
from smarttriage.ports import TargetCard
from smarttriage.services.operating_point import LEAST_PRECISION, at_coverage, at_precision, card_at

CUTS = {
    "network": (Cut(0.9, 50, 50, 0.0, 0.96), Cut(0.7, 100, 100, 4.0, 0.92), Cut(0.5, 150, 150, 20.0, 0.8)),
    "hardware": (Cut(0.8, 50, 50, 5.0, 0.85),),
    "rarity": (),
}
CURVE = PrecisionCurve(0.9, 400, 2, {"network": 150, "hardware": 50, "rarity": 4}, CUTS)


def a_card(curve: PrecisionCurve | None = CURVE) -> TargetCard:
    contracts = curve.contracts(0.9) if curve else {}
    return TargetCard("category", ("hardware", "network", "rarity"), {}, 0.9, contracts=contracts, curve=curve)


def test_the_last_cut_before_the_first_that_fails_is_taken() -> None:
    cuts = (Cut(0.9, 20, 20, 0, 0.95), Cut(0.8, 30, 30, 0, 0.93), Cut(0.7, 40, 40, 3, 0.88), Cut(0.6, 60, 60, 3, 0.94))
    assert last_that_holds(cuts, 0.9) == cuts[1]
    assert last_that_holds(cuts, 0.96) is None
    assert last_that_holds(cuts, 0.93) == cuts[1]


def test_precision_gives_coverage_and_thresholds() -> None:
    point = at_precision(a_card(), 0.9)
    assert point.thresholds == {"network": 0.7, "hardware": NEVER, "rarity": NEVER}
    assert (point.coverage, point.precision) == (0.25, 0.96)
    assert point.contracts["network"].precision_bound == 0.92
    assert at_precision(a_card(), 0.99).precision is None


def test_coverage_gives_the_highest_precision_that_brings_it_about() -> None:
    assert at_coverage(a_card(), 0.25).target_precision == pytest.approx(0.92)
    assert at_coverage(a_card(), 0.26).target_precision == pytest.approx(0.85)
    assert at_coverage(a_card(), 0.26).coverage == 0.375
    with pytest.raises(InvalidInput, match=r"fills in 0\.5000"):
        at_coverage(a_card(), 0.6)


@given(precision=st.floats(LEAST_PRECISION, 0.999))
def test_the_precision_of_a_coverage_brings_that_coverage_back(precision: float) -> None:
    point = at_precision(a_card(), precision)
    if point.coverage:
        back = at_coverage(a_card(), point.coverage)
        assert back.coverage == point.coverage
        assert back.target_precision >= precision - 1e-3


def test_a_moved_card_fills_in_at_the_new_thresholds() -> None:
    card = card_at(a_card(), 0.8)
    assert card.thresholds == {"network": 0.5, "hardware": 0.8, "rarity": NEVER}
    assert card.target_precision == 0.8
    assert card.contracts["hardware"].met


def test_a_model_without_a_curve_says_how_to_get_one() -> None:
    with pytest.raises(Conflict, match="train it again"):
        at_precision(a_card(None), 0.9)
    assert list(contract_lines(a_card(None))) == []


@pytest.mark.parametrize("precision", [0.0, 0.49, 1.0, float("nan")])
def test_a_precision_out_of_range_is_refused(precision: float) -> None:
    with pytest.raises(InvalidInput, match="precision is"):
        at_precision(a_card(), precision)


def test_training_tells_promises_and_distances_label_by_label() -> None:
    head, network, hardware, rarity = contract_lines(a_card())
    assert head.startswith("category: filled in for 25.0% of the rows; 1 of 3 labels guarantee a precision of 0.9")
    assert network == "  network   from 0.700 on: 25.0% of the rows, at least 0.920 right (4 of 100 held-out rows wrong)"
    assert "recommend only: cannot meet 0.9 with 50 held-out rows; needs about" in hardware
    assert rarity.strip().startswith("rarity")
    plain = contract_json(a_card())
    assert plain["coverage"] == 0.25
    assert plain["labels"]["rarity"]["threshold"] is None  # type: ignore[index]

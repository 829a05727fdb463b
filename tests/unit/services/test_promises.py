"""Only what a contract covers is filled in without a person; what votes alone lift is recommended."""

import pytest

from smarttriage.domain.contract import NEVER
from smarttriage.domain.suggestion import FieldMode, Reason
from smarttriage.ports import TargetCard
from smarttriage.services.fields import predicted, ranked

CARD = TargetCard("category", ("network", "hardware"), {"network": 0.8, "hardware": NEVER}, 0.9)


@pytest.mark.parametrize(
    ("model", "blended", "value", "mode", "reason"),
    [
        ({"network": 0.85, "hardware": 0.15}, {"network": 0.85, "hardware": 0.15}, "network", FieldMode.AUTOFILL, None),
        ({"network": 0.7, "hardware": 0.3}, {"network": 0.7, "hardware": 0.3}, None, FieldMode.RECOMMEND, Reason.LOW_CONFIDENCE),
        (
            {"network": 0.6, "hardware": 0.4},
            {"network": 0.1, "hardware": 0.9},
            "hardware",
            FieldMode.RECOMMEND,
            Reason.REVIEWED_NEIGHBOURS,
        ),
        (
            {"network": 0.6, "hardware": 0.4},
            {"network": 0.1, "hardware": 0.05, "purchase": 0.85},
            "purchase",
            FieldMode.RECOMMEND,
            Reason.REVIEWED_NEIGHBOURS,
        ),
        (
            {"network": 0.4, "hardware": 0.6},
            {"network": 0.9, "hardware": 0.1},
            "network",
            FieldMode.AUTOFILL,
            Reason.REVIEWED_NEIGHBOURS,
        ),
    ],
)
def test_a_field_is_filled_in_only_where_its_label_keeps_a_contract(
    model: dict[str, float], blended: dict[str, float], value: str | None, mode: FieldMode, reason: Reason | None
) -> None:
    found = predicted(CARD, ranked(model, blended), FieldMode.AUTOFILL)
    assert (found.value, found.mode, found.reason) == (value, mode, reason)

"""What a person said is told apart from what was merely left standing."""

import pytest

from smarttriage.domain.decision import Shown, origin_of, shown_as
from smarttriage.domain.feedback import FeedbackAction
from smarttriage.domain.incident import LabelOrigin
from smarttriage.domain.suggestion import FieldMode, FieldPrediction, Reason
from smarttriage.testing.factories import a_prediction

FILLED = a_prediction("hardware")
HELD_OUT = FieldPrediction(None, 0.9, FieldMode.RECOMMEND, FILLED.alternatives, reason=Reason.HOLDOUT)
UNSURE = a_prediction(None)
GIVEN = a_prediction("hardware", reason=Reason.GIVEN)
SILENT = FieldPrediction(None, 0.0, FieldMode.OFF, reason=Reason.TURNED_OFF)


@pytest.mark.parametrize(
    ("field", "shown"),
    [(FILLED, Shown.AUTOFILLED), (HELD_OUT, Shown.HELD_OUT), (UNSURE, Shown.RECOMMENDED), (GIVEN, None), (SILENT, None)],
)
def test_a_field_knows_how_it_was_shown(field: FieldPrediction, shown: Shown | None) -> None:
    assert shown_as(field) is shown


@pytest.mark.parametrize(
    ("value", "field", "action", "origin"),
    [
        ("hardware", FILLED, None, LabelOrigin.LEFT_STANDING),
        ("hardware", FILLED, FeedbackAction.LEFT_STANDING, LabelOrigin.LEFT_STANDING),
        ("hardware", FILLED, FeedbackAction.ACCEPTED, LabelOrigin.CONFIRMED),
        ("network", FILLED, None, LabelOrigin.CORRECTED),
        ("network", FILLED, FeedbackAction.REPLACED, LabelOrigin.CORRECTED),
        ("hardware", HELD_OUT, None, LabelOrigin.CONFIRMED),
        ("network", HELD_OUT, None, LabelOrigin.CORRECTED),
        ("software", UNSURE, None, LabelOrigin.CONFIRMED),
        ("hardware", GIVEN, None, LabelOrigin.RECORDED),
        ("hardware", None, None, LabelOrigin.RECORDED),
    ],
)
def test_a_label_that_repeats_what_was_filled_in_is_a_decision_only_if_somebody_said_so(
    value: str, field: FieldPrediction | None, action: FeedbackAction | None, origin: LabelOrigin
) -> None:
    assert origin_of(value, field, action) is origin

"""The gate: rules before the model, familiarity after it, and what clears a text."""

from collections.abc import Mapping

import numpy as np
import pytest

from smarttriage.bootstrap.resources import intake, taxonomy
from smarttriage.config import Settings
from smarttriage.domain.suggestion import FieldMode, FieldPrediction, Reason
from smarttriage.domain.voting import Vote
from smarttriage.ports import Familiarity, Probabilities, Vectors
from smarttriage.services import fields
from smarttriage.services.gate import Gate, Verdict, withheld

TAXONOMY = taxonomy(Settings())
LABELS = {"kind": ("incident", "other")}
WORK, IDLE = np.array([0.8, 0.2]), np.array([0.2, 0.8])


class Fixed:
    understood = frozenset({"pl"})

    def __init__(self, *, strange: bool = False, doubtful: bool = False, nearer_to_work: float = 0.0) -> None:
        self._found = Familiarity(0.0, strange, doubtful or strange, {"incident": 0.4 + nearer_to_work, "other": 0.4})

    def familiarity(
        self, text: str, language: str | None, vector: Vectors, probabilities: Mapping[str, Probabilities]
    ) -> Familiarity:
        return self._found


def verdict(novelty: Fixed | None, kind: Probabilities, similarity: float = 0.0, text: str = "text") -> Verdict:
    votes = {"category": [Vote("network", similarity, "inc_1")]}
    return Gate(None, novelty).verdict(
        text, np.zeros(3, np.float32), {"kind": kind}, taxonomy=TAXONOMY, votes=votes, labels=LABELS
    )


@pytest.mark.parametrize(
    ("novelty", "kind", "expected"),
    [
        (Fixed(), WORK, None),
        (Fixed(doubtful=True), WORK, None),
        (Fixed(doubtful=True), IDLE, Reason.OFF_TOPIC),
        (Fixed(strange=True), WORK, Reason.UNKNOWN_TOPIC),
        (Fixed(strange=True), IDLE, Reason.OFF_TOPIC),
        (None, IDLE, None),
    ],
)
def test_a_strange_text_is_refused_and_a_doubtful_one_only_where_it_looks_like_no_work(
    novelty: Fixed | None, kind: Probabilities, expected: Reason | None
) -> None:
    assert verdict(novelty, kind).refused is expected


def test_a_reviewed_incident_near_by_clears_a_strange_text() -> None:
    assert verdict(Fixed(strange=True), WORK, similarity=0.9).refused is None


def test_no_work_is_doubted_where_work_is_much_nearer() -> None:
    assert verdict(Fixed(nearer_to_work=0.2), IDLE).kind_doubted
    assert not verdict(Fixed(nearer_to_work=0.01), IDLE).kind_doubted
    assert not verdict(Fixed(nearer_to_work=0.2), WORK).kind_doubted


def test_a_sure_model_is_believed_further_but_never_on_a_terse_text() -> None:
    near, sure = Fixed(nearer_to_work=0.06), np.array([0.1, 0.9])
    assert not verdict(near, sure, text="did you see the match last night").kind_doubted
    assert verdict(near, sure, text="vpn down").kind_doubted
    assert verdict(near, np.array([0.3, 0.7]), text="did you see the match last night").kind_doubted


def test_without_rules_only_a_blank_text_is_empty() -> None:
    assert Gate().refusal(" ", "\n") is Reason.EMPTY_TEXT
    assert Gate().refusal("", "help") is None


def test_a_language_of_the_training_rows_passes() -> None:
    text = "Komputer nie działa, proszę o pomoc"
    assert Gate(intake()).refusal("", text) is Reason.UNSUPPORTED_LANGUAGE
    assert Gate(intake(), Fixed()).refusal("", text) is None


def test_what_a_person_gave_and_what_is_only_monitored_stays() -> None:
    guessed = FieldPrediction("network", 0.9, FieldMode.AUTOFILL)
    found = withheld(
        {
            "category": guessed,
            "impact": fields.given("high", FieldMode.AUTOFILL),
            "urgency": fields.unknown(Reason.MONITOR_ONLY, FieldMode.MONITOR),
        },
        Reason.OFF_TOPIC,
    )
    assert (found["category"].value, found["category"].reason) == (None, Reason.OFF_TOPIC)
    assert found["impact"].value == "high"
    assert found["urgency"].reason is Reason.MONITOR_ONLY


def test_where_the_model_and_its_rows_disagree_about_work_nothing_is_filled_in() -> None:
    found = fields.recommended(
        {"category": FieldPrediction("network", 0.9, FieldMode.AUTOFILL), "impact": fields.given("high", FieldMode.AUTOFILL)}
    )
    assert (found["category"].value, found["category"].mode) == ("network", FieldMode.RECOMMEND)
    assert found["impact"].mode is FieldMode.AUTOFILL

"""Rules stand above the model, below people, and say that it was they."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from smarttriage.adapters.encoders.hashing import HashingEncoder
from smarttriage.domain.cue_lexicon import parse_lexicon
from smarttriage.domain.incident import Labels
from smarttriage.domain.priority import PriorityPolicy
from smarttriage.domain.rule_parsing import parse_rules
from smarttriage.domain.rules import Circumstances
from smarttriage.domain.suggestion import FieldMode, FieldPrediction, PrioritySuggestion, Reason
from smarttriage.domain.taxonomy import Taxonomy
from smarttriage.services import fields
from smarttriage.services.live import Models
from smarttriage.services.matching import IncidentText
from smarttriage.services.predicting import predict
from smarttriage.services.prioritising import prioritise
from smarttriage.services.ruling import ruled
from smarttriage.testing.factories import NOON
from smarttriage.testing.fakes import KeywordClassifier

KB = Path(__file__).parents[3] / "kb"


def toml(name: str) -> dict[str, Any]:
    return tomllib.loads((KB / name).read_text("utf-8"))


LEXICON = parse_lexicon(toml("cues.toml"))
TAXONOMY = Taxonomy.from_mapping(toml("taxonomy.toml"))
POLICY = PriorityPolicy.from_mapping(toml("priority.toml"))


def answer(
    *rules: dict[str, Any], text: str, known: Labels | None = None, modes: dict[str, FieldMode] | None = None, **more: Any
) -> tuple[dict[str, FieldPrediction], PrioritySuggestion]:
    written = [{"id": f"rule-{place}", "reason": "Because.", **rule} for place, rule in enumerate(rules)]
    book = parse_rules({"version": "1", "rules": written}, lexicon=LEXICON, taxonomy=TAXONOMY, policy=POLICY)
    models = Models(HashingEncoder(), KeywordClassifier(), TAXONOMY, POLICY, modes=modes or {}, rules=book)
    request = IncidentText("", text, known or Labels(), circumstances=Circumstances(**more))
    probabilities = models.classifier.predict_proba([text], models.encoder.encode([text]))
    found, ruling = ruled(models, request, predict(models, request, probabilities, {}))
    return found, prioritise(POLICY, found, NOON, models, ruling)[0]


TILLS = {"when": {"any_words": ["till*"]}, "then": {"urgency_at_least": "high"}}


def test_a_rule_raises_a_field_and_shows_its_words() -> None:
    found, priority = answer(TILLS, text="our team: all tills are slow")
    urgency = found["urgency"]
    assert (urgency.value, urgency.reason, urgency.confidence, urgency.mode) == ("high", Reason.RULE, 1.0, FieldMode.AUTOFILL)
    assert [(span.text, span.field) for span in urgency.evidence] == [("tills", "description")]
    assert (urgency.rule.id, urgency.rule.reason) == ("rule-0", "Because.") if urgency.rule else False
    assert "medium" in {label.value for label in urgency.alternatives}
    assert priority.value == "P2"
    assert 'urgency by rule "rule-0": Because.' in priority.because


def test_a_floor_never_lowers_and_leaves_the_text_its_say() -> None:
    low = {"when": {"any_words": ["till*"]}, "then": {"urgency_at_least": "low"}}
    found, _ = answer(low, text="tills are slow for our team")
    assert (found["urgency"].value, found["urgency"].reason, found["urgency"].rule) == ("medium", None, None)


def test_the_first_rule_that_sets_a_value_wins() -> None:
    rules = [{"when": {"any_words": ["till*"]}, "then": {"category": name}} for name in ("network", "access")]
    found, _ = answer(*rules, text="the printer of the tills")
    assert (found["category"].value, found["category"].rule and found["category"].rule.id) == ("network", "rule-0")
    assert (found["sub_category"].value, found["sub_category"].reason) == (None, Reason.PARENT_UNKNOWN)


def test_what_a_person_gave_stands() -> None:
    found, priority = answer(
        TILLS,
        {"when": {"any_words": ["till*"]}, "then": {"priority": "P1"}},
        text="tills",
        known=Labels(impact="low", urgency="low"),
    )
    assert (found["urgency"].value, found["urgency"].reason) == ("low", Reason.GIVEN)
    assert (priority.value, priority.rule) == ("P4", None)


@pytest.mark.parametrize("mode", [FieldMode.OFF, FieldMode.MONITOR])
def test_a_field_that_an_administrator_holds_back_stays_back(mode: FieldMode) -> None:
    found, _ = answer(TILLS, text="tills are slow", modes={"urgency": mode})
    assert (found["urgency"].value, found["urgency"].mode) == (None, mode)


def test_a_rule_about_the_priority_says_so_even_where_the_model_is_unsure() -> None:
    rule = {"when": {"services": ["SAP"]}, "then": {"priority_at_least": "P2"}}
    found, priority = answer(rule, text="it hums", affected_services=("SAP",))
    assert found["impact"].value is None
    assert priority.value == "P2"
    assert priority.rule
    assert priority.because.startswith('rule "rule-0": Because. (service SAP)')


def test_the_holdout_keeps_what_a_rule_decided() -> None:
    found, _ = answer(TILLS, text="our team: all tills are slow")
    held = fields.held_out(found)
    assert held["urgency"].value == "high"
    assert held["impact"].value is None


def under(rule: dict[str, Any], text: str) -> dict[str, FieldPrediction]:
    """Return the fields where what a rule decides is followed up and down the levels, as in serving."""
    written = [{"id": "rule-0", "reason": "Because.", **rule}]
    book = parse_rules({"version": "1", "rules": written}, lexicon=LEXICON, taxonomy=TAXONOMY, policy=POLICY)
    models = Models(HashingEncoder(), KeywordClassifier(), TAXONOMY, POLICY, rules=book)
    probabilities = models.classifier.predict_proba([text], models.encoder.encode([text]))

    def again(request: IncidentText) -> dict[str, FieldPrediction]:
        return predict(models, request, probabilities, {})

    request = IncidentText("", text)
    return ruled(models, request, again(request), again)[0]


def test_a_category_that_a_rule_decided_restricts_the_sub_categories() -> None:
    found = under({"when": {"any_words": ["till*"]}, "then": {"category": "hardware"}}, "vpn till is down")
    assert (found["category"].value, found["category"].reason) == ("hardware", Reason.RULE)
    assert [option.value for option in found["sub_category"].alternatives] == ["printer"]


def test_a_sub_category_that_a_rule_decided_decides_the_category_too() -> None:
    found = under({"when": {"any_words": ["till*"]}, "then": {"sub_category": "printer"}}, "vpn till is down")
    category = found["category"]
    assert (found["sub_category"].value, category.value, category.reason) == ("printer", "hardware", Reason.RULE)
    assert category.rule is not None
    assert category.rule.id == "rule-0"

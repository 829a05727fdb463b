"""Rules hold when all that they ask for is there, and a wrong file is refused with file, key and way out."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from smarttriage.domain.cue_lexicon import parse_lexicon
from smarttriage.domain.errors import ConfigurationError
from smarttriage.domain.priority import PriorityPolicy
from smarttriage.domain.rule_parsing import parse_rules
from smarttriage.domain.rules import Circumstances, Grounds, RuleBook
from smarttriage.domain.taxonomy import Taxonomy

KB = Path(__file__).parents[3] / "kb"


def toml(name: str) -> dict[str, Any]:
    return tomllib.loads((KB / name).read_text("utf-8"))


LEXICON = parse_lexicon(toml("cues.toml"))
TAXONOMY = Taxonomy.from_mapping(toml("taxonomy.toml"))
POLICY = PriorityPolicy.from_mapping(toml("priority.toml"))


def book(when: dict[str, Any], then: dict[str, Any] | None = None, **lists: list[str]) -> RuleBook:
    rule = {"id": "r", "reason": "Because.", "when": when, "then": then or {"urgency": "high"}}
    return parse({"version": "1", "lists": lists, "rules": [rule]})


def parse(values: dict[str, Any]) -> RuleBook:
    return parse_rules(values, lexicon=LEXICON, taxonomy=TAXONOMY, policy=POLICY)


def holds(rules: RuleBook, text: str, known: Circumstances | None = None, **values: str) -> Grounds | None:
    return rules.grounds(rules.rules[0], rules.read(text), known or Circumstances(), values)


def words(grounds: Grounds | None, text: str) -> list[str]:
    return [text[span.start : span.end] for span in grounds.spans] if grounds else []


def test_words_are_patterns_and_stand_where_they_say() -> None:
    rules = book({"any_words": ["switchboard", "call cent*"]})
    text = "Since nine the CALL CENTRE is silent"
    assert words(holds(rules, text), text) == ["CALL CENTRE"]
    assert holds(rules, "the centre calls") is None


def test_all_words_must_stand_there_and_none_of_unless() -> None:
    rules = book({"all_words": ["till*", "(card|cards)"], "unless_words": ["training"]})
    text = "Tills refuse cards"
    assert words(holds(rules, text), text) == ["Tills", "cards"]
    assert holds(rules, "Tills refuse cash") is None
    assert holds(rules, "Tills refuse cards in training") is None


@pytest.mark.parametrize("text", ["ransomware on the share", "Losegeld gefordert, Trojaner", "on demande une rançon"])
def test_cues_are_found_in_every_language(text: str) -> None:
    assert holds(book({"cues": ["attack_under_way"]}), text)
    assert holds(book({"any_words": ["on", "gefordert", "demande"], "unless_cues": ["attack_under_way"]}), text) is None


def test_all_cues_must_be_found() -> None:
    rules = book({"all_cues": ["whole_organisation", "stopped"]})
    assert holds(rules, "the whole company is down")
    assert holds(rules, "the whole company sees a slow page") is None


def test_service_is_affected_or_named_in_the_text() -> None:
    rules = book({"services": ["{vip}", "Payroll (prod)"]}, vip=["SAP", "till server"])
    assert (holds(rules, "x", Circumstances(affected_services=("sap",))) or Grounds()).known == ("service sap",)
    assert (holds(rules, "x", Circumstances(configuration_items=("Payroll (prod)",))) or Grounds()).known
    text = "the Till Server hums"
    assert words(holds(rules, text), text) == ["Till Server"]
    assert holds(rules, "SAPPHIRE hums") is None


def test_empty_list_of_services_never_holds() -> None:
    assert holds(book({"services": ["{vip}"]}, vip=[]), "SAP is down", Circumstances(affected_services=("SAP",))) is None


def test_reporter_source_and_labels_are_asked_for_together() -> None:
    rules = book({"people": ["the.director"], "source_systems": ["mail"], "category": ["network", "access"]})
    known = Circumstances(reporter="The.Director", source_system="mail")
    grounds = holds(rules, "x", known, category="access")
    assert (grounds or Grounds()).known == ("person The.Director", "source system mail")
    assert holds(rules, "x", known, category="hardware") is None
    assert holds(rules, "x", Circumstances(affected_users=("the.director",)), category="access") is None


def test_shipped_rules_load_and_the_list_of_services_is_empty() -> None:
    rules = parse(toml("rules.toml"))
    assert [rule.id for rule in rules.rules] == ["attack-under-way", "vip-service", "whole-organisation-stopped"]
    assert rules.rules[1].when.services == ()


RULE = {"id": "r", "reason": "Because.", "when": {"any_words": ["x"]}, "then": {"urgency": "high"}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"then": {"urgency": "huge"}}, r'rules.toml: rules\[0\].then.urgency: is "huge"; use one of low, medium, high'),
        ({"then": {"priority_at_least": "P0"}}, 'priority_at_least: is "P0"; use one of P4, P3, P2, P1'),
        ({"then": {}}, "then: decides nothing"),
        ({"then": {"impact": "low", "impact_at_least": "low"}}, "stands beside impact"),
        ({"when": {}}, "any_words: is missing"),
        ({"when": {"any_words": ["(x"]}}, "any_words"),
        ({"when": {"cues": ["panic"]}}, 'names "panic", which is no cue type'),
        ({"when": {"category": ["plumbing"]}}, 'category: is "plumbing"'),
        ({"when": {"services": ["{board}"]}}, r'names the list "board"; add board = \[...\] under \[lists\]'),
        ({"when": {"word": ["x"]}}, "word: unknown key"),
        ({"reason": ""}, "reason: is ''"),
    ],
)
def test_wrong_rule_is_named_with_the_way_out(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        parse({"version": "1", "rules": [{**RULE, **change}]})


def test_two_rules_of_one_id_are_refused() -> None:
    with pytest.raises(ConfigurationError, match='the id "r" stands there 2 times'):
        parse({"version": "1", "rules": [RULE, RULE]})

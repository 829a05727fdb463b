"""Rules for clusters: the first that fits decides, mistakes are refused with their place, and a burst is held against chance."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from smarttriage.domain.errors import ConfigurationError
from smarttriage.domain.priority import PriorityPolicy
from smarttriage.domain.stream_rules import Action, Facts, StreamPolicy
from smarttriage.domain.streams import ProposalKind
from smarttriage.domain.surprise import surprise

KB = Path(__file__).parents[3] / "kb"
STORMS = (ProposalKind.MAJOR, ProposalKind.EMERGING)
LINKING = {"cosine": 0.6, "floor": 0.6, "rarity": 0.0, "shared_place": 0.1, "gap": "60m", "burst": "60m", "history": "672h"}


def matrix() -> PriorityPolicy:
    return PriorityPolicy.from_mapping(tomllib.loads((KB / "priority.toml").read_text(encoding="utf-8")))


def policy(*rules: dict[str, Any], **linking: Any) -> StreamPolicy:
    return StreamPolicy.from_mapping({"version": "1", "linking": LINKING | linking, "rules": list(rules)}, matrix())


def rule(**values: Any) -> dict[str, Any]:
    return {"id": "r", "kind": "emerging_cluster", "action": "propose"} | values


def test_the_shipped_rules_are_sound_and_promote_nothing_small() -> None:
    shipped = StreamPolicy.from_mapping(
        tomllib.loads((KB / "major_incidents.toml").read_text(encoding="utf-8")), matrix(), "major_incidents.toml"
    )
    assert {one.kind for one in shipped.rules} == set(ProposalKind)
    assert shipped.decide(STORMS, Facts(n_reports=2, n_reporters=2, surprise=99)) is None
    many = Facts(n_reports=30, n_reporters=30, surprise=30)
    assert [one and one.action for one in (shipped.decide(STORMS, many),)] == [Action.PROPOSE]


def test_the_first_rule_that_fits_decides_and_ignore_ends_the_search() -> None:
    rules = policy(
        rule(id="hr", action="ignore", categories=["hr"]),
        rule(id="big", kind="major_incident", min_reports=5, priorities=["P1"]),
        rule(id="small", min_reports=3),
    )
    assert rules.decide(STORMS, Facts(n_reports=9, categories=frozenset({"hr"}))) is None
    mixed = rules.decide(STORMS, Facts(n_reports=9, categories=frozenset({"hr", "network"}), priorities=frozenset({"P1", "P3"})))
    assert mixed is not None
    assert mixed.id == "big"
    small = rules.decide(STORMS, Facts(n_reports=9, priorities=frozenset({"P3"})))
    assert small is not None
    assert small.id == "small"
    assert rules.decide((ProposalKind.DUPLICATE,), Facts(n_reports=9)) is None


def test_kinds_that_are_no_incidents_can_be_left_out() -> None:
    rules = policy(rule(kind="recurring_problem", min_cosine=0.7, not_kinds=["request"]))
    assert rules.decide((ProposalKind.RECURRING,), Facts(cosine=0.8, kinds=frozenset({"request"}))) is None
    assert rules.decide((ProposalKind.RECURRING,), Facts(cosine=0.8, kinds=frozenset({"incident"}))) is not None


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (rule(kind="outage"), r'rules\[0\].kind: is "outage"; write one of duplicate'),
        (rule(action="close"), r'rules\[0\].action: is "close"; write one of ignore'),
        (rule(min_reports=0), r"rules\[0\].min_reports: is 0; write a whole number"),
        (rule(min_surprise="high"), r"min_surprise: is 'high'; write a number"),
        (rule(kind="duplicate", within="1h"), "min_cosine: is missing"),
        (rule(kind="duplicate", min_cosine=0.8), "within: belongs to rules for duplicates"),
        (rule(within="1h"), "within: belongs to rules for duplicates"),
        (rule(priorities=["P9"]), "priorities: names P9; write some of P1"),
        (rule(reports=3), "reports: unknown key"),
    ],
)
def test_a_mistake_is_refused_with_its_place_and_the_way_out(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        policy(wrong)


def test_linking_must_leave_time_for_what_is_usual_and_ids_must_differ() -> None:
    with pytest.raises(ConfigurationError, match="history: is not longer than burst"):
        policy(history="1h")
    with pytest.raises(ConfigurationError, match="floor: is above cosine"):
        policy(floor=0.7)
    with pytest.raises(ConfigurationError, match='"r" is used twice'):
        policy(rule(), rule())


def test_surprise_is_the_tail_of_the_poisson_distribution() -> None:
    assert surprise(2, 3.0) == surprise(0, 0.5) == 0.0
    # P(N >= 1) = 1 - exp(-0.01); P(N >= 3 | 1) = 1 - 2.5 / e.
    assert surprise(1, 0.01) == pytest.approx(2.002, abs=0.001)
    assert surprise(3, 1.0) == pytest.approx(1.0952, abs=0.0001)
    assert surprise(200, 1.0) > surprise(100, 1.0) > 100

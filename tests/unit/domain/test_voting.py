"""One decision of a person counts at once, and only where the texts are alike."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smarttriage.domain.voting import SEVERITY, TOPIC, Vote, Voting, shares, with_votes

FLOOR = 0.6
RULE = Voting(floor=FLOOR, background=0.8, sharpness=2.0, model=1.0, unlearnt=4.0, doubt=0.5)
LABELS = st.sampled_from(["network", "hardware", "access", "brand_new"])


@st.composite
def distributions(draw: st.DrawFn) -> dict[str, float]:
    weights = draw(st.lists(st.floats(0.001, 1), min_size=3, max_size=3))
    return {label: weight / sum(weights) for label, weight in zip(["network", "hardware", "access"], weights, strict=True)}


VOTES = st.lists(st.builds(Vote, LABELS, st.floats(-1.0, 1.000001), st.just(""), st.floats(0, 1)), max_size=8)
RULES = st.builds(
    Voting, st.floats(0, 1), st.floats(0, 1), st.floats(0.5, 4), st.floats(0.2, 4), st.floats(1, 8), st.floats(0, 2)
)


@given(model=distributions(), label=LABELS)
def test_decision_about_the_same_text_wins_over_the_model(model: dict[str, float], label: str) -> None:
    blended = with_votes(model, [Vote(label, 1.0)], RULE)
    assert max(blended, key=lambda name: blended[name]) == label
    assert blended[label] > 0.9


def test_decision_about_the_same_text_wins_over_several_that_are_only_alike() -> None:
    model = {"network": 0.98, "hardware": 0.02}
    votes = [Vote("hardware", 1.0), *(Vote("network", 0.9) for _ in range(4))]
    assert with_votes(model, votes, RULE)["hardware"] > 0.6


@given(model=distributions(), votes=st.lists(st.builds(Vote, LABELS, st.floats(-1, FLOOR)), max_size=8))
def test_far_texts_change_nothing(model: dict[str, float], votes: list[Vote]) -> None:
    assert with_votes(model, votes, RULE) == model


@given(model=distributions(), votes=VOTES, rule=RULES)
def test_result_is_a_distribution(model: dict[str, float], votes: list[Vote], rule: Voting) -> None:
    blended = with_votes(model, votes, rule)
    assert sum(blended.values()) == pytest.approx(1.0)
    assert all(0 <= value <= 1 for value in blended.values())


def test_label_that_the_model_never_saw_takes_part() -> None:
    assert with_votes({"network": 1.0}, [Vote("brand_new", 1.0)], RULE)["brand_new"] > 0.9


@given(model=distributions(), nearer=st.floats(FLOOR, 1), farther=st.floats(FLOOR, 1))
def test_nearer_text_counts_at_least_as_much(model: dict[str, float], nearer: float, farther: float) -> None:
    farther, nearer = sorted((nearer, farther))
    strong = with_votes(model, [Vote("access", nearer)], RULE)["access"]
    weak = with_votes(model, [Vote("access", farther)], RULE)["access"]
    assert strong >= weak - 1e-12


def test_two_opposite_decisions_about_the_same_text_share_the_vote() -> None:
    blended = with_votes({"network": 0.5, "hardware": 0.5}, [Vote("network", 1.0), Vote("hardware", 1.0)], RULE)
    assert blended["network"] == pytest.approx(blended["hardware"])


def test_weak_vote_moves_a_sure_model_little() -> None:
    model = {"network": 0.95, "hardware": 0.05}
    assert with_votes(model, [Vote("hardware", FLOOR + 0.02)], RULE)["network"] > 0.9


def test_similarity_a_hair_above_one_is_one() -> None:
    assert with_votes({"network": 1.0}, [Vote("network", 1.0000002)], Voting(1.0, 0.0, 1.0, 1.0, 1.0, 0.5)) == {"network": 1.0}


@given(model=distributions(), votes=VOTES, rule=RULES)
def test_shares_are_what_the_votes_added(model: dict[str, float], votes: list[Vote], rule: Voting) -> None:
    counted = shares(model, votes, rule)
    left = 1 - sum(share for _, share in counted)
    blended = with_votes(model, votes, rule)
    for label, probability in blended.items():
        own = sum(share for vote, share in counted if vote.label == label)
        assert probability == pytest.approx(left * model.get(label, 0.0) + own, abs=1e-9)
    assert [share for _, share in counted] == sorted((share for _, share in counted), reverse=True)


def test_in_a_crowd_of_like_texts_being_alike_says_less() -> None:
    model = {"network": 0.6, "hardware": 0.4}
    rare = with_votes(model, [Vote("hardware", 0.8, tenth=0.3)], TOPIC)
    crowd = with_votes(model, [Vote("hardware", 0.8, tenth=0.75)], TOPIC)
    assert rare["hardware"] > crowd["hardware"] + 0.1


def test_label_that_the_model_never_learnt_needs_fewer_votes() -> None:
    model = {"network": 0.6, "hardware": 0.4}
    known = with_votes(model, [Vote("hardware", 0.7)], TOPIC)["hardware"] - 0.4
    brand_new = with_votes(model, [Vote("brand_new", 0.7)], TOPIC)["brand_new"]
    assert brand_new > known + 0.1


def test_sure_model_yields_less_than_an_unsure_one() -> None:
    vote = [Vote("access", 0.7)]
    sure = with_votes({"network": 0.98, "hardware": 0.02, "access": 0.0}, vote, TOPIC)
    unsure = with_votes({"network": 0.4, "hardware": 0.6, "access": 0.0}, vote, TOPIC)
    assert unsure["access"] > sure["access"]


def test_many_texts_merely_alike_do_not_overrule_a_sure_model_but_one_that_is_the_same_does() -> None:
    model = {"incident": 0.995, "request": 0.005}
    alike = with_votes(model, [Vote("request", 0.8, tenth=0.7)] * 4, TOPIC)
    assert alike["incident"] > 0.5
    assert with_votes(model, [Vote("request", 0.8, tenth=0.7)] * 4, replace(TOPIC, doubt=0.0))["incident"] < 0.5
    assert with_votes(model, [Vote("request", 1.0)], TOPIC)["request"] > 0.9


def test_doubt_silences_no_label_that_the_model_never_learnt() -> None:
    model = {"incident": 0.995, "request": 0.005}
    vote = [Vote("brand_new", 0.7)]
    assert with_votes(model, vote, TOPIC) == with_votes(model, vote, replace(TOPIC, doubt=0.0))


def test_severity_listens_to_the_same_text_only() -> None:
    model = {"low": 0.7, "high": 0.3}
    assert with_votes(model, [Vote("high", 0.97)] * 10, SEVERITY) == model
    assert with_votes(model, [Vote("high", 1.0)], SEVERITY)["high"] > 0.9

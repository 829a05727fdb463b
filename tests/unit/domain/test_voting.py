"""One decision of a person counts at once, and only where the texts are alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smarttriage.domain.voting import Vote, shares, with_votes

FLOOR = 0.6
LABELS = st.sampled_from(["network", "hardware", "access", "brand_new"])


@st.composite
def distributions(draw: st.DrawFn) -> dict[str, float]:
    weights = draw(st.lists(st.floats(0.001, 1), min_size=3, max_size=3))
    return {label: weight / sum(weights) for label, weight in zip(["network", "hardware", "access"], weights, strict=True)}


VOTES = st.lists(st.builds(Vote, LABELS, st.floats(-1.0, 1.000001)), max_size=8)


@given(model=distributions(), label=LABELS)
def test_decision_about_the_same_text_wins_over_the_model(model: dict[str, float], label: str) -> None:
    blended = with_votes(model, [Vote(label, 1.0)], floor=FLOOR)
    assert max(blended, key=lambda name: blended[name]) == label
    assert blended[label] > 0.9


def test_decision_about_the_same_text_wins_over_several_that_are_only_alike() -> None:
    model = {"network": 0.98, "hardware": 0.02}
    votes = [Vote("hardware", 1.0), *(Vote("network", 0.9) for _ in range(4))]
    assert with_votes(model, votes, floor=FLOOR)["hardware"] > 0.6


@given(model=distributions(), votes=st.lists(st.builds(Vote, LABELS, st.floats(-1, FLOOR)), max_size=8))
def test_far_texts_change_nothing(model: dict[str, float], votes: list[Vote]) -> None:
    assert with_votes(model, votes, floor=FLOOR) == model


@given(model=distributions(), votes=VOTES, floor=st.floats(0, 1))
def test_result_is_a_distribution(model: dict[str, float], votes: list[Vote], floor: float) -> None:
    blended = with_votes(model, votes, floor=floor)
    assert sum(blended.values()) == pytest.approx(1.0)
    assert all(0 <= value <= 1 for value in blended.values())


def test_label_that_the_model_never_saw_takes_part() -> None:
    assert with_votes({"network": 1.0}, [Vote("brand_new", 1.0)], floor=FLOOR)["brand_new"] > 0.9


@given(model=distributions(), nearer=st.floats(FLOOR, 1), farther=st.floats(FLOOR, 1))
def test_nearer_text_counts_at_least_as_much(model: dict[str, float], nearer: float, farther: float) -> None:
    farther, nearer = sorted((nearer, farther))
    strong = with_votes(model, [Vote("access", nearer)], floor=FLOOR)["access"]
    weak = with_votes(model, [Vote("access", farther)], floor=FLOOR)["access"]
    assert strong >= weak - 1e-12


def test_two_opposite_decisions_about_the_same_text_share_the_vote() -> None:
    blended = with_votes({"network": 0.5, "hardware": 0.5}, [Vote("network", 1.0), Vote("hardware", 1.0)], floor=FLOOR)
    assert blended["network"] == pytest.approx(blended["hardware"])


def test_weak_vote_moves_a_sure_model_little() -> None:
    model = {"network": 0.95, "hardware": 0.05}
    assert with_votes(model, [Vote("hardware", FLOOR + 0.02)], floor=FLOOR)["network"] > 0.9


def test_similarity_a_hair_above_one_is_one() -> None:
    assert with_votes({"network": 1.0}, [Vote("network", 1.0000002)], floor=1.0) == {"network": 1.0}


@given(model=distributions(), votes=VOTES, floor=st.floats(0, 1))
def test_shares_are_what_the_votes_added(model: dict[str, float], votes: list[Vote], floor: float) -> None:
    counted = shares(votes, floor=floor)
    left = 1 - sum(share for _, share in counted)
    blended = with_votes(model, votes, floor=floor)
    for label, probability in blended.items():
        own = sum(share for vote, share in counted if vote.label == label)
        assert probability == pytest.approx(left * model.get(label, 0.0) + own, abs=1e-9)
    assert [share for _, share in counted] == sorted((share for _, share in counted), reverse=True)

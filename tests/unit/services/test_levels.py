"""Whatever the model, the votes and people say, no answer contradicts itself from one level to the next."""

import itertools
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smarttriage.adapters.encoders.hashing import HashingEncoder
from smarttriage.domain.incident import Labels
from smarttriage.domain.priority import PriorityPolicy
from smarttriage.domain.suggestion import FieldMode, FieldPrediction, Reason
from smarttriage.domain.taxonomy import Taxonomy
from smarttriage.domain.voting import Vote
from smarttriage.ports import Probabilities, TargetCard, TextSpan
from smarttriage.services.fields import held_out
from smarttriage.services.levels import Tree
from smarttriage.services.live import Models
from smarttriage.services.matching import IncidentText
from smarttriage.services.predicting import predict
from smarttriage.testing.fakes import KeywordClassifier

KB = Path(__file__).parents[3] / "kb"
TAXONOMY = Taxonomy.from_mapping(tomllib.loads((KB / "taxonomy.toml").read_text("utf-8")))
POLICY = PriorityPolicy.from_mapping(tomllib.loads((KB / "priority.toml").read_text("utf-8")))
LEVELS = ("area", "service", "part")
# "c" ends at the first level, "a2" at the second.
SERVICES = {"a1": "a", "a2": "a", "b1": "b"}
PARTS = {"a1x": "a1", "a1y": "a1", "b1x": "b1", "b1y": "b1"}
CARDS = {
    "part": TargetCard("part", tuple(PARTS), dict.fromkeys(PARTS, 0.3), 0.9, "service", PARTS),
    "service": TargetCard("service", tuple(SERVICES), dict.fromkeys(SERVICES, 0.4), 0.9, "area", SERVICES),
    "area": TargetCard("area", ("a", "b", "c"), dict.fromkeys("abc", 0.5), 0.9),
}


class ThreeLevels(KeywordClassifier):
    """A classifier whose cards stand below each other; what it says is given to `predict` by the tests."""

    @property
    def cards(self) -> Mapping[str, TargetCard]:
        return CARDS

    def explain(self, text: str, target: str, label: str, n: int = 5) -> Sequence[TextSpan]:
        return ()


def models(**modes: FieldMode) -> Models:
    return Models(HashingEncoder(), ThreeLevels(), TAXONOMY, POLICY, modes=modes)


def joint(area: list[float], service: list[float], part: list[float]) -> dict[str, Probabilities]:
    """Return consistent probabilities: P(path) = P(above) P(label | above)."""
    found = {"area": np.array(area) / sum(area)}
    for target, own in (("service", service), ("part", part)):
        card = CARDS[target]
        above = CARDS[card.parent or ""].labels
        owners = np.array([above.index(card.parents[label]) for label in card.labels])
        inside = np.bincount(owners, weights=own, minlength=len(above))
        found[target] = found[card.parent or ""][owners] * np.array(own) / inside[owners]
    return {target: row[None] for target, row in found.items()}


SURE = joint([0.9, 0.05, 0.05], [0.9, 0.1, 1.0], [0.9, 0.1, 0.5, 0.5])


def answered(
    probabilities: Mapping[str, Probabilities] = SURE,
    *,
    votes: Mapping[str, list[Vote]] | None = None,
    known: Mapping[str, str] | None = None,
    **modes: FieldMode,
) -> dict[str, FieldPrediction]:
    request = IncidentText("", "text", Labels(custom=dict(known or {})))
    found = predict(models(**modes), request, probabilities, votes or {})
    return {target: found[target] for target in LEVELS}


def assert_consistent(found: Mapping[str, FieldPrediction], more: Mapping[str, str] | None = None) -> None:
    parents = {**SERVICES, **PARTS, **(more or {})}
    for above, below in itertools.pairwise(found[level] for level in LEVELS):
        if below.value is not None:
            assert above.value == parents[below.value]
        assert below.confidence <= above.confidence
        assert above.value is not None or below.value is None
        if above.value is not None:
            assert all(parents[option.value] == above.value for option in below.alternatives)


def predict_all() -> dict[str, FieldPrediction]:
    return predict(models(), IncidentText("", "text"), SURE, {})


weights = st.floats(0.001, 1.0)
# Labels that only people have used so far, below the one that they stand below.
UNLEARNT = {"b9": ("service", "b"), "a2z": ("part", "a2"), "b9z": ("part", "b9")}
votes = st.lists(st.tuples(st.sampled_from([*"abc", *SERVICES, *PARTS, *UNLEARNT]), st.floats(0.0, 1.0)), max_size=6)


@settings(max_examples=200, deadline=None)
@given(st.tuples(*(st.lists(weights, min_size=n, max_size=n) for n in (3, 3, 4))), votes)
def test_no_label_contradicts_or_is_surer_than_the_one_above_it(
    rows: tuple[list[float], ...], cast: list[tuple[str, float]]
) -> None:
    votes: dict[str, list[Vote]] = {}
    for label, similarity in cast:
        known = [(target, None) for target, card in CARDS.items() if label in card.labels]
        target, above = known[0] if known else UNLEARNT[label]
        votes.setdefault(target, []).append(Vote(label, similarity, above=above))
    found = answered(joint(*rows), votes=votes)
    more = {label: above for label, (_, above) in UNLEARNT.items()}
    assert_consistent(found, more)
    assert_consistent(Tree.of(models()).closed({**predict_all(), **held_out(found)}), more)


@settings(max_examples=50, deadline=None)
@given(st.tuples(*(st.lists(weights, min_size=n, max_size=n) for n in (3, 3, 4))), st.sampled_from([*"abc", *SERVICES]))
def test_what_is_known_of_one_level_holds_for_all(rows: tuple[list[float], ...], label: str) -> None:
    target = next(target for target, card in CARDS.items() if label in card.labels)
    found = answered(joint(*rows), known={target: label})
    assert found[target].value == label
    assert_consistent(found)


def test_without_votes_the_answer_is_what_the_model_says() -> None:
    found = answered()
    assert [found[level].value for level in LEVELS] == ["a", "a1", "a1x"]
    assert [found[level].confidence for level in LEVELS] == pytest.approx([0.9, 0.81, 0.729], abs=1e-3)
    assert {field.mode for field in found.values()} == {FieldMode.AUTOFILL}


def test_the_answer_stops_at_the_level_where_confidence_ends_and_shows_what_would_come_next() -> None:
    found = answered(joint([0.9, 0.05, 0.05], [0.5, 0.5, 1.0], [0.6, 0.4, 0.5, 0.5]))
    assert [found[level].value for level in LEVELS] == ["a", "a1", None]
    assert found["part"].reason is Reason.LOW_CONFIDENCE
    assert [option.value for option in found["part"].alternatives] == ["a1x", "a1y"]


def test_nothing_is_answered_below_a_level_that_is_open_however_sure_it_is() -> None:
    found = answered(joint([0.45, 0.44, 0.11], [1.0, 0.001, 1.0], [1.0, 0.001, 0.5, 0.5]))
    assert [(found[level].value, found[level].reason) for level in LEVELS] == [
        (None, Reason.LOW_CONFIDENCE),
        (None, Reason.PARENT_UNKNOWN),
        (None, Reason.PARENT_UNKNOWN),
    ]
    assert found["part"].alternatives[0].value == "a1x"


def test_where_the_tree_ends_the_levels_below_say_so() -> None:
    found = answered(joint([0.05, 0.05, 0.9], [0.5, 0.5, 1.0], [0.5, 0.5, 0.5, 0.5]))
    assert found["area"].value == "c"
    assert [found[level].reason for level in LEVELS[1:]] == [Reason.NOTHING_BELOW] * 2


def test_a_level_is_filled_in_only_where_the_one_above_is() -> None:
    found = answered(area=FieldMode.RECOMMEND)
    assert found["part"].value == "a1x"
    assert {field.mode for field in found.values()} == {FieldMode.RECOMMEND}
    assert answered(area=FieldMode.RECOMMEND, known={"area": "a"})["part"].mode is FieldMode.AUTOFILL


def test_a_level_that_is_held_out_shows_nothing_below_it() -> None:
    found = {**predict_all(), **answered(part=FieldMode.RECOMMEND)}
    assert found["part"].value == "a1x"
    held = Tree.of(models()).closed(held_out(found))
    assert [(held[level].value, held[level].reason) for level in LEVELS] == [
        (None, Reason.HOLDOUT),
        (None, Reason.HOLDOUT),
        (None, Reason.PARENT_UNKNOWN),
    ]


def test_a_given_label_of_the_middle_gives_the_level_above_too() -> None:
    found = answered(known={"service": "b1"})
    assert (found["area"].value, found["area"].reason) == ("b", Reason.GIVEN)
    assert {option.value for option in found["part"].alternatives} == {"b1x", "b1y"}


def test_a_vote_for_a_label_that_nobody_placed_does_not_count() -> None:
    unplaced, placed = Vote("new", 1.0, "i1"), Vote("new", 1.0, "i1", above="a")
    assert answered(votes={"service": [unplaced]})["service"].value == "a1"
    found = answered(votes={"service": [placed]})
    assert found["service"].value == "new"
    assert found["part"].reason is Reason.NOTHING_BELOW
    assert_consistent(found, {"new": "a"})


def test_what_is_decided_below_votes_above() -> None:
    tree = Tree.of(models())
    assert tree.implied(Labels(custom={"part": "b1y"})) == {"part": "b1y", "service": "b1", "area": "b"}
    assert tree.related(["service"]) == {"area", "part"}
    assert tree.order.index("area") < tree.order.index("service") < tree.order.index("part")


def test_given_labels_that_contradict_each_other_stand_as_they_were_given() -> None:
    found = answered(known={"area": "a", "service": "b1"})
    assert (found["area"].value, found["service"].value) == ("a", "b1")

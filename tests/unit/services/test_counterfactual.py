"""The counterfactual is the smallest change after which the model gives another priority."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from smarttriage.adapters.encoders.hashing import HashingEncoder
from smarttriage.domain.cue_families import EvidenceFamily
from smarttriage.domain.evidence_changes import EvidenceChange
from smarttriage.domain.incident import Labels
from smarttriage.domain.priority import PriorityPolicy
from smarttriage.domain.suggestion import Counterfactual
from smarttriage.domain.taxonomy import Taxonomy
from smarttriage.ports import TextSpan, Vectors
from smarttriage.ports.evidence import Reconsidered
from smarttriage.services.counterfactual import counterfactual
from smarttriage.services.live import Models
from smarttriage.services.matching import IncidentText
from smarttriage.services.predicting import predict
from smarttriage.testing.fakes import KeywordClassifier

KB = Path(__file__).parents[3] / "kb"
TAXONOMY = Taxonomy.from_mapping(tomllib.loads((KB / "taxonomy.toml").read_text("utf-8")))
POLICY = PriorityPolicy.from_mapping(tomllib.loads((KB / "priority.toml").read_text("utf-8")))
TEXT = "the whole site cannot work"


class Thinking(KeywordClassifier):
    """Knows what it would say if: for each answer a change and the levels that would then be sure."""

    def __init__(self, *answers: tuple[str, float, Mapping[str, str], float, str | None]) -> None:
        self._answers = answers

    def reconsider(self, text: str, vector: Vectors) -> Sequence[Reconsidered]:
        """Return the answers, smallest change first."""
        found = []
        for says, size, levels, sure, moves in sorted(self._answers, key=lambda answer: answer[1]):
            rows = {}
            for target in ("impact", "urgency"):
                labels = self.cards[target].labels
                wanted = levels.get(target, "high")
                rows[target] = np.array([sure if label == wanted else (1 - sure) / (len(labels) - 1) for label in labels])
            change = EvidenceChange(says, EvidenceFamily.WHO, says, frozenset(), "team", moves=moves)
            found.append(Reconsidered(change, size, (TextSpan(4, 14, 0.0, "whole_site"),), rows))
        return found


def asked(classifier: KeywordClassifier, known: Labels | None = None) -> Counterfactual | None:
    models = Models(HashingEncoder(), classifier, TAXONOMY, POLICY)
    request = IncidentText("", TEXT, known or Labels())
    vectors = models.encoder.encode([TEXT])
    return counterfactual(models, request, predict(models, request, classifier.predict_proba([TEXT], vectors), {}), vectors[0])


def test_the_smallest_change_that_moves_the_priority_is_told_with_its_words() -> None:
    found = asked(
        Thinking(
            ("only one person is affected", 3.0, {"impact": "low"}, 0.9, "down"),
            ("only this team is affected", 2.0, {"impact": "medium"}, 0.9, None),
            ("nothing moves", 1.0, {}, 0.9, None),
        )
    )
    assert found
    assert (found.value, found.condition, found.family) == ("P2", "only this team is affected", "who")
    assert found.changes == {"impact": ("high", "medium")}
    assert [span.text for span in found.evidence] == ["whole site"]


def test_a_change_after_which_the_model_would_be_unsure_is_not_told() -> None:
    assert asked(Thinking(("only this team is affected", 2.0, {"impact": "medium"}, 0.5, None))) is None


def test_a_change_in_the_wrong_direction_is_not_told() -> None:
    assert asked(Thinking(("work has stopped", 2.0, {"urgency": "low"}, 0.9, "up"))) is None


def test_what_a_person_gave_does_not_move() -> None:
    thinking = Thinking(("only this team is affected", 2.0, {"impact": "medium"}, 0.9, None))
    assert asked(thinking, Labels(impact="high", urgency="high")) is None
    assert asked(thinking, Labels(impact="high")) is None
    found = asked(thinking, Labels(urgency="low"))
    assert found
    assert found.value == "P4"


def test_a_classifier_without_evidence_has_no_counterfactual() -> None:
    assert asked(KeywordClassifier()) is None

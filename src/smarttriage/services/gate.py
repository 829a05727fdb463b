"""Whether a text gets an answer at all: rules before the model, familiarity after it. A wrong refusal is the worst mistake."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from smarttriage.domain.intake import Intake
from smarttriage.domain.suggestion import FieldMode, FieldPrediction, Reason
from smarttriage.domain.taxonomy import Taxonomy
from smarttriage.domain.voting import Vote
from smarttriage.ports import Familiarity, Novelty, Probabilities, Vectors
from smarttriage.services import fields

# How much nearer work may be than no work (cosine) for the model's "no work item" to count: more where the model is sure and
# the text is not terse. Chosen on the seed's held-out rows that the rules let pass: of 1,380 incidents and requests the model
# alone takes 27 for no work, with these margins 5 (of 99 that are no work 50 and 20); benchmarks/dont_know.py reports both rates.
KIND_MARGIN = 0.02
KIND_MARGIN_WHEN_SURE = 0.1
SURE = 0.8
N_WORDS_TERSE = 4
# How near (cosine) a reviewed incident clears a text.
CLEARED_BY_NEIGHBOUR = 0.6
# What is known of these is not for a refusal to take back.
_KEPT = (Reason.GIVEN, Reason.NOT_TRAINED, Reason.MONITOR_ONLY, Reason.TURNED_OFF)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate says of an encoded text.

    Attributes:
        refused: Why the text is refused, or None.
        kind_doubted: Whether the text is much nearer to work than to what the model takes it for: no work.
    """

    refused: Reason | None = None
    kind_doubted: bool = False


@dataclass(frozen=True, slots=True)
class Gate:
    """Refuses what nobody can answer.

    Attributes:
        intake: The rules of kb/intake.toml; None lets every text pass that is not blank.
        novelty: What the model's training rows look like; None where the bundle does not say.
    """

    intake: Intake | None = None
    novelty: Novelty | None = None

    def refusal(self, title: str, description: str) -> Reason | None:
        """Return why the text is refused before it is encoded, or None."""
        if not (title.strip() or description.strip()):
            return Reason.EMPTY_TEXT
        if self.intake is None:
            return None
        understood = self.novelty.understood if self.novelty else ()
        return self.intake.refusal(title, description, understood=understood)

    def verdict(
        self,
        text: str,
        vector: Vectors,
        probabilities: Mapping[str, Probabilities],
        *,
        taxonomy: Taxonomy,
        votes: Mapping[str, Sequence[Vote]],
        labels: Mapping[str, Sequence[str]],
    ) -> Verdict:
        """Return the verdict on an encoded text, by its (dim,) vector and the (n_labels,) probabilities of each target.

        A reviewed incident near the text clears it: people have answered such a text before. A text that is merely doubtful
        is refused only where the model also takes it for no work.
        """
        if self.novelty is None:
            return Verdict()
        language = self.intake.languages.detect(text) if self.intake else None
        found = self.novelty.familiarity(text, language, vector, probabilities)
        kind, belief = _likeliest(labels["kind"], probabilities["kind"]) if "kind" in probabilities else (None, 0.0)
        idle = kind is not None and kind not in taxonomy.work_item_kinds
        sure = belief >= SURE and len(text.split()) >= N_WORDS_TERSE
        doubted = idle and _nearer_to_work(found, taxonomy) > (KIND_MARGIN_WHEN_SURE if sure else KIND_MARGIN)
        cleared = any(vote.similarity >= CLEARED_BY_NEIGHBOUR for several in votes.values() for vote in several)
        if cleared or not (found.strange or (found.doubtful and idle and not doubted)):
            return Verdict(kind_doubted=doubted)
        return Verdict(Reason.OFF_TOPIC if idle else Reason.UNKNOWN_TOPIC, doubted)


def withheld(predictions: Mapping[str, FieldPrediction], reason: Reason) -> dict[str, FieldPrediction]:
    """Return the fields without the values that the model guessed; what they would have been stays among the alternatives."""
    kept_modes = (FieldMode.MONITOR, FieldMode.OFF)
    return {
        target: field if field.reason in _KEPT or field.mode in kept_modes else fields.without_value(field, reason)
        for target, field in predictions.items()
    }


def _likeliest(labels: Sequence[str], row: Probabilities) -> tuple[str, float]:
    """Return the likeliest label and its probability."""
    return labels[int(row.argmax())], float(row.max())


def _nearer_to_work(found: Familiarity, taxonomy: Taxonomy) -> float:
    """Return by how much the nearest rows of work are nearer than those of no work; 0 where one of both is missing."""
    work = [value for kind, value in found.kinds.items() if kind in taxonomy.work_item_kinds]
    idle = [value for kind, value in found.kinds.items() if kind not in taxonomy.work_item_kinds]
    return max(work) - max(idle) if work and idle else 0.0

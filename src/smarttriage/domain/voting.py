"""Reviewed cases near an incident vote beside the model, so that one correction counts at once, without retraining."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# What is left in a vote's denominator where the texts are the same: such a vote weighs 50, because a person has decided exactly
# this text.
_RESIDUE = 0.02
# Keeps a label that the model rules out from being silenced for good.
_LEAST_BELIEF = 0.01


@dataclass(frozen=True, slots=True)
class Vote:
    """A label that a person decided for a case of that cosine similarity.

    Attributes:
        label: The label.
        similarity: Of the case to the text in question.
        incident_id: The case.
        tenth: Similarity of the tenth neighbour of the text in question, reviewed or not; 0 where it has not so many.
        above: The case's label of the target above, where there is one; None where it has none.
    """

    label: str
    similarity: float
    incident_id: str = ""
    tenth: float = 0.0
    above: str | None = None


@dataclass(frozen=True, slots=True)
class Voting:
    """How much votes weigh beside the model.

    Attributes:
        floor: Similarity below which nobody votes.
        background: Share of the tenth neighbour's similarity that counts as no similarity at all: in a flood of like incidents
            being alike says little, on a rare topic it says much.
        sharpness: Exponent of a vote's strength; higher means that only near cases count.
        model: Weight of a model without any confidence; a sure one weighs twice that.
        unlearnt: Factor on votes for a label that the model never learnt: its confidence says nothing about that one.
        doubt: How much less a vote counts for a learnt label that the model thinks unlikely, the less the farther the text. Without
            it many neighbours that are merely alike overrule a model that is sure and right.
    """

    floor: float
    background: float
    sharpness: float
    model: float
    unlearnt: float
    doubt: float


# Chosen by `benchmarks/voting.py --choose` as the least log loss on the streams for choosing; reported on others.
TOPIC = Voting(floor=0.3, background=0.8, sharpness=2.0, model=0.7, unlearnt=4.0, doubt=0.5)
# Topic carries over from similar texts; who is hit and what has stopped does not: only the same text says something.
SEVERITY = Voting(floor=0.98, background=0.0, sharpness=1.0, model=1.0, unlearnt=1.0, doubt=0.0)


def with_votes(probabilities: Mapping[str, float], votes: Sequence[Vote], voting: Voting) -> Mapping[str, float]:
    """Return label -> probability after the votes; what the model said where nobody votes.

    A vote's strength `s` is 0 at the floor, or at `background` times the similarity of the tenth neighbour if that is more, and
    1 for the same text. Beside a model of weight `model * (1 + confidence)` it weighs `s ** sharpness / (1 - s + 0.02)`, for a
    label that the model never learnt `unlearnt` times that, for another one times `((p + 0.01) / (confidence + 0.01)) ** (doubt * (1 - s))`
    where p is what the model gives it. Probabilities that sum to 1 still do.
    """
    return with_shares(probabilities, shares(probabilities, votes, voting))


def with_shares(probabilities: Mapping[str, float], counted: Sequence[tuple[Vote, float]]) -> Mapping[str, float]:
    """Return label -> probability after the votes, each of which has its share of the final one; see `with_votes`."""
    if not counted:
        return probabilities
    left = 1 - sum(share for _, share in counted)
    blended = {label: probability * left for label, probability in probabilities.items()}
    for vote, share in counted:
        blended[vote.label] = min(1.0, blended.get(vote.label, 0.0) + share)
    return blended


def shares(probabilities: Mapping[str, float], votes: Sequence[Vote], voting: Voting) -> list[tuple[Vote, float]]:
    """Return each vote that counts with its share of the final probability, largest first; the model has the rest of 1."""
    if not votes:
        return []
    confidence = max(probabilities.values(), default=0.0)
    weights = [
        (vote, weight) for vote in votes if (weight := _weight(vote, voting, probabilities.get(vote.label), confidence)) > 0
    ]
    total = voting.model * (1 + confidence) + sum(weight for _, weight in weights)
    return sorted(((vote, weight / total) for vote, weight in weights), key=lambda pair: -pair[1])


def _weight(vote: Vote, voting: Voting, believed: float | None, confidence: float) -> float:
    """Return a vote's weight where the model gives its label the probability `believed`, None for one that it never learnt."""
    floor = max(voting.floor, voting.background * vote.tenth)
    if vote.similarity <= floor or floor >= 1:
        return 0.0
    strength = (min(1.0, vote.similarity) - floor) / (1 - floor)
    weight = float(strength**voting.sharpness) / (1 - strength + _RESIDUE)
    if believed is None:
        return weight * voting.unlearnt
    likely = (max(0.0, believed) + _LEAST_BELIEF) / (confidence + _LEAST_BELIEF)
    return weight * float(likely ** (voting.doubt * (1 - strength)))

"""Reviewed cases near an incident vote beside the model, so that one correction counts at once, without retraining."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# Weight of the model against one vote of full similarity; it shrinks as the nearest reviewed case comes nearer.
MODEL_WEIGHT = 2.0
# What is left of the model when a reviewed case is the same text: a person has decided exactly this one.
MODEL_RESIDUE = 0.05


@dataclass(frozen=True, slots=True)
class Vote:
    """A label that a person decided for a case of that cosine similarity."""

    label: str
    similarity: float


def with_votes(probabilities: Mapping[str, float], votes: Sequence[Vote], *, floor: float) -> Mapping[str, float]:
    """Return label -> probability after the votes; what the model said where no vote is nearer than `floor`.

    A vote's strength is `(similarity - floor) / (1 - floor)`; the model's weight is `MODEL_WEIGHT * (1 - strongest)` plus
    `MODEL_RESIDUE`. Labels that the model never saw take part. The result sums to the sum of `probabilities`, normally 1.
    """
    strengths = [(vote.label, (vote.similarity - floor) / (1 - floor)) for vote in votes if vote.similarity > floor]
    if not strengths:
        return probabilities
    nearest = min(1.0, max(strength for _, strength in strengths))
    model_weight = MODEL_WEIGHT * (1 - nearest) + MODEL_RESIDUE
    total = model_weight + sum(strength for _, strength in strengths)
    blended = {label: probability * model_weight / total for label, probability in probabilities.items()}
    for label, strength in strengths:
        blended[label] = blended.get(label, 0.0) + strength / total
    return blended

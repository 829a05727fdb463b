"""Reviewed cases near an incident vote beside the model, so that one correction counts at once, without retraining."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# Weight of the model against one vote; it shrinks as the reviewed case comes nearer.
MODEL_WEIGHT = 2.0
# What is left of the model against a vote from the same text: a person has decided exactly this one.
MODEL_RESIDUE = 0.05


@dataclass(frozen=True, slots=True)
class Vote:
    """A label that a person decided for a case of that cosine similarity."""

    label: str
    similarity: float


def with_votes(probabilities: Mapping[str, float], votes: Sequence[Vote], *, floor: float) -> Mapping[str, float]:
    """Return label -> probability after the votes; what the model said where no vote is nearer than `floor`.

    A vote's strength `s` is `(similarity - floor) / (1 - floor)`; beside the model's 1 it weighs
    `s / (MODEL_WEIGHT * (1 - s) + MODEL_RESIDUE)`, so that the same text (20) is not outvoted by several that are only alike
    (at most 1.8 each for `s` up to 0.8). Labels that the model never saw take part. Probabilities that sum to 1 still do.
    """
    strengths = [
        (vote.label, (min(1.0, vote.similarity) - floor) / (1 - floor)) for vote in votes if floor < vote.similarity and floor < 1
    ]
    if not strengths:
        return probabilities
    weights = [(label, strength / (MODEL_WEIGHT * (1 - strength) + MODEL_RESIDUE)) for label, strength in strengths]
    total = 1 + sum(weight for _, weight in weights)
    blended = {label: probability / total for label, probability in probabilities.items()}
    for label, weight in weights:
        blended[label] = min(1.0, blended.get(label, 0.0) + weight / total)
    return blended

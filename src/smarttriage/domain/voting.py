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
    incident_id: str = ""


def with_votes(probabilities: Mapping[str, float], votes: Sequence[Vote], *, floor: float) -> Mapping[str, float]:
    """Return label -> probability after the votes; what the model said where no vote is nearer than `floor`.

    A vote's strength `s` is `(similarity - floor) / (1 - floor)`; beside the model's 1 it weighs
    `s / (MODEL_WEIGHT * (1 - s) + MODEL_RESIDUE)`, so that the same text (20) is not outvoted by several that are only alike
    (at most 1.8 each for `s` up to 0.8). Labels that the model never saw take part. Probabilities that sum to 1 still do.
    """
    counted = shares(votes, floor=floor)
    if not counted:
        return probabilities
    left = 1 - sum(share for _, share in counted)
    blended = {label: probability * left for label, probability in probabilities.items()}
    for vote, share in counted:
        blended[vote.label] = min(1.0, blended.get(vote.label, 0.0) + share)
    return blended


def shares(votes: Sequence[Vote], *, floor: float) -> list[tuple[Vote, float]]:
    """Return each vote that counts with its share of the final probability, largest first; the model has the rest of 1."""
    weights = []
    for vote in votes:
        if floor < vote.similarity and floor < 1:
            strength = (min(1.0, vote.similarity) - floor) / (1 - floor)
            weights.append((vote, strength / (MODEL_WEIGHT * (1 - strength) + MODEL_RESIDUE)))
    total = 1 + sum(weight for _, weight in weights)
    return sorted(((vote, weight / total) for vote, weight in weights), key=lambda pair: -pair[1])

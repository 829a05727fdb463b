"""Whether a text is like the ones that a model learnt from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from smarttriage.ports.models import Probabilities, Vectors


@dataclass(frozen=True, slots=True)
class Familiarity:
    """How near a text is to what the model learnt.

    Attributes:
        score: Higher is more familiar; 0 is the mean of held-out training rows, 1 about their spread.
        strange: Fewer than `STRANGE_SHARE` of the held-out training rows in its language score as low.
        doubtful: Fewer than `DOUBTFUL_SHARE` do.
        kinds: Label of the target "kind" -> mean cosine to the nearest training rows of that label; empty without such a target.
    """

    score: float
    strange: bool
    doubtful: bool
    kinds: Mapping[str, float]


class Novelty(Protocol):
    """Fitted with a classifier, on the same rows. Safe to call from many threads."""

    @property
    def understood(self) -> frozenset[str]:
        """Codes of the languages that the training texts are in."""
        ...

    def familiarity(
        self, text: str, language: str | None, vector: Vectors, probabilities: Mapping[str, Probabilities]
    ) -> Familiarity:
        """Return how familiar a text is, by its (dim,) vector and the (n_labels,) probabilities of each target."""
        ...

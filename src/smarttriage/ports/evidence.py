"""What some classifiers can do besides: read a text ahead, say what they would say if the evidence were otherwise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from smarttriage.domain.evidence_changes import EvidenceChange
from smarttriage.ports.models import Probabilities, TextSpan, Vectors


@dataclass(frozen=True, slots=True)
class Reconsidered:
    """A change of the evidence and the answers after it.

    Attributes:
        change: What would be otherwise.
        size: How far the change moves the evidence, as the L2 norm over its features; smaller is nearer to the text.
        spans: The places of the text that would say something else.
        probabilities: Target -> (n_labels,) calibrated probabilities of the targets that read evidence.
    """

    change: EvidenceChange
    size: float
    spans: tuple[TextSpan, ...]
    probabilities: Mapping[str, Probabilities]


@runtime_checkable
class Prepares(Protocol):
    """A classifier that can do a part of its work before the text has a vector."""

    def prepare(self, text: str) -> None:
        """Compute what needs the model text only; asking for the same text soon after is quicker. Safe from any thread."""
        ...


@runtime_checkable
class Reconsiders(Protocol):
    """A classifier that scores changed evidence; one that has no evidence cues need not be one."""

    def reconsider(self, text: str, vector: Vectors) -> Sequence[Reconsidered]:
        """Return every change that the text allows for, smallest first; `vector` is the (dim,) encoding of `text`."""
        ...

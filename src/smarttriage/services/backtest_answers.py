"""What a walk through a history finds, step by step, and how it is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol, TypeAlias


@dataclass(frozen=True, slots=True)
class FitFacts:
    """What one fit learnt about one target: rows, labels, the recipe, and what its held-out rows promised."""

    n: int
    n_labels: int
    recipe: str
    accuracy: float
    coverage: float
    precision: float | None


@dataclass(frozen=True, slots=True)
class Guess:
    """The model's best label, its confidence, and whether it would have been filled in."""

    label: str
    confidence: float
    filled: bool


Near: TypeAlias = tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one incident would have got.

    Attributes:
        guesses: Target -> the model's guess; a target that could not be trained yet is missing.
        nearest: (place in the history, cosine) of the nearest incidents whose labels were known before it came, best first.
        resolved: The same among those with a resolution; empty where the file has none.
        repeats: Whether one of `nearest` says the same in nearly the same words.
    """

    guesses: Mapping[str, Guess]
    nearest: Near
    resolved: Near
    repeats: bool


@dataclass(frozen=True, slots=True)
class StepAnswers:
    """A finished step.

    Attributes:
        fits: Target -> what the fit that answers here learnt.
        refused: Target -> why it could not be trained.
        majority: Target -> the commonest label known at the start.
        recent: Target -> the commonest label among what became known during the step before.
        answers: One for each row of the step.
    """

    step: str
    fitted_at: str | None
    fits: Mapping[str, FitFacts]
    refused: Mapping[str, str]
    majority: Mapping[str, str]
    recent: Mapping[str, str]
    answers: Sequence[Answer]

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "StepAnswers":
        """Return what `as_json` wrote. Raises KeyError or TypeError on anything else."""
        fits = {target: FitFacts(**facts) for target, facts in values["fits"].items()}
        answers = [
            Answer(
                {target: Guess(**guess) for target, guess in one["guesses"].items()},
                tuple((place, near) for place, near in one["nearest"]),
                tuple((place, near) for place, near in one["resolved"]),
                one["repeats"],
            )
            for one in values["answers"]
        ]
        return cls(**{**values, "fits": fits, "answers": answers})


class FinishedSteps(Protocol):
    """Keeps finished steps, so that a walk that was stopped goes on where it was."""

    def get(self, step: str) -> Mapping[str, Any] | None:
        """Return what was kept of a step, None if it was not finished."""
        ...

    def put(self, step: str, content: Mapping[str, Any]) -> None:
        """Keep a step; after a crash it is there whole or not at all."""
        ...


class NothingKept:
    """Keeps nothing: a walk that is stopped begins again."""

    def get(self, step: str) -> Mapping[str, Any] | None:
        """Return None."""
        return None

    def put(self, step: str, content: Mapping[str, Any]) -> None:
        """Forget it."""

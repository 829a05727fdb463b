"""What a challenger would have said beside the champion, and how often either was right."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ShadowAnswer:
    """Both models' most likely label of one target of one suggestion, before votes, rules and thresholds.

    Attributes:
        suggestion_id: Which suggestion was shown; what people said of it judges both.
        tenant: Its tenant.
        target: The target.
        champion: Version of the model that answered.
        challenger: Version of the model that only listened.
        champion_label: The champion's label.
        challenger_label: The challenger's label.
        champion_confidence: How sure the champion was.
        challenger_confidence: How sure the challenger was.
        at: UTC.
    """

    suggestion_id: str
    tenant: str
    target: str
    champion: str
    challenger: str
    champion_label: str
    challenger_label: str
    champion_confidence: float
    challenger_confidence: float
    at: datetime


@dataclass(frozen=True, slots=True)
class ShadowCount:
    """One target: how often both agreed, and how often each was right where somebody accepted or replaced the label."""

    target: str
    n: int
    n_agreed: int
    n_judged: int
    n_champion_right: int
    n_challenger_right: int


@dataclass(frozen=True, slots=True)
class JudgedField:
    """A field of a suggestion that somebody accepted or replaced.

    Attributes:
        seq: Position of the judgement; grows.
        target: The field.
        model_version: Which model made the suggestion.
        confidence: How sure of its best label the suggestion was.
        wrong: Whether the label that stands now is another than the best one.
    """

    seq: int
    target: str
    model_version: str
    confidence: float
    wrong: bool

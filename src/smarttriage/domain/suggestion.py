"""The answer: what the incident seems to be, how sure that is and why, what may fix it, and what it was made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from smarttriage.domain.access import Principal
from smarttriage.domain.cmdb import ItemFinding
from smarttriage.domain.cue_families import EvidenceFamily
from smarttriage.domain.incident import TARGETS
from smarttriage.domain.matches import ArticleMatch, IncidentMatch, OngoingMatch
from smarttriage.domain.text import Evidence


class FieldMode(StrEnum):
    """What an administrator lets the service do with a field, and what a front end should do with the value."""

    AUTOFILL = "autofill"
    RECOMMEND = "recommend"
    MONITOR = "monitor"
    OFF = "off"


class Reason(StrEnum):
    """Why a value is null, or what other than the model decided it. Stable codes."""

    LOW_CONFIDENCE = "low_confidence"
    NO_WORK_ITEM = "no_work_item"
    PARENT_UNKNOWN = "parent_unknown"
    NOTHING_BELOW = "nothing_below"
    NOT_TRAINED = "not_trained"
    EMPTY_TEXT = "empty_text"
    GIBBERISH = "gibberish"
    UNSUPPORTED_LANGUAGE = "unsupported_language"
    OFF_TOPIC = "off_topic"
    UNKNOWN_TOPIC = "unknown_topic"
    MONITOR_ONLY = "monitor_only"
    TURNED_OFF = "turned_off"
    REVIEWED_NEIGHBOURS = "reviewed_neighbours"
    GIVEN = "given"
    RULE = "rule"
    HOLDOUT = "holdout"


@dataclass(frozen=True, slots=True)
class Alternative:
    """A label and its probability."""

    value: str
    confidence: float


@dataclass(frozen=True, slots=True)
class VotingNeighbour:
    """A past incident whose label a person decided, and its share of the final probability of that label."""

    id: str
    label: str
    similarity: float
    weight: float


@dataclass(frozen=True, slots=True)
class AppliedRule:
    """The administrator's rule that decided, and its reason as a sentence."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class FieldPrediction:
    """One predicted field.

    Attributes:
        value: The label, or None where the service does not know well enough.
        confidence: Calibrated probability of the best label, 0..1, whether or not it is filled in.
        mode: What the front end should do with it.
        alternatives: The most likely labels, best first, the value included.
        evidence: Spans of the caller's own text.
        reason: A `Reason` code where the value is None or something else than the model decided.
        neighbours: The reviewed incidents that voted, heaviest first; the model has the rest of the probability.
        rule: The rule that decided, where one did.
    """

    value: str | None
    confidence: float
    mode: FieldMode
    alternatives: tuple[Alternative, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    reason: Reason | None = None
    neighbours: tuple[VotingNeighbour, ...] = ()
    rule: AppliedRule | None = None


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """The nearest other priority: what it would be, and what would have to be otherwise.

    Attributes:
        value: The other priority.
        condition: The words behind "if", for example "only this team is affected".
        family: The kind of evidence that would change.
        changes: Target -> (its level now, its level then).
        evidence: The words that would say something else; empty where the text says nothing of it.
    """

    value: str
    condition: str
    family: EvidenceFamily
    changes: Mapping[str, tuple[str, str]]
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class PrioritySuggestion:
    """P1..P5, what decided it in words, the rule that did where one did, and the nearest other priority."""

    value: str | None
    because: str
    rule: AppliedRule | None = None
    counterfactual: Counterfactual | None = None


@dataclass(frozen=True, slots=True)
class SlaSuggestion:
    """The deadline that the priority sets.

    Attributes:
        due_at: UTC.
        target_minutes: Allowed time, in minutes of `clock`.
        clock: "round_the_clock" or "business_hours".
    """

    due_at: datetime
    target_minutes: int
    clock: str


@dataclass(frozen=True, slots=True)
class Routing:
    """Who should have it, and who comes next; empty where the category is not known. `because`: where the category did not decide."""

    support_group: str | None
    escalation: tuple[str, ...]
    because: str | None = None


@dataclass(frozen=True, slots=True)
class Provenance:
    """What made the suggestion; enough to replay and to blame. The encoder is the one whose vectors were searched."""

    model_version: str
    encoder_id: str
    index_seq: int
    taxonomy_version: str


@dataclass(frozen=True, slots=True)
class Timing:
    """Where the milliseconds went."""

    encode: float
    classify: float
    search: float
    store: float
    total: float


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One answer, stored under its id so that feedback can refer to it. `audiences` are those of the caller who asked."""

    id: str
    tenant: str
    incident_id: str | None
    title: str
    description: str
    created_at: datetime
    kind: FieldPrediction
    category: FieldPrediction
    sub_category: FieldPrediction
    impact: FieldPrediction
    urgency: FieldPrediction
    priority: PrioritySuggestion
    sla: SlaSuggestion | None
    routing: Routing
    articles: tuple[ArticleMatch, ...]
    similar_incidents: tuple[IncidentMatch, ...]
    provenance: Provenance
    timing_ms: Timing
    custom: dict[str, FieldPrediction]
    audiences: frozenset[str] = frozenset()
    configuration_items: tuple[ItemFinding, ...] = ()
    ongoing: tuple[OngoingMatch, ...] = ()

    def shown_to(self, principal: Principal) -> bool:
        """Return whether the principal may see all that the one who asked could see: it quotes articles and incidents."""
        return principal.tenant == self.tenant and self.audiences <= principal.audiences

    def field(self, target: str) -> FieldPrediction | None:
        """Return the prediction of a target, one of the five or a custom one."""
        return getattr(self, target) if target in TARGETS else self.custom.get(target)

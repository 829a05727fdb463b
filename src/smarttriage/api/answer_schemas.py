"""Suggestions and problems as callers get them, for the OpenAPI document only: answers are built by `wire`, and a test holds the two together."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from smarttriage.domain.cmdb import Criticality, ItemKind
from smarttriage.domain.cue_families import EvidenceFamily
from smarttriage.domain.incident import IncidentStatus
from smarttriage.domain.matches import Relation
from smarttriage.domain.streams import ProposalKind
from smarttriage.domain.suggestion import FieldMode, Reason


class Out(BaseModel):
    """An answer without surprises."""

    model_config = ConfigDict(extra="forbid")


class AlternativeOut(Out):
    """A label and its calibrated probability."""

    value: str
    confidence: float


class EvidenceOut(Out):
    """A span of the caller's own text; `type` is null for plain words, `weight` is what the label's score loses without it."""

    text: str
    start: int
    end: int
    field: Literal["title", "description"]
    type: EvidenceFamily | None
    cue: str | None
    weight: float


class NeighbourOut(Out):
    """A reviewed incident that voted, and its share of the final probability; the model has the rest."""

    id: str
    label: str
    similarity: float
    weight: float


class RuleOut(Out):
    """The administrator's rule that decided."""

    id: str
    reason: str


class FieldOut(Out):
    """A predicted field; `value` is null, with its reason, where the service does not know well enough."""

    value: str | None
    confidence: float = Field(ge=0, le=1)
    mode: FieldMode
    alternatives: list[AlternativeOut]
    evidence: list[EvidenceOut]
    reason: Reason | None
    neighbours: list[NeighbourOut]
    rule: RuleOut | None


class LevelChangeOut(Out):
    """A level now and then."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    before: str = Field(alias="from")
    after: str = Field(alias="to")


class CounterfactualOut(Out):
    """The nearest other priority, and what would have to be otherwise for it."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)
    value: str
    condition: str = Field(alias="if")
    type: EvidenceFamily
    changes: dict[str, LevelChangeOut]
    evidence: list[EvidenceOut]


class PriorityOut(Out):
    """The matrix's priority, what decided it, and the nearest other one."""

    value: str | None
    because: str
    rule: RuleOut | None
    counterfactual: CounterfactualOut | None


class SlaOut(Out):
    """The deadline that the priority sets."""

    due_at: datetime
    target_minutes: int
    clock: Literal["round_the_clock", "business_hours"]


class RoutingOut(Out):
    """Who takes it first and who comes next."""

    support_group: str | None
    escalation: list[str]
    because: str | None = Field(description="Why, where something else than the category decided.")


class WorthOut(Out):
    """What those who tried an article say of it, each one's last word once; being shown confirms nothing."""

    worked: int
    failed: int
    usefulness: float = Field(description="Expected share of trials in which it works.")
    low: float = Field(description="Lower end of the 90 % credible interval.")
    high: float
    confirmed_at: datetime | None = Field(description="When it last worked.")
    contradicted: bool = Field(description="After it had failed, an incident was resolved without it.")
    expired: bool = Field(description="Its last day of validity is over.")
    needs_review: bool = Field(description="It failed so often that somebody must look at it.")


class ArticleMatchOut(Out):
    """An article that may fix it; `evidence` is null where nobody has tried it."""

    id: str
    title: str
    score: float
    passage: str
    why: str
    confidence: float | None = Field(
        description=(
            "How likely the article that the text finds first is right, 0..1, where half of all questions have no right article; "
            "null for the others."
        )
    )
    evidence: WorthOut | None


class IncidentMatchOut(Out):
    """A similar incident, which stands for all that say nearly the same."""

    id: str
    title: str = Field(description="Of one without a title the beginning of its text.")
    status: IncidentStatus
    score: float
    resolution: str | None
    relation: Relation | None = Field(description="What open ones among those it stands for may be to the incident asked about.")
    related_ids: list[str] = Field(description="Those open ones, nearest first.")
    n_alike: int = Field(description="How many others that say nearly the same it stands for.")
    resolved_with: str | None = Field(description="The article that its resolution used.")
    shared: list[str] = Field(description="CMDB items, and changes to them, in common with the incident asked about, in words.")


class OngoingMatchOut(Out):
    """An open major incident or known problem that it may be part of."""

    cluster_id: str
    kind: ProposalKind
    title: str
    since: datetime
    n_reports: int
    score: float


class RecentChangeOut(Out):
    """A change that was made to an item, or to what it depends on, in the three days before."""

    id: str
    item_id: str
    at: datetime
    what: str


class ItemFindingOut(Out):
    """A service or CI that the incident is about; `how` is the name by which it was found, or "given"."""

    id: str
    kind: ItemKind
    name: str
    how: str
    criticality: Criticality | None
    owner_group: str | None
    services: list[str] = Field(description="The most critical services that it carries.")
    n_services: int
    recent_changes: list[RecentChangeOut]


class ProvenanceOut(Out):
    """What made the suggestion."""

    model_version: str
    encoder_id: str
    index_seq: int
    taxonomy_version: str


class TimingOut(Out):
    """Milliseconds."""

    encode: float
    classify: float
    search: float
    store: float
    total: float


class PredictionOut(Out):
    """The predicted fields of a text; `custom` is there where the installation added targets."""

    kind: FieldOut
    category: FieldOut
    sub_category: FieldOut
    impact: FieldOut
    urgency: FieldOut
    custom: dict[str, FieldOut] = {}


class SuggestionOut(PredictionOut):
    """A suggestion."""

    id: str
    priority: PriorityOut
    sla: SlaOut | None
    routing: RoutingOut
    articles: list[ArticleMatchOut]
    ongoing: list[OngoingMatchOut] = Field(description="Comes before any similar incident.")
    similar_incidents: list[IncidentMatchOut]
    configuration_items: list[ItemFindingOut]
    provenance: ProvenanceOut
    timing_ms: TimingOut


class FoundArticleOut(ArticleMatchOut):
    """An article that a search found."""

    relevant: bool = Field(description="Whether a suggestion would show it.")


class FoundIncidentOut(IncidentMatchOut):
    """An incident that a search found."""

    relevant: bool = Field(description="Whether a suggestion would show it.")


class SearchProvenanceOut(Out):
    """What was searched."""

    encoder_id: str
    index_seq: int


class SearchTimingOut(Out):
    """Milliseconds."""

    encode: float
    total: float


class SearchOut(Out):
    """What a search found, best first; null where a collection was not asked."""

    articles: list[FoundArticleOut] | None
    incidents: list[FoundIncidentOut] | None
    provenance: SearchProvenanceOut
    timing_ms: SearchTimingOut


class PredictionsOut(Out):
    """One prediction for each text, in order."""

    predictions: list[PredictionOut]


class ErrorItemOut(Out):
    """One thing that is wrong with a request."""

    field: str
    code: str
    detail: str


class ProblemOut(Out):
    """RFC 9457; `code` is stable, `field` names the field at fault."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    field: str | None
    errors: list[ErrorItemOut]

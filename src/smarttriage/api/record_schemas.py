"""Incidents, articles, judgements and keys as callers get them, for the OpenAPI document only."""

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from smarttriage.api.answer_schemas import Out, ProvenanceOut
from smarttriage.domain.access import Scope
from smarttriage.domain.article import ArticleStatus
from smarttriage.domain.feedback import FeedbackAction
from smarttriage.domain.incident import IncidentStatus, LabelOrigin
from smarttriage.domain.outcome import OutcomeKind
from smarttriage.services.learning import KnowledgeEffect


class ResolutionOut(Out):
    """What ended an incident."""

    text: str
    resolved_at: datetime
    resolved_by: str | None
    article_id: str | None
    drafted_article_id: str | None


class IncidentOut(Out):
    """An incident; `reviewed` names the labels that a person decided, `label_origins` how each label came to stand."""

    id: str
    title: str
    description: str
    status: IncidentStatus
    kind: str | None
    category: str | None
    sub_category: str | None
    impact: str | None
    urgency: str | None
    custom: dict[str, str]
    reviewed: list[str]
    label_origins: dict[str, LabelOrigin]
    priority: str | None
    support_group: str | None
    audiences: list[str]
    detected_at: datetime | None
    reported_at: datetime
    reporter: str | None
    affected_users: list[str]
    affected_services: list[str]
    configuration_items: list[str]
    symptoms: list[str]
    initial_impact: str | None
    source_system: str | None
    source_id: str | None
    logged_by: str | None
    language: str | None
    created_at: datetime
    updated_at: datetime
    version: int
    resolution: ResolutionOut | None
    counts_whole: bool = Field(description="Whether all of it counts for others: nothing waits in quarantine or was undone.")


class IncidentsOut(Out):
    """A page of incidents, newest report first; `next_cursor` is null on the last."""

    items: list[IncidentOut]
    next_cursor: str | None


class OutcomeOut(Out):
    """A stored resolution and what it did to the knowledge base; `question` is for the agent whose note says nothing."""

    incident: IncidentOut
    effect: KnowledgeEffect
    article_id: str | None
    message: str
    question: str | None


class FeedbackOut(Out):
    """One stored judgement."""

    id: str
    action: FeedbackAction
    field: str | None
    value: str | None
    match_id: str | None
    given_by: str | None
    created_at: datetime


class JudgedOut(Out):
    """The stored judgements, and the reviewed incident that votes from now on."""

    suggestion_id: str
    incident_id: str | None
    items: list[FeedbackOut]
    quarantined: bool = Field(description="Whether it counts for this key alone until somebody confirms it.")


class ArticleOut(Out):
    """An article's latest revision."""

    id: str
    title: str
    body: str
    status: ArticleStatus
    revision: int
    version: int
    audiences: list[str]
    category: str | None
    sub_category: str | None
    keywords: list[str]
    language: str
    owner: str | None
    valid_until: date | None
    source_incidents: list[str]
    created_at: datetime
    updated_at: datetime
    updated_by: str | None


class EvidenceLifeOut(Out):
    """What is known of an article's worth: of each person the last word counts, later words of others make it fade."""

    worked: int
    failed: int
    usefulness: float = Field(description="Expected share of trials in which it works, from Jeffreys' prior Beta(1/2, 1/2).")
    low: float = Field(description="Lower end of the 90 % credible interval.")
    high: float
    doubt: float = Field(description="Probability that it fails more often than it works; from .99 on it goes to review.")
    needs_review: bool
    contradicted: int = Field(description="Incidents that were resolved without it after it had failed.")
    contradicted_by: list[str] = Field(description="Those of them that the key may see.")
    confirmed_at: datetime | None = Field(description="When it last worked; being shown or read confirms nothing.")
    days_since_confirmed: int | None
    expired: bool
    owner: str | None
    counts: dict[OutcomeKind, int] = Field(description="How often each outcome was said since it was published.")


class ArticleReadOut(ArticleOut):
    """An article's latest revision, and what those who tried the published one say of it."""

    evidence: EvidenceLifeOut


class ArticlesOut(Out):
    """A page of articles by id; `next_cursor` is null on the last."""

    items: list[ArticleOut]
    next_cursor: str | None


class HistoryOut(Out):
    """Every version of an article, newest first."""

    items: list[ArticleOut]


class KeyOut(Out):
    """A key as the store knows it."""

    id: str
    label: str
    scopes: list[Scope]
    audiences: list[str]
    created_at: datetime
    revoked_at: datetime | None
    trusted: bool


class NewKeyOut(KeyOut):
    """A new key; `key` is what callers present, and is shown only here."""

    key: str


class KeysOut(Out):
    """The tenant's keys."""

    items: list[KeyOut]


class ReloadOut(Out):
    """What serves from now on."""

    provenance: ProvenanceOut


class HealthOut(Out):
    """Whether the process may be sent requests, and if not, why."""

    status: Literal["alive", "ready", "not_ready"]
    reasons: list[str]

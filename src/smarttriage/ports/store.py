"""The store: the truth, in transactions."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from smarttriage.domain.access import Principal, Scope
from smarttriage.domain.article import Article, ArticleStatus
from smarttriage.domain.decision import Decision, DecisionCount
from smarttriage.domain.feedback import Feedback
from smarttriage.domain.incident import Incident, IncidentStatus
from smarttriage.domain.shadow import JudgedField, ShadowAnswer, ShadowCount
from smarttriage.domain.suggestion import Suggestion
from smarttriage.ports.clusters import ClusterRecords
from smarttriage.ports.cmdb import CmdbRecords
from smarttriage.ports.history import HistoryRecords
from smarttriage.ports.lessons import LessonRecords
from smarttriage.ports.loop import LoopRecords
from smarttriage.ports.models import Vectors
from smarttriage.ports.outcomes import OutcomeRecords


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the append-only change log.

    Attributes:
        seq: Position; grows, has no holes that a later commit could fill.
        kind: "incident", "article", "outcome" for what was said of an article that was tried, or "undo" of what a key taught.
        record_id: Which one changed; of an undo, the key.
        tenant: Whose it is.
        at: When, UTC.
        key_id: Who caused it.
    """

    seq: int
    kind: str
    record_id: str
    tenant: str
    at: datetime
    key_id: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list and the cursor of the next (None: this was the last)."""

    items: Sequence[Any]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class IncidentFilter:
    """What a list of incidents is narrowed to; None narrows nothing."""

    status: IncidentStatus | None = None
    category: str | None = None
    priority: str | None = None
    support_group: str | None = None
    source_system: str | None = None
    source_id: str | None = None
    reported_from: datetime | None = None
    reported_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as the store knows it: never the secret, only its SHA-256. A trusted one may speak for the people that it names."""

    id: str
    secret_sha256: str
    tenant: str
    audiences: frozenset[str]
    scopes: frozenset[Scope]
    label: str
    created_at: datetime
    revoked_at: datetime | None = None
    trusted: bool = False


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What an Idempotency-Key was answered with.

    Attributes:
        fingerprint: SHA-256 of method, path and body of the first request.
        status: HTTP status of the answer; None while the first request is still under way.
        body: The answer's bytes.
        headers: The answer's headers that a repeat must carry too (ETag, Location).
    """

    fingerprint: str
    status: int | None
    body: bytes
    headers: Mapping[str, str]


class Records(OutcomeRecords, LessonRecords, ClusterRecords, LoopRecords, CmdbRecords, HistoryRecords, Protocol):
    """Everything in the store, inside one transaction. Reads see the transaction's own writes.

    Reads that take a `Principal` return only what it may see; a record that it may not see does not exist for it.
    Writers append to the change log by themselves, in the same transaction.
    """

    # incidents
    def incident(self, incident_id: str, principal: Principal) -> Incident | None:
        """Return the incident."""
        ...

    def incident_by_source(self, tenant: str, source_system: str, source_id: str) -> Incident | None:
        """Return the incident that came from there, whoever asks (for imports that must not run twice)."""
        ...

    def incidents(self, principal: Principal, where: IncidentFilter, *, limit: int, cursor: str | None) -> Page:
        """Return a page of `Incident`, newest `reported_at` first, ties by id."""
        ...

    def incidents_by_id(self, ids: Collection[str], principal: Principal) -> Mapping[str, Incident]:
        """Return those of `ids` that the principal may see."""
        ...

    def add_incidents(self, incidents: Sequence[Incident], *, key_id: str | None) -> None:
        """Store them. Raises Conflict naming the first whose id or (tenant, source_system, source_id) is there already."""
        ...

    def update_incident(self, incident: Incident, *, key_id: str | None) -> None:
        """Store the next version. Raises VersionMismatch unless `incident.version` is the stored version plus 1."""
        ...

    # articles
    def article(self, article_id: str, principal: Principal) -> Article | None:
        """Return the latest revision."""
        ...

    def articles(self, principal: Principal, *, status: ArticleStatus | None, limit: int, cursor: str | None) -> Page:
        """Return a page of `Article` (latest revisions), by id."""
        ...

    def articles_by_id(self, ids: Collection[str], principal: Principal) -> Mapping[str, Article]:
        """Return those of `ids` that the principal may see."""
        ...

    def article_history(self, article_id: str, principal: Principal) -> Sequence[Article]:
        """Return every stored version, newest first."""
        ...

    def published_revision(self, article_id: str) -> Article | None:
        """Return the revision that is suggested at present: the newest version whose status is published, unless retired since.

        An edit of a published article is a draft beside it; the published one stays until the next is published.
        """
        ...

    def add_articles(self, articles: Sequence[Article], *, key_id: str | None) -> None:
        """Store new articles. Raises Conflict naming the first whose id is there already."""
        ...

    def update_article(self, article: Article, *, key_id: str | None) -> None:
        """Store the next version. Raises VersionMismatch unless `article.version` is the stored version plus 1."""
        ...

    # suggestions and feedback
    def add_suggestion(self, suggestion: Suggestion) -> None:
        """Store it by id."""
        ...

    def suggestion(self, suggestion_id: str, principal: Principal) -> Suggestion | None:
        """Return it if it is of the principal's tenant."""
        ...

    def add_feedback(self, feedback: Feedback) -> None:
        """Store one judgement."""
        ...

    def feedback(self, suggestion_id: str, principal: Principal) -> Sequence[Feedback]:
        """Return all judgements of a suggestion, oldest first."""
        ...

    def suggestion_of_incident(self, incident_id: str, principal: Principal) -> Suggestion | None:
        """Return the newest suggestion that was made for the incident or that it was stored from."""
        ...

    def link_suggestion(self, suggestion_id: str, incident_id: str) -> None:
        """Say that the incident was stored from the suggestion."""
        ...

    def put_decisions(self, decisions: Sequence[Decision]) -> None:
        """Add or replace, each by its suggestion and field."""
        ...

    def decisions(self, suggestion_id: str, principal: Principal) -> Sequence[Decision]:
        """Return what became of a suggestion's fields, by field."""
        ...

    def decision_counts(self, field: str, principal: Principal, *, since: datetime | None = None) -> Sequence[DecisionCount]:
        """Return how the tenant's decisions of a field fell, all or those since then."""
        ...

    # what indexes are built from
    def last_seq(self) -> int:
        """Return the position of the newest change, 0 for none."""
        ...

    def changes(self, after: int, *, limit: int) -> Sequence[Change]:
        """Return the changes behind `after`, in order."""
        ...

    def indexable_incidents(self, ids: Collection[str] | None = None) -> Iterator[Incident]:
        """Yield incidents of every tenant (all, or those of `ids`), for indexing only."""
        ...

    def indexable_articles(self, ids: Collection[str] | None = None) -> Iterator[Article]:
        """Yield the published revision of the articles of every tenant (all, or those of `ids`), for indexing only."""
        ...

    def vectors(self, encoder_id: str, hashes: Collection[str] | None = None) -> Mapping[str, Vectors]:
        """Return content hash -> (dim,) float32 of those that are stored (all, or those of `hashes`)."""
        ...

    def add_vectors(self, encoder_id: str, vectors: Mapping[str, Vectors]) -> None:
        """Store vectors by content hash; what is there already stays."""
        ...

    # keys and idempotency
    def api_key(self, key_id: str) -> ApiKey | None:
        """Return the key, revoked ones too."""
        ...

    def api_keys(self, tenant: str) -> Sequence[ApiKey]:
        """Return the tenant's keys."""
        ...

    def put_api_key(self, key: ApiKey) -> None:
        """Add or replace."""
        ...

    def claim(self, tenant: str, key: str, fingerprint: str, *, at: datetime) -> StoredAnswer | None:
        """Return None if the key is new and now claimed (a unique constraint decides), else what is stored for it.

        What was claimed more than seven days before `at` is forgotten.
        """
        ...

    def stored_answer(self, tenant: str, key: str) -> StoredAnswer | None:
        """Return what is stored for the key, claiming nothing."""
        ...

    def answer(self, tenant: str, key: str, answer: StoredAnswer) -> None:
        """Store the answer of a claimed key, in the transaction of the work itself."""
        ...

    # how models fare
    def add_shadow_answers(self, answers: Sequence[ShadowAnswer]) -> None:
        """Store what the champion and the challenger said of a suggestion; append-only."""
        ...

    def shadow_counts(self, tenant: str, *, champion: str, challenger: str) -> Sequence[ShadowCount]:
        """Return for each target how often both agreed and were right, of the tenant's suggestions; the last judgement holds."""
        ...

    def judged_fields(self, after: int, *, limit: int) -> Sequence[JudgedField]:
        """Return the accepted and replaced fields behind `after`, in order, of every tenant, for watching models only."""
        ...

    # small facts about the installation
    def fact(self, name: str) -> str | None:
        """Return a named fact ("seed_version", "import:<hash>" ...)."""
        ...

    def put_fact(self, name: str, value: str) -> None:
        """Add or replace a fact."""
        ...


class Store(Protocol):
    """The truth. Thread-safe."""

    def begin(self, *, write: bool = False) -> AbstractContextManager[Records]:
        """Yield the records in one transaction: committed on success, rolled back on any exception.

        A committed write survives a crash of the process and of the machine. Writers wait for each other.
        """
        ...

    def close(self) -> None:
        """Release every connection."""
        ...

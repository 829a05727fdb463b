"""The ports: what the services need from the outside. Each adapter passes the contract suite of its port (`smarttriage.testing`)."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from smarttriage.domain.access import Principal, Scope
from smarttriage.domain.article import Article, ArticleStatus
from smarttriage.domain.feedback import Feedback
from smarttriage.domain.incident import Incident, IncidentStatus
from smarttriage.domain.suggestion import Suggestion

Vectors: TypeAlias = NDArray[np.float32]
Probabilities: TypeAlias = NDArray[np.float64]


class Clock(Protocol):
    """Tells the time."""

    def __call__(self) -> datetime:
        """Return the present instant, UTC-aware."""
        ...


class Encoder(Protocol):
    """Text to vectors. Safe to call from many threads; the same text gives the same row whatever stands beside it."""

    @property
    def encoder_id(self) -> str:
        """Name and content hash, for example "all-MiniLM-L6-v2-int8-1a2b3c4d5e6f"; vectors of two ids are never compared."""
        ...

    @property
    def dim(self) -> int:
        """Length of one vector."""
        ...

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return (len(texts), dim) float32, rows of L2 norm 1. An empty list gives (0, dim); an empty text is a text."""
        ...


@dataclass(frozen=True, slots=True)
class Hit:
    """One result of a search; a higher score is better and is comparable only within one index."""

    id: str
    score: float


class VectorSearcher(Protocol):
    """A fixed state of a vector index. Safe to search from many threads."""

    def __len__(self) -> int:
        """Number of vectors."""
        ...

    def search(self, queries: Vectors, k: int, *, allowed: Collection[str]) -> list[list[Hit]]:
        """Return for each query row at most k hits, best first, ties by id; the score is the inner product.

        A record is visible if at least one of its labels is in `allowed`; nothing else is scored, counted or returned, and
        k visible records come back whenever there are k. No label, or nothing allowed, means no hit.
        """
        ...


class VectorIndex(VectorSearcher, Protocol):
    """A vector index that can change. One writer at a time; snapshots taken before a change do not see it."""

    @property
    def encoder_id(self) -> str:
        """Whose vectors these are."""
        ...

    def add(self, ids: Sequence[str], vectors: Vectors, labels: Sequence[Collection[str]]) -> None:
        """Add or replace by id. Raises InvalidInput on wrong shape, non-finite values or lengths that differ."""
        ...

    def remove(self, ids: Collection[str]) -> int:
        """Remove what is there; return how many were."""
        ...

    def snapshot(self) -> VectorSearcher:
        """Return the present state, which later changes leave as it is. Cheap."""
        ...

    def save(self, folder: Path, *, seq: int) -> None:
        """Write the index atomically with its checksum, its encoder id and the change-log position it holds."""
        ...

    def load(self, folder: Path) -> int:
        """Replace the content by a saved one; return its seq. Raises IndexMismatch if it is damaged or of another encoder."""
        ...


class LexicalSearcher(Protocol):
    """A fixed state of a lexical (BM25) index. Safe to search from many threads."""

    def __len__(self) -> int:
        """Number of texts."""
        ...

    def search(self, queries: Sequence[str], k: int, *, allowed: Collection[str]) -> list[list[Hit]]:
        """Return for each query text at most k hits, best first; visibility as in `VectorSearcher.search`.

        Any string is a query, none is query syntax; a query without a known word gives no hit.
        """
        ...


class LexicalIndex(LexicalSearcher, Protocol):
    """A lexical index that can change, with the verbs of `VectorIndex` over text."""

    def add(self, ids: Sequence[str], texts: Sequence[str], labels: Sequence[Collection[str]]) -> None:
        """Add or replace by id."""
        ...

    def remove(self, ids: Collection[str]) -> int:
        """Remove what is there; return how many were."""
        ...

    def snapshot(self) -> LexicalSearcher:
        """Return the present state, which later changes leave as it is."""
        ...

    def save(self, folder: Path, *, seq: int) -> None:
        """Write the index atomically with its checksum and the change-log position it holds."""
        ...

    def load(self, folder: Path) -> int:
        """Replace the content by a saved one; return its seq. Raises IndexMismatch if it is damaged."""
        ...


@dataclass(frozen=True, slots=True)
class TargetCard:
    """What a classifier promises for one target.

    Attributes:
        name: The target, for example "category".
        labels: Column order of the probabilities.
        thresholds: For each label the least confidence at which it is filled in; above 1 means never (recommend only).
        target_precision: The precision that the thresholds were chosen for, on rows the model was not fitted on.
        parents: For a target below another one (sub_category under category): label -> label of `parent`.
        parent: Name of the target above, or None.
        ordered: Whether the labels are ordered (impact, urgency), lowest first.
    """

    name: str
    labels: tuple[str, ...]
    thresholds: Mapping[str, float]
    target_precision: float
    parent: str | None = None
    parents: Mapping[str, str] = field(default_factory=dict)
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class TextSpan:
    """A span of a model text and how much it carried a label."""

    start: int
    end: int
    weight: float
    cue: str | None = None


class Classifier(Protocol):
    """Several targets over one text and its vector. Safe to call from many threads."""

    @property
    def version(self) -> str:
        """Bundle version, for provenance."""
        ...

    @property
    def encoder_id(self) -> str | None:
        """The encoder whose vectors it was fitted on; None if it uses none."""
        ...

    @property
    def cards(self) -> Mapping[str, TargetCard]:
        """Target name -> its labels and thresholds."""
        ...

    def predict_proba(self, texts: Sequence[str], vectors: Vectors) -> Mapping[str, Probabilities]:
        """Return target -> (len(texts), len(labels)) calibrated probabilities; rows sum to 1.

        `texts` are `model_text()`s; `vectors` their (len(texts), dim) encodings. Same input, same output, one row or many.
        """
        ...

    def explain(self, text: str, target: str, label: str, n: int = 5) -> Sequence[TextSpan]:
        """Return the at most n spans of `text` that carried `label` most, in the order of their weight."""
        ...


@dataclass(frozen=True, slots=True)
class LabelledTexts:
    """Training input: n model texts, their (n, dim) vectors and for each target n labels (None: not labelled).

    `groups` keeps near-duplicates on one side of every split; None: computed from the texts.
    """

    texts: Sequence[str]
    vectors: Vectors
    labels: Mapping[str, Sequence[str | None]]
    groups: Sequence[str] | None = None


class Trainer(Protocol):
    """Fits classifiers. Same input and seed, same model."""

    def fit(self, examples: LabelledTexts, *, seed: int) -> Classifier:
        """Return a calibrated classifier of every target in `examples.labels`."""
        ...


class Bundles(Protocol):
    """Model bundles by version; loading checks every file against the manifest and never unpickles."""

    def load(self, version: str) -> Classifier:
        """Return the classifier. Raises BundleError, naming what does not match."""
        ...

    def current(self) -> str:
        """Return the promoted version."""
        ...

    def promote(self, version: str) -> None:
        """Make `version` the current one by an atomic replace."""
        ...


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the append-only change log.

    Attributes:
        seq: Position; grows, has no holes that a later commit could fill.
        kind: "incident" or "article".
        record_id: Which one changed.
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
    """A key as the store knows it: never the secret, only its SHA-256."""

    id: str
    secret_sha256: str
    tenant: str
    audiences: frozenset[str]
    scopes: frozenset[Scope]
    label: str
    created_at: datetime
    revoked_at: datetime | None = None


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


class Records(Protocol):
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
        """Return None if the key is new and now claimed (a unique constraint decides), else what is stored for it."""
        ...

    def answer(self, tenant: str, key: str, answer: StoredAnswer) -> None:
        """Store the answer of a claimed key, in the transaction of the work itself."""
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

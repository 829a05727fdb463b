"""A desk for benchmarks/poisoning.py: the services over a copy of a prepared store, those who teach it, and what it then suggests."""

import itertools
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from smarttriage.adapters.stores.sql import SqlStore
from smarttriage.bootstrap.indexing import new_indexing
from smarttriage.bootstrap.models import folder_versions
from smarttriage.config import Settings
from smarttriage.domain.access import DEFAULT_TENANT, EVERYONE, Principal, Scope
from smarttriage.domain.article import Article, ArticleStatus
from smarttriage.domain.errors import Conflict, PermissionDenied
from smarttriage.domain.incident import Incident, Labels
from smarttriage.domain.outcome import OutcomeKind
from smarttriage.domain.suggestion import Suggestion
from smarttriage.ports import ApiKey, Encoder, Vectors
from smarttriage.services.import_rows import Row
from smarttriage.services.importing import ImportService, importer
from smarttriage.services.incidents import IncidentService
from smarttriage.services.knowledge import KnowledgeService
from smarttriage.services.learning import LearningService
from smarttriage.services.live import Live, Models, State
from smarttriage.services.loop import KnowledgeLoop
from smarttriage.services.matching import IncidentText
from smarttriage.services.outcomes import OutcomeService, OutcomeTaker
from smarttriage.services.quarantine import QuarantineService
from smarttriage.services.triage import TriageService
from smarttriage.services.undoing import Undone, UndoService

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
TARGET = "topic"
K = 5
STORE = "store.db"


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody will ask, its label, and the article that is right; None where the set has none."""

    text: str
    label: str | None = None
    article: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A desk's past and what it is asked.

    Attributes:
        name: The data set.
        folder: The prepared store: articles and past incidents.
        encoder: Remembers what it has encoded.
        models: What classifies.
        questions: Asked after each attack.
        targets: Those of them that the attacker knows word for word.
        wrong: The label that the attacker gives to each target; None where the set has no labels.
    """

    name: str
    folder: Path
    encoder: Encoder
    models: Models
    questions: Sequence[Question]
    targets: Sequence[Question]
    wrong: Sequence[str | None]


@dataclass(slots=True)
class Remembering:
    """An encoder that keeps in memory what it has encoded."""

    inner: Encoder
    known: dict[str, Vectors] = field(default_factory=dict)

    @property
    def encoder_id(self) -> str:
        return self.inner.encoder_id

    @property
    def dim(self) -> int:
        return self.inner.dim

    def encode(self, texts: Sequence[str]) -> Vectors:
        fresh = [text for text in dict.fromkeys(texts) if text not in self.known]
        if fresh:
            self.known.update(zip(fresh, self.inner.encode(fresh), strict=True))
        return np.stack([self.known[text] for text in texts])


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question was answered with: articles and fixes with their scores, and the labels with their confidences."""

    articles: tuple[tuple[str, float], ...]
    similar: tuple[tuple[str, float, str | None], ...]
    labels: tuple[tuple[str, float], ...]

    @classmethod
    def of(cls, suggestion: Suggestion) -> "Answer":
        field_ = suggestion.custom.get(TARGET, suggestion.category)
        return cls(
            tuple((match.id, match.score) for match in suggestion.articles),
            tuple((match.id, match.score, match.resolution) for match in suggestion.similar_incidents),
            tuple((each.value, each.confidence) for each in field_.alternatives),
        )


def a_key(id_: str, *scopes: Scope, trusted: bool) -> Principal:
    return Principal(id_, DEFAULT_TENANT, frozenset({EVERYONE}), frozenset(scopes), trusted)


DESK = a_key("desk", Scope.SUGGEST, Scope.WRITE, trusted=True)
REVIEWER = a_key("reviewer", Scope.REVIEW, trusted=True)


class Desk:
    """The services over a store of its own."""

    def __init__(self, case: Case, folder: Path, *, prepared: Path | None = None) -> None:
        """Open a desk in `folder`; with `prepared`, over a copy of that one's store."""
        folder.mkdir(parents=True)
        if prepared is not None:
            shutil.copy(prepared / STORE, folder / STORE)
        self.case, self.now = case, START if prepared is None else START + timedelta(days=1)
        numbers = itertools.count(1)
        self.store = SqlStore.open(folder / STORE, clock=lambda: self.now)
        self._indexing = new_indexing(store=self.store, encoder=case.encoder)
        self._indexing.open(folder / "index")
        live = Live(State(case.models, self._indexing.catalogue()))
        self._live = live
        clock = {"store": self.store, "clock": lambda: self.now}
        shared = {**clock, "new_id": lambda prefix: f"{prefix}_{folder.name}_{next(numbers):08}"}
        taker = OutcomeTaker(clock=clock["clock"], new_id=shared["new_id"])  # type: ignore[arg-type]
        self.incidents = IncidentService(**shared, live=live)
        self.learning = LearningService(**shared, live=live, incident_service=self.incidents)
        self.knowledge = KnowledgeService(**shared, taxonomy=lambda: case.models.taxonomy)
        self.outcomes = OutcomeService(**clock, taker=taker)
        self.quarantine = QuarantineService(**clock, taker=taker)
        self.loop = KnowledgeLoop(**clock, live=live)
        self.triage = TriageService(**shared, live=live)
        versions = folder_versions(Settings(data_dir=folder))
        self._undoing = UndoService(**clock, taker=taker, versions=versions, reload=lambda: None)

    def load(self, articles: Sequence[Row], past: Sequence[Row]) -> None:
        """Import what the desk knows, and let the loop group it."""
        service = self._importer()
        service.articles(articles, progress=lambda _: None, accept_warnings=True)
        service.incidents(past, source="past", progress=lambda _: None)
        self.follow()

    def bulk(self, articles: Sequence[Row], *, accept_warnings: bool) -> None:
        """Import articles as somebody would who was handed a file."""
        self._importer().articles(articles, progress=lambda _: None, accept_warnings=accept_warnings)

    def _importer(self) -> ImportService:
        case = self.case
        return ImportService(
            store=self.store, encoder=case.encoder, models=case.models, clock=lambda: self.now, principal=importer("import")
        )

    def follow(self) -> None:
        """Let indexes and drafts follow the store."""
        self.now += timedelta(minutes=1)
        if self._indexing.catch_up():
            self._live.publish_catalogue(self._indexing.catalogue())
        self.loop.catch_up()

    def ask(self, question: Question, by: Principal = DESK) -> Answer:
        """Return what a key is answered."""
        return Answer.of(self.triage.suggest(by, IncidentText("", question.text, k=K)))

    def register(self, *keys: Principal) -> None:
        """Store keys, so that they can be undone."""
        with self.store.begin(write=True) as records:
            for key in keys:
                stored = ApiKey(key.key_id, "0" * 64, key.tenant, key.audiences, key.scopes, "", self.now, trusted=key.trusted)
                records.put_api_key(stored)

    def solve(self, by: Principal, question: Question, fix: str, label: str | None, *, person: str) -> str:
        """Log an incident and resolve it, as a platform would; return its id."""
        incident = Incident("", DEFAULT_TENANT, "", question.text, self.now, self.now, self.now)
        stored = self.incidents.create(by, incident)
        labels = {TARGET: label} if label is not None else None
        self.learning.resolve(by, stored.id, text=fix, resolved_by=person, labels=labels)
        return stored.id

    def publish(self, by: Principal, title: str, body: str) -> str:
        """Write an article and try to publish it, warnings accepted; return its id."""
        article = Article("", DEFAULT_TENANT, title, body, self.now, self.now)
        stored = self.knowledge.create(by, article)
        with suppress(PermissionDenied, Conflict):
            for status in (ArticleStatus.IN_REVIEW, ArticleStatus.PUBLISHED):
                self.knowledge.move(by, stored.id, status, version=None, accept_warnings=True)
        return stored.id

    def blame(self, by: Principal, article_id: str, n: int) -> None:
        """Say of an article in the names of n people that it did not work."""
        for place in range(n):
            self.outcomes.say(by, article_id, OutcomeKind.DID_NOT_WORK, given_by=f"person {place}", incident_id=None)

    def waiting(self) -> list[str]:
        """Return the ids of what is in quarantine."""
        ids, cursor = [], None
        while True:
            page = self.quarantine.lessons(REVIEWER, key_id=None, limit=100, cursor=cursor)
            ids += [lesson.id for lesson in page.items]
            if (cursor := page.next_cursor) is None:
                return ids

    def drafted_from(self, incident_ids: Sequence[str]) -> int:
        """Return how many open drafts quote one of the incidents."""
        with self.store.begin() as records:
            page = records.article_drafts(a_key("a", Scope.ADMIN, trusted=True), status=None, limit=10_000, cursor=None)
        wanted = set(incident_ids)
        return sum(draft.status == "proposed" and not wanted.isdisjoint(draft.incident_ids) for draft in page.items)

    def undo(self, key: Principal, since: datetime) -> Undone:
        """Undo what a key taught."""
        admin = a_key("admin", Scope.ADMIN, trusted=True)
        return self._undoing.undo(admin, key.key_id, since=since)

    def close(self) -> None:
        """Release the store."""
        self.store.close()


def labelled(label: str | None) -> Labels:
    return Labels(custom={TARGET: label} if label is not None else {})


def trusted(keys: Sequence[Principal]) -> list[Principal]:
    """Return the keys as they were before trust was asked: each may speak for whom it names."""
    return [replace(key, trusted=True) for key in keys]

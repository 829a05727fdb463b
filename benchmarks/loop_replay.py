"""A stream of incidents put through the services one by one while the knowledge base grows from nothing."""

import itertools
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from loop_streams import Told
from smarttriage.adapters.stores.sql import SqlStore
from smarttriage.bootstrap.indexing import new_indexing
from smarttriage.bootstrap.models import open_models
from smarttriage.config import Settings
from smarttriage.domain.access import DEFAULT_TENANT, EVERYONE, Principal, Scope
from smarttriage.domain.article import ArticleStatus
from smarttriage.domain.draft import DraftStatus
from smarttriage.domain.errors import Conflict
from smarttriage.domain.incident import Incident
from smarttriage.ports import Encoder, VectorCache, Vectors
from smarttriage.services.drafts import DraftService
from smarttriage.services.incidents import IncidentService
from smarttriage.services.indexing import IndexingService
from smarttriage.services.knowledge import KnowledgeService
from smarttriage.services.learning import LearningService
from smarttriage.services.live import Live, State
from smarttriage.services.loop import SAME_GROUP, KnowledgeLoop
from smarttriage.services.proposing import Proposer
from smarttriage.services.training import embed
from smarttriage.services.unit_of_work import UnitStore

REVIEWER = Principal("reviewer", DEFAULT_TENANT, frozenset({EVERYONE}), frozenset(Scope))
START = datetime(2026, 1, 5, 8, tzinfo=UTC)
K = 5
# Reviewers come by after so many incidents, and the indexes follow; with the service's own second both would follow each incident.
REVIEW_EVERY = 20


@dataclass(slots=True)
class Cached:
    """An encoder that keeps what it has encoded on disk."""

    inner: Encoder
    cache: VectorCache | None

    @property
    def encoder_id(self) -> str:
        return self.inner.encoder_id

    @property
    def dim(self) -> int:
        return self.inner.dim

    def encode(self, texts: Sequence[str]) -> Vectors:
        return embed(list(texts), encoder=self.inner, cache=self.cache)


@dataclass(frozen=True, slots=True)
class Asked:
    """What one incident found: the place of the first right article and of the first right past incident, from 1; None for none."""

    known: bool
    article: int | None
    incident: int | None
    n_articles: int


@dataclass(slots=True)
class Replay:
    """Services over an empty store."""

    store: UnitStore
    live: Live
    indexing: IndexingService
    incidents: IncidentService
    learning: LearningService
    knowledge: KnowledgeService
    drafts: DraftService
    loop: KnowledgeLoop
    fix_of: dict[str, str] = field(default_factory=dict)
    now: datetime = START

    def run(self, told: Sequence[Told], *, with_loop: bool) -> list[Asked]:
        """Ask, store, link what was found or resolve by text, and now and then review; return what each incident found."""
        asked, known = [], set()
        for number, each in enumerate(told, 1):
            self.now += timedelta(minutes=7)
            asked.append(self._one(each, each.fix in known))
            known.add(each.fix)
            if number % REVIEW_EVERY == 0:
                self.review(with_loop=with_loop)
        self.review(with_loop=with_loop)
        return asked

    def review(self, *, with_loop: bool) -> None:
        """Publish every draft: as they were drafted, or as the loop proposes them."""
        self._follow()
        if with_loop:
            self.loop.catch_up()
            for draft in self._proposed():
                # Another draft of the same article was accepted a moment before: the next review sees it made anew.
                with suppress(Conflict):
                    self.drafts.accept(REVIEWER, draft, version=None)
        else:
            for article in self._unpublished():
                for status in (ArticleStatus.IN_REVIEW, ArticleStatus.PUBLISHED):
                    self.knowledge.move(REVIEWER, article, status, version=None, accept_warnings=True)
        self._follow()

    def truth(self) -> dict[str, Counter[str]]:
        """Return published article -> the fixes of the incidents that it grew from."""
        with self.store.begin() as records:
            articles = list(records.indexable_articles())
        return {each.id: Counter(self.fix_of[id_] for id_ in each.source_incidents) for each in articles}

    def _one(self, told: Told, known: bool) -> Asked:
        now = self.now
        fresh = Incident("", DEFAULT_TENANT, told.title, told.description, now, now, now)
        stored = self.incidents.create(REVIEWER, fresh, suggestion_id=None)
        self.fix_of[stored.id] = told.fix
        state, vector = self.live.state, self.live.state.search_encoder.encode([stored.text])[0]
        truth = self._truths
        found = state.catalogue.articles.search(stored.text, vector, K, allowed=REVIEWER.labels)
        right = [told.fix == truth.get(result.id) for result in found]
        near = state.catalogue.incidents.search(stored.text, vector, K, allowed=REVIEWER.labels)
        alike = [told.fix == self.fix_of[result.id] for result in near]
        article = found[right.index(True)].id if True in right else None
        self.learning.resolve(REVIEWER, stored.id, text=told.resolution, article_id=article, resolved_at=now)
        return Asked(known, _place(right), _place(alike), len(truth))

    @property
    def _truths(self) -> dict[str, str]:
        if self._truth_seq != self.live.state.catalogue.seq:
            self._kept = {id_: fixes.most_common(1)[0][0] for id_, fixes in self.truth().items() if fixes}
            self._truth_seq = self.live.state.catalogue.seq
        return self._kept

    _truth_seq: int = -1
    _kept: dict[str, str] = field(default_factory=dict)

    def _follow(self) -> None:
        if self.indexing.catch_up():
            self.live.publish_catalogue(self.indexing.catalogue())

    def _proposed(self) -> list[str]:
        ids, cursor = [], None
        while True:
            page = self.drafts.list(REVIEWER, status=DraftStatus.PROPOSED, limit=200, cursor=cursor)
            ids += [draft.id for draft in page.items]
            if (cursor := page.next_cursor) is None:
                return ids

    def _unpublished(self) -> Iterator[str]:
        page = self.knowledge.list(REVIEWER, status=ArticleStatus.DRAFT, limit=200, cursor=None)
        yield from [article.id for article in page.items]


@contextmanager
def replay(encoder: Encoder, *, level: float = SAME_GROUP, same_fix: float | None = None) -> Iterator[Replay]:
    """Yield services over an empty store in a scratch folder."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        numbers = itertools.count(1)
        made: list[Replay] = []

        def clock() -> datetime:
            return made[0].now if made else START

        store = UnitStore(SqlStore.open(folder / "store.db", clock=clock))
        indexing = new_indexing(store=store, encoder=encoder)
        models = open_models(Settings(data_dir=folder), encoder)
        live = Live(State(models, indexing.catalogue()))
        shared = {"store": store, "clock": clock, "new_id": lambda prefix: f"{prefix}_{next(numbers):08}"}
        incidents = IncidentService(**shared, live=live)
        knowledge = KnowledgeService(**shared, taxonomy=lambda: models.taxonomy)
        proposer = Proposer(live=live) if same_fix is None else Proposer(live=live, same_fix=same_fix)
        made.append(
            Replay(
                store=store,
                live=live,
                indexing=indexing,
                incidents=incidents,
                learning=LearningService(**shared, live=live, incident_service=incidents),
                knowledge=knowledge,
                drafts=DraftService(store=store, clock=clock, knowledge=knowledge),
                loop=KnowledgeLoop(store=store, clock=clock, live=live, level=level, proposer=proposer),
            )
        )
        try:
            yield made[0]
        finally:
            store.close()


def _place(right: Sequence[bool]) -> int | None:
    return int(np.argmax(right)) + 1 if any(right) else None

"""The API over a real store in a folder, with exact indexes and a classifier of keywords; the index follows each commit at once."""

import itertools
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from smarttriage.adapters.bundles import BundleFacts, FolderBundles
from smarttriage.adapters.classifiers.centroid import CentroidClassifier
from smarttriage.adapters.encoders.hashing import HashingEncoder
from smarttriage.adapters.indexes.exact import ExactIndex
from smarttriage.adapters.lexical.exact import ExactLexicalIndex
from smarttriage.adapters.stores.sql import SqlStore
from smarttriage.adapters.versions import FolderVersions
from smarttriage.api.app import create_app
from smarttriage.domain.access import EVERYONE, Principal, Scope
from smarttriage.domain.escalation import EscalationMatrix
from smarttriage.domain.priority import PriorityPolicy
from smarttriage.domain.review import ReviewPolicy
from smarttriage.domain.stream_rules import StreamPolicy
from smarttriage.domain.taxonomy import Taxonomy
from smarttriage.services.clustering import ClusterPass
from smarttriage.services.clusters import ClusterService
from smarttriage.services.cmdb import Directory
from smarttriage.services.cmdb_records import CmdbService
from smarttriage.services.collections import Collection
from smarttriage.services.drafts import DraftService
from smarttriage.services.incidents import IncidentService
from smarttriage.services.indexing import IndexingService
from smarttriage.services.installation import Limits, Services
from smarttriage.services.keys import KeyService
from smarttriage.services.knowledge import KnowledgeService
from smarttriage.services.learning import LearningService
from smarttriage.services.lifecycle import ModelLifecycle
from smarttriage.services.live import Live, Models, State
from smarttriage.services.loop import KnowledgeLoop
from smarttriage.services.ongoing import Board
from smarttriage.services.outcomes import OutcomeService, OutcomeTaker
from smarttriage.services.proposing import Proposer
from smarttriage.services.quarantine import QuarantineService
from smarttriage.services.retrieval import FusionSettings
from smarttriage.services.searching import SearchService
from smarttriage.services.triage import TriageService
from smarttriage.services.turns import new_turns
from smarttriage.services.undoing import UndoService
from smarttriage.services.unit_of_work import UnitStore
from smarttriage.services.watching import DriftMonitor, Seen, Watcher
from smarttriage.testing.factories import NOON
from smarttriage.testing.fakes import KeywordClassifier, ManualClock

KB = Path(__file__).parents[2] / "kb"
ADMIN, OTHER_ADMIN = "any text will do", "the other tenant's"
ALL = frozenset(Scope)
A_TRAINING = BundleFacts(NOON, "0.1.0", "ab" * 32, 0)


@dataclass
class Installation:
    """A running application, and the levers that tests move."""

    services: Services
    client: TestClient
    clock: ManualClock
    inner: SqlStore
    notified: list[int]
    reloaded: list[int]
    versions: FolderVersions
    policy: StreamPolicy

    def ask(self, method: str, path: str, body: Any = None, *, key: str | None = ADMIN, **headers: str) -> Any:
        """Return the response."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if key is not None:
            sent["Authorization"] = f"Bearer {key}"
        return self.client.request(method, path, headers=sent, **({} if body is None else {"json": body}))

    def must(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """Return the parsed answer of a request that has to succeed."""
        response = self.ask(method, path, body, **options)
        assert 200 <= response.status_code < 300, response.text
        return response.json()

    def key(self, *scopes: str, label: str = "test", trusted: bool = True, **more: Any) -> str:
        """Return the text of a new key, by default a trusted one."""
        body = {"label": label, "scopes": list(scopes), "trusted": trusted, **more}
        return self.must("POST", "/v1/admin/keys", body)["key"]


@contextmanager
def installation(
    folder: Path, *, limits: Limits | None = None, review: ReviewPolicy | None = None, **replaced: Any
) -> Iterator[Installation]:
    """Yield an installation with an administrator in each of two tenants."""
    clock, encoder = ManualClock(), HashingEncoder()
    inner = SqlStore.open(folder / "store.db", clock=clock)
    store = UnitStore(inner)

    def new_collection(name: str) -> Collection:
        return Collection(name, ExactIndex(encoder_id=encoder.encoder_id, dim=encoder.dim), ExactLexicalIndex())

    # The hashing encoder's cosines lie lower than a trained one's, and a handful of records has no background to stand out from.
    loose = FusionSettings(floor=0.25, least_chance=0.0)
    indexing = IndexingService(
        store=store, encoder=encoder, new_collection=new_collection, article_search=loose, incident_search=loose
    )
    models = Models(encoder, KeywordClassifier(), _taxonomy(), _policy())
    live = Live(State(models, indexing.catalogue()))
    with store.begin() as records:
        numbers = itertools.count(1 + records.last_seq())
    shared: dict[str, Any] = {"store": store, "clock": clock, "new_id": lambda prefix: f"{prefix}_{next(numbers):06}"}
    notified: list[int] = []
    board, policy = Board(), StreamPolicy.from_mapping(_toml("major_incidents.toml"), models.policy)
    directory = Directory(store=store, check_s=0.0, run=lambda work: work())
    clusters = ClusterPass(
        store=store,
        policy=policy,
        behind=lambda: (live.state.catalogue.seq, encoder),
        clock=clock,
        publish=board.publish,
        cmdb=directory.view,
    )
    clusters.step()
    reloaded: list[int] = []

    def follow() -> None:
        notified.append(1)
        if indexing.catch_up():
            live.publish_catalogue(indexing.catalogue())
            clusters.step()

    versions = _versions(folder, encoder)
    drift = DriftMonitor(live=live, store=store, reference=lambda: None)
    watcher = Watcher(live=live, store=store, clock=clock, drift=drift, on_error=_raise, on_alarm=lambda signal: None)
    lifecycle = ModelLifecycle(
        versions=versions, live=live, store=store, clock=clock, watcher=watcher, drift=drift, reload=lambda: reloaded.append(1)
    )
    incidents = IncidentService(**shared, live=live)
    knowledge = KnowledgeService(**shared, taxonomy=lambda: live.state.models.taxonomy, policy=review)
    taker = OutcomeTaker(clock=clock, new_id=shared["new_id"])
    services = Services(
        triage=TriageService(
            **shared,
            live=live,
            observe=lambda *seen: watcher.step([Seen(*seen)]),
            ongoing=lambda: board.present,
            cmdb=directory.view,
        ),
        search=SearchService(live=live, store=store, clock=clock, turns=new_turns()),
        incidents=incidents,
        learning=LearningService(**shared, live=live, incident_service=incidents),
        knowledge=knowledge,
        drafts=DraftService(store=store, clock=clock, knowledge=knowledge, policy=review),
        # The hashing encoder knows words only, so that what tells of one fix lies farther apart.
        loop=KnowledgeLoop(store=store, clock=clock, live=live, level=0.45, proposer=Proposer(live=live, same_fix=0.45)),
        outcomes=OutcomeService(store=store, clock=clock, taker=taker),
        quarantine=QuarantineService(store=store, clock=clock, taker=taker, policy=review),
        undoing=UndoService(
            store=store, clock=clock, taker=taker, versions=versions, reload=lambda: reloaded.append(1), pinned=False
        ),
        clusters=ClusterService(store=store, clock=clock, cmdb=directory.view),
        cmdb=CmdbService(store=store, clock=clock, directory=directory),
        store=store,
        clock=clock,
        live=live,
        lifecycle=lifecycle,
        notify=follow,
        reload=lambda: reloaded.append(1),
        ready=lambda: True,
        limits=limits or Limits(),
        escalation=EscalationMatrix.from_mapping(_toml("escalation.toml"), live.state.models.policy),
    )
    services = replace(services, **replaced)
    keys = KeyService(store=store, clock=clock)
    keys.ensure_administrator(ADMIN, label="admin")
    keys.ensure_administrator(OTHER_ADMIN, label="other", tenant="other")
    with TestClient(create_app(services), follow_redirects=False) as client:
        yield Installation(services, client, clock, inner, notified, reloaded, versions, policy)
    inner.close()


def a_caller(tenant: str = "default", *audiences: str) -> Principal:
    return Principal("test", tenant, frozenset(audiences or (EVERYONE,)), ALL)


def _versions(folder: Path, encoder: HashingEncoder) -> FolderVersions:
    """Return versions whose starter knows two categories."""
    codecs = {CentroidClassifier.format: CentroidClassifier.from_files}
    shipped = FolderBundles(folder / "shipped", codecs=codecs)
    if "starter" not in shipped.versions():
        shipped.promote(shipped.save(two_categories(encoder), A_TRAINING, version="starter"))
    return FolderVersions(folder / "models", own=FolderBundles(folder / "models", codecs=codecs), shipped=shipped)


def two_categories(encoder: HashingEncoder) -> CentroidClassifier:
    return CentroidClassifier.from_descriptions({"category": {"network": "vpn wifi", "hardware": "printer"}}, encoder=encoder)


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads((KB / name).read_text(encoding="utf-8"))


def _raise(error: Exception) -> None:
    raise error


def _taxonomy() -> Taxonomy:
    return Taxonomy.from_mapping(tomllib.loads((KB / "taxonomy.toml").read_text(encoding="utf-8")))


def _policy() -> PriorityPolicy:
    return PriorityPolicy.from_mapping(tomllib.loads((KB / "priority.toml").read_text(encoding="utf-8")))

"""The services of a running process: everything opened, the seed in place, the follower following."""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import structlog
from threadpoolctl import threadpool_limits

from smarttriage.adapters.encoders.remembered import RememberingEncoder
from smarttriage.bootstrap import parts
from smarttriage.bootstrap.clusters import open_clusters
from smarttriage.bootstrap.cmdb import open_directory, seed_cmdb
from smarttriage.bootstrap.escalating import open_escalation
from smarttriage.bootstrap.forecasting import forecasts
from smarttriage.bootstrap.importing import seed
from smarttriage.bootstrap.indexing import INDEX_FOLDER, new_indexing
from smarttriage.bootstrap.keys import ensure_admin_key
from smarttriage.bootstrap.lifecycle import open_lifecycle
from smarttriage.bootstrap.loop import open_loop
from smarttriage.bootstrap.models import open_models
from smarttriage.bootstrap.reembedding import index_encoder, keep_encoder, reembedding
from smarttriage.bootstrap.resources import escalation, review_policy
from smarttriage.bootstrap.undoing import undo_service
from smarttriage.config import Settings
from smarttriage.ports import Encoder, Store
from smarttriage.services.clusters import ClusterService
from smarttriage.services.cmdb_records import CmdbService
from smarttriage.services.drafts import DraftService
from smarttriage.services.field_settings import read_field_settings
from smarttriage.services.incidents import IncidentService
from smarttriage.services.index_follower import Follower
from smarttriage.services.indexing import IndexingService
from smarttriage.services.installation import Limits, Services
from smarttriage.services.knowledge import KnowledgeService
from smarttriage.services.learning import LearningService
from smarttriage.services.lifecycle import ModelLifecycle
from smarttriage.services.live import Live, State
from smarttriage.services.loop import KnowledgeLoop
from smarttriage.services.ongoing import Board
from smarttriage.services.outcomes import OutcomeService, OutcomeTaker
from smarttriage.services.quarantine import QuarantineService
from smarttriage.services.searching import SearchService
from smarttriage.services.triage import TriageService
from smarttriage.services.turns import new_turns
from smarttriage.services.unit_of_work import UnitStore
from smarttriage.services.watching import Watcher

log = structlog.get_logger("smarttriage")


@contextmanager
def open_services(settings: Settings, *, say: parts.Say, saves: bool = True) -> Iterator[tuple[Services, str]]:
    """Yield the services over the data folder and the administrator's key; an empty folder is prepared.

    At the end the indexes are saved, where `saves` says so (of several processes over a folder one does), and the store is closed.
    """
    _log_to_stderr(settings.log_level)
    with ExitStack() as cleanup:
        # NumPy's BLAS starts a thread for each core and lets them spin while they wait: of two cores busy with requests they took
        # nearly half. Set here and not by environment, which BLAS reads once, as soon as anything imports NumPy.
        cleanup.enter_context(threadpool_limits(1, user_api="blas"))
        encoder = RememberingEncoder(parts.encoder(size=settings.encoder))
        store = UnitStore(parts.store(settings))
        cleanup.callback(store.close)
        searcher = index_encoder(settings, store, encoder)
        live, indexing = _open_live(settings, store=store, encoder=encoder, searcher=searcher, say=say)
        follower = Follower(indexing=indexing, publish=live.publish_catalogue, on_error=_report)
        follower.start()
        if saves:
            cleanup.callback(follower.save, settings.data_dir / INDEX_FOLDER)
        cleanup.callback(follower.stop)
        if searcher is encoder:
            keep_encoder(settings, store, encoder)
        else:
            cleanup.enter_context(reembedding(settings, store=store, shipped=encoder, follower=follower))
        key = ensure_admin_key(settings, store)

        def reload() -> None:
            models = open_models(settings, live.state.models.encoder)
            live.update_models(lambda _: models.under(read_field_settings(store)))

        watched = cleanup.enter_context(open_lifecycle(settings, live=live, store=store, reload=reload))
        items = open_directory(settings, store).view
        board = cleanup.enter_context(open_clusters(settings, store=store, live=live, cmdb=items))
        loop = cleanup.enter_context(open_loop(store=store, live=live))
        cleanup.enter_context(open_escalation(settings, store=store, live=live))
        hooks = (follower.notify, reload)
        yield _services(settings, store=store, live=live, hooks=hooks, watched=watched, board=board, loop=loop), key


def _open_live(
    settings: Settings, *, store: Store, encoder: Encoder, searcher: Encoder, say: parts.Say
) -> tuple[Live, IndexingService]:
    models = open_models(settings, encoder).under(read_field_settings(store))
    say(f"preparing {settings.data_dir} ...")
    seed(store=store, encoder=encoder, models=models)
    seed_cmdb(store)
    indexing = new_indexing(store=store, encoder=searcher)
    indexing.open(settings.data_dir / INDEX_FOLDER)
    return Live(State(models, indexing.catalogue())), indexing


def _services(
    settings: Settings,
    *,
    store: UnitStore,
    live: Live,
    hooks: tuple[Callable[[], None], Callable[[], None]],
    watched: tuple[ModelLifecycle, Watcher],
    board: Board,
    loop: KnowledgeLoop,
) -> Services:
    clock, new_id = parts.clock, parts.new_id
    incidents = IncidentService(store=store, clock=clock, new_id=new_id, live=live)
    policy, taker = review_policy(settings), OutcomeTaker(clock=clock, new_id=new_id)
    knowledge = KnowledgeService(
        store=store, clock=clock, new_id=new_id, taxonomy=lambda: live.state.models.taxonomy, policy=policy
    )
    lifecycle, watcher = watched
    notify, reload = hooks
    directory, turns = open_directory(settings, store), new_turns()
    triage = TriageService(
        store=store,
        clock=clock,
        new_id=new_id,
        live=live,
        observe=watcher.observe,
        holdout_share=settings.holdout_share,
        ongoing=lambda: board.present,
        cmdb=directory.view,
        turns=turns,
    )
    return Services(
        triage=triage,
        search=SearchService(live=live, store=store, clock=clock, turns=turns),
        incidents=incidents,
        learning=LearningService(store=store, clock=clock, new_id=new_id, live=live, incident_service=incidents),
        knowledge=knowledge,
        drafts=DraftService(store=store, clock=clock, knowledge=knowledge, policy=policy),
        loop=loop,
        outcomes=OutcomeService(store=store, clock=clock, taker=taker),
        quarantine=QuarantineService(store=store, clock=clock, taker=taker, policy=policy),
        undoing=undo_service(settings, store=store, reload=reload),
        clusters=ClusterService(store=store, clock=clock, cmdb=directory.view),
        cmdb=CmdbService(store=store, clock=clock, directory=directory),
        store=store,
        clock=clock,
        live=live,
        lifecycle=lifecycle,
        notify=notify,
        reload=reload,
        ready=lambda: True,
        limits=Limits(max_body_bytes=settings.max_body_bytes, max_concurrent=settings.max_concurrent),
        escalation=escalation(settings, policy=live.state.models.policy),
        forecast=forecasts(settings),
    )


def _report(error: Exception) -> None:
    log.error("the index could not follow the store; it tries again", error=repr(error))


def _log_to_stderr(level: str) -> None:
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )

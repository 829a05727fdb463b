"""The pass over arriving incidents, beside the services of a running process."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from smarttriage.bootstrap import parts
from smarttriage.bootstrap.resources import stream_policy
from smarttriage.config import Settings
from smarttriage.ports import Encoder, Store
from smarttriage.services.clustering import ClusterFollower, ClusterPass
from smarttriage.services.landscape import NOWHERE, Landscape
from smarttriage.services.live import Live
from smarttriage.services.ongoing import Board

log = structlog.get_logger("smarttriage")


@contextmanager
def open_clusters(
    settings: Settings, *, store: Store, live: Live, cmdb: Callable[[str], Landscape] = lambda _tenant: NOWHERE
) -> Iterator[Board]:
    """Yield what is ongoing, kept up to date by a thread until the end; `cmdb` returns a tenant's items."""
    board = Board()

    def behind() -> tuple[int, Encoder]:
        state = live.state
        return state.catalogue.seq, state.search_encoder

    steps = ClusterPass(
        store=store,
        policy=stream_policy(settings, policy=live.state.models.policy),
        behind=behind,
        clock=parts.clock,
        publish=board.publish,
        cmdb=cmdb,
    )
    follower = ClusterFollower(steps=steps, on_error=_report)
    follower.start()
    try:
        yield board
    finally:
        follower.stop()


def _report(error: Exception) -> None:
    log.error("clusters could not follow the store; it tries again", error=repr(error))

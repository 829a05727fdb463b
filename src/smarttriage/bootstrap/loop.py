"""The knowledge loop of a running process: its passes in a thread beside the services."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from smarttriage.bootstrap import parts
from smarttriage.bootstrap.importing import SEED_SOURCE
from smarttriage.ports import Store
from smarttriage.services.live import Live
from smarttriage.services.loop import KnowledgeLoop, LoopRunner

log = structlog.get_logger("smarttriage")


@contextmanager
def open_loop(*, store: Store, live: Live) -> Iterator[KnowledgeLoop]:
    """Yield the loop, at work until the end. The seed's incidents are left out: their articles are written."""
    loop = KnowledgeLoop(store=store, clock=parts.clock, live=live, skip_sources={SEED_SOURCE})
    runner = LoopRunner(loop=loop, on_error=_report)
    runner.start()
    try:
        yield loop
    finally:
        runner.stop()


def _report(error: Exception) -> None:
    log.error("the knowledge loop could not follow the store; it tries again", error=repr(error))

"""Escalations of a running process, told as the clock runs; and read from the data folder, as the command line asks for them."""

from collections.abc import Callable, Collection, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from smarttriage.bootstrap import parts
from smarttriage.bootstrap.importing import SEED_SOURCE
from smarttriage.bootstrap.resources import escalation
from smarttriage.config import Settings
from smarttriage.domain.access import Principal
from smarttriage.domain.escalation import EscalationEvent
from smarttriage.ports import Store
from smarttriage.services.emitting import PAGE, EscalationFollower, EscalationPass
from smarttriage.services.live import Live

log = structlog.get_logger("smarttriage")


@contextmanager
def open_escalation(settings: Settings, *, store: Store, live: Live) -> Iterator[None]:
    """Tell what falls due, in a thread, until the end. The seed's open incidents are examples and nobody's duty."""
    steps = EscalationPass(
        store=store,
        matrix=escalation(settings, policy=live.state.models.policy),
        policy=lambda: live.state.models.policy,
        clock=parts.clock,
        on_event=_logged,
        skip_sources={SEED_SOURCE},
    )
    follower = EscalationFollower(steps=steps, on_error=_report)
    follower.start()
    try:
        yield
    finally:
        follower.stop()


def told_escalations(
    *, data_dir: Path | None, tenant: str, audiences: Collection[str], after: int, wait: Callable[[], bool]
) -> Generator[EscalationEvent, None, None]:
    """Yield what was told behind `after`; at the end of the feed, go on as long as `wait` returns true."""
    settings = Settings() if data_dir is None else Settings(data_dir=data_dir)
    principal = Principal("escalations", tenant, frozenset(audiences))
    store = parts.store(settings)
    try:
        while True:
            with store.begin() as records:
                events = records.escalations(principal, after=after, limit=PAGE)
            yield from events
            if events:
                after = events[-1].seq
            elif not wait():
                return
    finally:
        store.close()


def _logged(event: EscalationEvent) -> None:
    log.warning("escalation", event_id=event.event_id, incident=event.incident_id, step=event.step, to=event.to)


def _report(error: Exception) -> None:
    log.error("escalations could not follow the clock; it tries again", error=repr(error))

"""The models of a running process: watched beside the answers, and followed when they change on disk."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from smarttriage.bootstrap import parts
from smarttriage.bootstrap.models import folder_versions
from smarttriage.config import Settings
from smarttriage.domain.errors import SmartTriageError
from smarttriage.ports import ModelVersions, Store
from smarttriage.services.drift import REFERENCE_FILE, Reference, Signal
from smarttriage.services.lifecycle import CHALLENGER, ModelLifecycle
from smarttriage.services.live import Live
from smarttriage.services.model_follower import ModelFollower
from smarttriage.services.watching import DriftMonitor, Watcher

log = structlog.get_logger("smarttriage")


@contextmanager
def open_lifecycle(
    settings: Settings, *, live: Live, store: Store, reload: Callable[[], None]
) -> Iterator[tuple[ModelLifecycle, Watcher]]:
    """Yield the lifecycle and the watcher, both at work until the end."""
    versions = folder_versions(settings)
    drift = DriftMonitor(live=live, store=store, reference=lambda: reference(versions, live))
    watcher = Watcher(live=live, store=store, clock=parts.clock, drift=drift, on_error=_report, on_alarm=_alarm)
    lifecycle = ModelLifecycle(
        versions=versions,
        live=live,
        store=store,
        clock=parts.clock,
        watcher=watcher,
        drift=drift,
        reload=reload,
        pinned=settings.model is not None,
    )

    def wanted() -> tuple[str, ...]:
        with store.begin() as records:
            return versions.current() or "", records.fact(CHALLENGER) or ""

    def take_up() -> None:
        reload()
        lifecycle.resume()

    follower = ModelFollower(wanted=wanted, take_up=take_up, on_error=_report)
    try:
        lifecycle.resume()
    except SmartTriageError as error:  # the champion serves without it
        _report(error)
    watcher.start()
    follower.start()
    try:
        yield lifecycle, watcher
    finally:
        follower.stop()
        watcher.stop()


def reference(versions: ModelVersions, live: Live) -> Reference | None:
    """Return the reference of the version that serves, None where its bundle keeps none or is not of the data folder."""
    serving = live.state.models.classifier.version
    for version in (versions.current(), None):
        if versions.manifest(version)["version"] == serving:
            return Reference.read(versions.attachment(version, REFERENCE_FILE))
    return None


def _report(error: Exception) -> None:
    log.error("models could not be watched or taken up", error=repr(error))


def _alarm(signal: Signal) -> None:
    log.warning("drift", signal=signal.name, target=signal.target, value=signal.value, limit=signal.limit, n=signal.n)

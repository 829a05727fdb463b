"""Undo over a data folder, as the command line asks for it; a service that runs over it follows within seconds."""

from collections.abc import Callable
from datetime import datetime

from smarttriage.bootstrap import parts
from smarttriage.bootstrap.models import folder_versions
from smarttriage.config import Settings
from smarttriage.ports import Store
from smarttriage.services.importing import importer
from smarttriage.services.outcomes import OutcomeTaker
from smarttriage.services.undoing import Undone, UndoService


def undo_service(settings: Settings, *, store: Store, reload: Callable[[], None]) -> UndoService:
    """Return the service that undoes over the data folder's store and models."""
    return UndoService(
        store=store,
        clock=parts.clock,
        taker=OutcomeTaker(clock=parts.clock, new_id=parts.new_id),
        versions=folder_versions(settings),
        reload=reload,
        pinned=settings.model is not None,
    )


def undo(key_id: str, *, settings: Settings, since: datetime, by: str, reason: str, dry_run: bool) -> Undone:
    """Return what was undone in the default tenant of what the key taught since then."""
    store = parts.store(settings)
    try:
        service = undo_service(settings, store=store, reload=lambda: None)
        return service.undo(importer(by), key_id, since=since, reason=reason, dry_run=dry_run)
    finally:
        store.close()

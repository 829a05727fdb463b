"""The store on a database that SQLAlchemy Core speaks to."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import ModuleType

from sqlalchemy import Engine, make_url
from sqlalchemy.exc import ArgumentError

from smarttriage.adapters.stores.articles import ArticleRecords
from smarttriage.adapters.stores.clusters import ClusterRecords
from smarttriage.adapters.stores.cmdb import CmdbRecords
from smarttriage.adapters.stores.decisions import DecisionRecords
from smarttriage.adapters.stores.facts import FactRecords
from smarttriage.adapters.stores.fair_lock import FairLock
from smarttriage.adapters.stores.incidents import IncidentRecords
from smarttriage.adapters.stores.keys import KeyRecords
from smarttriage.adapters.stores.lessons import LessonRecords
from smarttriage.adapters.stores.loop import LoopRecords
from smarttriage.adapters.stores.outcomes import OutcomeRecords
from smarttriage.adapters.stores.shadows import ShadowRecords
from smarttriage.adapters.stores.sqlite import BUSY_TIMEOUT_S, IMMEDIATE, sqlite_engine
from smarttriage.adapters.stores.suggestions import SuggestionRecords
from smarttriage.adapters.stores.translation import translate_errors, translated
from smarttriage.adapters.stores.upgrade import upgrade
from smarttriage.adapters.stores.vectors import VectorRecords
from smarttriage.domain.errors import StoreError
from smarttriage.ports import Clock


class SqlRecords(
    IncidentRecords,
    FactRecords,
    ArticleRecords,
    OutcomeRecords,
    LessonRecords,
    LoopRecords,
    SuggestionRecords,
    DecisionRecords,
    ShadowRecords,
    VectorRecords,
    ClusterRecords,
    CmdbRecords,
    KeyRecords,
):
    """Everything in the store, inside one transaction."""


class SqlStore:
    """The truth, in one SQLite file. Readers see a fixed state and wait for nobody; writers take turns in order of arrival."""

    def __init__(self, *, engine: Engine, clock: Clock) -> None:
        translate_errors(engine)
        self._reader = engine
        self._writer = engine.execution_options(**IMMEDIATE)
        self._turn = FairLock(timeout_s=3 * BUSY_TIMEOUT_S)
        self._clock = clock

    @classmethod
    def open(cls, url_or_path: str | Path, *, clock: Clock, library: ModuleType | None = None) -> "SqlStore":
        """Return the store in that file, made or migrated if need be.

        Args:
            url_or_path: A file, or "sqlite:///FILE".
            clock: Dates the lines of the change log.
            library: The DB-API module to use instead of the one that fits the platform.

        Raises:
            StoreError: The SQLite library is unsafe, the file cannot be opened, or it is of a newer version.
        """
        path = _path_of(url_or_path)
        store = cls(engine=sqlite_engine(path, library), clock=clock)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with translated(store._reader):
                upgrade(store._reader, store._writer)
        except OSError as error:
            raise StoreError(f"{path.parent} cannot be made ({error.strerror}); give another data folder.") from error
        except BaseException:
            store.close()
            raise
        return store

    @contextmanager
    def begin(self, *, write: bool = False) -> Iterator[SqlRecords]:
        """Yield the records in one transaction: committed on success, rolled back on any exception."""
        engine = self._writer if write else self._reader
        with self._turn if write else nullcontext(), translated(engine), engine.begin() as connection:
            yield SqlRecords(connection=connection, clock=self._clock, writable=write)

    def close(self) -> None:
        """Release every connection."""
        self._reader.dispose()


def _path_of(url_or_path: str | Path) -> Path:
    if isinstance(url_or_path, Path) or "://" not in url_or_path:
        named: str | None = str(url_or_path)
    else:
        try:
            url = make_url(url_or_path)
        except ArgumentError as error:
            raise StoreError(f'"{url_or_path}" is no URL of a database; give a file, or sqlite:///FILE.') from error
        if url.get_backend_name() != "sqlite":
            raise StoreError(f'a database of the kind "{url.get_backend_name()}" is not supported; give sqlite:///FILE.')
        named = url.database
    if not named or named == ":memory:":
        raise StoreError("a database in memory forgets everything and cannot be shared by threads; give a file.")
    return Path(named)

"""The SQLite engine: which library, which pragmas, how transactions begin."""

import sqlite3
import time
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from smarttriage.domain.errors import StoreError

try:
    import pysqlite3.dbapi2 as _library
except ImportError:  # no wheel for this platform; the version check below still decides
    _library = sqlite3

# Older libraries can corrupt a WAL database when two connections write and checkpoint at the same time
# (https://sqlite.org/wal.html, "The WAL-reset bug"; fixed in 3.51.3).
OLDEST_SAFE = (3, 51, 3)
BUSY_TIMEOUT_S = 10.0
PRAGMAS = {"synchronous": "FULL", "secure_delete": "ON", "foreign_keys": "ON"}
BEGIN = "smarttriage_begin"
IMMEDIATE = {BEGIN: "BEGIN IMMEDIATE"}
# Starlette runs plain routes in 40 threads; the idle 16 keep at most 2 MB of pages each, the others close after use.
POOL = {"pool_size": 16, "max_overflow": 48, "pool_timeout": BUSY_TIMEOUT_S, "pool_use_lifo": True}


def sqlite_engine(path: Path, library: ModuleType | None = None) -> Engine:
    """Return an engine on the file whose connections carry the pragmas; it opens nothing yet.

    Args:
        path: The database file.
        library: The DB-API module, by default the pysqlite3 wheel where there is one, else the standard library's.

    Raises:
        StoreError: The library carries an SQLite that can corrupt the file.
    """
    library = library or _library
    _refuse_unsafe(library)
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        module=library,
        poolclass=QueuePool,
        connect_args={"timeout": BUSY_TIMEOUT_S, "isolation_level": None, "check_same_thread": False},
        **POOL,
    )
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def _refuse_unsafe(library: ModuleType) -> None:
    found = tuple(library.sqlite_version_info)
    if found < OLDEST_SAFE:
        raise StoreError(
            f"SQLite {_dotted(found)} (module {library.__name__}) can corrupt a WAL database; {_dotted(OLDEST_SAFE)} or newer is "
            'needed. Install the wheel that carries one: pip install "pysqlite3>=0.6.1", or use a Python built with it.'
        )


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _configure(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    try:
        _enter_wal(connection, cursor)
        for name, value in PRAGMAS.items():
            cursor.execute(f"PRAGMA {name}={value}")
    finally:
        cursor.close()


def _enter_wal(connection: Any, cursor: Any) -> None:
    """Switch to WAL; SQLite does not wait for the lock here, so that two first starts at once have to be patient themselves."""
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            mode = cursor.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        except connection.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
            continue
        if mode != "wal":
            raise StoreError(
                f'The file system offers the journal mode "{mode}" instead of WAL; put the data folder on a local disk.'
            )
        return


def _begin(connection: Connection) -> None:
    # The driver begins nothing by itself (isolation_level=None): reads are deferred and see one WAL snapshot without a lock,
    # writers take the write lock at once, so that none fails later for having read first.
    # By the driver itself, as in driver_statement.py: every suggestion begins two transactions.
    driver: Any = connection.connection.driver_connection
    driver.execute(connection.get_execution_options().get(BEGIN, "BEGIN"))

"""What only SQLite promises: a safe library, the pragmas, migrations that match the tables, two first starts at once."""

import multiprocessing
import subprocess
import sys
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pysqlite3.dbapi2 as sqlite
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from smarttriage.adapters.stores import migrations
from smarttriage.adapters.stores.fair_lock import FairLock
from smarttriage.adapters.stores.migrations import REVISIONS
from smarttriage.adapters.stores.schema import metadata
from smarttriage.adapters.stores.sql import SqlStore
from smarttriage.domain.errors import InvalidInput, Overloaded, StoreError
from smarttriage.ports import IncidentFilter
from smarttriage.testing.factories import NOON, a_principal, a_suggestion, an_incident


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqlStore]:
    store = open_store(path)
    yield store
    store.close()


def open_store(path: Path | str) -> SqlStore:
    return SqlStore.open(path, clock=lambda: NOON)


@pytest.mark.parametrize("version", [(3, 40, 1), (3, 51, 2), (3, 9, 99)])
def test_a_library_with_the_wal_race_is_refused_with_the_way_out(path: Path, version: tuple[int, ...]) -> None:
    library = SimpleNamespace(sqlite_version_info=version, __name__="old")
    found = ".".join(map(str, version))
    with pytest.raises(StoreError, match=rf"SQLite {found} .*3\.51\.3 .*pip install"):
        SqlStore.open(path, clock=lambda: NOON, library=library)  # type: ignore[arg-type]
    assert not path.exists()


def test_the_installed_library_is_safe() -> None:
    assert sqlite.sqlite_version_info >= (3, 51, 3)


@pytest.mark.parametrize(
    ("pragma", "expected"),
    [("journal_mode", "wal"), ("synchronous", 2), ("secure_delete", 1), ("foreign_keys", 1), ("busy_timeout", 10_000)],
)
def test_every_connection_carries_the_pragmas(store: SqlStore, pragma: str, expected: object) -> None:
    with store._reader.connect() as first, store._writer.connect() as second:
        assert [each.execute(text(f"PRAGMA {pragma}")).scalar() for each in (first, second)] == [expected, expected]


def test_migrations_make_exactly_the_tables_of_the_schema(store: SqlStore) -> None:
    with store._reader.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        made = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%'")).all()
        assert {name for name, _ in made} == {
            "article_outcome",
            "change",
            "cluster_membership",
            "escalation_event",
            "feedback",
            "fix_group_event",
            "incident_event",
            "lesson",
            "shadow_answer",
        }


def test_the_listed_revisions_are_the_files(store: SqlStore) -> None:
    files = ScriptDirectory(str(Path(migrations.__file__).parent)).walk_revisions()
    assert tuple(script.revision for script in files)[::-1] == REVISIONS


@pytest.mark.parametrize("statement", ["UPDATE change SET tenant = 'x'", "DELETE FROM change"])
def test_the_change_log_refuses_to_be_rewritten(store: SqlStore, statement: str) -> None:
    with store.begin(write=True) as records:
        records.add_incidents([an_incident()], key_id=None)
    with store._writer.connect() as connection, pytest.raises(Exception, match="append-only"):
        connection.execute(text(statement))


def test_a_second_start_keeps_the_records_and_imports_no_alembic(path: Path) -> None:
    store = open_store(path)
    with store.begin(write=True) as records:
        records.add_incidents([an_incident()], key_id=None)
    store.close()
    script = (
        "import sys; from smarttriage.adapters.stores.sql import SqlStore; from smarttriage.testing.factories import NOON\n"
        f"store = SqlStore.open({str(path)!r}, clock=lambda: NOON)\n"
        "with store.begin() as records: print(records.last_seq(), 'alembic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "False"]


def test_a_database_of_a_newer_version_is_refused(path: Path, store: SqlStore) -> None:
    with store._writer.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match=r"revision 9999.*install the newer version"):
        open_store(path)


def test_a_database_of_another_application_is_refused(path: Path) -> None:
    with sqlite.connect(str(path)) as connection:
        connection.execute("CREATE TABLE theirs (id)")
    connection.close()
    with pytest.raises(StoreError, match=r"another application \(theirs\)"):
        open_store(path)


def test_a_file_that_is_no_database_is_refused(path: Path) -> None:
    path.write_bytes(b"no database " * 100)
    with pytest.raises(StoreError, match="not a database"):
        open_store(path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be made"):
        open_store(tmp_path / "file" / "store.db")


@pytest.mark.parametrize("url", ["sqlite://", ":memory:", "", "postgresql://host/name", "no-such-driver://x", "://"])
def test_what_is_no_file_is_refused(url: str) -> None:
    with pytest.raises(StoreError, match="give"):
        open_store(url)


def test_a_url_names_the_same_file_as_its_path(path: Path) -> None:
    open_store(f"sqlite:///{path}").close()
    assert path.exists()


def test_an_odd_folder_name_works(tmp_path: Path) -> None:
    open_store(tmp_path / "50% ü ?mode=ro#" / "store.db").close()
    assert (tmp_path / "50% ü ?mode=ro#" / "store.db").exists()


def _open_at_once(path: Path, go: "multiprocessing.synchronize.Barrier") -> None:
    go.wait()
    store = open_store(path)
    with store.begin(write=True) as records:
        records.add_suggestion(a_suggestion(id=multiprocessing.current_process().name))
    store.close()


def test_processes_that_open_an_empty_folder_at_once_do_not_break_each_other(path: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "alembic.command"])
    go = context.Barrier(4)
    starts = [context.Process(target=_open_at_once, args=(path, go), name=f"start-{n}") for n in range(4)]
    for start in starts:
        start.start()
    for start in starts:
        start.join(30)
    assert [start.exitcode for start in starts] == [0] * 4
    store = open_store(path)
    with store.begin() as records:
        assert all(records.suggestion(start.name, a_principal()) for start in starts)
    store.close()


def test_a_writer_of_another_process_that_does_not_end_is_reported_as_overload(path: Path, store: SqlStore) -> None:
    with store._reader.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout=20")
    rival = sqlite.connect(str(path), isolation_level=None)
    rival.execute("BEGIN IMMEDIATE")
    with pytest.raises(Overloaded, match="locked by another process"), store.begin(write=True):
        pass
    rival.execute("ROLLBACK")
    rival.close()
    with store.begin(write=True) as records:
        records.put_fact("name", "value")


def test_writers_take_turns_in_the_order_of_arrival() -> None:
    lock, order = FairLock(timeout_s=10), []

    def visit(number: int) -> None:
        with lock:
            order.append(number)

    visitors = [threading.Thread(target=visit, args=(n,)) for n in range(12)]
    with lock:
        for n, visitor in enumerate(visitors):
            visitor.start()
            while len(lock._queue) <= n:
                time.sleep(0.001)
    for visitor in visitors:
        visitor.join()
    assert order == list(range(12))


def test_a_writer_that_waits_too_long_gives_up_and_leaves_the_queue() -> None:
    lock, errors = FairLock(timeout_s=0.02), []

    def visit() -> None:
        try:
            with lock:
                pass
        except Overloaded as error:
            errors.append(error.retry_after_s)

    with lock:
        visitor = threading.Thread(target=visit)
        visitor.start()
        visitor.join()
    assert errors == [1]
    with lock:
        assert not lock._queue


def test_a_cursor_of_deeply_nested_json_is_refused(store: SqlStore) -> None:
    cursor = urlsafe_b64encode(b"[" * 100_000).decode()
    with store.begin() as records, pytest.raises(InvalidInput, match="next_cursor"):
        records.incidents(a_principal(), IncidentFilter(), limit=1, cursor=cursor)

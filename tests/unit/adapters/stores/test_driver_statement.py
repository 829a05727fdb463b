"""Statements that the driver runs itself: the same values in and out, and the same errors, as by SQLAlchemy."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Literal

import pysqlite3.dbapi2 as sqlite
import pytest
from sqlalchemy import Column, MetaData, Table, Text, bindparam, create_engine, insert, select

from smarttriage.adapters.stores.driver_statement import DriverStatement
from smarttriage.adapters.stores.sql import SqlStore
from smarttriage.domain.errors import InvalidInput, StoreError
from smarttriage.testing.factories import NOON, a_principal, a_suggestion, an_incident


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqlStore]:
    opened = SqlStore.open(path, clock=lambda: NOON)
    yield opened
    opened.close()


@pytest.mark.parametrize("n", [0, 1, 3, 1_001])
def test_any_number_of_ids_finds_those_that_are_there(store: SqlStore, n: int) -> None:
    incidents = [an_incident(id=f"incident-{row:04}", reported_at=NOON - timedelta(minutes=row)) for row in range(n)]
    with store.begin(write=True) as records:
        records.add_incidents(incidents, key_id=None)
    with store.begin() as records:
        found = records.incidents_by_id([*(each.id for each in incidents), "unknown"], a_principal())
    assert found == {each.id: each for each in incidents}


def test_a_value_that_cannot_be_stored_is_refused_by_name(store: SqlStore) -> None:
    with pytest.raises(InvalidInput) as caught, store.begin(write=True) as records:
        records.add_suggestion(a_suggestion(id="nul\x00"))
    assert caught.value.field == "id"


def test_what_the_driver_refuses_is_an_error_of_the_store(path: Path, store: SqlStore) -> None:
    rival = sqlite.connect(path)
    rival.execute("ALTER TABLE suggestion RENAME TO elsewhere")
    rival.close()
    with pytest.raises(StoreError, match="refused the statement"), store.begin(write=True) as records:
        records.add_suggestion(a_suggestion())


@pytest.mark.parametrize("style", ["qmark", "named"])
def test_a_driver_with_named_parameters_is_served_by_sqlalchemy(style: Literal["qmark", "named"]) -> None:
    table = Table("word", MetaData(), Column("name", Text))
    engine = create_engine("sqlite://", paramstyle=style)
    with engine.begin() as connection:
        table.create(connection)
        assert [DriverStatement(insert(table)).run(connection, {"name": name}) for name in "abc"] == [1, 1, 1]
        some = DriverStatement(select(table).where(table.c.name.in_(bindparam("names", expanding=True))).order_by(table.c.name))
        assert [tuple(row) for row in some.rows(connection, {"names": ["c", "a"]})] == [("a",), ("c",)]
    engine.dispose()

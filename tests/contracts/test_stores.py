"""Every store passes the one contract."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from smarttriage.adapters.stores.sql import SqlStore
from smarttriage.ports import Store
from smarttriage.testing.factories import NOON
from smarttriage.testing.store_contract import StoreContract


class TestSqliteStore(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        store = SqlStore.open(tmp_path / "store.db", clock=lambda: NOON)
        yield store
        store.close()

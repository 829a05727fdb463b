"""What all parts of the records share: the connection of one transaction, and the change log."""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TypeVar

from sqlalchemy import Connection, bindparam, func, insert, select

from smarttriage.adapters.stores.schema import change
from smarttriage.domain.errors import StoreError
from smarttriage.ports import Change, Clock

T = TypeVar("T")

# SQLite takes 32,766 variables in one statement, PostgreSQL 65,535; more than 1,000 at once gains nothing.
CHUNK = 1_000

_ADD_CHANGE = insert(change)
_LAST_SEQ = select(func.coalesce(func.max(change.c.seq), 0))
_CHANGES = select(change).where(change.c.seq > bindparam("after")).order_by(change.c.seq).limit(bindparam("n_rows"))


class Transaction:
    """One open transaction."""

    def __init__(self, *, connection: Connection, clock: Clock, writable: bool) -> None:
        self._reads = connection
        self._clock = clock
        self._writable = writable

    @property
    def _writes(self) -> Connection:
        if not self._writable:
            raise StoreError("This transaction only reads; open it with begin(write=True) to change something.")
        return self._reads

    def last_seq(self) -> int:
        """Return the position of the newest change, 0 for none."""
        return int(self._reads.execute(_LAST_SEQ).scalar_one())

    def changes(self, after: int, *, limit: int) -> Sequence[Change]:
        """Return the changes behind `after`, in order."""
        return [Change(*row) for row in self._reads.execute(_CHANGES, {"after": after, "n_rows": limit})]

    def _log(self, kind: str, records: Iterable[tuple[str, str]], key_id: str | None) -> None:
        """Append one change for each (id, tenant), in that order."""
        at = self._clock()
        rows = [{"kind": kind, "record_id": id_, "tenant": tenant, "at": at, "key_id": key_id} for id_, tenant in records]
        self._writes.execute(_ADD_CHANGE, rows)


def chunks(values: Collection[T]) -> Iterator[list[T]]:
    """Yield the values in lists that fit into one statement."""
    listed = list(values)
    for start in range(0, len(listed), CHUNK):
        yield listed[start : start + CHUNK]


def to_json(value: object) -> str:
    """Return compact ASCII JSON, which any database holds whatever characters the value has."""
    return json.dumps(value, separators=(",", ":"))


def json_of_set(values: Iterable[str]) -> str:
    """Return the values as a sorted JSON list."""
    return to_json(sorted(values))


def texts_of(stored: str) -> tuple[str, ...]:
    """Return a JSON list of strings as a tuple."""
    return () if stored == "[]" else tuple(json.loads(stored))


@lru_cache(maxsize=4_096)
def set_of(stored: str) -> frozenset[str]:
    """Return a JSON list of strings as a set; the same few audiences stand on most records."""
    return frozenset(json.loads(stored))

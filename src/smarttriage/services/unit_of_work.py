"""One transaction over the work of a service and what its caller must commit together with it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from smarttriage.domain.errors import StoreError
from smarttriage.ports import Records, Store


class UnitStore:
    """A store that is its inner store, except inside `unit()`: there the first write transaction stays open until the unit ends.

    Services keep opening their transactions as ever, after whatever is slow; they need not know whether somebody adds to what
    they commit. A unit belongs to the thread that opened it.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._open = threading.local()

    def begin(self, *, write: bool = False) -> AbstractContextManager[Records]:
        """Yield the records in one transaction, which is that of the unit where one is open and has written."""
        unit: Unit | None = getattr(self._open, "unit", None)
        return self._store.begin(write=write) if unit is None else unit.join(write=write)

    def close(self) -> None:
        """Release every connection."""
        self._store.close()

    @contextmanager
    def unit(self, *, first: Callable[[Records], None]) -> Iterator["Unit"]:
        """Yield a unit: committed whole at the end, rolled back on any exception.

        `first` runs as soon as the unit begins to write, before anything else is written.
        """
        with ExitStack() as stack:
            unit = Unit(store=self._store, stack=stack, first=first)
            self._open.unit = unit
            try:
                yield unit
            finally:
                self._open.unit = None
            unit.check()


class Unit:
    """What is written between the start and the end of `UnitStore.unit`."""

    def __init__(self, *, store: Store, stack: ExitStack, first: Callable[[Records], None]) -> None:
        self._store = store
        self._stack = stack
        self._first = first
        self._records: Records | None = None
        self._broken = False

    def records(self) -> Records:
        """Return the records of the unit's write transaction, which begins here if it has not yet."""
        if self._records is None:
            self._records = self._stack.enter_context(self._store.begin(write=True))
            self._first(self._records)
        return self._records

    @contextmanager
    def join(self, *, write: bool) -> Iterator[Records]:
        """Yield the unit's records; a read before the first write has a transaction of its own."""
        if self._records is None and not write:
            with self._store.begin() as records:
                yield records
            return
        try:
            yield self.records()
        except BaseException:
            self._broken = True
            raise

    def check(self) -> None:
        """Raise StoreError if a part failed and somebody swallowed the error: half of the work must not be committed."""
        if self._broken:
            raise StoreError("a part of the unit failed, so nothing of it is stored; let its error reach the unit")

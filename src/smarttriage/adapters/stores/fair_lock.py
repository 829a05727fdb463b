"""A lock that is handed on in the order of arrival; `threading.Lock` lets a busy thread overtake the others for ever."""

import threading
from collections import deque
from types import TracebackType

from smarttriage.domain.errors import Overloaded, StoreError


class FairLock:
    """First come, first served; used as a context manager."""

    def __init__(self, *, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._mutex = threading.Lock()
        self._queue: deque[threading.Lock] = deque()
        self._held = False
        self._owner: int | None = None

    def __enter__(self) -> None:
        """Wait for the turn. Raises Overloaded after the timeout, StoreError where the thread holds the lock already."""
        if self._owner == threading.get_ident():
            raise StoreError("This thread has a write transaction open already; finish it before the next begin(write=True).")
        turn = self._enqueue()
        if turn is not None:
            self._wait(turn)
        self._owner = threading.get_ident()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Hand the lock to whoever waits longest."""
        self._owner = None
        with self._mutex:
            self._hand_on()

    def _enqueue(self) -> "threading.Lock | None":
        with self._mutex:
            if not self._held:
                self._held = True
                return None
            turn = threading.Lock()
            turn.acquire()
            self._queue.append(turn)
            return turn

    def _wait(self, turn: "threading.Lock") -> None:
        granted = False
        try:
            granted = turn.acquire(timeout=self._timeout_s)
        finally:
            if not granted:
                self._leave(turn)
        if not granted:
            raise Overloaded(f"No turn to write within {self._timeout_s:g} s; try again.", retry_after_s=1)

    def _leave(self, turn: "threading.Lock") -> None:
        with self._mutex:
            if turn in self._queue:
                self._queue.remove(turn)
            else:  # the lock was handed over between the end of the wait and now
                self._hand_on()

    def _hand_on(self) -> None:
        if self._queue:
            self._queue.popleft().release()
        else:
            self._held = False

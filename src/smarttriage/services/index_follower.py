"""A process's catalogue, kept within a second of the store."""

import threading
from collections.abc import Callable
from pathlib import Path

from smarttriage.services.catalogue import Catalogue
from smarttriage.services.indexing import IndexingService

# A change is to be suggested within 1 s; other processes' changes are found by the poll, so half of that is left for encoding.
POLL_S = 0.4


class Follower:
    """A thread that follows the store and publishes what it found."""

    def __init__(
        self, *, indexing: IndexingService, publish: Callable[[Catalogue], None], on_error: Callable[[Exception], None]
    ) -> None:
        self._indexing = indexing
        self._publish = publish
        self._on_error = on_error
        self._wake = threading.Event()
        self._stopping = False
        self._turn = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="index-follower", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def notify(self) -> None:
        """Say that something was committed here; changes of other processes are found by polling."""
        self._wake.set()

    def stop(self) -> None:
        """End after the present batch."""
        self._stopping = True
        self._wake.set()
        self._thread.join()

    def step(self) -> None:
        """Catch up once and publish if anything changed."""
        with self._turn:
            if self._indexing.catch_up():
                self._publish(self._indexing.catalogue())

    def switch(self, indexing: IndexingService) -> None:
        """Follow with other indexes from now on: they catch up, then one publication replaces all that is searched."""
        with self._turn:
            indexing.catch_up()
            self._indexing = indexing
            self._publish(indexing.catalogue())

    def save(self, folder: Path) -> None:
        """Write the indexes that are followed for the next start."""
        with self._turn:
            self._indexing.save(folder)

    def _run(self) -> None:
        while not self._stopping:
            self._wake.wait(POLL_S)
            self._wake.clear()
            try:
                self.step()
            except Exception as error:
                self._on_error(error)

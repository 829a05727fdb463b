"""A change of encoder while serving: the present indexes answer until those of the other encoder are complete, then one swap."""

import threading
from collections.abc import Callable

from smarttriage.services.indexing import IndexingService, Progress


class Reembedding:
    """A thread that builds the indexes of another encoder and hands them over once they hold everything.

    The store keeps every vector by encoder and text as soon as its batch is encoded: whenever the process ends, the next one
    goes on behind the last committed batch.
    """

    def __init__(
        self,
        *,
        indexing: IndexingService,
        swap: Callable[[IndexingService], None],
        progress: Callable[[int, int], None],
        on_error: Callable[[Exception], None],
    ) -> None:
        """Take the empty indexes to fill, what puts them in the place of the present ones, and who is told of both."""
        self._indexing = indexing
        self._swap = swap
        self._progress = progress
        self._on_error = on_error
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reembedding", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the present batch; what was embedded stays."""
        self._stopping.set()
        self._thread.join()

    def join(self, timeout_s: float) -> bool:
        """Wait until the swap is done; return whether the thread has ended in that time."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        go_on: Progress = self._told
        try:
            if self._indexing.build(go_on):
                self._swap(self._indexing)
        except Exception as error:
            self._on_error(error)

    def _told(self, done: int, total: int) -> bool:
        self._progress(done, total)
        return not self._stopping.is_set()

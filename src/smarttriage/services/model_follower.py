"""Keeps a process's models what the data folder and the store say, whoever changed them."""

import threading
from collections.abc import Callable

# A promotion or rollback on the command line serves within this time; one look is a file of a few bytes and one row.
POLL_S = 2.0


class ModelFollower:
    """A thread that looks at what should serve and takes it up when that changes."""

    def __init__(
        self, *, wanted: Callable[[], tuple[str, ...]], take_up: Callable[[], None], on_error: Callable[[Exception], None]
    ) -> None:
        self._wanted = wanted
        self._take_up = take_up
        self._on_error = on_error
        self._stopping = threading.Event()
        self._taken = wanted()
        self._thread = threading.Thread(target=self._run, name="model-follower", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        self._thread.join()

    def step(self) -> None:
        """Look once. What cannot be taken up is reported once and not tried again until it changes."""
        wanted = self._wanted()
        if wanted != self._taken:
            self._taken = wanted
            self._take_up()

    def _run(self) -> None:
        while not self._stopping.wait(POLL_S):
            try:
                self.step()
            except Exception as error:
                self._on_error(error)

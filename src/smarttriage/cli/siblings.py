"""More processes that answer on the same port: Python computes on one core at a time, so a second process is what a second core needs."""

import multiprocessing
import os
import signal
import socket
import threading
import time
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from types import TracebackType

from smarttriage.config import Settings

# What dies at once is not started anew faster than this.
RESTART_S = 1.0


class Siblings:
    """Runs `n` processes of their own over the same data folder and the same listening socket, and starts those anew that die.

    They are stopped at the end, and stop by themselves if the process that started them is gone, however it ended.
    """

    def __init__(self, n: int, *, settings: Settings, listening: socket.socket, stop_s: float) -> None:
        self._spawn = multiprocessing.get_context("spawn")
        self._arguments = (settings, listening)
        self._stop_s = stop_s
        self._stopping = threading.Event()
        self._running: list[SpawnProcess] = [self._started() for _ in range(n)]
        self._watch = threading.Thread(target=self._keep, name="siblings", daemon=True)

    def __enter__(self) -> None:
        """Begin to watch them."""
        self._watch.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop them; requests under way are finished."""
        self._stopping.set()
        for process in self._running:
            process.terminate()
        deadline = time.monotonic() + self._stop_s
        for process in self._running:
            process.join(max(0.0, deadline - time.monotonic()))
            if process.is_alive():
                process.kill()
                process.join()

    def _started(self) -> SpawnProcess:
        process = self._spawn.Process(target=_sibling, args=self._arguments, name="smarttriage-sibling")
        process.start()
        return process

    def _keep(self) -> None:
        while not self._stopping.is_set():
            ended = wait([process.sentinel for process in self._running], timeout=RESTART_S)
            if not ended or self._stopping.wait(RESTART_S):
                continue
            self._running = [self._started() if process.sentinel in ended else process for process in self._running]


def _sibling(settings: Settings, listening: socket.socket) -> None:
    from smarttriage.cli.serve import answer

    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    answer(settings, listening=listening, first=False)


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os.kill(os.getpid(), signal.SIGTERM)

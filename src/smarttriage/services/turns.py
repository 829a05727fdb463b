"""Taking turns: more threads that compute than cores only take the interpreter from each other, and every one answers later."""

import os
import threading


def new_turns() -> threading.Semaphore:
    """Return what a text is read under, one for all services of a process: as many at once as there are cores."""
    return threading.Semaphore(os.cpu_count() or 1)

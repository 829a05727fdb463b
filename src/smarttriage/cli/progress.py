"""Progress on stderr: a bar on a terminal, else a line now and then."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from smarttriage.services.training import Progress


@contextmanager
def progress_bars(names: Sequence[str], *, plain: Progress) -> Iterator[Progress]:
    """Yield what shows progress of the steps that begin with one of these names: `plain` where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield plain
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    shown = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Bars(*shown, console=Console(stderr=True)) as bar:
        tasks = {name: bar.add_task(name, total=None, visible=False) for name in names}

        def show(step: str, done: int, total: int) -> None:
            bar.update(tasks[step.split(maxsplit=1)[0]], description=step, completed=done, total=total, visible=True)

        yield show

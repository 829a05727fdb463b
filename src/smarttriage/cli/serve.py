"""`smarttriage serve`: prepares the data folder where it is empty, and answers."""

import os
import signal
import socket
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smarttriage.cli.siblings import Siblings

if TYPE_CHECKING:
    from smarttriage.config import Settings

SHUTDOWN_S = 10


def serve(
    data_dir: Annotated[Path | None, typer.Option(help="Store, indexes and models; made if it is not there.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.", min=0, max=65535)] = None,
    processes: Annotated[
        int, typer.Option(help="Processes that answer on the port, at most one for each core; each holds the indexes.", min=1)
    ] = 1,
) -> None:
    """Serve suggestions over HTTP."""
    from smarttriage.config import Settings

    given = {"data_dir": data_dir, "host": host, "port": port}
    settings = Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    answer(settings, processes=processes)


def answer(settings: "Settings", *, processes: int = 1, listening: socket.socket | None = None, first: bool = True) -> None:
    """Answer until a signal comes.

    Args:
        settings: Where and on what.
        processes: How many answer on the port; the others are started from here.
        listening: The socket to accept on; None binds the settings' host and port.
        first: Whether this is the process that prepares the data folder and saves the indexes at the end.
    """
    # One request is one thread of work; more OpenMP threads than that make every request slower (see benchmarks/README.md).
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    import uvicorn

    from smarttriage.api.app import create_app
    from smarttriage.bootstrap.serving import open_services

    with ExitStack() as cleanup:
        services, key = cleanup.enter_context(open_services(settings, say=_say if first else _be_quiet, saves=first))
        # Requests under way are finished before the indexes are saved; the service logs each request itself.
        config = uvicorn.Config(
            create_app(services),
            host=settings.host,
            port=settings.port,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=SHUTDOWN_S,
        )
        # uvicorn gives the signal back after its own shutdown; as an exception it lets the indexes be saved before the end.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        if processes > 1:
            listening = config.bind_socket()
            siblings = Siblings(processes - 1, settings=settings, listening=listening, stop_s=2 * SHUTDOWN_S)
            cleanup.enter_context(siblings)
        if first:
            _say(_welcome(f"http://{settings.host}:{settings.port}", key))
        uvicorn.Server(config).run(sockets=[listening] if listening else None)


def _be_quiet(_line: str) -> None:
    """Say nothing: the first process has said it."""


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def _welcome(url: str, key: str) -> str:
    return f"""
smarttriage serves at {url}   (API: {url}/docs)
API key: {key}

Try it:
curl -s {url}/v1/suggestions \\
  -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \\
  -d '{{"title": "VPN drops every ten minutes", "description": "Since the update our whole sales team loses the VPN, calls break off."}}'
"""

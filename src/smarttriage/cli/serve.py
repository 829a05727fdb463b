"""`smarttriage serve`: prepares the data folder where it is empty, and answers."""

import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

SHUTDOWN_S = 10


def serve(
    data_dir: Annotated[Path | None, typer.Option(help="Store, indexes and models; made if it is not there.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.", min=0, max=65535)] = None,
) -> None:
    """Serve suggestions over HTTP."""
    # One request is one thread of work; more OpenMP threads than that make every request slower (see benchmarks/README.md).
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    import uvicorn

    from smarttriage.api.app import create_app
    from smarttriage.bootstrap.serving import open_services
    from smarttriage.config import Settings

    given = {"data_dir": data_dir, "host": host, "port": port}
    settings = Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    with open_services(settings, say=_say) as (services, key):
        _say(_welcome(f"http://{settings.host}:{settings.port}", key))
        app = create_app(services)
        # uvicorn gives the signal back after its own shutdown; as an exception it lets the indexes be saved before the end.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        # Requests under way are finished before the indexes are saved; the service logs each request itself.
        uvicorn.run(
            app,
            host=settings.host,
            port=settings.port,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=SHUTDOWN_S,
        )


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

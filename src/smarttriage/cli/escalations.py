"""`smarttriage escalations`: duties as they were told, once each; with --follow as they fall due."""

import json
import time
from pathlib import Path
from typing import Annotated

import typer

from smarttriage.domain.access import DEFAULT_TENANT, EVERYONE

_LOOK_EVERY_S = 1.0
_FIELDS = ("seq", "event_id", "incident_id", "step", "kind", "to", "action", "because")


def escalations(
    *,
    data_dir: Annotated[Path | None, typer.Option(help="Data folder of the running service.")] = None,
    after: Annotated[int, typer.Option(help="Begin behind this seq, the last that was worked on.", min=0)] = 0,
    follow: Annotated[bool, typer.Option("--follow", help="Wait for what falls due next, until interrupted.")] = False,
    tenant: Annotated[str, typer.Option(help="Whose incidents.")] = DEFAULT_TENANT,
    audience: Annotated[list[str] | None, typer.Option(help="Group whose incidents are told; repeat. Default: everyone.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, for a program behind a pipe.")] = False,
) -> None:
    """Print escalation steps that fell due, oldest first. The running service tells them; this sends nothing anywhere."""
    from smarttriage.bootstrap.escalating import told_escalations

    def wait() -> bool:
        if follow:
            time.sleep(_LOOK_EVERY_S)
        return follow

    told = told_escalations(data_dir=data_dir, tenant=tenant, audiences=audience or [EVERYONE], after=after, wait=wait)
    try:
        for one in told:
            shown = {name: getattr(one, name) for name in _FIELDS} | {"due_at": one.due_at.isoformat()}
            line = (
                f"{one.seq}  {one.due_at:%Y-%m-%d %H:%M}  {one.incident_id}  {one.step} -> {one.to}: {one.action} ({one.because})"
            )
            typer.echo(json.dumps(shown, ensure_ascii=False) if as_json else line)
    except KeyboardInterrupt:
        told.close()

"""`smarttriage undo`: everything that a key taught since an instant."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from smarttriage.cli.importing import DataDir
from smarttriage.cli.promote import STARTER, AsJson, data_settings, user
from smarttriage.domain.errors import InvalidInput
from smarttriage.services.import_rows import instant_of

if TYPE_CHECKING:
    from smarttriage.services.undoing import Undone


def undo(
    key: Annotated[str, typer.Argument(help='Id of the API key, as GET /v1/admin/keys lists it; "import" for imports.')],
    *,
    since: Annotated[str, typer.Option(help="From when on: ISO 8601, UTC where no zone is named.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be undone.")] = False,
    data_dir: DataDir = None,
    reason: Annotated[str, typer.Option(help="Why; kept with each lesson.")] = "",
    as_json: AsJson = False,
) -> None:
    """Undo everything that a key taught: incidents, outcomes, articles, drafts and models are as if it had said nothing."""
    from smarttriage.bootstrap import undoing

    instant = instant_of("since", since)
    if instant is None:
        raise InvalidInput("since is empty; write ISO 8601, for example 2026-11-23T08:30:00+00:00", field="since")
    undone = undoing.undo(
        key, settings=data_settings(data_dir), since=instant, by=f"undo by {user()}", reason=reason, dry_run=dry_run
    )
    if as_json:
        typer.echo(json.dumps(asdict(undone), ensure_ascii=False, default=str))
    else:
        typer.echo("\n".join(_lines(undone)))


def _lines(undone: "Undone") -> list[str]:
    head = "would be undone" if undone.dry_run else "undone"
    lines = [
        f"{head}: {undone.n_lessons} lessons about {len(undone.incidents)} incidents, {undone.n_outcomes} outcomes, "
        f"{undone.n_confirmed} confirmations, {len(undone.drafts)} decisions about drafts"
    ]
    for article in undone.articles:
        versions = ", ".join(map(str, article.undone))
        lines.append(f"article {article.id} without its versions {versions}: {article.status}")
    lines += [f"article {id_} was drafted from it and published by others: read it again" for id_ in undone.built_on]
    lines += [f"model {version} learnt from it" for version in undone.models]
    if undone.serves != undone.serving:
        lines.append(f"{undone.serves or STARTER} is current instead of {undone.serving or STARTER}")
    return lines

"""`smarttriage forecast`: learns from the resolved incidents of the store how long incidents take and which will be late."""

from pathlib import Path
from typing import Annotated

import typer

from smarttriage.domain.access import DEFAULT_TENANT


def forecast(
    data_dir: Annotated[Path | None, typer.Option(help="Data folder whose store teaches.")] = None,
    tenant: Annotated[str, typer.Option(help="Whose incidents.")] = DEFAULT_TENANT,
) -> None:
    """Train the forecast of resolution times and missed targets; a running service takes it up."""
    from smarttriage.bootstrap.forecasting import train_forecast

    folder, model = train_forecast(data_dir=data_dir, tenant=tenant)
    typer.echo(f"{folder}: {model.n_rows} resolved incidents; served is {model.method}")
    for method, one in model.figures.items():
        typer.echo(f"{method}: mean log error {one.log_error:.3f}, Brier score of the risk {one.brier:.4f} on the newest fifth")

"""Forecast models of the data folder: trained on its store, taken up by a running service when they change."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from smarttriage.adapters.forecasts import changed_at, read_forecast, write_forecast
from smarttriage.bootstrap import parts
from smarttriage.bootstrap.resources import priority_policy
from smarttriage.config import Settings
from smarttriage.domain.errors import BundleError
from smarttriage.services.breach import BreachModel
from smarttriage.services.forecasting import learn

FORECASTS_FOLDER = "forecasts"


def train_forecast(*, data_dir: Path | None, tenant: str) -> tuple[Path, BreachModel]:
    """Return the folder that was written and the model. Raises InvalidInput where the resolved incidents are too few."""
    settings = Settings() if data_dir is None else Settings(data_dir=data_dir)
    store = parts.store(settings)
    try:
        model = learn(store, priority_policy(settings), tenant=tenant)
    finally:
        store.close()
    folder = _folder(settings, tenant)
    write_forecast(folder, *model.state())
    return folder, model


def forecasts(settings: Settings) -> Callable[[str], BreachModel | None]:
    """Return what returns a tenant's model, read again when its file has changed."""
    kept: dict[str, tuple[int, BreachModel | None]] = {}

    def of(tenant: str) -> BreachModel | None:
        folder = _folder(settings, tenant)
        written = changed_at(folder)
        if tenant not in kept or kept[tenant][0] != written:
            kept[tenant] = (written, _read(folder))
        return kept[tenant][1]

    return of


def _read(folder: Path) -> BreachModel | None:
    found = read_forecast(folder)
    try:
        return None if found is None else BreachModel.from_state(*found)
    except (KeyError, ValueError, TypeError) as error:
        raise BundleError(f"{folder} holds no forecast of this version ({error!r}); run `smarttriage forecast` again") from error


def _folder(settings: Settings, tenant: str) -> Path:
    # A tenant's name may hold what no folder's may.
    return settings.data_dir / FORECASTS_FOLDER / sha256(tenant.encode()).hexdigest()[:16]

"""What an administrator decides about a field: its mode, and the precision it must guarantee. Kept in the store."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from smarttriage.domain.access import Principal, Scope
from smarttriage.domain.errors import Conflict, NotFound
from smarttriage.domain.incident import TARGETS
from smarttriage.domain.suggestion import FieldMode
from smarttriage.ports import Records, Store, TargetCard
from smarttriage.services.live import FieldSettings, Live, Models
from smarttriage.services.operating_point import OperatingPoint, at_coverage, at_precision

_FACT = "field_settings"


@dataclass(frozen=True, slots=True)
class Field:
    """A field as it is served now.

    Attributes:
        target: Its name.
        mode: What the service may do with it.
        settings: What an administrator decided.
        card: What the model promises, moved to the administrator's precision; None where no model knows the target.
        model_version: Which model that is.
    """

    target: str
    mode: FieldMode
    settings: FieldSettings
    card: TargetCard | None
    model_version: str


class FieldService:
    """Reads and changes the settings of fields. A change is stored and served from the next request on."""

    def __init__(self, *, store: Store, live: Live) -> None:
        self._store = store
        self._live = live

    def list(self, principal: Principal) -> list[Field]:
        """Return every field."""
        principal.require(Scope.ADMIN)
        models = self._live.state.models
        return [_field(models, target) for target in _targets(models)]

    def get(self, principal: Principal, target: str) -> Field:
        """Return one field. Raises NotFound."""
        principal.require(Scope.ADMIN)
        return _field(self._live.state.models, target)

    def operating_point(
        self, principal: Principal, target: str, *, precision: float | None = None, coverage: float | None = None
    ) -> OperatingPoint:
        """Return the point of a precision or of a coverage; neither: the one that is served now. Changes nothing.

        Raises:
            NotFound: There is no such field.
            InvalidInput: The number is out of range.
            Conflict: The model stores no curve of it.
        """
        card = _card(self.get(principal, target))
        if coverage is not None:
            return at_coverage(card, coverage)
        return at_precision(card, card.target_precision if precision is None else precision)

    def put(self, principal: Principal, target: str, settings: FieldSettings) -> Field:
        """Return the field after the change. Raises as `operating_point` does, and then changes nothing."""
        field = self.get(principal, target)
        if settings.target_precision is not None:
            at_precision(_card(field), settings.target_precision)
        with self._store.begin(write=True) as records:
            records.put_fact(_FACT, _to_json({**_from_json(records), target: settings}))
        self._live.update_models(lambda models: models.under(read_field_settings(self._store)))
        return self.get(principal, target)


def read_field_settings(store: Store) -> dict[str, FieldSettings]:
    """Return target -> what an administrator decided."""
    with store.begin() as records:
        return _from_json(records)


def _targets(models: Models) -> dict[str, None]:
    return dict.fromkeys((*TARGETS, *models.classifier.cards))


def _field(models: Models, target: str) -> Field:
    if target not in _targets(models):
        raise NotFound(f"there is no field {target}; there are {', '.join(_targets(models))}", field="target")
    settings = models.settings.get(target, FieldSettings())
    return Field(target, models.mode(target), settings, models.card(target), models.classifier.version)


def _card(field: Field) -> TargetCard:
    if field.card is None:
        raise Conflict(f"no model knows the field {field.target}; train one with smarttriage train", field="target")
    return field.card


def _from_json(records: Records) -> dict[str, FieldSettings]:
    stored: dict[str, dict[str, Any]] = json.loads(records.fact(_FACT) or "{}")
    return {target: _settings(**entry) for target, entry in stored.items()}


def _settings(mode: str | None, target_precision: float | None) -> FieldSettings:
    return FieldSettings(FieldMode(mode) if mode else None, target_precision)


def _to_json(settings: Mapping[str, FieldSettings]) -> str:
    kept = {target: found for target, found in settings.items() if found != FieldSettings()}
    return json.dumps(
        {target: {"mode": found.mode, "target_precision": found.target_precision} for target, found in kept.items()}
    )

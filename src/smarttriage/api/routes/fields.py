"""What administrators decide about fields: mode, precision, and what either costs in coverage."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from smarttriage.api import documented
from smarttriage.api.answers import answer
from smarttriage.api.calls import AdministratorEditor, AdministratorReader
from smarttriage.api.field_schemas import FieldSettingsIn, FieldSettingsOut, FieldsOut, OperatingPointOut, OperatingPointQuery
from smarttriage.api.strict_json import StrictRoute
from smarttriage.domain.errors import InvalidInput
from smarttriage.ports import TargetCard
from smarttriage.services.field_settings import Field, FieldService
from smarttriage.services.live import FieldSettings
from smarttriage.services.operating_point import OperatingPoint, at_precision

router = APIRouter(route_class=StrictRoute, tags=["administration"])
_PUT = (*documented.READ_ONE, 400, 409, 413, 415)


@router.get("/v1/fields", summary="List the fields", responses=documented.answers(FieldsOut, *documented.READ))
def list_fields(call: AdministratorReader) -> Response:
    """Return every field with its mode and its contract."""
    return answer({"items": [_field(field) for field in _fields(call).list(call.principal)]}).response


@router.get("/v1/fields/{target}", summary="Read a field", responses=documented.answers(FieldSettingsOut, *documented.READ_ONE))
def get_field(call: AdministratorReader, target: str) -> Response:
    """Return the field's mode and, label by label, from which confidence on it is filled in and what that guarantees."""
    return answer(_field(_fields(call).get(call.principal, target))).response


@router.put("/v1/fields/{target}", summary="Set a field", responses=documented.answers(FieldSettingsOut, *_PUT))
def put_field(call: AdministratorEditor, target: str, body: FieldSettingsIn) -> Response:
    """Set mode and precision; what is left out or null is the installation's again. Holds from the next request on, and for
    models that are loaded later."""
    settings = FieldSettings(body.mode, body.target_precision)
    return answer(_field(_fields(call).put(call.principal, target, settings))).response


@router.get(
    "/v1/fields/{target}/operating-point",
    summary="Trade precision against coverage",
    responses=documented.answers(OperatingPointOut, *documented.READ_ONE, 409),
)
def operating_point(call: AdministratorReader, target: str, query: Annotated[OperatingPointQuery, Query()]) -> Response:
    """Return the coverage of a precision, or the best precision of a coverage, and the thresholds; nothing is changed."""
    if query.precision is not None and query.coverage is not None:
        raise InvalidInput("precision and coverage were both given; choose one, the other follows", field="coverage")
    service = _fields(call)
    point = service.operating_point(call.principal, target, precision=query.precision, coverage=query.coverage)
    return answer(_point(service.get(call.principal, target), point)).response


def _fields(call: AdministratorReader) -> FieldService:
    return FieldService(store=call.services.store, live=call.services.live)


def _field(field: Field) -> dict[str, Any]:
    card = field.card
    point = at_precision(card, card.target_precision) if card and card.curve else None
    return {
        "target": field.target,
        "parent": card.parent if card else None,
        "mode": field.mode,
        "target_precision": card.target_precision if card else None,
        "decided": {"mode": field.settings.mode, "target_precision": field.settings.target_precision},
        "operating_point": _point(field, point) if point else None,
    }


def _point(field: Field, point: OperatingPoint) -> dict[str, Any]:
    thresholds = {label: threshold if threshold <= 1 else None for label, threshold in point.thresholds.items()}
    return {
        "target": field.target,
        "model_version": field.model_version,
        "target_precision": point.target_precision,
        "confidence": point.confidence,
        "together": point.together,
        "precision": point.precision,
        "coverage": point.coverage,
        "thresholds": thresholds,
        "labels": [_contract(label, thresholds[label], point, field.card) for label in point.contracts],
    }


def _contract(label: str, threshold: float | None, point: OperatingPoint, card: TargetCard | None) -> dict[str, Any]:
    contract = point.contracts[label]
    needed = card.curve.rows_needed(point.target_precision) if card and card.curve and not contract.met else None
    return {
        "label": label,
        "threshold": threshold,
        "precision_bound": contract.precision_bound,
        "coverage": contract.coverage,
        "met": contract.met,
        "n": contract.n,
        "n_errors": contract.n_errors,
        "n_predicted": contract.n_predicted,
        "n_needed": needed,
    }

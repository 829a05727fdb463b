"""Fields and their operating points, as callers send and get them."""

from typing import Annotated

from pydantic import ConfigDict, Field

from smarttriage.api.answer_schemas import Out
from smarttriage.api.schemas import Body
from smarttriage.domain.suggestion import FieldMode
from smarttriage.services.operating_point import LEAST_PRECISION

Precision = Annotated[float, Field(ge=LEAST_PRECISION, lt=1, description="Share right that every filled-in label guarantees.")]
Coverage = Annotated[float, Field(gt=0, le=1, description="Share of incidents in which the field is filled in.")]


class FieldSettingsIn(Body):
    """What an administrator decides about a field; null leaves it to the installation or to the model."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"mode": "autofill", "target_precision": 0.95}]})
    mode: FieldMode | None = None
    target_precision: Precision | None = None


class OperatingPointQuery(Body):
    """Give a precision or a coverage and get the other; neither gives the point that is served now."""

    precision: Precision | None = None
    coverage: Coverage | None = None


class ContractOut(Out):
    """What is promised for one label; a null threshold means that it is only ever recommended.

    `n` held-out rows lie above the threshold, near-duplicates counted once, and `n_errors` of them were wrong. Where the
    target is not met, about `n_needed` predictions of the label, all right, would meet it; there are `n_predicted`.
    """

    label: str
    threshold: float | None
    precision_bound: float | None
    coverage: float
    met: bool
    n: int
    n_errors: float
    n_predicted: int
    n_needed: int | None


class OperatingPointOut(Out):
    """A point of the precision-coverage curve: both numbers on held-out rows, and the thresholds that bring them about.

    With `together` the precision is promised of all labels taken together, not of each.
    """

    target: str
    model_version: str
    target_precision: float
    confidence: float
    together: bool
    precision: float | None
    coverage: float
    thresholds: dict[str, float | None]
    labels: list[ContractOut]


class FieldSettingsOut(Out):
    """A field as it is served: its mode, the precision it is held to, and what an administrator decided of both.

    `parent` is the field above it, null for one of its own: a value is only ever given below the one of its parent.
    `operating_point` is null where no model knows the field, or one that was trained before contracts.
    """

    target: str
    parent: str | None
    mode: FieldMode
    target_precision: float | None
    decided: FieldSettingsIn
    operating_point: OperatingPointOut | None


class FieldsOut(Out):
    """Every field."""

    items: list[FieldSettingsOut]

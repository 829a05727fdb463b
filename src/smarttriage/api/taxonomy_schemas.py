"""The taxonomy as callers get it, for the OpenAPI document only, as in `answer_schemas`."""

from typing import Literal

from smarttriage.api.answer_schemas import Out
from smarttriage.domain.suggestion import FieldMode


class KindOut(Out):
    """A kind of message."""

    name: str
    description: str
    work_item: bool


class SubCategoryOut(Out):
    """A finer label and its group, null where the category's takes it."""

    name: str
    description: str
    support_group: str | None


class CategoryOut(Out):
    """A category, its group and its escalation path."""

    name: str
    description: str
    support_group: str
    escalation: list[str]
    sub_categories: list[SubCategoryOut]


class CellOut(Out):
    """A cell of the priority matrix."""

    impact: str
    urgency: str
    priority: str


class TargetOut(Out):
    """What a priority promises, in minutes of its clock."""

    name: str
    clock: Literal["round_the_clock", "business_hours"]
    goal_minutes: int
    due_minutes: int


class TaxonomyOut(Out):
    """Every label of the installation, lowest level first; `field_modes` says what the service may do with a field."""

    version: str
    kinds: list[KindOut]
    categories: list[CategoryOut]
    impacts: list[str]
    urgencies: list[str]
    matrix: list[CellOut]
    priorities: dict[str, TargetOut]
    field_modes: dict[str, FieldMode]

"""Services, configuration items and changes, as callers send them and get them."""

from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field

from smarttriage.api.answer_schemas import Out
from smarttriage.api.schemas import MAX_PAGE, Audiences, Body, Instant, Line, Name, Names
from smarttriage.domain.cmdb import Criticality, ItemKind


class ItemPut(Body):
    """A service or a configuration item, whole: what is left out is empty."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "ci",
                    "name": "srv-erp-01",
                    "type": "server",
                    "host_patterns": ["erp-node-##"],
                    "criticality": "high",
                    "owner_group": "Data Centre Operations",
                }
            ]
        }
    )
    kind: ItemKind
    name: Name
    type: Name | None = None
    aliases: Names = Field([], description="Other names that people use.")
    host_patterns: Names = Field([], description="Host names with * (no dot) and # (a digit): web-##, srv-db-*.")
    criticality: Criticality | None = Field(None, description="How much the business depends on it.")
    owner_group: Name | None = Field(None, description="The support group that looks after it.")
    depends_on: Names = Field([], description="Ids of what it cannot run without; circles are no harm.")
    retired: bool = Field(False, description="Gone: found in no text any more.")
    audiences: Audiences | None = None


class ItemQuery(Body):
    """Filters of a list of items."""

    kind: ItemKind | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = 50
    cursor: Line | None = Field(None, description="`next_cursor` of the page before.")


class ItemChangePut(Body):
    """A change that was made to an item."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"item_id": "srv-erp-01", "at": "2026-03-02T06:00:00Z", "what": "Firmware of the controller updated"}]
        }
    )
    item_id: Name
    at: Instant
    what: Line


class ItemChangeQuery(Body):
    """How many changes are listed."""

    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = 50


class RecurringQuery(Body):
    """Which incidents count, and how many items are listed."""

    reported_from: Instant | None = None
    reported_before: Instant | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


class ItemOut(Out):
    """A service or a configuration item; `depends_on` has what the key may see."""

    id: str
    kind: ItemKind
    name: str
    type: str | None
    aliases: list[str]
    host_patterns: list[str]
    criticality: Criticality | None
    owner_group: str | None
    depends_on: list[str]
    retired: bool
    audiences: list[str]
    version: int
    created_at: datetime
    updated_at: datetime


class ItemsOut(Out):
    """A page of items by id; `next_cursor` is null on the last."""

    items: list[ItemOut]
    next_cursor: str | None


class ReachedOut(Out):
    """An item on the way: how many steps away, and over which item."""

    id: str
    kind: ItemKind
    name: str
    criticality: Criticality | None
    owner_group: str | None
    distance: int
    through: str


class ReachOut(Out):
    """What a walk over dependencies found, nearest first; `truncated` where its bounds ended it."""

    items: list[ReachedOut]
    truncated: bool


class ImpactOut(Out):
    """What fails with an item, what it cannot run without, and what its failure means."""

    id: str
    name: str
    services: list[str] = Field(description="Names of the services that it carries, the most critical first.")
    severity: str = Field(description="nothing_said, serious or greatest: the floor under the impact of an incident.")
    because: str
    dependents: ReachOut
    dependencies: ReachOut


class ItemChangeOut(Out):
    """A change that was made to an item."""

    id: str
    item_id: str
    at: datetime
    what: str


class ItemChangesOut(Out):
    """An item's changes, newest first."""

    items: list[ItemChangeOut]


class ItemRecordOut(Out):
    """How often incidents named an item; `recurring` ones are candidates for problem management."""

    id: str
    kind: ItemKind
    name: str
    owner_group: str | None
    n_incidents: int
    n_open: int
    n_weeks: int
    first_at: datetime
    last_at: datetime
    mean_hours_between: float | None
    n_after_change: int = Field(description="How many came within three days after a change to it.")
    recurring: bool
    incident_ids: list[str]


class ItemRecordsOut(Out):
    """The items that incidents name, the most often named first; `n` counts those that the limit leaves out too."""

    n: int
    items: list[ItemRecordOut]

"""Clusters as they go over the wire."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from smarttriage.api.answer_schemas import Out
from smarttriage.api.schemas import MAX_PAGE, Body, Name
from smarttriage.domain.incident import IncidentStatus
from smarttriage.domain.streams import ClusterKind, ClusterState, ProposalKind, ProposalState


class ClusterQuery(Body):
    """Which clusters are listed."""

    kind: ClusterKind | None = None
    state: ClusterState | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = 50
    cursor: Annotated[str, Field(max_length=1000)] | None = None


class DecisionCreate(Body):
    """About which proposal; without a kind, the gravest that waits."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"kind": "major_incident"}]})
    kind: ProposalKind | None = None


class MergeCreate(Body):
    """Which cluster takes over the members."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"into": "clu_0f3a9c1b2d4e5f60718293a4"}]})
    into: Name


class SplitCreate(Body):
    """Which members get a cluster of their own."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"incident_ids": ["inc_1", "inc_2"]}]})
    incident_ids: Annotated[list[Name], Field(min_length=1, max_length=1000)]


class ProposalOut(Out):
    """What the cluster may be, by which rule, on which figures, and what became of it."""

    id: str
    kind: ProposalKind
    rule: str
    state: ProposalState
    made_at: datetime
    figures: dict[str, float]
    decided_at: datetime | None
    decided_by: str | None


class ClusterSummaryOut(Out):
    """A cluster in a list."""

    id: str
    kind: ClusterKind
    state: ClusterState
    title: str
    began_at: datetime
    updated_at: datetime
    resolved_at: datetime | None
    merged_into: str | None
    version: int
    n_members: int
    proposals: list[ProposalOut]


class ClustersOut(Out):
    """A page of clusters, the one that began last first."""

    items: list[ClusterSummaryOut]
    next_cursor: str | None


class NamedOut(Out):
    """A name and how many reports have it."""

    name: str
    n: int


class PriorWorkOut(Out):
    """Something done to the same service, CI or site, or to what these need, shortly before the first report."""

    kind: Literal["change", "incident"]
    id: str
    title: str
    at: datetime
    shared: list[str]


class ClusterEvidenceOut(Out):
    """Counted over the members that the key may see."""

    since: datetime
    last_at: datetime
    n_reports: int
    n_open: int
    reporters: list[NamedOut]
    places: list[NamedOut] = Field(description="Services, configuration items and sites.")
    priorities: list[NamedOut]
    carried: list[str] = Field(description="Services that run on what half of the reports name.")
    words: list[str] = Field(description="What at least half of the reports say.")
    changed: list[PriorWorkOut] = Field(
        description="What was changed there in the three days before, asked for or done in the 24 hours before."
    )


class MemberOut(Out):
    """An incident's time in the cluster."""

    incident_id: str
    title: str
    status: IncidentStatus
    reported_at: datetime
    since: datetime
    because: str
    score: float | None
    added_by: str
    until: datetime | None
    ended_by: str | None


class ClusterOut(ClusterSummaryOut):
    """A cluster with its evidence; at most 500 members and 500 past ones are listed, the latest."""

    evidence: ClusterEvidenceOut
    members: list[MemberOut]
    history: list[MemberOut]

"""Incidents that belong together: clusters, who is in them since when and why, and what is proposed about them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

_ID_DIGITS = 24


class ClusterKind(StrEnum):
    """What holds a cluster together. Stable codes."""

    STORM = "storm"
    DUPLICATES = "duplicates"
    RECURRING = "recurring"


class ClusterState(StrEnum):
    """Where a cluster stands. Only an open one takes in new reports."""

    OPEN = "open"
    RESOLVED = "resolved"
    MERGED = "merged"


class ProposalKind(StrEnum):
    """What a cluster may be. Stable codes."""

    DUPLICATE = "duplicate"
    EMERGING = "emerging_cluster"
    MAJOR = "major_incident"
    RECURRING = "recurring_problem"


class ProposalState(StrEnum):
    """What became of a proposal."""

    PROPOSED = "proposed"
    PROMOTED = "promoted"
    DISMISSED = "dismissed"


# What is suggested before any closed incident once it is promoted.
ONGOING = (ProposalKind.MAJOR, ProposalKind.RECURRING)


@dataclass(frozen=True, slots=True)
class Cluster:
    """A set of incidents of one tenant that the same keys may see.

    Attributes:
        id: Computed from what founded it, so that a repeated pass finds it again.
        tenant: Owner.
        audiences: Those of all its members; incidents with others never join.
        kind: What holds it together.
        state: Open ones take in new reports, others never do.
        title: That of the report that founded it.
        began_at: The first report.
        updated_at: When it last changed.
        resolved_at: When it ended.
        merged_into: The cluster that took over its members.
        version: Counts changes from 1; the ETag.
    """

    id: str
    tenant: str
    audiences: frozenset[str]
    kind: ClusterKind
    title: str
    began_at: datetime
    updated_at: datetime
    state: ClusterState = ClusterState.OPEN
    resolved_at: datetime | None = None
    merged_into: str | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class Membership:
    """An incident's time in a cluster; ended ones stay as history.

    Attributes:
        cluster_id: Where.
        incident_id: Which.
        since: From when on.
        because: Why, in words.
        added_by: "detector" or the key that did it.
        score: How near it was; None where a person put it there.
        until: Until when; None: still in.
        ended_by: Who ended it.
    """

    cluster_id: str
    incident_id: str
    since: datetime
    because: str
    added_by: str
    score: float | None = None
    until: datetime | None = None
    ended_by: str | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a cluster may be, by which rule, and what people said to that.

    Attributes:
        id: Computed from cluster and kind: each is proposed once.
        cluster_id: About which cluster.
        kind: What it may be.
        rule: The rule of kb/major_incidents.toml that fitted.
        state: Proposed until a person, or the rule itself, decides.
        made_at: When.
        figures: The figures on which the rule decided.
        decided_at: When it was promoted or dismissed.
        decided_by: The key, or "rule:<id>".
    """

    id: str
    cluster_id: str
    kind: ProposalKind
    rule: str
    state: ProposalState
    made_at: datetime
    figures: Mapping[str, float] = field(default_factory=dict)
    decided_at: datetime | None = None
    decided_by: str | None = None


def cluster_id(tenant: str, kind: ClusterKind, *founders: str) -> str:
    """Return the id of the cluster that these founded."""
    return "clu_" + _digest(tenant, kind, *founders)


def proposal_id(cluster: str, kind: ProposalKind) -> str:
    """Return the id of the one proposal of that kind about the cluster."""
    return "pro_" + _digest(cluster, kind)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:_ID_DIGITS]

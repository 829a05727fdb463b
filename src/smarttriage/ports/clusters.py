"""What the store keeps of clusters: themselves, who was in them when, and what was proposed."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from smarttriage.domain.access import Principal
from smarttriage.domain.incident import Incident
from smarttriage.domain.streams import Cluster, ClusterKind, ClusterState, Membership, Proposal

if TYPE_CHECKING:
    from smarttriage.ports.store import Page


class ClusterRecords(Protocol):
    """The part of `Records` that is about clusters.

    Reads without a `Principal` are of every tenant and for detection only.
    """

    def add_clusters(self, clusters: Sequence[Cluster]) -> None:
        """Store new clusters; one whose id is there already stays as it is."""
        ...

    def update_cluster(self, cluster: Cluster, *, key_id: str | None) -> None:
        """Store the next version. Raises VersionMismatch unless `cluster.version` is the stored version plus 1.

        What a key changed stands in the change log as "cluster"; what the detector changed does not.
        """
        ...

    def cluster(self, cluster_id: str, principal: Principal) -> Cluster | None:
        """Return the cluster."""
        ...

    def clusters(
        self, principal: Principal, *, kind: ClusterKind | None, state: ClusterState | None, limit: int, cursor: str | None
    ) -> "Page":
        """Return a page of `Cluster`, the one that began last first, ties by id."""
        ...

    def clusters_by_id(self, ids: Collection[str]) -> Mapping[str, Cluster]:
        """Return those of `ids` that there are."""
        ...

    def add_memberships(self, memberships: Sequence[Membership]) -> None:
        """Store who came in; who is in the cluster already stays as they came."""
        ...

    def end_memberships(self, cluster_id: str, incident_ids: Collection[str], *, at: datetime, by: str) -> None:
        """End those that have not ended; they stay as history."""
        ...

    def memberships(self, cluster_id: str) -> Sequence[Membership]:
        """Return all that ever were, in the order in which they were added."""
        ...

    def memberships_of(self, incident_ids: Collection[str]) -> Sequence[Membership]:
        """Return those that have not ended, in the order in which they were added."""
        ...

    def cluster_sizes(self, cluster_ids: Collection[str]) -> Mapping[str, int]:
        """Return cluster id -> how many are in it at present; one that is empty is left out."""
        ...

    def n_open_members(self, cluster_id: str) -> int:
        """Return how many of its present members are open incidents."""
        ...

    def add_proposals(self, proposals: Sequence[Proposal]) -> None:
        """Store new proposals; one whose id is there already stays as it is."""
        ...

    def update_proposal(self, proposal: Proposal) -> None:
        """Store what became of it."""
        ...

    def proposals(self, cluster_ids: Collection[str]) -> Sequence[Proposal]:
        """Return the proposals about these clusters, oldest first."""
        ...

    def ongoing(self) -> Sequence[tuple[Cluster, Proposal]]:
        """Return the open clusters that are promoted to a major incident or a known problem, by id."""
        ...

    def arrivals(self, *, limit: int) -> Sequence[Incident]:
        """Return the incidents that were reported last, newest first."""
        ...

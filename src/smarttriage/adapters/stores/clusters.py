"""The clusters of a transaction: themselves, who was in them when, and what was proposed."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, bindparam, exists, false, func, insert, or_, select, update

from smarttriage.adapters.stores.cluster_schema import cluster as table
from smarttriage.adapters.stores.cluster_schema import cluster_audience, cluster_membership, cluster_proposal
from smarttriage.adapters.stores.cursors import checked_limit, decode_cursor, encode_cursor, instant_in_cursor, page
from smarttriage.adapters.stores.incident_rows import incident_of
from smarttriage.adapters.stores.schema import incident
from smarttriage.adapters.stores.transaction import Transaction, chunks, json_of_set, set_of, to_json
from smarttriage.adapters.stores.types import InsertIfNew
from smarttriage.domain.access import Principal
from smarttriage.domain.errors import NotFound, VersionMismatch
from smarttriage.domain.incident import Incident, IncidentStatus
from smarttriage.domain.streams import (
    ONGOING,
    Cluster,
    ClusterKind,
    ClusterState,
    Membership,
    Proposal,
    ProposalKind,
    ProposalState,
)
from smarttriage.ports import Page

_ADD, _ADD_AUDIENCES = InsertIfNew(table), InsertIfNew(cluster_audience)
_UPDATE = update(table).where(table.c.id == bindparam("stored_id"), table.c.version == bindparam("stored_version"))
_VERSION = select(table.c.version).where(table.c.id == bindparam("id"))
_SOME = select(table).where(table.c.id.in_(bindparam("ids", expanding=True))).order_by(table.c.id)
_LATEST_FIRST = select(table).order_by(table.c.began_at.desc(), table.c.id)
_MEMBER = [
    cluster_membership.c[name]
    for name in ("cluster_id", "incident_id", "since", "because", "added_by", "score", "until", "ended_by")
]
_ADD_MEMBER = insert(cluster_membership)
_MEMBERS = select(*_MEMBER).order_by(cluster_membership.c.seq)
_PRESENT = _MEMBERS.where(
    cluster_membership.c.incident_id.in_(bindparam("ids", expanding=True)), cluster_membership.c.until.is_(None)
)
_END = update(cluster_membership).where(
    cluster_membership.c.cluster_id == bindparam("of_cluster"),
    cluster_membership.c.incident_id == bindparam("of_incident"),
    cluster_membership.c.until.is_(None),
)
_SIZES = (
    select(cluster_membership.c.cluster_id, func.count())
    .where(cluster_membership.c.cluster_id.in_(bindparam("ids", expanding=True)), cluster_membership.c.until.is_(None))
    .group_by(cluster_membership.c.cluster_id)
)
_N_OPEN = (
    select(func.count())
    .select_from(cluster_membership.join(incident, incident.c.id == cluster_membership.c.incident_id))
    .where(
        cluster_membership.c.cluster_id == bindparam("cluster_id"),
        cluster_membership.c.until.is_(None),
        incident.c.status.in_([IncidentStatus.OPEN.value, IncidentStatus.IN_PROGRESS.value]),
    )
)
_ADD_PROPOSAL = InsertIfNew(cluster_proposal)
_PROPOSALS = (
    select(cluster_proposal)
    .where(cluster_proposal.c.cluster_id.in_(bindparam("ids", expanding=True)))
    .order_by(cluster_proposal.c.made_at, cluster_proposal.c.id)
)
_ONGOING = (
    select(table.c.id, cluster_proposal.c.id)
    .join(cluster_proposal, cluster_proposal.c.cluster_id == table.c.id)
    .where(
        table.c.state == ClusterState.OPEN.value,
        cluster_proposal.c.state == ProposalState.PROMOTED.value,
        cluster_proposal.c.kind.in_([kind.value for kind in ONGOING]),
    )
    .order_by(table.c.id, cluster_proposal.c.id)
)
_ARRIVALS = select(incident).order_by(incident.c.reported_at.desc(), incident.c.id).limit(bindparam("n_rows"))


class ClusterRecords(Transaction):
    """Clusters by id and by page, memberships with their history, proposals by cluster."""

    def add_clusters(self, clusters: Sequence[Cluster]) -> None:
        """Store new clusters; one whose id is there already stays as it is."""
        if clusters:
            self._writes.execute(_ADD, [_row(one) for one in clusters])
            audiences = [{"cluster_id": one.id, "audience": name} for one in clusters for name in sorted(one.audiences)]
            if audiences:
                self._writes.execute(_ADD_AUDIENCES, audiences)

    def update_cluster(self, cluster: Cluster, *, key_id: str | None) -> None:
        """Store the next version. Raises NotFound, VersionMismatch."""
        keys = {"stored_id": cluster.id, "stored_version": cluster.version - 1}
        if self._writes.execute(_UPDATE.values(**_row(cluster)), keys).rowcount == 0:
            version = self._reads.execute(_VERSION, {"id": cluster.id}).scalar()
            if version is None:
                raise NotFound(f'there is no cluster "{cluster.id}".')
            raise VersionMismatch(
                f'cluster "{cluster.id}" is at version {version}, the change was made on version {cluster.version - 1}; '
                "read it again and repeat the change."
            )
        if key_id is not None:
            self._log("cluster", [(cluster.id, cluster.tenant)], key_id)

    def cluster(self, cluster_id: str, principal: Principal) -> Cluster | None:
        """Return the cluster."""
        found = self.clusters_by_id([cluster_id]).get(cluster_id)
        return found if found is not None and principal.sees(found.tenant, found.audiences) else None

    def clusters(
        self, principal: Principal, *, kind: ClusterKind | None, state: ClusterState | None, limit: int, cursor: str | None
    ) -> Page:
        """Return a page of `Cluster`, the one that began last first, ties by id."""
        shared = exists().where(
            cluster_audience.c.cluster_id == table.c.id, cluster_audience.c.audience.in_(sorted(principal.audiences))
        )
        conditions = [table.c.tenant == principal.tenant, shared if principal.audiences else false()]
        if kind is not None:
            conditions.append(table.c.kind == kind.value)
        if state is not None:
            conditions.append(table.c.state == state.value)
        if cursor is not None:
            written, last_id = decode_cursor(cursor, 2)
            began_at = instant_in_cursor(written, cursor)
            conditions.append(or_(table.c.began_at < began_at, and_(table.c.began_at == began_at, table.c.id > last_id)))
        rows = self._reads.execute(_LATEST_FIRST.where(*conditions).limit(checked_limit(limit) + 1))
        return page([_cluster(row) for row in rows], limit, lambda last: encode_cursor(last.began_at.isoformat(), last.id))

    def clusters_by_id(self, ids: Collection[str]) -> Mapping[str, Cluster]:
        """Return those of `ids` that there are."""
        return {row.id: _cluster(row) for part in chunks(ids) for row in self._reads.execute(_SOME, {"ids": part})}

    def add_memberships(self, memberships: Sequence[Membership]) -> None:
        """Store who came in; who is in the cluster already stays as they came."""
        present = {(one.cluster_id, one.incident_id) for one in self.memberships_of({one.incident_id for one in memberships})}
        rows = [
            {name: getattr(one, name) for name in Membership.__slots__}
            for one in memberships
            if (one.cluster_id, one.incident_id) not in present
        ]
        if rows:
            self._writes.execute(_ADD_MEMBER, rows)

    def end_memberships(self, cluster_id: str, incident_ids: Collection[str], *, at: datetime, by: str) -> None:
        """End those that have not ended; they stay as history."""
        for incident_id in incident_ids:
            keys = {"of_cluster": cluster_id, "of_incident": incident_id}
            self._writes.execute(_END.values(until=at, ended_by=by), keys)

    def memberships(self, cluster_id: str) -> Sequence[Membership]:
        """Return all that ever were, in the order in which they were added."""
        return [Membership(*row) for row in self._reads.execute(_MEMBERS.where(cluster_membership.c.cluster_id == cluster_id))]

    def memberships_of(self, incident_ids: Collection[str]) -> Sequence[Membership]:
        """Return those that have not ended, in the order in which they were added."""
        return [Membership(*row) for part in chunks(incident_ids) for row in self._reads.execute(_PRESENT, {"ids": part})]

    def cluster_sizes(self, cluster_ids: Collection[str]) -> Mapping[str, int]:
        """Return cluster id -> how many are in it at present; one that is empty is left out."""
        return {one: n for part in chunks(cluster_ids) for one, n in self._reads.execute(_SIZES, {"ids": part})}

    def n_open_members(self, cluster_id: str) -> int:
        """Return how many of its present members are open incidents."""
        return int(self._reads.execute(_N_OPEN, {"cluster_id": cluster_id}).scalar_one())

    def add_proposals(self, proposals: Sequence[Proposal]) -> None:
        """Store new proposals; one whose id is there already stays as it is."""
        if proposals:
            self._writes.execute(_ADD_PROPOSAL, [_proposal_row(one) for one in proposals])

    def update_proposal(self, proposal: Proposal) -> None:
        """Store what became of it."""
        self._writes.execute(
            update(cluster_proposal).where(cluster_proposal.c.id == proposal.id).values(**_proposal_row(proposal))
        )

    def proposals(self, cluster_ids: Collection[str]) -> Sequence[Proposal]:
        """Return the proposals about these clusters, oldest first."""
        return [_proposal(row) for part in chunks(cluster_ids) for row in self._reads.execute(_PROPOSALS, {"ids": part})]

    def ongoing(self) -> Sequence[tuple[Cluster, Proposal]]:
        """Return the open clusters that are promoted to a major incident or a known problem, by id."""
        pairs = [(row[0], row[1]) for row in self._reads.execute(_ONGOING)]
        if not pairs:
            return []
        clusters = self.clusters_by_id([cluster_id for cluster_id, _ in pairs])
        proposals = {one.id: one for one in self.proposals(list(clusters))}
        return [(clusters[cluster_id], proposals[proposal_id]) for cluster_id, proposal_id in pairs]

    def arrivals(self, *, limit: int) -> Sequence[Incident]:
        """Return the incidents that were reported last, newest first."""
        return [incident_of(row) for row in self._reads.execute(_ARRIVALS, {"n_rows": limit})]


def _row(one: Cluster) -> dict[str, Any]:
    plain = {name: getattr(one, name) for name in Cluster.__slots__}
    return {**plain, "audiences": json_of_set(one.audiences), "kind": one.kind.value, "state": one.state.value}


def _cluster(row: Row[Any]) -> Cluster:
    plain = {name: getattr(row, name) for name in Cluster.__slots__}
    return Cluster(
        **{**plain, "audiences": set_of(row.audiences), "kind": ClusterKind(row.kind), "state": ClusterState(row.state)}
    )


def _proposal_row(one: Proposal) -> dict[str, Any]:
    plain = {name: getattr(one, name) for name in Proposal.__slots__}
    return {**plain, "kind": one.kind.value, "state": one.state.value, "figures": to_json(dict(one.figures))}


def _proposal(row: Row[Any]) -> Proposal:
    plain = {name: getattr(row, name) for name in Proposal.__slots__}
    kind, state = ProposalKind(row.kind), ProposalState(row.state)
    return Proposal(**{**plain, "kind": kind, "state": state, "figures": json.loads(row.figures)})

"""Clusters for people: read with their evidence, promoted, dismissed, merged, split, resolved. No incident is ever changed by it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from smarttriage.domain.access import Principal, Scope
from smarttriage.domain.errors import Conflict, InvalidInput, NotFound, VersionMismatch
from smarttriage.domain.incident import Incident
from smarttriage.domain.streams import (
    Cluster,
    ClusterKind,
    ClusterState,
    Membership,
    Proposal,
    ProposalKind,
    ProposalState,
    cluster_id,
    proposal_id,
)
from smarttriage.ports import Clock, Page, Records, Store
from smarttriage.services.cluster_evidence import ClusterEvidence, evidence_of
from smarttriage.services.landscape import NOWHERE, Landscape

# What a person decided, not a rule.
BY_PERSON = "person"


@dataclass(frozen=True, slots=True)
class ClusterView:
    """A cluster as a principal may see it.

    Attributes:
        cluster: It.
        proposals: Oldest first.
        members: Present memberships, oldest first.
        history: Ended ones.
        incidents: Incident id -> the member.
        evidence: Who reports, since when, which services, what changed.
    """

    cluster: Cluster
    proposals: Sequence[Proposal]
    members: Sequence[Membership]
    history: Sequence[Membership]
    incidents: dict[str, Incident]
    evidence: ClusterEvidence


@dataclass(frozen=True, slots=True)
class ClusterService:
    """What people do with clusters. Every step needs the scope `write`, promoting `review`."""

    store: Store
    clock: Clock
    cmdb: Callable[[str], Landscape] = lambda _tenant: NOWHERE

    def list(
        self, principal: Principal, *, kind: ClusterKind | None, state: ClusterState | None, limit: int, cursor: str | None
    ) -> tuple[Page, dict[str, list[Proposal]], dict[str, int]]:
        """Return a page of clusters, their proposals and how many are in each."""
        with self.store.begin() as records:
            page = records.clusters(principal, kind=kind, state=state, limit=limit, cursor=cursor)
            ids = [one.id for one in page.items]
            proposals: dict[str, list[Proposal]] = {one: [] for one in ids}
            for each in records.proposals(ids):
                proposals[each.cluster_id].append(each)
            sizes = records.cluster_sizes(ids)
        return page, proposals, {one: sizes.get(one, 0) for one in ids}

    def get(self, principal: Principal, cluster: str) -> ClusterView:
        """Return the cluster with its evidence. Raises NotFound."""
        with self.store.begin() as records:
            return self._view(records, principal, _found(records, principal, cluster))

    def promote(self, principal: Principal, cluster: str, *, kind: ProposalKind | None, version: int | None) -> ClusterView:
        """Say that it is what was proposed, or that it is `kind`; return it. Raises Conflict where nothing is proposed."""
        return self._decided(principal, cluster, ProposalState.PROMOTED, Scope.REVIEW, kind=kind, version=version)

    def dismiss(self, principal: Principal, cluster: str, *, kind: ProposalKind | None, version: int | None) -> ClusterView:
        """Say that it is not; it is not proposed again. Raises Conflict where nothing is proposed."""
        return self._decided(principal, cluster, ProposalState.DISMISSED, Scope.WRITE, kind=kind, version=version)

    def resolve(self, principal: Principal, cluster: str, *, version: int | None) -> ClusterView:
        """Say that it is over: it takes in nothing more and is suggested no longer."""

        def over(_records: Records, found: Cluster) -> Cluster:
            return replace(found, state=ClusterState.RESOLVED, resolved_at=self.clock())

        return self._changed(principal, cluster, over, Scope.WRITE, version=version)

    def merge(self, principal: Principal, cluster: str, into: str, *, version: int | None) -> ClusterView:
        """Put all members into another cluster; return that one. What was in the first stays in its history."""
        principal.require(Scope.WRITE)
        now = self.clock()
        with self.store.begin(write=True) as records:
            source, target = _open(records, principal, cluster, version), _open(records, principal, into, None)
            if source.id == target.id:
                raise InvalidInput("a cluster cannot be merged into itself; name another", field="into")
            if (source.kind, source.audiences) != (target.kind, target.audiences):
                raise Conflict(
                    f"{source.id} is a {source.kind} for {sorted(source.audiences)}, {target.id} a {target.kind} for "
                    f"{sorted(target.audiences)}; only like ones can be merged",
                    field="into",
                )
            _move(records, source, target.id, _present(records, source.id), at=now, by=principal.key_id)
            _take_over(records, source, target)
            gone = replace(source, state=ClusterState.MERGED, merged_into=target.id)
            _store(records, gone, now, principal)
            grown = _store(records, replace(target, began_at=min(source.began_at, target.began_at)), now, principal)
            return self._view(records, principal, grown)

    def split(self, principal: Principal, cluster: str, incident_ids: Sequence[str], *, version: int | None) -> ClusterView:
        """Put some members into a cluster of their own; return that one."""
        principal.require(Scope.WRITE)
        now = self.clock()
        with self.store.begin(write=True) as records:
            source = _open(records, principal, cluster, version)
            present = _present(records, source.id)
            leaving = [one for one in present if one in set(incident_ids)]
            if not leaving or len(leaving) < len(set(incident_ids)) or len(leaving) == len(present):
                raise InvalidInput("name some of the cluster's members, not all and no others", field="incident_ids")
            seen = records.incidents_by_id(leaving, principal)
            if len(seen) < len(leaving):
                raise InvalidInput("name only members that this key may see", field="incident_ids")
            first = min(seen.values(), key=lambda one: (one.reported_at, one.id))
            new_id = cluster_id(source.tenant, source.kind, source.id, f"version {source.version}")
            title, began_at = first.heading, first.reported_at
            records.add_clusters([replace(source, id=new_id, title=title, began_at=began_at, updated_at=now, version=1)])
            _move(records, source, new_id, leaving, at=now, by=principal.key_id)
            _store(records, source, now, principal)
            return self._view(records, principal, _found(records, principal, new_id))

    def _decided(
        self,
        principal: Principal,
        cluster: str,
        state: ProposalState,
        scope: Scope,
        *,
        kind: ProposalKind | None,
        version: int | None,
    ) -> ClusterView:
        def decide(records: Records, found: Cluster) -> Cluster:
            made, now = records.proposals([found.id]), self.clock()
            of_kind = [each for each in made if each.kind is kind]
            if kind is not None and not of_kind:
                by = (now, principal.key_id)
                new = Proposal(proposal_id(found.id, kind), found.id, kind, BY_PERSON, state, now, {}, *by)
                records.add_proposals([new])
            else:
                chosen = of_kind[0] if of_kind else _waiting(made, found)
                records.update_proposal(replace(chosen, state=state, decided_at=now, decided_by=principal.key_id))
            return found

        return self._changed(principal, cluster, decide, scope, version=version)

    def _changed(
        self,
        principal: Principal,
        cluster: str,
        change: Callable[[Records, Cluster], Cluster],
        scope: Scope,
        *,
        version: int | None,
    ) -> ClusterView:
        principal.require(scope)
        with self.store.begin(write=True) as records:
            found = _open(records, principal, cluster, version)
            stored = _store(records, change(records, found), self.clock(), principal)
            return self._view(records, principal, stored)

    def _view(self, records: Records, principal: Principal, cluster: Cluster) -> ClusterView:
        ever = records.memberships(cluster.id)
        incidents = dict(records.incidents_by_id({each.incident_id for each in ever}, principal))
        seen = [each for each in ever if each.incident_id in incidents]
        members = [each for each in seen if each.until is None]
        evidence = evidence_of(
            records, principal, cluster, [incidents[each.incident_id] for each in members], self.cmdb(cluster.tenant)
        )
        history = [each for each in seen if each.until is not None]
        return ClusterView(cluster, records.proposals([cluster.id]), members, history, incidents, evidence)


def _waiting(made: Sequence[Proposal], cluster: Cluster) -> Proposal:
    """Return the gravest proposal that waits for a decision: it was made last."""
    waiting = [each for each in made if each.state is ProposalState.PROPOSED]
    if not waiting:
        raise Conflict(f"nothing is proposed about cluster {cluster.id} that waits for a decision; name a kind", field="kind")
    return max(waiting, key=lambda each: (each.kind is ProposalKind.MAJOR, each.made_at))


def _found(records: Records, principal: Principal, cluster: str) -> Cluster:
    found = records.cluster(cluster, principal)
    if found is None:
        raise NotFound(f"there is no cluster {cluster}", field="cluster_id")
    return found


def _open(records: Records, principal: Principal, cluster: str, version: int | None) -> Cluster:
    found = _found(records, principal, cluster)
    if version is not None and version != found.version:
        raise VersionMismatch(
            f"cluster {cluster} is at version {found.version}, not {version}; read it again and repeat the change"
        )
    if found.state is not ClusterState.OPEN:
        raise Conflict(f"cluster {cluster} is {found.state}; only an open one can be changed")
    return found


def _store(records: Records, cluster: Cluster, now: datetime, principal: Principal) -> Cluster:
    stored = replace(cluster, version=cluster.version + 1, updated_at=now)
    records.update_cluster(stored, key_id=principal.key_id)
    return stored


def _present(records: Records, cluster: str) -> list[str]:
    return [each.incident_id for each in records.memberships(cluster) if each.until is None]


def _move(records: Records, source: Cluster, target: str, incident_ids: Sequence[str], *, at: datetime, by: str) -> None:
    records.end_memberships(source.id, incident_ids, at=at, by=by)
    records.add_memberships([Membership(target, one, at, f"moved from {source.id}", by) for one in incident_ids])


def _take_over(records: Records, source: Cluster, target: Cluster) -> None:
    """Let the target be what the source was promoted to."""
    made = records.proposals([source.id, target.id])
    own = {each.kind: each for each in made if each.cluster_id == target.id}
    for each in made:
        if each.cluster_id == source.id and each.state is ProposalState.PROMOTED:
            taken = replace(each, id=proposal_id(target.id, each.kind), cluster_id=target.id)
            if each.kind in own:
                records.update_proposal(taken)
            else:
                records.add_proposals([taken])

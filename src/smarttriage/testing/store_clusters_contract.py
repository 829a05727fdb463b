"""What every store promises of clusters."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from smarttriage.domain.errors import InvalidInput, NotFound, VersionMismatch
from smarttriage.domain.incident import IncidentStatus
from smarttriage.domain.streams import ClusterKind, ClusterState, Membership, Proposal, ProposalKind, ProposalState
from smarttriage.ports import Store
from smarttriage.testing.factories import NOON, a_cluster, a_principal, an_incident

LATER = NOON + timedelta(hours=1)


def a_membership(incident_id: str, cluster_id: str = "clu_1") -> Membership:
    """Return a present membership."""
    return Membership(cluster_id, incident_id, NOON, "says the same", "detector", 0.8)


def a_proposal(**overrides: Any) -> Proposal:
    """Return an open proposal."""
    base = Proposal("pro_1", "clu_1", ProposalKind.MAJOR, "many", ProposalState.PROPOSED, NOON, {"n_reports": 8.0})
    return replace(base, **overrides)


class ClustersContract:
    """Clusters by id and by page, memberships that end and stay, proposals that are decided."""

    def test_a_cluster_comes_back_for_those_who_share_an_audience_of_its_tenant(self, store: Store) -> None:
        """Adding it again changes nothing."""
        made = a_cluster(audiences=frozenset({"hr", "it"}))
        with store.begin(write=True) as records:
            records.add_clusters([made])
            records.add_clusters([replace(made, title="other")])
        with store.begin() as records:
            assert records.cluster("clu_1", a_principal(audiences=frozenset({"it"}))) == made
            for stranger in (a_principal(), a_principal(tenant="other", audiences=frozenset({"it"}))):
                assert records.cluster("clu_1", stranger) is None
                assert list(records.clusters(stranger, kind=None, state=None, limit=9, cursor=None).items) == []
            assert dict(records.clusters_by_id(["clu_1", "none"])) == {"clu_1": made}

    def test_clusters_are_listed_latest_first_by_pages_and_narrowed(self, store: Store) -> None:
        """A cursor goes on where the page ended."""
        kinds = (ClusterKind.STORM, ClusterKind.RECURRING, ClusterKind.STORM)
        made = [a_cluster(id=f"clu_{n}", began_at=NOON + timedelta(hours=n), kind=kind) for n, kind in enumerate(kinds)]
        with store.begin(write=True) as records:
            records.add_clusters(made)
        with store.begin() as records:
            first = records.clusters(a_principal(), kind=None, state=None, limit=2, cursor=None)
            rest = records.clusters(a_principal(), kind=None, state=None, limit=2, cursor=first.next_cursor)
            storms = records.clusters(a_principal(), kind=ClusterKind.STORM, state=ClusterState.OPEN, limit=9, cursor=None)
            with pytest.raises(InvalidInput):
                records.clusters(a_principal(), kind=None, state=None, limit=2, cursor="nonsense")
        assert [*first.items, *rest.items] == made[::-1]
        assert rest.next_cursor is None
        assert list(storms.items) == [made[2], made[0]]

    def test_a_change_needs_the_version_before_it_and_is_logged_where_a_key_made_it(self, store: Store) -> None:
        """What the detector changes is not logged: it follows from the log."""
        made = a_cluster()
        with store.begin(write=True) as records:
            records.add_clusters([made])
            records.update_cluster(replace(made, version=2), key_id=None)
            records.update_cluster(replace(made, version=3, state=ClusterState.RESOLVED, resolved_at=LATER), key_id="key-1")
            with pytest.raises(VersionMismatch):
                records.update_cluster(replace(made, version=3), key_id="key-1")
            with pytest.raises(NotFound):
                records.update_cluster(replace(made, id="none", version=2), key_id="key-1")
        with store.begin() as records:
            assert [(change.kind, change.record_id) for change in records.changes(0, limit=9)] == [("cluster", "clu_1")]

    def test_memberships_end_and_stay_as_history(self, store: Store) -> None:
        """Who is in already is not put in twice; who left may come back."""
        with store.begin(write=True) as records:
            records.add_clusters([a_cluster()])
            records.add_memberships([a_membership("a"), a_membership("b")])
            records.add_memberships([a_membership("a")])
            records.end_memberships("clu_1", ["a"], at=LATER, by="key-1")
            records.add_memberships([a_membership("a")])
        ended = replace(a_membership("a"), until=LATER, ended_by="key-1")
        with store.begin() as records:
            assert list(records.memberships("clu_1")) == [ended, a_membership("b"), a_membership("a")]
            assert list(records.memberships_of(["a", "b"])) == [a_membership("b"), a_membership("a")]

    def test_open_members_and_latest_arrivals_are_counted_from_the_incidents(self, store: Store) -> None:
        """Resolved incidents and past members do not count."""
        incidents = [an_incident(id=name, reported_at=NOON + timedelta(minutes=n)) for n, name in enumerate("abc")]
        incidents[1] = replace(incidents[1], status=IncidentStatus.RESOLVED)
        with store.begin(write=True) as records:
            records.add_incidents(incidents, key_id=None)
            records.add_clusters([a_cluster()])
            records.add_memberships([a_membership(name) for name in "abc"])
            records.end_memberships("clu_1", ["c"], at=LATER, by="key-1")
        with store.begin() as records:
            assert records.n_open_members("clu_1") == 1
            assert dict(records.cluster_sizes(["clu_1", "none"])) == {"clu_1": 2}
            assert [one.id for one in records.arrivals(limit=2)] == ["c", "b"]

    def test_only_promoted_and_open_clusters_are_ongoing(self, store: Store) -> None:
        """A proposal is stored once and changed by its id."""
        with store.begin(write=True) as records:
            records.add_clusters([a_cluster()])
            records.add_proposals([a_proposal(), a_proposal(rule="again")])
            assert list(records.ongoing()) == []
            decided = a_proposal(state=ProposalState.PROMOTED, decided_at=LATER, decided_by="key-1")
            records.update_proposal(decided)
            assert list(records.proposals(["clu_1"])) == [decided]
            assert list(records.ongoing()) == [(a_cluster(), decided)]
            records.update_cluster(a_cluster(version=2, state=ClusterState.RESOLVED), key_id=None)
            assert list(records.ongoing()) == []

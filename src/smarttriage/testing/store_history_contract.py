"""What every store promises of the course of incidents."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from smarttriage.domain.escalation import EscalationEvent, EscalationKind
from smarttriage.domain.history import HistoryKind, IncidentCounts
from smarttriage.domain.incident import Incident, IncidentStatus, Resolution
from smarttriage.domain.streams import ClusterKind, Membership, Proposal, ProposalKind, ProposalState
from smarttriage.ports import IncidentFilter, Store
from smarttriage.testing.factories import NOON, a_cluster, a_principal, an_incident

_EARLIER = NOON - timedelta(days=40)


def an_escalation(event_id: str = "esc_1", **overrides: Any) -> EscalationEvent:
    """Return an event of the incident "inc_1"."""
    words = ("sla-50", EscalationKind.FUNCTIONAL, "second level", "Look at it.", "50% of the time")
    return replace(EscalationEvent(event_id, "default", "inc_1", *words, NOON, NOON), **overrides)


def _changed(store: Store, before: Incident, **changes: Any) -> Incident:
    after = replace(before, **changes, version=before.version + 1)
    with store.begin(write=True) as records:
        records.update_incident(after, key_id="k")
    return after


class HistoryContract:
    """Events and counts are written with the change itself; escalations once by event id."""

    def test_a_change_writes_what_happened_and_counts_it(self, store: Store) -> None:
        """A first group is no reassignment; closing what is resolved is nothing new."""
        done = Resolution("Cable replaced.", NOON - timedelta(days=3))
        with store.begin(write=True) as records:
            records.add_incidents([an_incident(id="inc_1", support_group=None)], key_id=None)
        now = _changed(store, an_incident(id="inc_1", support_group=None), support_group="desk")
        now = _changed(store, now, support_group="network")
        now = _changed(store, now, status=IncidentStatus.RESOLVED, resolution=done)
        now = _changed(store, now, status=IncidentStatus.CLOSED)
        _changed(store, now, status=IncidentStatus.OPEN, title="again")
        with store.begin() as records:
            history = records.incident_history("inc_1")
            counts = records.incident_counts("inc_1")
        kinds = [each.happening.kind for each in history]
        assert kinds == [HistoryKind.REASSIGNED, HistoryKind.RESOLVED, HistoryKind.REOPENED]
        assert (history[0].happening.before, history[0].happening.after) == ("desk", "network")
        assert [each.happening.resolved_at for each in history[1:]] == [done.resolved_at] * 2
        assert counts == IncidentCounts(1, 1)

    def test_counts_of_an_earlier_life_are_kept_and_unknown_ones_stay_unknown(self, store: Store) -> None:
        """What was not counted from the beginning is not counted from the middle."""
        with store.begin(write=True) as records:
            records.add_incidents([an_incident(id=f"inc_{n}", support_group="desk") for n in (1, 2)], key_id=None)
            records.set_incident_counts({"inc_1": IncidentCounts(4, None)})
        for n in (1, 2):
            _changed(store, an_incident(id=f"inc_{n}", support_group="desk"), support_group="network")
        with store.begin() as records:
            assert [records.incident_counts(f"inc_{n}") for n in (1, 2)] == [IncidentCounts(4, None), IncidentCounts(0, 1)]
            assert records.incident_counts("none") == IncidentCounts()

    def test_facts_tell_recurrence_and_keep_to_what_may_be_seen(self, store: Store) -> None:
        """An old resolution that held was not reopened; one that came back soon was; a young one has the time still."""
        done = {"status": IncidentStatus.RESOLVED, "resolution": Resolution("Mended.", _EARLIER)}
        young = {**done, "resolution": Resolution("Mended.", NOON - timedelta(days=1))}
        made = [an_incident(id="inc_1", **done), an_incident(id="inc_2", **young), an_incident(id="inc_3", **young)]
        hidden = an_incident(id="inc_4", audiences=frozenset({"hr"}))
        with store.begin(write=True) as records:
            records.add_incidents([*made, hidden, an_incident(id="inc_5", tenant="other")], key_id=None)
        _changed(store, made[2], status=IncidentStatus.OPEN)
        with store.begin() as records:
            found = {one.id: one for one in records.incident_facts(a_principal(), IncidentFilter())}
            none = records.incident_facts(a_principal(), IncidentFilter(reported_before=_EARLIER - timedelta(days=400)))
        assert {id_: one.reopened_soon for id_, one in found.items()} == {"inc_1": False, "inc_2": None, "inc_3": True}
        assert [found["inc_1"].resolved_at, found["inc_3"].resolved_at, found["inc_3"].n_reopened] == [_EARLIER, None, 1]
        assert list(none) == []

    def test_facts_name_the_recurring_problem_that_nobody_dismissed(self, store: Store) -> None:
        """A storm is no recurring problem, and who left a cluster is in it no more."""
        kinds = {"clu_1": ClusterKind.RECURRING, "clu_2": ClusterKind.RECURRING, "clu_3": ClusterKind.STORM}
        members = [("inc_1", "clu_1"), ("inc_2", "clu_2"), ("inc_3", "clu_3"), ("inc_4", "clu_1")]
        dismissed = Proposal("pro_2", "clu_2", ProposalKind.RECURRING, "rule", ProposalState.DISMISSED, NOON)
        with store.begin(write=True) as records:
            records.add_incidents([an_incident(id=incident) for incident, _ in members], key_id=None)
            records.add_clusters([a_cluster(id=cluster, kind=kind) for cluster, kind in kinds.items()])
            records.add_memberships([Membership(cluster, incident, NOON, "alike", "detector") for incident, cluster in members])
            records.add_proposals([dismissed])
            records.end_memberships("clu_1", ["inc_4"], at=NOON, by="detector")
        with store.begin() as records:
            found = {one.id: one.known_problem for one in records.incident_facts(a_principal(), IncidentFilter())}
        assert found == {"inc_1": "clu_1", "inc_2": None, "inc_3": None, "inc_4": None}

    def test_open_incidents_of_all_tenants_come_in_pages_by_id(self, store: Store) -> None:
        """Those in progress are among them, resolved ones are not."""
        states = [IncidentStatus.OPEN, IncidentStatus.IN_PROGRESS, IncidentStatus.CLOSED, IncidentStatus.OPEN]
        made = [an_incident(id=f"inc_{n}", status=state, tenant=f"t{n % 2}") for n, state in enumerate(states)]
        with store.begin(write=True) as records:
            records.add_incidents(made, key_id=None)
        with store.begin() as records:
            first = [one.id for one in records.open_incidents("", limit=2)]
            rest = [one.id for one in records.open_incidents(first[-1], limit=2)]
        assert (first, rest) == (["inc_0", "inc_1"], ["inc_3"])

    def test_load_at_an_instant_counts_what_was_told_before_and_not_ended_yet(self, store: Store) -> None:
        """What is reported or ends at the instant itself: not yet reported, not yet ended."""
        ends = [None, -1, 0, 1]
        made = [an_incident(id=f"inc_{n}", reported_at=NOON - timedelta(hours=2)) for n in range(len(ends))]
        done = [
            one
            if end is None
            else replace(one, status=IncidentStatus.CLOSED, resolution=Resolution("Mended.", NOON + timedelta(hours=end)))
            for one, end in zip(made, ends, strict=True)
        ]
        with store.begin(write=True) as records:
            records.add_incidents(
                [*done, an_incident(id="now"), an_incident(id="far", tenant="other", reported_at=_EARLIER)], key_id=None
            )
        with store.begin() as records:
            assert records.n_open_at("default", NOON) == 3

    def test_an_escalation_is_stored_once_and_told_to_those_who_may_see_its_incident(self, store: Store) -> None:
        """A repeat under the same event id adds nothing; the feed goes on behind a seq."""
        with store.begin(write=True) as records:
            records.add_incidents([an_incident(id="inc_1")], key_id=None)
            assert records.add_escalations([an_escalation("a"), an_escalation("b")]) == 2
            assert records.add_escalations([an_escalation("b", because="again"), an_escalation("c")]) == 1
        with store.begin() as records:
            assert records.told_escalations(["a", "c", "d"]) == {"a", "c"}
            told = records.escalations(a_principal(), after=0, limit=9)
            assert [one.event_id for one in told] == ["a", "b", "c"]
            assert replace(told[1], seq=0) == an_escalation("b")
            assert list(records.escalations(a_principal(), after=told[1].seq, limit=9)) == [told[2]]
            assert list(records.escalations(a_principal(tenant="other"), after=0, limit=9)) == []
            assert list(records.escalations(a_principal(audiences=frozenset({"hr"})), after=0, limit=9)) == []

"""What a store promises of decisions: what became of the fields of a suggestion."""

from datetime import timedelta

import pytest

from smarttriage.domain.decision import DecisionCount, Shown
from smarttriage.domain.errors import StoreError
from smarttriage.domain.incident import LabelOrigin
from smarttriage.ports import Store
from smarttriage.testing.factories import NOON, a_decision, a_principal, a_suggestion


class DecisionsContract:
    """Round trips, replacement, tenancy and counts of decisions; suggestions by incident."""

    def test_a_later_decision_about_the_same_field_replaces_the_earlier(self, store: Store) -> None:
        """Other fields stay as they were."""
        urgency = a_decision(field="urgency", shown=Shown.HELD_OUT, origin=LabelOrigin.LEFT_STANDING, value=None)
        later = a_decision(origin=LabelOrigin.CORRECTED, value="network", decided_at=NOON + timedelta(hours=1))
        with store.begin(write=True) as records:
            records.add_suggestion(a_suggestion())
            records.put_decisions([a_decision(), urgency])
            records.put_decisions([later])
            records.put_decisions([])
        with store.begin() as records:
            assert records.decisions("suggestion-1", a_principal()) == [later, urgency]
            assert records.decisions("suggestion-1", a_principal(tenant="other")) == []

    def test_decisions_are_counted_by_what_was_shown_and_how_they_fell(self, store: Store) -> None:
        """Of one tenant and field; without a label nothing is right or wrong; a first instant leaves out what is older."""
        made = [
            a_decision(suggestion_id="s0", decided_at=NOON - timedelta(days=2)),
            a_decision(suggestion_id="s1"),
            a_decision(suggestion_id="s2", shown=Shown.HELD_OUT, origin=LabelOrigin.CORRECTED, value="network"),
            a_decision(suggestion_id="s3", shown=Shown.HELD_OUT, origin=LabelOrigin.LEFT_STANDING, value=None),
            a_decision(suggestion_id="s1", field="impact"),
            a_decision(suggestion_id="s4", tenant="other"),
        ]
        with store.begin(write=True) as records:
            for n in range(5):
                records.add_suggestion(a_suggestion(id=f"s{n}", tenant="other" if n == 4 else "default"))
            records.put_decisions(made)
            recent = records.decision_counts("category", a_principal(), since=NOON)
            every = records.decision_counts("category", a_principal())
        assert set(recent) == {
            DecisionCount(Shown.AUTOFILLED, LabelOrigin.CONFIRMED, True, 1),
            DecisionCount(Shown.HELD_OUT, LabelOrigin.CORRECTED, False, 1),
            DecisionCount(Shown.HELD_OUT, LabelOrigin.LEFT_STANDING, None, 1),
        }
        assert DecisionCount(Shown.AUTOFILLED, LabelOrigin.CONFIRMED, True, 2) in every

    def test_an_incident_knows_its_newest_suggestion(self, store: Store) -> None:
        """Made for it, or linked to it later; another tenant's is none."""
        with store.begin(write=True) as records:
            records.add_suggestion(a_suggestion(id="first", incident_id="incident-1"))
            records.add_suggestion(a_suggestion(id="second", created_at=NOON + timedelta(hours=1)))
            assert records.suggestion_of_incident("incident-1", a_principal()) == a_suggestion(
                id="first", incident_id="incident-1"
            )
            records.link_suggestion("second", "incident-1")
        with store.begin() as records:
            found = records.suggestion_of_incident("incident-1", a_principal())
            assert found is not None
            assert (found.id, found.incident_id) == ("second", "incident-1")
            assert records.suggestion_of_incident("incident-2", a_principal()) is None
            assert records.suggestion_of_incident("incident-1", a_principal(tenant="other")) is None

    def test_a_reading_transaction_takes_no_decision(self, store: Store) -> None:
        """As it takes nothing else."""
        with store.begin() as records, pytest.raises(StoreError, match="write=True"):
            records.put_decisions([a_decision()])

"""What a store promises of suggestions, feedback and vectors."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from smarttriage.domain.errors import Conflict, NotFound
from smarttriage.domain.feedback import FeedbackAction
from smarttriage.domain.suggestion import FieldMode, PrioritySuggestion, Reason, Routing, Suggestion
from smarttriage.domain.text import Evidence
from smarttriage.ports import Store
from smarttriage.testing.factories import NOON, a_feedback, a_prediction, a_principal, a_suggestion


def odd_suggestions() -> list[Suggestion]:
    """Return suggestions at the edges: everything filled in, nothing known, text that is not even UTF-8."""
    evidence = (Evidence("läuft nicht", 3, 14, "description", "stopped", -0.25), Evidence("", 0, 0, "title"))
    nothing = a_prediction(None, 0.0, alternatives=(), evidence=(), reason=Reason.EMPTY_TEXT, mode=FieldMode.OFF)
    return [
        a_suggestion(id="plain"),
        a_suggestion(id="full", incident_id="incident-1", custom={"tëam": a_prediction("B", evidence=evidence)}),
        a_suggestion(
            id="bare",
            title="",
            description="",
            kind=nothing,
            priority=PrioritySuggestion(None, ""),
            sla=None,
            routing=Routing(None, ()),
            articles=(),
            similar_incidents=(),
        ),
        a_suggestion(id="odd", title="🔥 принтер", description='nul \x00, half \ud800, quote " and \\'),
    ]


class SuggestionsContract:
    """Round trips, tenancy and order of suggestions, feedback and vectors."""

    def test_every_field_of_a_suggestion_comes_back(self, store: Store) -> None:
        """Whatever the caller's text was."""
        with store.begin(write=True) as records:
            for suggestion in odd_suggestions():
                records.add_suggestion(suggestion)
        with store.begin() as records:
            assert [records.suggestion(each.id, a_principal()) for each in odd_suggestions()] == odd_suggestions()

    def test_a_suggestion_is_seen_by_its_tenant_only(self, store: Store) -> None:
        """For others it does not exist, nor does its feedback."""
        with store.begin(write=True) as records:
            records.add_suggestion(a_suggestion())
            records.add_feedback(a_feedback())
        with store.begin() as records:
            assert records.suggestion("suggestion-1", a_principal(tenant="other")) is None
            assert records.feedback("suggestion-1", a_principal(tenant="other")) == []
            assert records.suggestion("suggestion-1", a_principal()) == a_suggestion()

    def test_a_second_suggestion_of_the_same_id_is_a_conflict(self, store: Store) -> None:
        """The first one stays."""
        with store.begin(write=True) as records:
            records.add_suggestion(a_suggestion())
            with pytest.raises(Conflict, match="suggestion-1"):
                records.add_suggestion(a_suggestion(title="other"))
            assert records.suggestion("suggestion-1", a_principal()) == a_suggestion()

    def test_feedback_comes_back_whole_and_oldest_first(self, store: Store) -> None:
        """Of the same instant, in the order of arrival."""
        thumbs = a_feedback(
            id="a-last", action=FeedbackAction.THUMBS_UP, field=None, value=None, match_id="article-1", given_by="Zoë"
        )
        expected = [a_feedback(id="z", created_at=NOON - timedelta(seconds=1)), a_feedback(id="m"), thumbs]
        with store.begin(write=True) as records:
            records.add_suggestion(a_suggestion())
            for each in (expected[1], expected[2], expected[0]):
                records.add_feedback(each)
        with store.begin() as records:
            assert records.feedback("suggestion-1", a_principal()) == expected

    def test_feedback_needs_a_suggestion_and_an_id_of_its_own(self, store: Store) -> None:
        """Both mistakes are told apart, and the transaction goes on."""
        with store.begin(write=True) as records:
            records.add_suggestion(a_suggestion())
            records.add_feedback(a_feedback())
            with pytest.raises(Conflict, match="feedback-1"):
                records.add_feedback(a_feedback())
            with pytest.raises(NotFound, match="nothing"):
                records.add_feedback(a_feedback(id="other", suggestion_id="nothing"))
        with store.begin() as records:
            assert len(records.feedback("suggestion-1", a_principal())) == 1

    def test_vectors_come_back_bit_for_bit_under_their_encoder(self, store: Store) -> None:
        """Those asked for, or all; of another encoder none."""
        rows = np.random.default_rng(7).standard_normal((3, 5)).astype(np.float32)
        with store.begin(write=True) as records:
            records.add_vectors("e1", {f"h{n}": row for n, row in enumerate(rows)})
            records.add_vectors("e1", {})
        with store.begin() as records:
            every = records.vectors("e1")
            some = records.vectors("e1", ["h2", "unknown"])
            assert records.vectors("e2") == {}
            assert records.vectors("e1", []) == {}
        assert sorted(every) == ["h0", "h1", "h2"]
        assert list(some) == ["h2"]
        for n, row in enumerate(rows):
            assert every[f"h{n}"].dtype == np.float32
            np.testing.assert_array_equal(every[f"h{n}"], row)

    def test_a_vector_that_is_there_already_stays(self, store: Store) -> None:
        """And the others of the same call are stored."""
        one, two = np.ones(2, dtype=np.float32), np.zeros(2, dtype=np.float32)
        with store.begin(write=True) as records:
            records.add_vectors("e1", {"h": one})
            records.add_vectors("e1", {"h": two, "new": two})
            found = records.vectors("e1")
        np.testing.assert_array_equal(found["h"], one)
        np.testing.assert_array_equal(found["new"], two)

    def test_suggestions_leave_no_line_in_the_change_log(self, store: Store) -> None:
        """Indexes do not follow them."""
        with store.begin(write=True) as records:
            records.add_suggestion(replace(a_suggestion(), id="quiet"))
            assert records.last_seq() == 0

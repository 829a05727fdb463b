"""What every store promises of a challenger's answers and of what people say of both models."""

from dataclasses import replace

from smarttriage.domain.feedback import FeedbackAction
from smarttriage.domain.shadow import ShadowAnswer, ShadowCount
from smarttriage.ports import Store
from smarttriage.testing.factories import NOON, a_feedback, a_suggestion


class ShadowsContract:
    """Sums over the challenger's answers, and the judgements in order."""

    def test_agreement_and_rightness_are_counted_by_the_last_judgement(self, store: Store) -> None:
        """Only accepted and replaced labels judge; other tenants and other pairs of models do not count."""
        answer = ShadowAnswer("sug_1", "default", "category", "v1", "v2", "network", "network", 0.9, 0.8, NOON)
        differing = replace(answer, suggestion_id="sug_2", challenger_label="hardware")
        elsewhere = [replace(answer, tenant="other"), replace(answer, challenger="v3")]
        with store.begin(write=True) as records:
            records.add_suggestion(replace(a_suggestion(), id="sug_1", tenant="default"))
            records.add_suggestion(replace(a_suggestion(), id="sug_2", tenant="default"))
            records.add_shadow_answers([answer, differing, *elsewhere])
            for number, value in enumerate(("network", "hardware")):
                said = replace(a_feedback(), id=f"fb_{number}", tenant="default", suggestion_id="sug_2", field="category")
                records.add_feedback(replace(said, value=value, action=FeedbackAction.REPLACED))
        with store.begin() as records:
            found = records.shadow_counts("default", champion="v1", challenger="v2")
        assert list(found) == [ShadowCount("category", 2, 1, 1, 0, 1)]

    def test_judgements_come_in_order_with_the_model_that_they_judge(self, store: Store) -> None:
        """A label that differs from the best one of the suggestion counts as wrong; skipped fields do not count."""
        made = replace(a_suggestion(), id="sug_1", tenant="default")
        best = made.category.alternatives[0].value
        with store.begin(write=True) as records:
            records.add_suggestion(made)
            for number, value in enumerate((best, "another", best)):
                said = replace(a_feedback(), id=f"fb_{number}", tenant="default", suggestion_id="sug_1", field="category")
                action = FeedbackAction.ACCEPTED if number < 2 else FeedbackAction.SKIPPED
                records.add_feedback(replace(said, value=value, action=action))
        with store.begin() as records:
            found = records.judged_fields(0, limit=10)
            assert list(records.judged_fields(found[0].seq, limit=10)) == [found[1]]
            assert len(records.judged_fields(0, limit=1)) == 1
        assert [each.wrong for each in found] == [False, True]
        assert {each.model_version for each in found} == {made.provenance.model_version}

"""What every store promises of what became of articles."""

from dataclasses import replace
from datetime import timedelta

import pytest

from smarttriage.domain.article import Article, ArticleStatus
from smarttriage.domain.errors import Conflict, NotFound
from smarttriage.domain.incident import Labels, Resolution
from smarttriage.domain.matches import ArticleMatch
from smarttriage.domain.outcome import ArticleOutcome, OutcomeKind
from smarttriage.ports import Records, Store
from smarttriage.ports.outcomes import EVIDENCE_ACTOR
from smarttriage.testing.factories import NOON, a_principal, a_suggestion, an_article, an_incident, an_outcome


class OutcomesContract:
    """Outcomes by article and by incident, those that count apart from those that no longer do."""

    def test_outcomes_come_back_oldest_first_and_log_a_change_each(self, store: Store) -> None:
        """What was not tried is counted and nothing else."""
        kinds = (OutcomeKind.WORKED, OutcomeKind.DID_NOT_WORK, OutcomeKind.NOT_TRIED)
        said = [an_outcome(id=f"o{number}", kind=kind) for number, kind in enumerate(kinds)]
        self._with_article(store, said)
        with store.begin() as records:
            assert list(records.outcomes()["article-1"]) == said[:2]
            assert list(records.outcomes(["article-1"])["article-1"]) == said[:2]
            assert records.outcome_counts("article-1") == dict.fromkeys(kinds, 1)
            assert [change.kind for change in records.changes(1, limit=9)] == ["outcome"]

    def test_a_new_publication_starts_anew_unless_evidence_made_it(self, store: Store) -> None:
        """A review settles what was said before; going on published, or being restored, settles nothing."""
        first = an_article()
        self._with_article(store, [an_outcome(id="o1")])
        with store.begin(write=True) as records:
            self._moved(records, first, 2, ArticleStatus.PUBLISHED, "keeper")
            self._moved(records, first, 3, ArticleStatus.IN_REVIEW, EVIDENCE_ACTOR)
            self._moved(records, first, 4, ArticleStatus.PUBLISHED, EVIDENCE_ACTOR)
            assert len(records.outcomes(["article-1"])["article-1"]) == 1
            self._moved(records, first, 5, ArticleStatus.IN_REVIEW, "keeper")
            assert len(records.outcomes(["article-1"])["article-1"]) == 1
            self._moved(records, first, 6, ArticleStatus.PUBLISHED, "keeper")
            assert not records.outcomes(["article-1"])["article-1"]
            assert records.outcome_counts("article-1") == {}

    def test_what_a_key_said_since_then_can_be_withdrawn(self, store: Store) -> None:
        """Other keys, other tenants and earlier words stay."""
        late = NOON + timedelta(hours=1)
        said = [
            an_outcome(id="early"),
            an_outcome(id="late", created_at=late),
            an_outcome(id="other", created_at=late, key_id="key-2"),
        ]
        self._with_article(store, said)
        with store.begin(write=True) as records:
            assert list(records.withdraw_outcomes("elsewhere", "key-1", since=late, at=late)) == []
            assert list(records.withdraw_outcomes("default", "key-1", since=late, at=late)) == ["article-1"]
            assert [each.id for each in records.outcomes(["article-1"])["article-1"]] == ["early", "other"]

    def test_outcomes_of_an_incident_are_its_tenants(self, store: Store) -> None:
        """Another tenant finds none."""
        self._with_article(store, [an_outcome(incident_id="incident-1")])
        with store.begin() as records:
            assert [each.id for each in records.outcomes_of_incident("incident-1", a_principal())] == ["outcome-1"]
            assert not records.outcomes_of_incident("incident-1", a_principal(tenant="other"))

    def test_many_incidents_are_read_at_once_with_what_was_suggested_for_them(self, store: Store) -> None:
        """The newest suggestion counts; an incident without one is left out, and another tenant finds none."""
        article = ArticleMatch("article-1", "title", 0.5, "passage", "why")
        newest = a_suggestion(id="s2", incident_id="i1", articles=(article,), created_at=NOON + timedelta(hours=1))
        self._with_article(store, [an_outcome(incident_id="i1"), an_outcome(id="o2", incident_id="i2")])
        with store.begin(write=True) as records:
            records.add_suggestion(a_suggestion(id="s1", incident_id="i1"))
            records.add_suggestion(newest)
            assert records.suggested_articles(["i1", "i3"], a_principal()) == {"i1": ("article-1",)}
            assert records.suggested_articles(["i1"], a_principal(tenant="other")) == {}
            found = records.outcomes_of_incidents(["i1", "i2", "i3"], a_principal())
            assert {each: [one.id for one in said] for each, said in found.items()} == {"i1": ["outcome-1"], "i2": ["o2"]}

    def test_suggestions_are_read_in_order_and_counted_by_article(self, store: Store) -> None:
        """Counts add up; what was made too late waits."""
        late = NOON + timedelta(hours=1)
        with store.begin(write=True) as records:
            records.add_suggestion(a_suggestion(id="s1"))
            records.add_suggestion(a_suggestion(id="s2", created_at=late))
            found = records.suggestions_behind("", before=late, limit=9)
            assert [(each[0], each[2]) for each in found] == [("s1", ("article-1", "article-2"))]
            assert [each[0] for each in records.suggestions_behind("s1", before=late + timedelta(1), limit=9)] == ["s2"]
            for _ in range(2):
                records.add_shown({"article-1": 2, "article-2": 1})
            assert records.shown(["article-1", "article-2", "none"]) == {"article-1": 4, "article-2": 2}

    def test_what_an_article_solved_is_counted_by_category_of_incidents_that_may_be_seen(self, store: Store) -> None:
        """Another audience's incidents do not count."""
        solved = Resolution("As it says.", NOON, article_id="article-1")
        own = an_incident(labels=Labels(category="network"), resolution=solved)
        others = replace(own, id="incident-2", audiences=frozenset({"hr"}))
        with store.begin(write=True) as records:
            records.add_incidents([own, others], key_id=None)
            assert records.solved_categories(a_principal()) == {"article-1": {"network": 1}}

    def test_an_outcome_of_nothing_and_a_second_of_the_same_id_are_refused(self, store: Store) -> None:
        """The error says which."""
        self._with_article(store, [an_outcome()])
        with store.begin(write=True) as records, pytest.raises(Conflict, match="outcome-1"):
            records.add_outcomes([an_outcome()])
        with store.begin(write=True) as records, pytest.raises(NotFound, match="no such article"):
            records.add_outcomes([an_outcome(id="o2", article_id="none")])

    def _with_article(self, store: Store, said: list[ArticleOutcome]) -> None:
        with store.begin(write=True) as records:
            records.add_articles([an_article()], key_id=None)
            records.add_outcomes(said)

    def _moved(self, records: Records, first: Article, version: int, status: ArticleStatus, by: str) -> None:
        records.update_article(replace(first, version=version, status=status, updated_by=by), key_id=None)

"""What every store promises of lessons, and of what counts after them."""

from dataclasses import replace
from datetime import timedelta

import pytest

from smarttriage.domain.article import ArticleStatus
from smarttriage.domain.errors import InvalidInput
from smarttriage.domain.incident import Counted, Labels, Resolution, Teaching
from smarttriage.domain.lesson import Lesson, LessonKind, Said, Standing
from smarttriage.ports import Store
from smarttriage.ports.outcomes import UNDO_ACTOR
from smarttriage.testing.factories import NOON, a_principal, an_article, an_incident, an_outcome

_FIX = Resolution("Spooler neu gestartet", NOON, "Zoë", "article-1", "article-2")
_FULL = Lesson(
    id="les-1",
    tenant="default",
    kind=LessonKind.INCIDENT,
    record_id="incident-1",
    key_id="key-1",
    person="person:Zoë",
    at=NOON,
    standing=Standing.QUARANTINED,
    said=Said({"category": "network", "team": None}, frozenset({"category"}), _FIX, "", "Neu"),
    before=Teaching("t", "d", Labels(category="hardware", custom={"team": "ü"}), frozenset({"team"}), _FIX),
    creates=True,
    told="worked",
    outcome_ids=("o1", "o2"),
    group_article="article-1",
    agreed=(("key-2", "person:ann"), ("key-2", "person:bob")),
    decided_at=NOON + timedelta(hours=1),
    decided_by="key-2",
    reason="unsafe",
)


class LessonsContract:
    """Lessons by record, by key and by standing, to those who may see what they are about."""

    def test_a_lesson_comes_back_and_is_settled(self, store: Store) -> None:
        """All of it, those of a record in the order in which they were added."""
        bare = Lesson("les-2", "default", LessonKind.INCIDENT, "incident-1", "key-1", "key:key-1", NOON)
        self._with(store, _FULL, bare)
        settled = _FULL.settled(Standing.REJECTED, by="key-3", at=NOON, reason="no")
        with store.begin(write=True) as records:
            assert records.lessons_about(["incident-1", "none"]) == {"incident-1": [_FULL, bare]}
            assert records.lessons_by_id(["les-1", "none"], a_principal()) == {"les-1": _FULL}
            records.settle_lessons([settled])
            assert records.lessons_about(["incident-1"]) == {"incident-1": [settled, bare]}

    def test_only_what_the_principal_may_see_waits_for_it(self, store: Store) -> None:
        """By the audiences of the incident or of the article's latest version."""
        about_article = replace(_FULL, id="les-2", kind=LessonKind.OUTCOME, record_id="article-1", key_id="key-9")
        counting = replace(_FULL, id="les-3", standing=Standing.COUNTS)
        self._with(store, _FULL, about_article, counting)
        with store.begin() as records:
            first = records.lessons_standing(Standing.QUARANTINED, a_principal(), key_id=None, limit=1, cursor=None)
            second = records.lessons_standing(Standing.QUARANTINED, a_principal(), key_id=None, limit=1, cursor=first.next_cursor)
            assert ([*first.items, *second.items], second.next_cursor) == ([_FULL, about_article], None)
            own = records.lessons_standing(Standing.QUARANTINED, a_principal(), key_id="key-9", limit=9, cursor=None)
            assert own.items == [about_article]
            for outsider in (a_principal(tenant="other"), a_principal(audiences=frozenset({"hr"}))):
                assert records.lessons_standing(Standing.QUARANTINED, outsider, key_id=None, limit=9, cursor=None).items == []
                assert records.lessons_by_id(["les-1", "les-2"], outsider) == {}
            with pytest.raises(InvalidInput, match="cursor"):
                records.lessons_standing(Standing.QUARANTINED, a_principal(), key_id=None, limit=9, cursor="bm8")

    def test_what_a_key_taught_and_what_it_confirmed_is_found_since_then(self, store: Store) -> None:
        """Neither what was undone, nor what is of another tenant."""
        late = NOON + timedelta(hours=2)
        own = [replace(_FULL, id=f"own-{n}", at=at, agreed=(), decided_by=None) for n, at in enumerate((NOON, late))]
        undone = replace(own[1], id="undone", standing=Standing.UNDONE)
        confirmed = replace(_FULL, id="confirmed", key_id="key-2", standing=Standing.COUNTS, decided_by="key-1", decided_at=late)
        spoken_for = replace(_FULL, id="spoken", key_id="key-2", agreed=(("key-1", "person:ann"),), decided_by=None)
        self._with(store, *own, undone, confirmed, spoken_for)
        with store.begin() as records:
            assert records.lessons_of_key("default", "key-1", since=late) == [own[1]]
            assert records.lessons_of_key("other", "key-1", since=NOON) == []
            assert records.lessons_confirmed_by("default", "key-1", since=late) == [confirmed, spoken_for]
            assert records.lessons_confirmed_by("other", "key-1", since=NOON) == []

    def test_accepted_drafts_and_confirmed_lessons_are_counted_together(self, store: Store) -> None:
        """Rejections are none, and neither is what lies further back."""
        decision = Lesson("d1", "default", LessonKind.DECISION, "draft-1", "key-1", "key:key-1", NOON, told="accepted")
        told = [decision, replace(decision, id="d2", told="rejected"), replace(decision, id="d3", at=NOON - timedelta(hours=1))]
        confirmed = replace(_FULL, standing=Standing.COUNTS, key_id="key-2", decided_by="key-1", decided_at=NOON)
        self._with(store, *told, confirmed)
        with store.begin() as records:
            assert records.n_accepted("default", "key-1", since=NOON) == 2
            assert records.n_accepted("default", "key-2", since=NOON) == 0

    def test_what_counts_of_an_incident_is_stored_beside_it(self, store: Store) -> None:
        """The record and its version stay; whoever follows the change log hears of it."""
        self._with(store)
        counted = Counted(Teaching("t", "d"), "key-7")
        with store.begin(write=True) as records:
            seq = records.last_seq()
            records.put_counted(an_incident(), counted, key_id="key-2")
            assert records.incident("incident-1", a_principal()) == an_incident(counted=counted)
            (change,) = records.changes(seq, limit=9)
            assert (change.kind, change.record_id, change.key_id) == ("incident", "incident-1", "key-2")
            records.put_counted(an_incident(), None, key_id="key-2")
            assert records.incident("incident-1", a_principal()) == an_incident()

    def test_outcomes_count_from_their_confirmation_on_until_they_are_taken_back(self, store: Store) -> None:
        """Each step is heard of in the change log."""
        self._with(store)
        with store.begin(write=True) as records:
            records.add_outcomes([an_outcome(quarantined=True)])
            assert not records.outcomes(["article-1"])["article-1"]
            records.count_outcomes(["outcome-1"])
            assert list(records.outcomes(["article-1"])["article-1"]) == [an_outcome()]
            records.quarantine_outcomes(["outcome-1"])
            assert records.outcome_counts("article-1") == {}
            records.count_outcomes(["outcome-1"])
            records.take_back_outcomes(["outcome-1"], at=NOON)
            assert not records.outcomes(["article-1"])["article-1"]
            assert [change.kind for change in records.changes(0, limit=99)].count("outcome") == 5

    def test_undone_versions_end_no_life_of_an_article_and_what_was_said_of_them_counts_no_longer(self, store: Store) -> None:
        """What was said of the version that is brought back counts again, before and since."""
        self._with(store)
        with store.begin(write=True) as records:
            first = an_article()
            records.add_outcomes([an_outcome()])
            steps = ((2, ArticleStatus.DRAFT, "thief"), (3, ArticleStatus.PUBLISHED, "thief"))
            for version, status, author in steps:
                records.update_article(replace(first, version=version, status=status, updated_by=author), key_id=author)
            records.add_outcomes([an_outcome(id="of-the-thief-s", version=3), an_outcome(id="beside", version=2)])
            assert records.article_versions_of("default", "thief", since=NOON) == {"article-1": [2, 3]}
            assert records.article_versions_of("other", "thief", since=NOON) == {}
            records.mark_undone("article-1", [2, 3], at=NOON)
            records.update_article(replace(first, version=4, updated_by=UNDO_ACTOR), key_id="key-1")
            records.add_outcomes([an_outcome(id="since", version=4)])
            assert [each.id for each in records.outcomes(["article-1"])["article-1"]] == ["outcome-1", "beside", "since"]
            assert [(each.version, undone) for each, undone in records.article_course("article-1")] == [
                (1, False),
                (2, True),
                (3, True),
                (4, False),
            ]
            assert records.article_versions_of("default", "thief", since=NOON) == {}

    def _with(self, store: Store, *lessons: Lesson) -> None:
        with store.begin(write=True) as records:
            records.add_incidents([an_incident()], key_id="key-1")
            records.add_articles([an_article()], key_id="key-1")
            records.add_lessons(lessons)

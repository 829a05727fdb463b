"""What every store promises of observations, groups of the same fix, and drafts."""

from dataclasses import replace
from datetime import timedelta

import pytest

from smarttriage.domain.draft import ArticleDraft, Citation, DraftKind, DraftSentence, DraftStatus, Section, SourceField
from smarttriage.domain.errors import InvalidInput, VersionMismatch
from smarttriage.domain.observation import FixGroup, GroupEvent, GroupEventKind, Observation
from smarttriage.ports import Store
from smarttriage.testing.factories import NOON, a_principal, an_incident

_EVERYONE = frozenset({"everyone"})
_GROUP = FixGroup("fix-1", "default", _EVERYONE, NOON, NOON)
_OBSERVATION = Observation(
    id="obs-1",
    tenant="default",
    audiences=_EVERYONE,
    incident_id="incident-1",
    title="Printer offline",
    symptom="Ünable to print 0x0000011b",
    fix="Cleared the queue.",
    resolved_at=NOON,
    services=("Print",),
    people=("Ana",),
)
_DRAFT = ArticleDraft(
    id="draft-1",
    tenant="default",
    audiences=_EVERYONE,
    group_id="fix-1",
    kind=DraftKind.NEW,
    title="Printer offline",
    sentences=(
        DraftSentence(Section.RESOLUTION, "Cleared the queue.", (Citation("incident-1", SourceField.RESOLUTION, 0, 18),)),
    ),
    created_at=NOON,
    updated_at=NOON,
    keywords=("0x0000011b",),
    incident_ids=("incident-1",),
)


class LoopContract:
    """Everything comes back as it was put, to those who may see it."""

    def test_an_observation_comes_back_and_is_replaced_by_its_id(self, store: Store) -> None:
        """One for each incident; one outside any group is not among the grouped."""
        self._with_group(store)
        with store.begin(write=True) as records:
            records.put_observations([_OBSERVATION])
            assert records.observations(["incident-1", "none"]) == {"incident-1": _OBSERVATION}
            assert list(records.grouped_observations()) == []
            member = replace(_OBSERVATION, group_id="fix-1", fix="Raised the limit.")
            records.put_observations([member])
            assert list(records.grouped_observations()) == list(records.grouped_observations(["fix-1"])) == [member]
            assert list(records.grouped_observations(["fix-2"])) == []
            records.remove_observations(["obs-1"])
            assert records.observations(["incident-1"]) == {}

    def test_a_group_and_its_history_come_back(self, store: Store) -> None:
        """Events in the order in which they were added."""
        self._with_group(store)
        events = [
            GroupEvent("fix-1", GroupEventKind.FORMED, NOON, "obs-1"),
            GroupEvent("fix-1", GroupEventKind.SPLIT, NOON, other_id="fix-2"),
        ]
        with store.begin(write=True) as records:
            records.add_group_events(events)
            later = replace(_GROUP, updated_at=NOON + timedelta(hours=1), article_id="kb-1", merged_into="fix-0")
            records.put_fix_groups([later])
            assert records.fix_groups(["fix-1", "none"]) == {"fix-1": later}
            assert records.group_events("fix-1") == events
            assert records.group_events("fix-2") == []

    def test_a_draft_is_seen_by_its_audiences_and_its_tenant_only(self, store: Store) -> None:
        """Others get none, neither by id nor in lists."""
        self._with_group(store)
        with store.begin(write=True) as records:
            records.put_drafts([_DRAFT])
            assert records.article_draft("draft-1", a_principal()) == _DRAFT
            for other in (
                a_principal(tenant="other"),
                a_principal(audiences=frozenset({"hr"})),
                a_principal(audiences=frozenset()),
            ):
                assert records.article_draft("draft-1", other) is None
                assert not records.article_drafts(other, status=None, limit=9, cursor=None).items

    def test_drafts_are_listed_the_last_changed_first(self, store: Store) -> None:
        """Pages follow each other without gap, and the status narrows them."""
        self._with_group(store)
        made = [replace(_DRAFT, id=f"d{n}", updated_at=NOON + timedelta(minutes=n // 2)) for n in range(5)]
        made[0] = replace(made[0], status=DraftStatus.REJECTED, reason="wrong", decided_at=NOON, decided_by="key-1")
        with store.begin(write=True) as records:
            records.put_drafts(made)
            first = records.article_drafts(a_principal(), status=None, limit=3, cursor=None)
            rest = records.article_drafts(a_principal(), status=None, limit=3, cursor=first.next_cursor)
            assert [each.id for each in (*first.items, *rest.items)] == ["d4", "d2", "d3", "d0", "d1"]
            assert rest.next_cursor is None
            rejected = records.article_drafts(a_principal(), status=DraftStatus.REJECTED, limit=3, cursor=None)
            assert list(rejected.items) == made[:1]
            with pytest.raises(InvalidInput, match="cursor"):
                records.article_drafts(a_principal(), status=None, limit=3, cursor="x")

    def test_a_draft_changes_only_from_the_version_that_was_read(self, store: Store) -> None:
        """A second first version is refused too."""
        self._with_group(store)
        with store.begin(write=True) as records:
            records.put_drafts([_DRAFT])
        for version in (1, 3):
            with store.begin(write=True) as records, pytest.raises(VersionMismatch, match="draft-1"):
                records.put_drafts([replace(_DRAFT, version=version)])
        with store.begin(write=True) as records:
            records.put_drafts([replace(_DRAFT, version=2, title="Other")])
            assert records.drafts_by_id(["draft-1"])["draft-1"].title == "Other"

    def test_open_drafts_are_found_by_group_and_by_article(self, store: Store) -> None:
        """Those that were decided are not."""
        self._with_group(store)
        with store.begin(write=True) as records:
            closed = replace(_DRAFT, id="draft-2", status=DraftStatus.ACCEPTED, article_id="kb-1")
            records.put_drafts([replace(_DRAFT, article_id="kb-1"), closed])
            assert [each.id for each in records.open_drafts(group_ids=["fix-1"])] == ["draft-1"]
            assert [each.id for each in records.open_drafts(article_ids=["kb-1"])] == ["draft-1"]
            assert records.open_drafts(group_ids=["fix-2"]) == []

    def _with_group(self, store: Store) -> None:
        with store.begin(write=True) as records:
            records.add_incidents([an_incident()], key_id=None)
            records.put_fix_groups([_GROUP])

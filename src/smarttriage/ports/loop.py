"""The part of the store's records that lets the knowledge base grow: observations, groups of the same fix, drafts."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from smarttriage.domain.access import Principal
from smarttriage.domain.draft import ArticleDraft, DraftStatus
from smarttriage.domain.observation import FixGroup, GroupEvent, Observation

if TYPE_CHECKING:
    from smarttriage.ports.store import Page


class LoopRecords(Protocol):
    """Observations, groups and drafts, inside one transaction. What takes no `Principal` is for the loop only, of every tenant."""

    def observations(self, incident_ids: Collection[str]) -> Mapping[str, Observation]:
        """Return incident id -> its observation."""
        ...

    def grouped_observations(self, group_ids: Collection[str] | None = None) -> Iterator[Observation]:
        """Yield the observations that are in a group (any, or those of `group_ids`), by id."""
        ...

    def put_observations(self, observations: Sequence[Observation]) -> None:
        """Add or replace, each by its id."""
        ...

    def remove_observations(self, ids: Collection[str]) -> None:
        """Forget them."""
        ...

    def fix_groups(self, ids: Collection[str]) -> Mapping[str, FixGroup]:
        """Return those of `ids` that are there."""
        ...

    def fix_groups_since(self, at: datetime) -> Sequence[str]:
        """Return the ids of the groups with members that changed since then."""
        ...

    def put_fix_groups(self, groups: Sequence[FixGroup]) -> None:
        """Add or replace, each by its id."""
        ...

    def add_group_events(self, events: Sequence[GroupEvent]) -> None:
        """Add to the history."""
        ...

    def group_events(self, group_id: str) -> Sequence[GroupEvent]:
        """Return the history of a group, oldest first."""
        ...

    def article_draft(self, draft_id: str, principal: Principal) -> ArticleDraft | None:
        """Return the draft if the principal may see it."""
        ...

    def article_drafts(self, principal: Principal, *, status: DraftStatus | None, limit: int, cursor: str | None) -> "Page":
        """Return a page of `ArticleDraft`, the last changed first."""
        ...

    def drafts_by_id(self, ids: Collection[str]) -> Mapping[str, ArticleDraft]:
        """Return those of `ids` that are there."""
        ...

    def open_drafts(
        self, *, group_ids: Collection[str] | None = None, article_ids: Collection[str] | None = None
    ) -> Sequence[ArticleDraft]:
        """Return the proposed drafts of these groups, or those of these articles."""
        ...

    def put_drafts(self, drafts: Sequence[ArticleDraft]) -> None:
        """Add those of version 1, replace the others. Raises VersionMismatch unless the version follows the stored one."""
        ...

"""The part of the store's records that tells what was taught, by whom, and whether it counts."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from smarttriage.domain.access import Principal
from smarttriage.domain.article import Article
from smarttriage.domain.incident import Counted, Incident
from smarttriage.domain.lesson import Lesson, Standing

if TYPE_CHECKING:
    from smarttriage.ports.store import Page


class LessonRecords(Protocol):
    """Lessons, inside one transaction. Append-only but for their standing and who agreed."""

    def add_lessons(self, lessons: Sequence[Lesson]) -> None:
        """Store them behind those that are there."""
        ...

    def lessons_about(self, record_ids: Collection[str]) -> Mapping[str, Sequence[Lesson]]:
        """Return record id -> its lessons, oldest first, for those that have some."""
        ...

    def lessons_by_id(self, ids: Collection[str], principal: Principal) -> Mapping[str, Lesson]:
        """Return those of `ids` whose incident or article the principal may see."""
        ...

    def lessons_standing(
        self, standing: Standing, principal: Principal, *, key_id: str | None, limit: int, cursor: str | None
    ) -> "Page":
        """Return a page of `Lesson` of that standing about what the principal may see, of one key or of all, oldest first."""
        ...

    def lessons_of_key(self, tenant: str, key_id: str, *, since: datetime) -> Sequence[Lesson]:
        """Return what the key taught since then and was not undone, oldest first."""
        ...

    def lessons_confirmed_by(self, tenant: str, key_id: str, *, since: datetime) -> Sequence[Lesson]:
        """Return the lessons of others that the key confirmed or rejected since then, and those waiting that it spoke for, by seq."""
        ...

    def settle_lessons(self, lessons: Sequence[Lesson]) -> None:
        """Replace standing, agreement and decision of lessons, by id."""
        ...

    def put_counted(self, incident: Incident, counted: Counted | None, *, key_id: str | None) -> None:
        """Say what counts of an incident; the record itself, and its version, stay as they are."""
        ...

    def article_versions_of(self, tenant: str, key_id: str, *, since: datetime) -> Mapping[str, Sequence[int]]:
        """Return article id -> the versions that the key wrote since then and that were not undone, oldest first."""
        ...

    def article_course(self, article_id: str) -> Sequence[tuple[Article, bool]]:
        """Return every version, oldest first, whoever may see it, and whether it was undone; for undoing only."""
        ...

    def mark_undone(self, article_id: str, versions: Collection[int], *, at: datetime) -> None:
        """Let versions count as undone: what was said of the article while one of them was published counts no longer."""
        ...

    def note_undo(self, tenant: str, key_id: str, *, by: str) -> None:
        """Append to the change log that what a key taught was undone, and by which key."""
        ...

    def n_accepted(self, tenant: str, key_id: str, *, since: datetime) -> int:
        """Return how many drafts the key accepted and how many lessons of others it confirmed since then, together."""
        ...

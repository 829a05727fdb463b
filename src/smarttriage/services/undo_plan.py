"""What a key taught since an instant, and what bringing it back takes: read before anything is changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from smarttriage.domain.access import Principal
from smarttriage.domain.article import Article, ArticleStatus
from smarttriage.domain.errors import NotFound
from smarttriage.domain.lesson import Lesson, LessonKind
from smarttriage.domain.undoing import without
from smarttriage.ports import Records
from smarttriage.ports.outcomes import UNDO_ACTOR
from smarttriage.services.importing import IMPORTER, SEEDER
from smarttriage.services.promotion import Fingerprints, fingerprints


@dataclass(frozen=True, slots=True)
class Course:
    """Every version of an article, those that the key wrote, and what must be written so that it is as if they were not."""

    versions: Sequence[Article]
    undone: Sequence[int]
    steps: Sequence[Article]

    @property
    def status(self) -> ArticleStatus:
        """Its status afterwards."""
        return (self.steps[-1] if self.steps else self.versions[-1]).status


@dataclass(frozen=True, slots=True)
class UndoPlan:
    """What a key taught: its lessons, its word on those of others, the versions that it wrote by article, texts that it labelled."""

    lessons: Sequence[Lesson]
    confirmed: Sequence[Lesson]
    courses: Mapping[str, Course]
    taught: Fingerprints
    built_on: tuple[str, ...]

    def of_kind(self, kind: LessonKind) -> list[Lesson]:
        """Return the key's own lessons of that kind, oldest first."""
        return [each for each in self.lessons if each.kind is kind]

    @property
    def has_anything(self) -> bool:
        """Whether there is something to undo."""
        return bool(self.lessons or self.confirmed or self.courses)

    @property
    def incidents(self) -> list[str]:
        """Incidents of which something else counts afterwards."""
        about = [each for each in (*self.lessons, *self.confirmed) if each.kind is LessonKind.INCIDENT]
        return list(dict.fromkeys(each.record_id for each in about))


def plan_undo(records: Records, principal: Principal, key_id: str, since: datetime) -> UndoPlan:
    """Return what a key of the tenant taught since then. Raises NotFound for a key that the tenant never had."""
    key = records.api_key(key_id)
    lessons = records.lessons_of_key(principal.tenant, key_id, since=since)
    written = records.article_versions_of(principal.tenant, key_id, since=since)
    if key_id not in (IMPORTER, SEEDER) and (key is None or key.tenant != principal.tenant):
        raise NotFound(f"there is no key {key_id}", field="key_id")
    labelled = {each.record_id for each in lessons if each.said.labels}
    texts = [incident.text for incident in records.indexable_incidents(labelled)] if labelled else []
    confirmed = records.lessons_confirmed_by(principal.tenant, key_id, since=since)
    courses = {id_: _course(records, id_, versions) for id_, versions in written.items()}
    about = {each.record_id for each in lessons if each.kind is LessonKind.INCIDENT}
    built_on = _built_on(records, principal, about) if about else ()
    left = tuple(id_ for id_ in built_on if id_ not in courses or courses[id_].status is ArticleStatus.PUBLISHED)
    return UndoPlan(lessons, confirmed, courses, fingerprints(texts), left)


def _built_on(records: Records, principal: Principal, incident_ids: set[str]) -> tuple[str, ...]:
    return tuple(
        article.id
        for article in records.indexable_articles()
        if article.tenant == principal.tenant and not incident_ids.isdisjoint(article.source_incidents)
    )


def _course(records: Records, article_id: str, undone: Sequence[int]) -> Course:
    course = records.article_course(article_id)
    gone = {version.version for version, is_undone in course if is_undone}.union(undone)
    versions = [version for version, _ in course]
    return Course(versions, undone, without(versions, gone, repeats=UNDO_ACTOR))

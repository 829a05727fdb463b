"""What waits until somebody confirms it: listed, confirmed, rejected."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from smarttriage.domain.access import Principal, Scope
from smarttriage.domain.errors import Conflict, InvalidInput, NotFound, PermissionDenied
from smarttriage.domain.lesson import Lesson, LessonKind, Standing
from smarttriage.domain.outcome import person_of
from smarttriage.domain.review import WINDOW, ReviewPolicy
from smarttriage.ports import Clock, Page, Records, Store
from smarttriage.services.outcomes import OutcomeTaker
from smarttriage.services.teaching import recount


class QuarantineService:
    """Reads and decides lessons of keys that are not trusted. What a key may not see does not exist for it."""

    def __init__(self, *, store: Store, clock: Clock, taker: OutcomeTaker, policy: ReviewPolicy | None = None) -> None:
        self._store = store
        self._clock = clock
        self._taker = taker
        self._policy = policy or ReviewPolicy()

    def lessons(
        self,
        principal: Principal,
        *,
        standing: Standing = Standing.QUARANTINED,
        key_id: str | None,
        limit: int,
        cursor: str | None,
    ) -> Page:
        """Return a page of `Lesson` of that standing, of one key or of all, oldest first."""
        with self._store.begin() as records:
            return records.lessons_standing(standing, principal, key_id=key_id, limit=limit, cursor=cursor)

    def confirm(self, principal: Principal, ids: Sequence[str]) -> Sequence[Lesson]:
        """Return the lessons as they stand now that a reviewer says that they are right. All are confirmed or none.

        What was rejected or undone counts again by that too. Raises PermissionDenied for the key's own lessons; NotFound; Conflict
        for more than a reviewer can have read.
        """
        principal.require(Scope.REVIEW)
        with self._store.begin(write=True) as records:
            waiting = _undecided(records, principal, ids, done=Standing.COUNTS, able=frozenset(Standing))
            since = self._clock() - WINDOW
            n_before = records.n_accepted(principal.tenant, principal.key_id, since=since)
            self._policy.check_pace(principal, n_before, len(waiting))
            self._count(records, principal, waiting)
            return _present(records, principal, ids)

    def agree(self, principal: Principal, ids: Sequence[str], *, given_by: str | None) -> Sequence[Lesson]:
        """Return the lessons as they stand with one more word for them; enough trusted people confirm what no reviewer has read.

        Raises as `confirm`, and PermissionDenied for a key that is not trusted.
        """
        principal.require(Scope.WRITE)
        if not principal.is_trusted:
            raise PermissionDenied(f"key {principal.key_id} is not trusted, so its word confirms nothing; ask a reviewer")
        word = (principal.key_id, person_of(given_by, principal))
        with self._store.begin(write=True) as records:
            waiting = _undecided(records, principal, ids, done=Standing.COUNTS)
            said = [replace(each, agreed=tuple(dict.fromkeys((*each.agreed, word)))) for each in waiting]
            records.settle_lessons(said)
            self._count(records, principal, [each for each in said if each.n_agreed >= self._policy.confirmations])
            return _present(records, principal, ids)

    def reject(self, principal: Principal, ids: Sequence[str], *, reason: str) -> Sequence[Lesson]:
        """Return the lessons as rejected: they stay on their records and count for nobody. All or none; raises as `confirm`."""
        principal.require(Scope.REVIEW)
        if not reason.strip():
            raise InvalidInput("reason is empty; say in a few words what is wrong", field="reason")
        with self._store.begin(write=True) as records:
            waiting = _undecided(records, principal, ids, done=Standing.REJECTED)
            at = self._clock()
            records.settle_lessons(
                [each.settled(Standing.REJECTED, by=principal.key_id, at=at, reason=reason.strip()) for each in waiting]
            )
            records.take_back_outcomes([id_ for each in waiting for id_ in each.outcome_ids], at=at)
            recount(records, _incidents(waiting), key_id=principal.key_id)
            return _present(records, principal, ids)

    def _count(self, records: Records, principal: Principal, lessons: Collection[Lesson]) -> None:
        """Let the lessons count, with the outcomes that follow from them."""
        at = self._clock()
        records.settle_lessons([each.settled(Standing.COUNTS, by=principal.key_id, at=at) for each in lessons])
        records.count_outcomes([id_ for each in lessons for id_ in each.outcome_ids])
        recount(records, _incidents(lessons), key_id=principal.key_id)
        about = {each.record_id for each in lessons if each.kind is LessonKind.OUTCOME}
        for article in records.articles_by_id(about, principal).values():
            self._taker.look_again(records, principal, article)


def _undecided(
    records: Records,
    principal: Principal,
    ids: Sequence[str],
    *,
    done: Standing,
    able: frozenset[Standing] = frozenset({Standing.QUARANTINED}),
) -> list[Lesson]:
    """Return those of the lessons that are `able` to be decided; those that are `done` are what was asked for already."""
    found = records.lessons_by_id(ids, principal)
    for id_ in ids:
        if id_ not in found:
            raise NotFound(f"there is no lesson {id_}", field="ids")
        lesson = found[id_]
        if lesson.standing not in (*able, done):
            raise Conflict(f"lesson {id_} is {lesson.standing}; only what is quarantined can be decided so", field="ids")
        if lesson.key_id == principal.key_id:
            raise PermissionDenied(f"lesson {id_} is of key {principal.key_id} itself; let another one decide")
    return [each for each in found.values() if each.standing is not done]


def _incidents(lessons: Collection[Lesson]) -> set[str]:
    return {each.record_id for each in lessons if each.kind is LessonKind.INCIDENT}


def _present(records: Records, principal: Principal, ids: Sequence[str]) -> Sequence[Lesson]:
    return list(records.lessons_by_id(ids, principal).values())

"""What was taught, in a transaction."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Row, and_, bindparam, exists, false, func, insert, or_, select, update

from smarttriage.adapters.stores.cursors import bad_cursor, checked_limit, decode_cursor, encode_cursor, page
from smarttriage.adapters.stores.lesson_json import body_values, lesson_body
from smarttriage.adapters.stores.lesson_schema import lesson as table
from smarttriage.adapters.stores.schema import article, article_audience, incident_audience
from smarttriage.adapters.stores.transaction import Transaction, chunks
from smarttriage.domain.access import Principal
from smarttriage.domain.draft import DraftStatus
from smarttriage.domain.lesson import Lesson, LessonKind, Standing
from smarttriage.ports import Page

_IDS: BindParameter[str] = bindparam("ids", expanding=True)
# SQLite's integers end at 2 ** 63.
_MAX_DIGITS = 18
_COLUMNS = ("id", "tenant", "kind", "record_id", "key_id", "person", "at", "standing", "decided_at", "decided_by", "reason")
_ADD = insert(table)
_ABOUT = select(table).where(table.c.record_id.in_(_IDS)).order_by(table.c.seq)
_BY_ID = select(table).where(table.c.id.in_(_IDS)).order_by(table.c.seq)
_IN_ORDER = select(table).order_by(table.c.seq)
_WAITING = _IN_ORDER.where(table.c.standing == Standing.QUARANTINED.value)
_OF_KEY = (
    select(table)
    .where(
        table.c.tenant == bindparam("tenant"),
        table.c.key_id == bindparam("key_id"),
        table.c.at >= bindparam("since"),
        table.c.standing != Standing.UNDONE.value,
    )
    .order_by(table.c.seq)
)
_SETTLE = (
    update(table)
    .where(table.c.id == bindparam("of_id"))
    .values({name: bindparam(f"new_{name}") for name in ("standing", "decided_at", "decided_by", "reason", "body")})
)
_CONFIRMED = select(func.count()).where(
    table.c.decided_by == bindparam("key_id"),
    table.c.decided_at >= bindparam("since"),
    table.c.tenant == bindparam("tenant"),
    table.c.standing == Standing.COUNTS.value,
)
_DECIDED_BY = (
    select(table)
    .where(
        table.c.tenant == bindparam("tenant"),
        table.c.decided_by == bindparam("key_id"),
        table.c.decided_at >= bindparam("since"),
        table.c.key_id != bindparam("key_id"),
        table.c.standing.in_([Standing.COUNTS.value, Standing.REJECTED.value]),
    )
    .order_by(table.c.seq)
)
_DECIDED = select(table.c.body).where(
    table.c.tenant == bindparam("tenant"),
    table.c.key_id == bindparam("key_id"),
    table.c.at >= bindparam("since"),
    table.c.kind == LessonKind.DECISION.value,
)


class LessonRecords(Transaction):
    """Lessons by record, by key, and those that wait."""

    def add_lessons(self, lessons: Sequence[Lesson]) -> None:
        """Store them behind those that are there."""
        if lessons:
            self._writes.execute(_ADD, [_row(each) for each in lessons])

    def lessons_about(self, record_ids: Collection[str]) -> Mapping[str, Sequence[Lesson]]:
        """Return record id -> its lessons, oldest first."""
        found: dict[str, list[Lesson]] = defaultdict(list)
        for part in chunks(record_ids):
            for row in self._reads.execute(_ABOUT, {"ids": part}):
                found[row.record_id].append(_lesson_of(row))
        return found

    def lessons_by_id(self, ids: Collection[str], principal: Principal) -> Mapping[str, Lesson]:
        """Return those of `ids` whose incident or article the principal may see."""
        visible = _BY_ID.where(_visible_to(principal))
        rows = (row for part in chunks(ids) for row in self._reads.execute(visible, {"ids": part}))
        return {row.id: _lesson_of(row) for row in rows}

    def lessons_standing(
        self, standing: Standing, principal: Principal, *, key_id: str | None, limit: int, cursor: str | None
    ) -> Page:
        """Return a page of `Lesson` of that standing, oldest first."""
        conditions = [_visible_to(principal), table.c.standing == standing.value]
        if key_id is not None:
            conditions.append(table.c.key_id == key_id)
        if cursor is not None:
            conditions.append(table.c.seq > _seq_in(cursor))
        rows = self._reads.execute(_IN_ORDER.where(*conditions).limit(checked_limit(limit) + 1)).all()
        cut = page(list(rows), limit, lambda last: encode_cursor(str(last.seq)))
        return Page([_lesson_of(row) for row in cut.items], cut.next_cursor)

    def lessons_of_key(self, tenant: str, key_id: str, *, since: datetime) -> Sequence[Lesson]:
        """Return what the key taught since then and was not undone, oldest first."""
        return [_lesson_of(row) for row in self._reads.execute(_OF_KEY, {"tenant": tenant, "key_id": key_id, "since": since})]

    def lessons_confirmed_by(self, tenant: str, key_id: str, *, since: datetime) -> Sequence[Lesson]:
        """Return the lessons of others that the key confirmed or rejected since then, and those waiting that it spoke for, by seq."""
        named = {"tenant": tenant, "key_id": key_id, "since": since}
        spoken_for = _WAITING.where(table.c.tenant == tenant, table.c.body.contains(key_id, autoescape=True))
        found = [_lesson_of(row) for row in self._reads.execute(_DECIDED_BY, named)]
        waiting = [_lesson_of(row) for row in self._reads.execute(spoken_for)]
        return found + [each for each in waiting if any(key == key_id for key, _ in each.agreed)]

    def settle_lessons(self, lessons: Sequence[Lesson]) -> None:
        """Replace standing, agreement and decision of lessons, by id."""
        rows = [
            {
                "of_id": each.id,
                "new_standing": str(each.standing),
                "new_decided_at": each.decided_at,
                "new_decided_by": each.decided_by,
                "new_reason": each.reason,
                "new_body": lesson_body(each),
            }
            for each in lessons
        ]
        if rows:
            self._writes.execute(_SETTLE, rows)

    def note_undo(self, tenant: str, key_id: str, *, by: str) -> None:
        """Append to the change log that what a key taught was undone, and by which key."""
        self._log("undo", [(key_id, tenant)], by)

    def n_accepted(self, tenant: str, key_id: str, *, since: datetime) -> int:
        """Return how many drafts the key accepted and how many lessons it confirmed since then, together."""
        asked = {"tenant": tenant, "key_id": key_id, "since": since}
        told = [body_values(body)["told"] for body in self._reads.execute(_DECIDED, asked).scalars()]
        return int(self._reads.execute(_CONFIRMED, asked).scalar_one()) + told.count(DraftStatus.ACCEPTED)


def _visible_to(principal: Principal) -> ColumnElement[bool]:
    if not principal.audiences:
        return false()
    audiences = sorted(principal.audiences)
    of_incident = exists().where(
        incident_audience.c.incident_id == table.c.record_id, incident_audience.c.audience.in_(audiences)
    )
    of_article = exists().where(
        article.c.id == table.c.record_id,
        article_audience.c.article_id == article.c.id,
        article_audience.c.version == article.c.version,
        article_audience.c.audience.in_(audiences),
    )
    return and_(table.c.tenant == principal.tenant, or_(of_incident, of_article))


def _seq_in(cursor: str) -> int:
    (written,) = decode_cursor(cursor, 1)
    if not written.isdecimal() or len(written) > _MAX_DIGITS:
        raise bad_cursor(cursor)
    return int(written)


def _row(lesson: Lesson) -> dict[str, Any]:
    values = {name: getattr(lesson, name) for name in _COLUMNS}
    return {**values, "kind": str(lesson.kind), "standing": str(lesson.standing), "body": lesson_body(lesson)}


def _lesson_of(row: Row[Any]) -> Lesson:
    own = {name: getattr(row, name) for name in _COLUMNS}
    return Lesson(**{**own, "kind": LessonKind(row.kind), "standing": Standing(row.standing)}, **body_values(row.body))

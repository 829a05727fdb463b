"""The knowledge loop in a transaction: observations, groups of the same fix, drafts."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Row, and_, bindparam, delete, exists, false, insert, or_, select, update

from smarttriage.adapters.stores.cursors import checked_limit, decode_cursor, encode_cursor, instant_in_cursor, page
from smarttriage.adapters.stores.loop_json import body_of, draft_of, observation_of
from smarttriage.adapters.stores.loop_schema import article_draft as draft_table
from smarttriage.adapters.stores.loop_schema import article_draft_audience, fix_group, fix_group_event
from smarttriage.adapters.stores.loop_schema import observation as seen
from smarttriage.adapters.stores.transaction import Transaction, chunks, json_of_set, set_of
from smarttriage.adapters.stores.types import InsertIfNew
from smarttriage.domain.access import Principal
from smarttriage.domain.draft import ArticleDraft, DraftStatus
from smarttriage.domain.errors import VersionMismatch
from smarttriage.domain.observation import FixGroup, GroupEvent, GroupEventKind, Observation
from smarttriage.ports import Page

_IDS: BindParameter[str] = bindparam("ids", expanding=True)
_OF_INCIDENTS = select(seen).where(seen.c.incident_id.in_(_IDS))
_GROUPED = select(seen).where(seen.c.group_id.is_not(None)).order_by(seen.c.id)
_OF_GROUPS = select(seen).where(seen.c.group_id.in_(_IDS)).order_by(seen.c.id)
_FORGET = delete(seen).where(seen.c.id.in_(_IDS))
_DRAFTS = select(draft_table).where(draft_table.c.id.in_(_IDS))
_LATEST_FIRST = select(draft_table).order_by(draft_table.c.updated_at.desc(), draft_table.c.id)
_OPEN = select(draft_table).where(draft_table.c.status == DraftStatus.PROPOSED.value).order_by(draft_table.c.id)
_EVENTS = select(fix_group_event).where(fix_group_event.c.group_id == bindparam("id")).order_by(fix_group_event.c.seq)


class LoopRecords(Transaction):
    """What the loop keeps. The change log stays as it is: articles are what readers follow."""

    def observations(self, incident_ids: Collection[str]) -> Mapping[str, Observation]:
        """Return incident id -> its observation."""
        rows = (row for part in chunks(incident_ids) for row in self._reads.execute(_OF_INCIDENTS, {"ids": part}))
        return {row.incident_id: observation_of(row) for row in rows}

    def grouped_observations(self, group_ids: Collection[str] | None = None) -> Iterator[Observation]:
        """Yield the observations that are in a group (any, or those of `group_ids`), by id within each thousand groups."""
        if group_ids is None:
            yield from map(observation_of, self._reads.execute(_GROUPED, execution_options={"yield_per": 1_000}))
            return
        for part in chunks(group_ids):
            yield from map(observation_of, self._reads.execute(_OF_GROUPS, {"ids": part}))

    def put_observations(self, observations: Sequence[Observation]) -> None:
        """Add or replace, each by its id."""
        for each in observations:
            values = {"tenant": each.tenant, "incident_id": each.incident_id, "group_id": each.group_id, "body": body_of(each)}
            self._put(seen, each.id, values)

    def remove_observations(self, ids: Collection[str]) -> None:
        """Forget them."""
        for part in chunks(ids):
            self._writes.execute(_FORGET, {"ids": part})

    def fix_groups(self, ids: Collection[str]) -> Mapping[str, FixGroup]:
        """Return those of `ids` that are there."""
        found = select(fix_group).where(fix_group.c.id.in_(_IDS))
        rows = (row for part in chunks(ids) for row in self._reads.execute(found, {"ids": part}))
        return {row.id: _group_of(row) for row in rows}

    def fix_groups_since(self, at: datetime) -> Sequence[str]:
        """Return the ids of the groups with members that changed since then."""
        since = select(fix_group.c.id).where(fix_group.c.updated_at >= at, fix_group.c.merged_into.is_(None))
        return list(self._reads.execute(since.order_by(fix_group.c.id)).scalars())

    def put_fix_groups(self, groups: Sequence[FixGroup]) -> None:
        """Add or replace, each by its id."""
        for each in groups:
            values = {name: getattr(each, name) for name in FixGroup.__slots__ if name != "id"}
            self._put(fix_group, each.id, {**values, "audiences": json_of_set(each.audiences)})

    def add_group_events(self, events: Sequence[GroupEvent]) -> None:
        """Add to the history."""
        if events:
            rows = [{name: getattr(each, name) for name in GroupEvent.__slots__} for each in events]
            self._writes.execute(insert(fix_group_event), [{**row, "kind": str(row["kind"])} for row in rows])

    def group_events(self, group_id: str) -> Sequence[GroupEvent]:
        """Return the history of a group, oldest first."""
        rows = self._reads.execute(_EVENTS, {"id": group_id})
        return [GroupEvent(row.group_id, GroupEventKind(row.kind), row.at, row.observation_id, row.other_id) for row in rows]

    def article_draft(self, draft_id: str, principal: Principal) -> ArticleDraft | None:
        """Return the draft if the principal may see it."""
        row = self._reads.execute(_DRAFTS.where(_visible_to(principal)), {"ids": [draft_id]}).first()
        return None if row is None else draft_of(row)

    def article_drafts(self, principal: Principal, *, status: DraftStatus | None, limit: int, cursor: str | None) -> Page:
        """Return a page of `ArticleDraft`, the last changed first."""
        conditions = [_visible_to(principal)]
        if status is not None:
            conditions.append(draft_table.c.status == status.value)
        if cursor is not None:
            changed, last = decode_cursor(cursor, 2)
            at, column = instant_in_cursor(changed, cursor), draft_table.c.updated_at
            conditions.append(or_(column < at, and_(column == at, draft_table.c.id > last)))
        rows = self._reads.execute(_LATEST_FIRST.where(*conditions).limit(checked_limit(limit) + 1))
        return page([draft_of(row) for row in rows], limit, lambda each: encode_cursor(each.updated_at.isoformat(), each.id))

    def drafts_by_id(self, ids: Collection[str]) -> Mapping[str, ArticleDraft]:
        """Return those of `ids` that are there."""
        rows = (row for part in chunks(ids) for row in self._reads.execute(_DRAFTS, {"ids": part}))
        return {row.id: draft_of(row) for row in rows}

    def open_drafts(
        self, *, group_ids: Collection[str] | None = None, article_ids: Collection[str] | None = None
    ) -> Sequence[ArticleDraft]:
        """Return the proposed drafts of these groups, or those of these articles."""
        found: dict[str, ArticleDraft] = {}
        for column, ids in ((draft_table.c.group_id, group_ids), (draft_table.c.article_id, article_ids)):
            for part in chunks(ids or ()):
                found |= {row.id: draft_of(row) for row in self._reads.execute(_OPEN.where(column.in_(_IDS)), {"ids": part})}
        return list(found.values())

    def put_drafts(self, drafts: Sequence[ArticleDraft]) -> None:
        """Add those of version 1, replace the others. Raises VersionMismatch unless the version follows the stored one."""
        for each in drafts:
            values = {name: getattr(each, name) for name in ("id", "tenant", "group_id", "article_id", "updated_at", "version")}
            values |= {"status": str(each.status), "body": body_of(each)}
            of_version = and_(draft_table.c.id == each.id, draft_table.c.version == each.version - 1)
            changes = InsertIfNew(draft_table) if each.version == 1 else update(draft_table).where(of_version)
            if self._writes.execute(changes.values(**values)).rowcount != 1:
                raise VersionMismatch(
                    f"draft {each.id} is not at version {each.version - 1}; read it again and repeat the change"
                )
            self._writes.execute(delete(article_draft_audience).where(article_draft_audience.c.draft_id == each.id))
            rows = [{"draft_id": each.id, "audience": audience} for audience in sorted(each.audiences)]
            if rows:
                self._writes.execute(insert(article_draft_audience), rows)

    def _put(self, table: Any, id_: str, values: dict[str, Any]) -> None:
        if self._writes.execute(update(table).where(table.c.id == id_).values(**values)).rowcount == 0:
            self._writes.execute(insert(table).values(id=id_, **values))


def _visible_to(principal: Principal) -> ColumnElement[bool]:
    if not principal.audiences:
        return false()
    shared = exists().where(
        article_draft_audience.c.draft_id == draft_table.c.id,
        article_draft_audience.c.audience.in_(sorted(principal.audiences)),
    )
    return and_(draft_table.c.tenant == principal.tenant, shared)


def _group_of(row: Row[Any]) -> FixGroup:
    return FixGroup(row.id, row.tenant, set_of(row.audiences), row.created_at, row.updated_at, row.article_id, row.merged_into)

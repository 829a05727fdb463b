"""The CMDB of a transaction: items with what they need, and the changes made to them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, delete, insert, select, update

from smarttriage.adapters.stores.cmdb_schema import cmdb_change, cmdb_item, cmdb_relation
from smarttriage.adapters.stores.cursors import checked_limit, decode_cursor, encode_cursor
from smarttriage.adapters.stores.keys import KeyRecords
from smarttriage.adapters.stores.transaction import chunks, json_of_set, set_of, texts_of, to_json
from smarttriage.adapters.stores.types import InsertIfNew
from smarttriage.domain.access import Principal
from smarttriage.domain.cmdb import Criticality, Item, ItemChange, ItemKind
from smarttriage.domain.errors import VersionMismatch
from smarttriage.ports import Page

_OF_TENANT = cmdb_item.c.tenant == bindparam("of_tenant")
_ADD = InsertIfNew(cmdb_item)
_REPLACE = update(cmdb_item).where(
    _OF_TENANT, cmdb_item.c.id == bindparam("stored_id"), cmdb_item.c.version == bindparam("stored_version")
)
_VERSION = select(cmdb_item.c.version).where(_OF_TENANT, cmdb_item.c.id == bindparam("stored_id"))
_ALL = select(cmdb_item).where(_OF_TENANT).order_by(cmdb_item.c.id)
_SOME = _ALL.where(cmdb_item.c.id.in_(bindparam("ids", expanding=True)))
_BEHIND = _ALL.where(cmdb_item.c.id > bindparam("after")).limit(bindparam("n_rows"))
_BEHIND_OF_KIND = _BEHIND.where(cmdb_item.c.kind == bindparam("of_kind"))

_RELATIONS = (
    select(cmdb_relation.c.item_id, cmdb_relation.c.needs_id)
    .where(cmdb_relation.c.tenant == bindparam("of_tenant"))
    .order_by(cmdb_relation.c.item_id, cmdb_relation.c.needs_id)
)
_SOME_RELATIONS = _RELATIONS.where(cmdb_relation.c.item_id.in_(bindparam("ids", expanding=True)))
_FORGET_RELATIONS = delete(cmdb_relation).where(
    cmdb_relation.c.tenant == bindparam("of_tenant"), cmdb_relation.c.item_id == bindparam("stored_id")
)
_ADD_RELATION = insert(cmdb_relation)

_ADD_CHANGE = InsertIfNew(cmdb_change)
_CHANGE = select(cmdb_change).where(cmdb_change.c.tenant == bindparam("of_tenant"), cmdb_change.c.id == bindparam("stored_id"))
_REPLACE_CHANGE = update(cmdb_change).where(
    cmdb_change.c.tenant == bindparam("of_tenant"), cmdb_change.c.id == bindparam("stored_id")
)
_CHANGES = (
    select(cmdb_change).where(cmdb_change.c.tenant == bindparam("of_tenant")).order_by(cmdb_change.c.at.desc(), cmdb_change.c.id)
)


class CmdbRecords(KeyRecords):
    """Items by tenant and id. A fact of each tenant counts its writes, so that readers see at once whether anything is new."""

    def put_items(self, items: Sequence[Item], *, key_id: str | None) -> None:
        """Add or replace, each by tenant and id; VersionMismatch unless the version is the next one."""
        if not items:
            return
        for item in items:
            self._put_item(item)
        relations = [
            {"tenant": item.tenant, "item_id": item.id, "needs_id": needed} for item in items for needed in item.depends_on
        ]
        if relations:
            self._writes.execute(_ADD_RELATION, relations)
        self._count({item.tenant for item in items})
        self._log("cmdb_item", [(item.id, item.tenant) for item in items], key_id)

    def item(self, item_id: str, principal: Principal) -> Item | None:
        """Return the item."""
        found = self.items_by_id([item_id], principal.tenant).get(item_id)
        return found if found is not None and principal.sees(found.tenant, found.audiences) else None

    def items(self, principal: Principal, *, kind: ItemKind | None, limit: int, cursor: str | None) -> Page:
        """Return a page of items, by id."""
        wanted = checked_limit(limit)
        after = decode_cursor(cursor, 1)[0] if cursor else ""
        seen: list[Item] = []
        while len(seen) <= wanted:
            bound = {"of_tenant": principal.tenant, "after": after, "n_rows": wanted + 1}
            rows = list(
                self._reads.execute(_BEHIND_OF_KIND, bound | {"of_kind": kind}) if kind else self._reads.execute(_BEHIND, bound)
            )
            seen += [item for item in self._with_relations(rows, principal.tenant) if principal.sees(item.tenant, item.audiences)]
            if len(rows) <= wanted:
                break
            after = rows[-1].id
        more = len(seen) > wanted
        return Page(seen[:wanted], encode_cursor(seen[wanted - 1].id) if more else None)

    def items_by_id(self, ids: Collection[str], tenant: str) -> Mapping[str, Item]:
        """Return those of `ids` that the tenant has."""
        rows = [row for part in chunks(ids) for row in self._reads.execute(_SOME, {"of_tenant": tenant, "ids": part})]
        return {item.id: item for item in self._with_relations(rows, tenant)}

    def all_items(self, tenant: str) -> Sequence[Item]:
        """Return every item of the tenant, by id."""
        needs = _by_item(self._reads.execute(_RELATIONS, {"of_tenant": tenant}))
        return [_item_of(row, needs.get(row.id, ())) for row in self._reads.execute(_ALL, {"of_tenant": tenant})]

    def put_item_changes(self, changes: Sequence[ItemChange], *, key_id: str | None) -> int:
        """Add or replace, each by tenant and id; return how many are new or differ."""
        written = [each for each in changes if self._put_change(each)]
        if written:
            self._count({each.tenant for each in written})
            self._log("cmdb_change", [(each.id, each.tenant) for each in written], key_id)
        return len(written)

    def item_change(self, change_id: str, principal: Principal) -> ItemChange | None:
        """Return the change, if its item may be seen."""
        row = self._reads.execute(_CHANGE, {"of_tenant": principal.tenant, "stored_id": change_id}).one_or_none()
        return None if row is None or self.item(row.item_id, principal) is None else _change_of(row)

    def item_changes(
        self,
        tenant: str,
        *,
        item_id: str | None = None,
        since: datetime | None = None,
        before: datetime | None = None,
        limit: int | None = None,
    ) -> Sequence[ItemChange]:
        """Return the tenant's changes, newest first."""
        query = _CHANGES
        if item_id is not None:
            query = query.where(cmdb_change.c.item_id == item_id)
        if since is not None:
            query = query.where(cmdb_change.c.at >= since)
        if before is not None:
            query = query.where(cmdb_change.c.at < before)
        rows = self._reads.execute(query if limit is None else query.limit(limit), {"of_tenant": tenant})
        return [_change_of(row) for row in rows]

    def cmdb_seq(self, tenant: str) -> int:
        """Return how often the tenant's CMDB was written."""
        return int(self.fact(_counter(tenant)) or 0)

    def _count(self, tenants: Iterable[str]) -> None:
        for tenant in tenants:
            self.put_fact(_counter(tenant), str(self.cmdb_seq(tenant) + 1))

    def _put_item(self, item: Item) -> None:
        row, known = _row_of(item), {"of_tenant": item.tenant, "stored_id": item.id}
        if item.version == 1:
            stored = self._writes.execute(_ADD, row).rowcount == 1
        else:
            stored = self._writes.execute(_REPLACE, row | known | {"stored_version": item.version - 1}).rowcount == 1
        if not stored:
            there = self._writes.execute(_VERSION, known).scalar()
            raise VersionMismatch(
                f"item {item.id} is at version {there}, not {item.version - 1}; read it again and repeat the change",
                field="If-Match",
            )
        self._writes.execute(_FORGET_RELATIONS, known)

    def _put_change(self, change: ItemChange) -> bool:
        row = {name: getattr(change, name) for name in ("id", "tenant", "item_id", "at", "what")}
        if self._writes.execute(_ADD_CHANGE, row).rowcount == 1:
            return True
        known = {"of_tenant": change.tenant, "stored_id": change.id}
        if _change_of(self._writes.execute(_CHANGE, known).one()) == change:
            return False
        self._writes.execute(_REPLACE_CHANGE, row | known)
        return True

    def _with_relations(self, rows: Sequence[Row[Any]], tenant: str) -> list[Item]:
        ids = [row.id for row in rows]
        found = [row for part in chunks(ids) for row in self._reads.execute(_SOME_RELATIONS, {"of_tenant": tenant, "ids": part})]
        needs = _by_item(found)
        return [_item_of(row, needs.get(row.id, ())) for row in rows]


def _counter(tenant: str) -> str:
    return f"cmdb:{tenant}"


def _by_item(rows: Iterable[Any]) -> dict[str, list[str]]:
    needs: defaultdict[str, list[str]] = defaultdict(list)
    for item_id, needed in rows:
        needs[item_id].append(needed)
    return needs


def _row_of(item: Item) -> dict[str, Any]:
    plain = ("id", "tenant", "kind", "name", "type", "criticality", "owner_group", "version", "created_at", "updated_at")
    lists = {name: to_json(list(getattr(item, name))) for name in ("aliases", "host_patterns")}
    return (
        {name: getattr(item, name) for name in plain}
        | lists
        | {"retired": int(item.retired), "audiences": json_of_set(item.audiences)}
    )


def _item_of(row: Row[Any], depends_on: Sequence[str]) -> Item:
    return Item(
        id=row.id,
        tenant=row.tenant,
        kind=ItemKind(row.kind),
        name=row.name,
        created_at=row.created_at,
        updated_at=row.updated_at,
        type=row.type,
        aliases=texts_of(row.aliases),
        host_patterns=texts_of(row.host_patterns),
        criticality=Criticality(row.criticality) if row.criticality else None,
        owner_group=row.owner_group,
        depends_on=tuple(depends_on),
        retired=bool(row.retired),
        audiences=set_of(row.audiences),
        version=row.version,
    )


def _change_of(row: Row[Any]) -> ItemChange:
    return ItemChange(row.id, row.tenant, row.item_id, row.at, row.what)

"""The tables of the CMDB; `schema` has the others, and the metadata of all."""

from sqlalchemy import Column, ForeignKeyConstraint, Index, Integer, Table, Text

from smarttriage.adapters.stores.schema import metadata
from smarttriage.adapters.stores.types import Instant, PlainText


def _text(name: str, *, key: bool = False, optional: bool = False) -> Column[str]:
    return Column(name, PlainText(name), primary_key=key, nullable=optional)


def _json(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


cmdb_item = Table(
    "cmdb_item",
    metadata,
    _text("tenant", key=True),
    _text("id", key=True),
    _text("kind"),
    _text("name"),
    _text("type", optional=True),
    _json("aliases"),
    _json("host_patterns"),
    _text("criticality", optional=True),
    _text("owner_group", optional=True),
    Column("retired", Integer, nullable=False),
    _json("audiences"),
    Column("version", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
)

cmdb_relation = Table(
    "cmdb_relation",
    metadata,
    _text("tenant", key=True),
    _text("item_id", key=True),
    _text("needs_id", key=True),
    ForeignKeyConstraint(["tenant", "item_id"], ["cmdb_item.tenant", "cmdb_item.id"]),
    sqlite_with_rowid=False,
)

cmdb_change = Table(
    "cmdb_change",
    metadata,
    _text("tenant", key=True),
    _text("id", key=True),
    _text("item_id"),
    Column("at", Instant, nullable=False),
    _text("what"),
)
Index("ix_cmdb_change_tenant_at", cmdb_change.c.tenant, cmdb_change.c.at)

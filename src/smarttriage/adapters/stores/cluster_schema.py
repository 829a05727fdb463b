"""The tables of clusters; `schema` has the others, and the metadata of all."""

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, Table, Text

from smarttriage.adapters.stores.schema import metadata
from smarttriage.adapters.stores.types import Instant, PlainText


def _text(name: str, *, key: bool = False, optional: bool = False) -> Column[str]:
    return Column(name, PlainText(name), primary_key=key, nullable=optional)


def _json(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


cluster = Table(
    "cluster",
    metadata,
    _text("id", key=True),
    _text("tenant"),
    _json("audiences"),
    _text("kind"),
    _text("title"),
    Column("began_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    _text("state"),
    Column("resolved_at", Instant),
    _text("merged_into", optional=True),
    Column("version", Integer, nullable=False),
)
Index("ix_cluster_tenant_began_at_id", cluster.c.tenant, cluster.c.began_at.desc(), cluster.c.id)
Index("ix_cluster_state", cluster.c.state)

cluster_audience = Table(
    "cluster_audience",
    metadata,
    Column("cluster_id", PlainText("cluster_id"), ForeignKey("cluster.id"), primary_key=True),
    _text("audience", key=True),
    sqlite_with_rowid=False,
)

# Rows are added and ended, never removed: who was in which cluster when can always be told.
cluster_membership = Table(
    "cluster_membership",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("cluster_id", PlainText("cluster_id"), ForeignKey("cluster.id"), nullable=False, index=True),
    Column("incident_id", PlainText("incident_id"), nullable=False, index=True),
    Column("since", Instant, nullable=False),
    _text("because"),
    _text("added_by"),
    Column("score", Float),
    Column("until", Instant),
    _text("ended_by", optional=True),
    sqlite_autoincrement=True,
)

cluster_proposal = Table(
    "cluster_proposal",
    metadata,
    _text("id", key=True),
    Column("cluster_id", PlainText("cluster_id"), ForeignKey("cluster.id"), nullable=False, index=True),
    _text("kind"),
    _text("rule"),
    _text("state"),
    Column("made_at", Instant, nullable=False),
    _json("figures"),
    Column("decided_at", Instant),
    _text("decided_by", optional=True),
)

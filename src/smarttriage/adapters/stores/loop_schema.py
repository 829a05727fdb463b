"""The tables of the knowledge loop: observations, groups of the same fix with their history, drafts."""

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text

from smarttriage.adapters.stores.schema import metadata
from smarttriage.adapters.stores.types import Instant, PlainText


def _text(name: str, *, key: bool = False, optional: bool = False) -> Column[str]:
    return Column(name, PlainText(name), primary_key=key, nullable=optional)


fix_group = Table(
    "fix_group",
    metadata,
    _text("id", key=True),
    _text("tenant"),
    Column("audiences", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    _text("article_id", optional=True),
    _text("merged_into", optional=True),
)

observation = Table(
    "observation",
    metadata,
    _text("id", key=True),
    _text("tenant"),
    Column("incident_id", PlainText("incident_id"), ForeignKey("incident.id"), nullable=False, unique=True),
    Column("group_id", PlainText("group_id"), ForeignKey("fix_group.id"), index=True),
    # What the incident said when it was resolved, as JSON: read whole, searched by nothing.
    Column("body", Text, nullable=False),
)

fix_group_event = Table(
    "fix_group_event",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("group_id", PlainText("group_id"), ForeignKey("fix_group.id"), nullable=False, index=True),
    _text("kind"),
    Column("at", Instant, nullable=False),
    _text("observation_id", optional=True),
    _text("other_id", optional=True),
    sqlite_autoincrement=True,
)

article_draft = Table(
    "article_draft",
    metadata,
    _text("id", key=True),
    _text("tenant"),
    Column("group_id", PlainText("group_id"), ForeignKey("fix_group.id"), nullable=False, index=True),
    Column("article_id", PlainText("article_id"), index=True),
    _text("status"),
    Column("updated_at", Instant, nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
)
Index("ix_article_draft_tenant_updated_at_id", article_draft.c.tenant, article_draft.c.updated_at.desc(), article_draft.c.id)

article_draft_audience = Table(
    "article_draft_audience",
    metadata,
    Column("draft_id", PlainText("draft_id"), ForeignKey("article_draft.id"), primary_key=True),
    _text("audience", key=True),
    sqlite_with_rowid=False,
)

"""Observations of fixes, groups of the same fix with their history, and the drafts that grow from them."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def _texts(*names: str, optional: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=optional) for name in names]


def _instants(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.DateTime(timezone=True), nullable=False) for name in names]


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.create_table(
        "fix_group",
        *_texts("id", "tenant", "audiences"),
        *_instants("created_at", "updated_at"),
        *_texts("article_id", "merged_into", optional=True),
        sa.PrimaryKeyConstraint("id", name="pk_fix_group"),
    )
    op.create_table(
        "observation",
        *_texts("id", "tenant", "incident_id"),
        *_texts("group_id", optional=True),
        *_texts("body"),
        sa.PrimaryKeyConstraint("id", name="pk_observation"),
        sa.UniqueConstraint("incident_id", name="uq_observation_incident_id"),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_observation_incident_id"),
        sa.ForeignKeyConstraint(["group_id"], ["fix_group.id"], name="fk_observation_group_id"),
    )
    op.create_index("ix_observation_group_id", "observation", ["group_id"])
    op.create_table(
        "fix_group_event",
        sa.Column("seq", sa.Integer(), nullable=False),
        *_texts("group_id", "kind"),
        *_instants("at"),
        *_texts("observation_id", "other_id", optional=True),
        sa.PrimaryKeyConstraint("seq", name="pk_fix_group_event"),
        sa.ForeignKeyConstraint(["group_id"], ["fix_group.id"], name="fk_fix_group_event_group_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_fix_group_event_group_id", "fix_group_event", ["group_id"])
    _create_drafts()


def _create_drafts() -> None:
    op.create_table(
        "article_draft",
        *_texts("id", "tenant", "group_id"),
        *_texts("article_id", optional=True),
        *_texts("status"),
        *_instants("updated_at"),
        sa.Column("version", sa.Integer(), nullable=False),
        *_texts("body"),
        sa.PrimaryKeyConstraint("id", name="pk_article_draft"),
        sa.ForeignKeyConstraint(["group_id"], ["fix_group.id"], name="fk_article_draft_group_id"),
    )
    op.create_index("ix_article_draft_group_id", "article_draft", ["group_id"])
    op.create_index("ix_article_draft_article_id", "article_draft", ["article_id"])
    op.create_index("ix_article_draft_tenant_updated_at_id", "article_draft", ["tenant", sa.text("updated_at DESC"), "id"])
    op.create_table(
        "article_draft_audience",
        *_texts("draft_id", "audience"),
        sa.PrimaryKeyConstraint("draft_id", "audience", name="pk_article_draft_audience"),
        sa.ForeignKeyConstraint(["draft_id"], ["article_draft.id"], name="fk_article_draft_audience_draft_id"),
        sqlite_with_rowid=False,
    )

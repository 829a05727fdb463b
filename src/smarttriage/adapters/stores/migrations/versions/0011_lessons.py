"""Lessons: who taught what and whether it counts; which keys are trusted; what of a record counts for others."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def _texts(*names: str, optional: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=optional) for name in names]


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.create_table(
        "lesson",
        sa.Column("seq", sa.Integer(), nullable=False),
        *_texts("id", "tenant", "kind", "record_id", "key_id", "person"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        *_texts("standing"),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        *_texts("decided_by", "reason", optional=True),
        *_texts("body"),
        sa.PrimaryKeyConstraint("seq", name="pk_lesson"),
        sa.UniqueConstraint("id", name="uq_lesson_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_lesson_record_id", "lesson", ["record_id"])
    op.create_index("ix_lesson_tenant_key_id_at", "lesson", ["tenant", "key_id", "at"])
    op.create_index("ix_lesson_tenant_standing_seq", "lesson", ["tenant", "standing", "seq"])
    op.create_index("ix_lesson_decided_by_decided_at", "lesson", ["decided_by", "decided_at"])
    op.add_column("incident", sa.Column("counted", sa.Text(), nullable=True))
    op.add_column("article_version", sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("article_outcome", sa.Column("quarantined", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("api_key", sa.Column("trusted", sa.Boolean(), nullable=False, server_default=sa.true()))

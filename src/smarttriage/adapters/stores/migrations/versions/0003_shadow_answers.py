"""What a challenger answers beside the champion."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Bring the tables to this revision."""
    texts = ("suggestion_id", "tenant", "target", "champion", "challenger", "champion_label", "challenger_label")
    op.create_table(
        "shadow_answer",
        sa.Column("seq", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in texts),
        *(sa.Column(name, sa.Float(), nullable=False) for name in ("champion_confidence", "challenger_confidence")),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_shadow_answer"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_shadow_answer_tenant_challenger", "shadow_answer", ["tenant", "challenger", "champion"])

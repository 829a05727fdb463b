"""How labels came to stand, and what became of each predicted field.

Suggestions from before are not linked to their incidents: labels that were written since count as recorded.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.add_column("incident", sa.Column("label_origins", sa.Text(), nullable=False, server_default="{}"))
    op.add_column("suggestion", sa.Column("incident_id", sa.Text(), nullable=True))
    op.create_index("ix_suggestion_incident_id", "suggestion", ["incident_id"])
    op.create_table(
        "decision",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("suggestion_id", "field", "tenant")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("shown", "predicted", "origin")),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["suggestion_id"], ["suggestion.id"], name="fk_decision_suggestion_id"),
        sa.PrimaryKeyConstraint("suggestion_id", "field", name="pk_decision"),
    )
    op.create_index("ix_decision_tenant_field", "decision", ["tenant", "field"])

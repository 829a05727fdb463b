"""What happened to incidents and how often, escalations that were told, and indexes for passes and key figures."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def _texts(*names: str, optional: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=optional) for name in names]


def _instants(*names: str, optional: bool = False) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.DateTime(timezone=True), nullable=optional) for name in names]


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.create_table(
        "incident_count",
        *_texts("incident_id"),
        sa.Column("n_reopened", sa.Integer(), nullable=True),
        sa.Column("n_reassigned", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("incident_id", name="pk_incident_count"),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_incident_count_incident_id"),
    )
    op.create_table(
        "incident_event",
        sa.Column("seq", sa.Integer(), nullable=False),
        *_texts("incident_id", "tenant", "kind", "before", "after"),
        *_instants("resolved_at", optional=True),
        *_instants("at"),
        *_texts("key_id", optional=True),
        sa.PrimaryKeyConstraint("seq", name="pk_incident_event"),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_incident_event_incident_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_incident_event_incident_id", "incident_event", ["incident_id"])
    op.create_index("ix_incident_event_tenant_kind", "incident_event", ["tenant", "kind"])
    op.create_table(
        "escalation_event",
        sa.Column("seq", sa.Integer(), nullable=False),
        *_texts("event_id", "tenant", "incident_id", "step", "kind", "to", "action", "because"),
        *_instants("due_at", "emitted_at"),
        sa.PrimaryKeyConstraint("seq", name="pk_escalation_event"),
        sa.UniqueConstraint("event_id", name="uq_escalation_event_event_id"),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_escalation_event_incident_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_incident_status_id", "incident", ["status", "id"])
    op.create_index("ix_suggestion_tenant_incident_id_created_at", "suggestion", ["tenant", "incident_id", "created_at"])

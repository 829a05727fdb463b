"""Clusters of incidents, who was in them when, and what was proposed about them."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def _texts(*names: str, optional: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=optional) for name in names]


def _instants(*names: str, optional: bool = False) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.DateTime(timezone=True), nullable=optional) for name in names]


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.create_table(
        "cluster",
        *_texts("id", "tenant", "audiences", "kind", "title"),
        *_instants("began_at", "updated_at"),
        *_texts("state"),
        *_instants("resolved_at", optional=True),
        *_texts("merged_into", optional=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_cluster"),
    )
    op.create_index("ix_cluster_tenant_began_at_id", "cluster", ["tenant", sa.text("began_at DESC"), "id"])
    op.create_index("ix_cluster_state", "cluster", ["state"])
    op.create_table(
        "cluster_audience",
        *_texts("cluster_id", "audience"),
        sa.PrimaryKeyConstraint("cluster_id", "audience", name="pk_cluster_audience"),
        sa.ForeignKeyConstraint(["cluster_id"], ["cluster.id"], name="fk_cluster_audience_cluster_id"),
        sqlite_with_rowid=False,
    )
    _create_membership()
    _create_proposal()


def _create_membership() -> None:
    op.create_table(
        "cluster_membership",
        sa.Column("seq", sa.Integer(), nullable=False),
        *_texts("cluster_id", "incident_id"),
        *_instants("since"),
        *_texts("because", "added_by"),
        sa.Column("score", sa.Float(), nullable=True),
        *_instants("until", optional=True),
        *_texts("ended_by", optional=True),
        sa.PrimaryKeyConstraint("seq", name="pk_cluster_membership"),
        sa.ForeignKeyConstraint(["cluster_id"], ["cluster.id"], name="fk_cluster_membership_cluster_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_cluster_membership_cluster_id", "cluster_membership", ["cluster_id"])
    op.create_index("ix_cluster_membership_incident_id", "cluster_membership", ["incident_id"])


def _create_proposal() -> None:
    op.create_table(
        "cluster_proposal",
        *_texts("id", "cluster_id", "kind", "rule", "state"),
        *_instants("made_at"),
        *_texts("figures"),
        *_instants("decided_at", optional=True),
        *_texts("decided_by", optional=True),
        sa.PrimaryKeyConstraint("id", name="pk_cluster_proposal"),
        sa.ForeignKeyConstraint(["cluster_id"], ["cluster.id"], name="fk_cluster_proposal_cluster_id"),
    )
    op.create_index("ix_cluster_proposal_cluster_id", "cluster_proposal", ["cluster_id"])

"""Services, configuration items, what needs what, and the changes made to them."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def _texts(*names: str, optional: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=optional) for name in names]


def _instants(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.DateTime(timezone=True), nullable=False) for name in names]


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.create_table(
        "cmdb_item",
        *_texts("tenant", "id", "kind", "name"),
        *_texts("type", optional=True),
        *_texts("aliases", "host_patterns"),
        *_texts("criticality", "owner_group", optional=True),
        sa.Column("retired", sa.Integer(), nullable=False),
        *_texts("audiences"),
        sa.Column("version", sa.Integer(), nullable=False),
        *_instants("created_at", "updated_at"),
        sa.PrimaryKeyConstraint("tenant", "id", name="pk_cmdb_item"),
    )
    op.create_table(
        "cmdb_relation",
        *_texts("tenant", "item_id", "needs_id"),
        sa.PrimaryKeyConstraint("tenant", "item_id", "needs_id", name="pk_cmdb_relation"),
        sa.ForeignKeyConstraint(
            ["tenant", "item_id"], ["cmdb_item.tenant", "cmdb_item.id"], name="fk_cmdb_relation_tenant_item_id"
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "cmdb_change",
        *_texts("tenant", "id", "item_id"),
        *_instants("at"),
        *_texts("what"),
        sa.PrimaryKeyConstraint("tenant", "id", name="pk_cmdb_change"),
    )
    op.create_index("ix_cmdb_change_tenant_at", "cmdb_change", ["tenant", "at"])

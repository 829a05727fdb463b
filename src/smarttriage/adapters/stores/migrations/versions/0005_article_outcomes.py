"""What became of articles that were tried."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.create_table(
        "article_outcome",
        sa.Column("seq", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("id", "tenant", "article_id")),
        sa.Column("version", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("kind", "person")),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("incident_id", "suggestion_id")),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("seq", name="pk_article_outcome"),
        sa.UniqueConstraint("id", name="uq_article_outcome_id"),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"], name="fk_article_outcome_article_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_article_outcome_incident_id", "article_outcome", ["incident_id"])
    op.create_index("ix_article_outcome_article_id_seq", "article_outcome", ["article_id", "seq"])

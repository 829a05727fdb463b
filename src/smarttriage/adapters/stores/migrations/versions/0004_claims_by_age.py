"""Answers of repeated requests by their age, so that old ones can be forgotten."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Bring the tables to this revision."""
    op.create_index("ix_idempotency_key_claimed_at", "idempotency_key", ["claimed_at"])

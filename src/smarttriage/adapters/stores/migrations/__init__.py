"""Alembic migrations, applied by `SqlStore.open`."""

# Oldest first; kept here as well, so that a start with nothing to do need not import Alembic (a test compares the two).
REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010", "0011")

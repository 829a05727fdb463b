"""Brings a database to the tables this version of the code expects."""

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from smarttriage.adapters.stores import migrations
from smarttriage.adapters.stores.migrations import REVISIONS
from smarttriage.domain.errors import StoreError

HEAD = REVISIONS[-1]


def upgrade(reader: Engine, writer: Engine) -> None:
    """Apply the migrations that are missing, all in one transaction; where none is, Alembic is not even imported.

    A second process that starts at the same time waits for the write lock and then finds nothing left to do.

    Raises:
        StoreError: The database was written by a newer version, or belongs to another application.
    """
    with reader.begin() as connection:
        if _revision(connection) == HEAD:
            return
    with writer.begin() as connection:
        if _revision(connection) != HEAD:
            migrate(connection)


def migrate(connection: Connection) -> None:
    """Apply every missing migration in the connection's transaction."""
    from alembic import command  # noqa: PLC0415 - 0.2 s that a start with nothing to do must not pay
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _revision(connection: Connection) -> str | None:
    """Return what is applied, None in an empty database. Raises StoreError where it is nothing this code knows."""
    tables = inspect(connection).get_table_names()
    database = connection.engine.url.render_as_string()
    if "alembic_version" not in tables:
        if tables:
            raise StoreError(
                f"{database} holds tables of another application ({', '.join(tables[:3])}); give another data folder."
            )
        return None
    revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if revision is not None and revision not in REVISIONS:
        raise StoreError(
            f"{database} is at revision {revision}, this version of smarttriage knows {HEAD} at most; "
            "install the newer version again, or restore the backup from before it."
        )
    return revision

"""Column types and the insert that SQLite and PostgreSQL treat alike."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, Insert, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import TypeDecorator

from smarttriage.domain.errors import InvalidInput


class Instant(TypeDecorator[datetime]):
    """An instant to the microsecond; aware in, aware UTC out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return it in UTC. Raises InvalidInput where the offset is missing or UTC would leave the calendar."""
        if value is None:
            return None
        if value.utcoffset() is None:
            raise InvalidInput(f"{value.isoformat()} has no UTC offset; give an aware datetime.")
        try:
            return value.astimezone(UTC)
        except OverflowError as error:
            raise InvalidInput(f"{value.isoformat()} is outside the years 1 to 9999 in UTC; correct it.") from error

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return it aware; SQLite has no zones and hands back the bare UTC digits."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class PlainText(TypeDecorator[str]):
    """Text that every database can hold: NUL (PostgreSQL refuses it) and lone surrogates (not UTF-8) are refused by name."""

    impl = Text
    cache_ok = True

    def __init__(self, field: str) -> None:
        super().__init__()
        self.field = field

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return it as it is. Raises InvalidInput naming the field."""
        if value is None:
            return None
        if "\x00" in value:
            raise InvalidInput(
                f"{self.field} holds a NUL character at position {value.index(chr(0))}; remove it.", field=self.field
            )
        if not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError as error:
                raise InvalidInput(
                    f"{self.field} holds half a surrogate pair at position {error.start}; send whole characters.",
                    field=self.field,
                ) from error
        return value


class InsertIfNew(Insert):
    """An INSERT that leaves a row alone whose key is there already; the constraint decides, not a look beforehand."""

    inherit_cache = True


@compiles(InsertIfNew)
def _insert_if_new(element: InsertIfNew, compiler: Any, **options: Any) -> str:
    return f"{compiler.visit_insert(element, **options)} ON CONFLICT DO NOTHING"

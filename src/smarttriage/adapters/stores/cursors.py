"""Cursors of lists: the sort key of the last row, so that rows added or removed meanwhile shift nothing."""

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from smarttriage.domain.errors import InvalidInput
from smarttriage.ports import Page


def encode_cursor(*values: str) -> str:
    """Return the values as one opaque URL-safe word."""
    return urlsafe_b64encode(json.dumps(values).encode()).decode()


def decode_cursor(cursor: str, n_values: int) -> list[str]:
    """Return the values of `encode_cursor`. Raises InvalidInput naming the field `cursor`."""
    try:
        values = json.loads(urlsafe_b64decode(cursor.encode("ascii")))
        if isinstance(values, list) and len(values) == n_values and all(isinstance(value, str) for value in values):
            "".join(values).encode()
            return values
    except (binascii.Error, ValueError, RecursionError):
        pass
    raise bad_cursor(cursor)


def instant_in_cursor(value: str, cursor: str) -> datetime:
    """Return the aware instant that a cursor holds."""
    try:
        instant = datetime.fromisoformat(value)
    except ValueError as error:
        raise bad_cursor(cursor) from error
    if instant.utcoffset() is None:
        raise bad_cursor(cursor)
    return instant


def bad_cursor(cursor: str) -> InvalidInput:
    """Return the error for a word that this store did not give out for such a list."""
    return InvalidInput(
        f"{cursor[:80]!a} is no cursor of this list; send next_cursor as it came, or leave it out.", field="cursor"
    )


def checked_limit(limit: int) -> int:
    """Return the limit. Raises InvalidInput below 1."""
    if limit < 1:
        raise InvalidInput(f"limit is {limit}; ask for 1 or more.", field="limit")
    return limit


def page(items: Sequence[Any], limit: int, cursor_of: Callable[[Any], str]) -> Page:
    """Return the first `limit` of the items, which were read one further to see whether more follow."""
    return Page(items[:limit], cursor_of(items[limit - 1]) if len(items) > limit else None)

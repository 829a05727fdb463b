"""How often an imported incident was reopened and reassigned, as its file counted it."""

from collections.abc import Mapping
from typing import Any

from smarttriage.domain.errors import InvalidInput
from smarttriage.domain.history import IncidentCounts

COUNTS = ("n_reopened", "n_reassigned")


def counts_of(values: Mapping[str, Any]) -> IncidentCounts:
    """Return the counts of a row; what is empty is not known. Raises InvalidInput naming the field."""
    return IncidentCounts(*(_count(name, values.get(name)) for name in COUNTS))


def _count(name: str, value: Any) -> int | None:
    text = "" if value is None else str(value).strip().removesuffix(".0")
    if not text:
        return None
    if not text.isdecimal():
        raise InvalidInput(f'{name} is "{text[:40]}"; write 0, 1, 2 ...', field=name)
    return int(text)

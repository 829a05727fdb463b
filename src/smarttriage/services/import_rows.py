"""Rows of a file under our names, and their cells as domain values."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from smarttriage.domain.errors import InvalidInput
from smarttriage.domain.incident import TARGETS, IncidentStatus, Resolution
from smarttriage.services.import_counts import COUNTS

EMPTY_DATES = ("", "null", "none", "nan", "nat")
_LISTS = ("affected_users", "affected_services", "configuration_items", "symptoms")
_TEXTS = ("title", "description", "reporter", "initial_impact", "logged_by", "language", "support_group", "priority", "source_id")
_INSTANTS = ("reported_at", "detected_at", "resolved_at")
# What `--map` may name on its left side, beside `custom.<target>`.
INCIDENT_FIELDS = (*_TEXTS, *_LISTS, *_INSTANTS, *TARGETS, "status", "resolution", "resolved_by", "article_id", *COUNTS)
CUSTOM = "custom."


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a file, where it stood, and why it cannot be used if it cannot."""

    place: str
    values: Mapping[str, Any]
    problem: str | None = None


def parse_map(pairs: Sequence[str]) -> dict[str, str]:
    """Return our field -> their column from "field=column" pairs. Raises InvalidInput naming the pair and the known fields."""
    return parse_pairs(pairs, (*INCIDENT_FIELDS, f"{CUSTOM}<name>"))


def parse_pairs(pairs: Sequence[str], known: Sequence[str]) -> dict[str, str]:
    """Return our field -> their column; "custom.<name>" among the known ones lets any such name through. Raises InvalidInput."""
    mapping = {}
    for pair in pairs:
        ours, separator, theirs = pair.partition("=")
        own = ours.startswith(CUSTOM) and ours != CUSTOM and f"{CUSTOM}<name>" in known
        if not separator or not theirs or not (own or (ours in known and "<" not in ours)):
            raise InvalidInput(
                f'--map "{pair}": write our field, =, their column; our fields are {", ".join(known)}', field="map"
            )
        mapping[ours] = theirs
    return mapping


def mapped(rows: Iterable[Row], mapping: Mapping[str, str]) -> Iterator[Row]:
    """Yield the rows under our names. Raises InvalidInput if the first row lacks a mapped column."""
    for position, row in enumerate(rows):
        absent = [column for column in mapping.values() if column not in row.values]
        if position == 0 and absent and row.problem is None:
            raise InvalidInput(f'there is no column "{absent[0]}"; the file has {", ".join(row.values)}', field="map")
        yield Row(row.place, {ours: row.values.get(theirs) for ours, theirs in mapping.items()}, row.problem)


def text_of(value: Any) -> str | None:
    """Return the cell as text, None if it is empty."""
    text = "" if value is None else str(value).replace("\x00", "").strip()
    return text or None


def list_of(value: Any) -> tuple[str, ...]:
    """Return the parts of a cell that semicolons separate."""
    return tuple(part.strip() for part in (text_of(value) or "").split(";") if part.strip())


def instant_of(name: str, value: Any) -> datetime | None:
    """Return the instant of a cell, UTC where it names no zone. Raises InvalidInput naming the field."""
    text = text_of(value)
    if text is None or text.casefold() in EMPTY_DATES:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f'{name} is "{text}"; write ISO 8601, for example 2026-11-23T08:30:00+00:00', field=name) from None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def status_of(value: Any, *, resolved: bool) -> IncidentStatus:
    """Return the status of a cell; where it is none of ours, what the other fields say."""
    text = (text_of(value) or "").casefold().replace(" ", "_")
    if text in list(IncidentStatus):
        return IncidentStatus(text)
    return IncidentStatus.RESOLVED if resolved else IncidentStatus.OPEN


def resolution_of(values: Mapping[str, Any], note: str | None, at: datetime) -> Resolution | None:
    """Return the resolution of a row, None without a note."""
    if note is None:
        return None
    return Resolution(note, at, text_of(values.get("resolved_by")), text_of(values.get("article_id")))

"""Rows of a CMDB out of a JSON document; tables are read by `tabular`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smarttriage.domain.errors import InvalidInput

PARTS = ("items", "changes")


@dataclass(frozen=True, slots=True)
class JsonRow:
    """One object of the document, where it stands, and why it cannot be used if it cannot."""

    place: str
    values: Mapping[str, Any]
    problem: str | None = None


def read_json(path: Path) -> dict[str, list[JsonRow]]:
    """Return the rows of the document's parts "items" and "changes"; a bare list is of items. Raises InvalidInput."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError, OSError) as error:
        raise InvalidInput(f"{path} cannot be read as JSON: {error}", field="path") from error
    if isinstance(content, list):
        content = {"items": content}
    unknown = [name for name in content if name not in PARTS] if isinstance(content, dict) else ["no object"]
    if unknown or not all(isinstance(part, list) for part in content.values()):
        raise InvalidInput(f'{path}: write a list of items, or {{"items": [...], "changes": [...]}}', field="path")
    return {name: _rows(f"{path}:{name}", content.get(name, ())) for name in PARTS}


def _rows(place: str, entries: Sequence[Any]) -> list[JsonRow]:
    rows = []
    for number, entry in enumerate(entries):
        problem = None if isinstance(entry, dict) else f"a JSON {type(entry).__name__} instead of an object"
        rows.append(JsonRow(f"{place}[{number}]", entry if problem is None else {}, problem))
    return rows

"""Articles from files: Markdown with YAML front matter, or JSON Lines."""

import datetime as dt
import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from smarttriage.domain.errors import InvalidInput

_KNOWN = {"id", "title", "category", "sub_category", "keywords", "language", "status", "owner", "valid_until"}
# What exports call our fields.
_ALIASES = {"_id": "id", "text": "body", "content": "body"}


@dataclass(frozen=True, slots=True)
class ArticleRow:
    """One article as a file gives it, and where it stood; `problem` says why it cannot be used."""

    place: str
    values: Mapping[str, Any]
    problem: str | None = None


def read_articles(path: Path) -> Iterator[ArticleRow]:
    """Yield the articles of a folder of .md files, one .md file, or a .jsonl(.gz) file, in a stable order.

    Raises InvalidInput if there is nothing of the kind at `path`.
    """
    if path.is_dir():
        files = sorted(path.rglob("*.md"))
        if not files:
            raise InvalidInput(f"{path} holds no .md file; give a folder of articles, an .md file or a .jsonl file", field="path")
        for file in files:
            yield _markdown(file)
    elif path.suffix == ".md" and path.is_file():
        yield _markdown(path)
    elif path.is_file() and ".jsonl" in path.suffixes:
        yield from _json_lines(path)
    else:
        raise InvalidInput(f"{path} is no folder, .md file or .jsonl(.gz) file that can be read", field="path")


def _markdown(path: Path) -> ArticleRow:
    try:
        text = path.read_text(encoding="utf-8")
        _, front, body = text.split("---\n", 2)
        values = yaml.safe_load(front)
    except (OSError, UnicodeDecodeError, ValueError, yaml.YAMLError) as error:
        return ArticleRow(str(path), {}, f"no readable front matter between two lines ---: {str(error).splitlines()[0]}")
    if not isinstance(values, dict):
        return ArticleRow(str(path), {}, "the front matter is no list of keys and values")
    return _checked(str(path), {**values, "body": body.strip()})


def _json_lines(path: Path) -> Iterator[ArticleRow]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            place = f"{path}:{number}"
            try:
                values = json.loads(line)
            except ValueError as error:
                yield ArticleRow(place, {}, f"not JSON: {error}")
                continue
            if isinstance(values, dict):
                yield _checked(place, _sections({_ALIASES.get(str(key), str(key)): value for key, value in values.items()}))
            else:
                yield ArticleRow(place, {}, "not a JSON object")


def _sections(values: dict[str, Any]) -> dict[str, Any]:
    """Put a separate list of symptoms in front of the body: it is what people search for."""
    symptoms = values.pop("symptoms", None)
    if isinstance(symptoms, str) and symptoms.strip():
        values["body"] = f"## Symptoms\n{symptoms.strip()}\n\n{values.get('body') or ''}"
    return values


def _checked(place: str, values: Mapping[str, Any]) -> ArticleRow:
    for name in ("id", "title", "body"):
        if not isinstance(values.get(name), str) or not values[name].strip():
            return ArticleRow(place, values, f'"{name}" is missing or empty')
    valid_until = values.get("valid_until")
    if valid_until is not None and type(valid_until) is not dt.date:
        return ArticleRow(place, values, f'"valid_until" is {valid_until!r}; write a date such as 2027-12-31')
    kept = {name: value for name, value in values.items() if name in _KNOWN or name == "body"}
    return ArticleRow(place, kept)

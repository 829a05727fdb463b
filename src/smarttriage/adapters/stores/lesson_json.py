"""Lessons, and what counts of incidents, to JSON and back."""

import json
from datetime import datetime
from functools import lru_cache
from typing import Any

from smarttriage.adapters.stores.transaction import to_json
from smarttriage.domain.incident import TARGETS, Counted, Labels, Resolution, Teaching
from smarttriage.domain.lesson import Lesson, Said

_RESOLUTION = ("text", "resolved_at", "resolved_by", "article_id", "drafted_article_id")


def counted_json(counted: Counted | None) -> str | None:
    """Return what counts as it is stored; NULL where all does."""
    if counted is None:
        return None
    return to_json({"teaching": _teaching(counted.teaching), "known_to": counted.known_to, "taken_back": counted.taken_back})


@lru_cache(maxsize=1_024)
def counted_of(stored: str | None) -> Counted | None:
    """Return what counts; nobody changes it, so that the same text gives the same value."""
    if stored is None:
        return None
    values = json.loads(stored)
    return Counted(_teaching_of(values["teaching"]), values["known_to"], values["taken_back"])


def lesson_body(lesson: Lesson) -> str:
    """Return what has no column of its own."""
    said = lesson.said
    told = {
        "labels": dict(said.labels),
        "reviewed": sorted(said.reviewed),
        "resolution": _resolution(said.resolution),
        "title": said.title,
        "description": said.description,
    }
    return to_json(
        {
            "said": {name: value for name, value in told.items() if value not in (None, {}, [])},
            "before": _teaching(lesson.before) if lesson.before is not None else None,
            "creates": lesson.creates,
            "told": lesson.told,
            "outcome_ids": list(lesson.outcome_ids),
            "group_article": lesson.group_article,
            "agreed": [list(word) for word in lesson.agreed],
        }
    )


def body_values(stored: str) -> dict[str, Any]:
    """Return the values of a lesson's body by the names of its attributes."""
    values = json.loads(stored)
    said, before = values["said"], values["before"]
    return {
        **values,
        "said": Said(
            said.get("labels", {}),
            frozenset(said.get("reviewed", ())),
            _resolution_of(said.get("resolution")),
            said.get("title"),
            said.get("description"),
        ),
        "before": None if before is None else _teaching_of(before),
        "outcome_ids": tuple(values["outcome_ids"]),
        "agreed": tuple((key_id, person) for key_id, person in values["agreed"]),
    }


def _teaching(teaching: Teaching) -> dict[str, Any]:
    labels = {target: label for target in TARGETS if (label := teaching.labels.get(target)) is not None}
    return {
        "title": teaching.title,
        "description": teaching.description,
        "labels": labels,
        "custom": teaching.labels.custom,
        "reviewed": sorted(teaching.reviewed),
        "resolution": _resolution(teaching.resolution),
    }


def _teaching_of(values: dict[str, Any]) -> Teaching:
    return Teaching(
        values["title"],
        values["description"],
        Labels(**values["labels"], custom=values["custom"]),
        frozenset(values["reviewed"]),
        _resolution_of(values["resolution"]),
    )


def _resolution(resolution: Resolution | None) -> dict[str, Any] | None:
    if resolution is None:
        return None
    return {**{name: getattr(resolution, name) for name in _RESOLUTION}, "resolved_at": resolution.resolved_at.isoformat()}


def _resolution_of(values: dict[str, Any] | None) -> Resolution | None:
    return Resolution(**{**values, "resolved_at": datetime.fromisoformat(values["resolved_at"])}) if values else None

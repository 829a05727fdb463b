"""Observations and drafts to JSON and back. What has a column of its own is left out."""

import json
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from smarttriage.adapters.stores.transaction import to_json
from smarttriage.domain.draft import ArticleDraft, Citation, DraftKind, DraftSentence, DraftStatus, Section, SourceField
from smarttriage.domain.observation import Observation

_OWN_COLUMNS = {
    Observation: ("id", "tenant", "incident_id", "group_id"),
    ArticleDraft: ("id", "tenant", "group_id", "article_id", "status", "updated_at", "version"),
}
_INSTANTS = ("resolved_at", "created_at", "decided_at")
_LISTS = ("services", "items", "people", "keywords", "incident_ids")


def body_of(record: Observation | ArticleDraft) -> str:
    """Return what has no column of its own."""
    own = _OWN_COLUMNS[type(record)]
    values = {each.name: getattr(record, each.name) for each in fields(record) if each.name not in own}
    values["audiences"] = sorted(record.audiences)
    for name in _INSTANTS:
        if values.get(name) is not None:
            values[name] = values[name].isoformat()
    if isinstance(record, ArticleDraft):
        values["sentences"] = [_sentence(each) for each in record.sentences]
    return to_json(values)


def observation_of(row: Row[Any]) -> Observation:
    """Return the observation of a row."""
    own = {name: getattr(row, name) for name in _OWN_COLUMNS[Observation]}
    return Observation(**own, **_values(row.body))


def draft_of(row: Row[Any]) -> ArticleDraft:
    """Return the draft of a row."""
    own = {name: getattr(row, name) for name in _OWN_COLUMNS[ArticleDraft]}
    values = _values(row.body)
    values["sentences"] = tuple(
        DraftSentence(
            Section(section),
            text,
            tuple(Citation(incident, SourceField(field), start, end) for incident, field, start, end in citations),
        )
        for section, text, citations in values["sentences"]
    )
    return ArticleDraft(**{**own, "status": DraftStatus(own["status"])}, **{**values, "kind": DraftKind(values["kind"])})


def _sentence(sentence: DraftSentence) -> list[Any]:
    return [sentence.section, sentence.text, [[c.incident_id, c.field, c.start, c.end] for c in sentence.citations]]


def _values(body: str) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(body)
    values["audiences"] = frozenset(values["audiences"])
    for name in _INSTANTS:
        if values.get(name) is not None:
            values[name] = datetime.fromisoformat(values[name])
    for name in _LISTS:
        if name in values:
            values[name] = tuple(values[name])
    return values

"""Suggestions as one JSON text and back, by hand: `dataclasses.asdict` would cost more than the write itself."""

import json
from datetime import UTC, datetime
from typing import Any

from smarttriage.adapters.stores.transaction import to_json
from smarttriage.domain.suggestion import (
    Alternative,
    ArticleMatch,
    FieldMode,
    FieldPrediction,
    IncidentMatch,
    PrioritySuggestion,
    Provenance,
    Reason,
    Routing,
    SlaSuggestion,
    Suggestion,
    Timing,
)
from smarttriage.domain.text import Evidence


def suggestion_body(suggestion: Suggestion) -> str:
    """Return everything but id, tenant and created_at, which are columns of their own."""
    routing, origin, timing = suggestion.routing, suggestion.provenance, suggestion.timing_ms
    return to_json(
        {
            "incident_id": suggestion.incident_id,
            "title": suggestion.title,
            "description": suggestion.description,
            "kind": _field(suggestion.kind),
            "category": _field(suggestion.category),
            "sub_category": _field(suggestion.sub_category),
            "impact": _field(suggestion.impact),
            "urgency": _field(suggestion.urgency),
            "priority": [suggestion.priority.value, suggestion.priority.because],
            "sla": _sla(suggestion.sla),
            "routing": [routing.support_group, routing.escalation],
            "articles": [[a.id, a.title, a.score, a.passage, a.why] for a in suggestion.articles],
            "similar_incidents": [[i.id, i.title, i.status, i.score, i.resolution] for i in suggestion.similar_incidents],
            "provenance": [origin.model_version, origin.encoder_id, origin.index_seq, origin.taxonomy_version],
            "timing_ms": [timing.encode, timing.classify, timing.search, timing.store, timing.total],
            "custom": {name: _field(field) for name, field in suggestion.custom.items()},
        }
    )


def suggestion_of(suggestion_id: str, tenant: str, created_at: datetime, body: str, incident_id: str | None) -> Suggestion:
    """Return the suggestion that `suggestion_body` wrote, with the incident that was stored from it later."""
    stored = json.loads(body)
    support_group, escalation = stored["routing"]
    return Suggestion(
        id=suggestion_id,
        tenant=tenant,
        incident_id=incident_id or stored["incident_id"],
        title=stored["title"],
        description=stored["description"],
        created_at=created_at,
        kind=_field_of(stored["kind"]),
        category=_field_of(stored["category"]),
        sub_category=_field_of(stored["sub_category"]),
        impact=_field_of(stored["impact"]),
        urgency=_field_of(stored["urgency"]),
        priority=PrioritySuggestion(*stored["priority"]),
        sla=_sla_of(stored["sla"]),
        routing=Routing(support_group, tuple(escalation)),
        articles=tuple(ArticleMatch(*match) for match in stored["articles"]),
        similar_incidents=tuple(IncidentMatch(*match) for match in stored["similar_incidents"]),
        provenance=Provenance(*stored["provenance"]),
        timing_ms=Timing(*stored["timing_ms"]),
        custom={name: _field_of(field) for name, field in stored["custom"].items()},
    )


def _field(field: FieldPrediction) -> list[Any]:
    return [
        field.value,
        field.confidence,
        field.mode,
        [[label.value, label.confidence] for label in field.alternatives],
        [[span.text, span.start, span.end, span.field, span.cue, span.weight] for span in field.evidence],
        field.reason,
    ]


def _field_of(stored: list[Any]) -> FieldPrediction:
    value, confidence, mode, alternatives, evidence, reason = stored
    return FieldPrediction(
        value=value,
        confidence=confidence,
        mode=FieldMode(mode),
        alternatives=tuple(Alternative(*label) for label in alternatives),
        evidence=tuple(Evidence(*span) for span in evidence),
        reason=None if reason is None else Reason(reason),
    )


def _sla(sla: SlaSuggestion | None) -> list[Any] | None:
    return None if sla is None else [sla.due_at.astimezone(UTC).isoformat(), sla.target_minutes, sla.clock]


def _sla_of(stored: list[Any] | None) -> SlaSuggestion | None:
    if stored is None:
        return None
    due_at, target_minutes, clock = stored
    return SlaSuggestion(datetime.fromisoformat(due_at), target_minutes, clock)

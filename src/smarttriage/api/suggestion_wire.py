"""A suggestion as plain data, by hand: the generic ways cost more than its classification."""

from collections.abc import Mapping
from typing import Any

from smarttriage.domain.cmdb import ItemFinding
from smarttriage.domain.cue_families import family_of
from smarttriage.domain.incident import TARGETS
from smarttriage.domain.matches import ArticleMatch, IncidentMatch
from smarttriage.domain.suggestion import (
    AppliedRule,
    Counterfactual,
    FieldPrediction,
    PrioritySuggestion,
    Provenance,
    SlaSuggestion,
    Suggestion,
)
from smarttriage.domain.text import Evidence
from smarttriage.services.searching import Found

Plain = dict[str, Any]


def suggestion(made: Suggestion) -> Plain:
    """Return the suggestion in the shape that is its contract; `custom` only where the installation has targets of its own."""
    timing = made.timing_ms
    return {
        "id": made.id,
        "kind": field(made.kind),
        "category": field(made.category),
        "sub_category": field(made.sub_category),
        "impact": field(made.impact),
        "urgency": field(made.urgency),
        **_custom(made.custom),
        "priority": priority(made.priority),
        "sla": _sla(made.sla),
        "routing": {
            "support_group": made.routing.support_group,
            "escalation": made.routing.escalation,
            "because": made.routing.because,
        },
        "articles": [article(match) for match in made.articles],
        "ongoing": [
            {
                "cluster_id": match.cluster_id,
                "kind": match.kind,
                "title": match.title,
                "since": match.since,
                "n_reports": match.n_reports,
                "score": match.score,
            }
            for match in made.ongoing
        ],
        "similar_incidents": [incident(match) for match in made.similar_incidents],
        "configuration_items": [item_finding(finding) for finding in made.configuration_items],
        "provenance": provenance(made.provenance),
        "timing_ms": {
            "encode": timing.encode,
            "classify": timing.classify,
            "search": timing.search,
            "store": timing.store,
            "total": timing.total,
        },
    }


def article(match: ArticleMatch) -> Plain:
    """Return an article that was found."""
    return {
        "id": match.id,
        "title": match.title,
        "score": match.score,
        "passage": match.passage,
        "why": match.why,
        "confidence": match.chance,
        "evidence": match.worth,
    }


def incident(match: IncidentMatch) -> Plain:
    """Return a past incident that was found."""
    return {
        "id": match.id,
        "title": match.title,
        "status": match.status,
        "score": match.score,
        "resolution": match.resolution,
        "relation": match.relation,
        "related_ids": match.related_ids,
        "n_alike": match.n_alike,
        "resolved_with": match.resolved_with,
        "shared": match.shared,
    }


def found(made: Found) -> Plain:
    """Return what a search found; a collection that was not asked is null."""
    articles, incidents = made.articles, made.incidents
    return {
        "articles": None if articles is None else [{**article(match), "relevant": match.relevant} for match in articles],
        "incidents": None if incidents is None else [{**incident(match), "relevant": match.relevant} for match in incidents],
        "provenance": {"encoder_id": made.encoder_id, "index_seq": made.index_seq},
        "timing_ms": {"encode": made.encode_ms, "total": made.total_ms},
    }


def item_finding(finding: ItemFinding) -> Plain:
    """Return an item of the CMDB that an incident is about."""
    return {
        "id": finding.id,
        "kind": finding.kind,
        "name": finding.name,
        "how": finding.how,
        "criticality": finding.criticality,
        "owner_group": finding.owner_group,
        "services": finding.services,
        "n_services": finding.n_services,
        "recent_changes": [
            {"id": change.id, "item_id": change.item_id, "at": change.at, "what": change.what}
            for change in finding.recent_changes
        ],
    }


def prediction(fields: Mapping[str, FieldPrediction]) -> Plain:
    """Return the predicted fields of one text."""
    own = {target: found for target, found in fields.items() if target not in TARGETS}
    return {**{target: field(fields[target]) for target in TARGETS}, **_custom(own)}


def field(predicted: FieldPrediction) -> Plain:
    """Return one predicted field."""
    return {
        "value": predicted.value,
        "confidence": predicted.confidence,
        "mode": predicted.mode,
        "alternatives": [{"value": label.value, "confidence": label.confidence} for label in predicted.alternatives],
        "evidence": [_span(span) for span in predicted.evidence],
        "reason": predicted.reason,
        "neighbours": [
            {"id": near.id, "label": near.label, "similarity": near.similarity, "weight": near.weight}
            for near in predicted.neighbours
        ],
        "rule": _rule(predicted.rule),
    }


def priority(suggested: PrioritySuggestion) -> Plain:
    """Return the priority with what decided it, and the nearest other one."""
    other = suggested.counterfactual
    return {
        "value": suggested.value,
        "because": suggested.because,
        "rule": _rule(suggested.rule),
        "counterfactual": None if other is None else _counterfactual(other),
    }


def _counterfactual(other: Counterfactual) -> Plain:
    return {
        "value": other.value,
        "if": other.condition,
        "type": other.family,
        "changes": {target: {"from": now, "to": then} for target, (now, then) in other.changes.items()},
        "evidence": [_span(span) for span in other.evidence],
    }


def _span(span: Evidence) -> Plain:
    return {
        "text": span.text,
        "start": span.start,
        "end": span.end,
        "field": span.field,
        "type": family_of(span.cue),
        "cue": span.cue,
        "weight": round(span.weight, 4),
    }


def _rule(rule: AppliedRule | None) -> Plain | None:
    return None if rule is None else {"id": rule.id, "reason": rule.reason}


def provenance(origin: Provenance) -> Plain:
    """Return what made a suggestion."""
    return {
        "model_version": origin.model_version,
        "encoder_id": origin.encoder_id,
        "index_seq": origin.index_seq,
        "taxonomy_version": origin.taxonomy_version,
    }


def _custom(fields: Mapping[str, FieldPrediction]) -> Plain:
    return {"custom": {target: field(found) for target, found in fields.items()}} if fields else {}


def _sla(sla: SlaSuggestion | None) -> Plain | None:
    return None if sla is None else {"due_at": sla.due_at, "target_minutes": sla.target_minutes, "clock": sla.clock}

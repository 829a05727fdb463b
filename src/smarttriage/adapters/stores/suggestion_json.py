"""Suggestions as one JSON text and back, by hand: `dataclasses.asdict` would cost more than the write itself."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from smarttriage.adapters.stores.item_json import item_body, item_of_body
from smarttriage.adapters.stores.transaction import to_json
from smarttriage.domain.cue_families import EvidenceFamily
from smarttriage.domain.matches import ArticleMatch, IncidentMatch, OngoingMatch, Relation, Worth
from smarttriage.domain.streams import ProposalKind
from smarttriage.domain.suggestion import (
    Alternative,
    AppliedRule,
    Counterfactual,
    FieldMode,
    FieldPrediction,
    PrioritySuggestion,
    Provenance,
    Reason,
    Routing,
    SlaSuggestion,
    Suggestion,
    Timing,
    VotingNeighbour,
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
            "priority": _priority(suggestion.priority),
            "sla": _sla(suggestion.sla),
            "routing": [routing.support_group, routing.escalation, routing.because],
            "articles": [_article(match) for match in suggestion.articles],
            "ongoing": [_ongoing(match) for match in suggestion.ongoing],
            "similar_incidents": [_incident(match) for match in suggestion.similar_incidents],
            "configuration_items": [item_body(finding) for finding in suggestion.configuration_items],
            "provenance": [origin.model_version, origin.encoder_id, origin.index_seq, origin.taxonomy_version],
            "timing_ms": [timing.encode, timing.classify, timing.search, timing.store, timing.total],
            "audiences": sorted(suggestion.audiences),
            "custom": {name: _field(field) for name, field in suggestion.custom.items()},
        }
    )


def suggestion_of(suggestion_id: str, tenant: str, created_at: datetime, body: str, incident_id: str | None) -> Suggestion:
    """Return the suggestion that `suggestion_body` wrote, with the incident that was stored from it later."""
    stored = json.loads(body)
    # Suggestions stored before there was a CMDB have no reason for the group, and no items.
    support_group, escalation, *because = stored["routing"]
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
        priority=_priority_of(stored["priority"]),
        sla=_sla_of(stored["sla"]),
        routing=Routing(support_group, tuple(escalation), *because),
        articles=tuple(_article_of(match) for match in stored["articles"]),
        # Suggestions stored before clusters were have none.
        ongoing=tuple(_ongoing_of(match) for match in stored.get("ongoing", ())),
        similar_incidents=tuple(_incident_of(match) for match in stored["similar_incidents"]),
        provenance=Provenance(*stored["provenance"]),
        timing_ms=Timing(*stored["timing_ms"]),
        custom={name: _field_of(field) for name, field in stored["custom"].items()},
        # Suggestions stored before this was kept do not say.
        audiences=frozenset(stored.get("audiences", ())),
        configuration_items=tuple(item_of_body(finding) for finding in stored.get("configuration_items", ())),
    )


def _article(match: ArticleMatch) -> list[Any]:
    plain: list[Any] = [match.id, match.title, match.score, match.passage, match.why]
    said = match.worth
    if said is None:
        return plain if match.chance is None else [*plain, None, match.chance]
    confirmed = said.confirmed_at and said.confirmed_at.astimezone(UTC).isoformat()
    shares = [said.usefulness, said.low, said.high]
    worth = [said.worked, said.failed, *shares, confirmed, said.contradicted, said.expired, said.needs_review]
    return [*plain, worth, match.chance]


def _article_of(stored: list[Any]) -> ArticleMatch:
    # Suggestions stored before its worth and its chance were have neither.
    id_, title, score, passage, why, worth, chance = [*stored, None, None][:7]
    return ArticleMatch(id_, title, score, passage, why, None if worth is None else _worth_of(worth), chance)


def _worth_of(stored: list[Any]) -> Worth:
    worked, failed, usefulness, low, high, confirmed, contradicted, expired, needs_review = stored
    confirmed_at = None if confirmed is None else datetime.fromisoformat(confirmed)
    return Worth(worked, failed, usefulness, low, high, confirmed_at, contradicted, expired, needs_review)


def _ongoing(match: OngoingMatch) -> list[Any]:
    since = match.since.astimezone(UTC).isoformat()
    return [match.cluster_id, match.kind, match.title, since, match.n_reports, match.score]


def _ongoing_of(stored: list[Any]) -> OngoingMatch:
    cluster_id, kind, title, since, n_reports, score = stored
    return OngoingMatch(cluster_id, ProposalKind(kind), title, datetime.fromisoformat(since), n_reports, score)


def _incident(match: IncidentMatch) -> list[Any]:
    plain = [match.id, match.title, match.status, match.score, match.resolution]
    return [*plain, match.relation, match.related_ids, match.n_alike, match.resolved_with, match.shared]


def _incident_of(stored: list[Any]) -> IncidentMatch:
    # Suggestions stored before relations were have only the first five.
    id_, title, status, score, resolution = stored[:5]
    relation, related, n_alike, resolved_with, *shared = stored[5:] or (None, (), 0, None)
    kind = None if relation is None else Relation(relation)
    return IncidentMatch(id_, title, status, score, resolution, kind, tuple(related), n_alike, resolved_with, tuple(*shared))


def _field(field: FieldPrediction) -> list[Any]:
    return [
        field.value,
        field.confidence,
        field.mode,
        [[label.value, label.confidence] for label in field.alternatives],
        _spans(field.evidence),
        field.reason,
        [[near.id, near.label, near.similarity, near.weight] for near in field.neighbours],
        _rule(field.rule),
    ]


def _field_of(stored: list[Any]) -> FieldPrediction:
    # Suggestions stored before neighbours and rules were have neither.
    value, confidence, mode, alternatives, evidence, reason, neighbours, rule = [*stored, [], None][:8]
    return FieldPrediction(
        value=value,
        confidence=confidence,
        mode=FieldMode(mode),
        alternatives=tuple(Alternative(*label) for label in alternatives),
        evidence=tuple(Evidence(*span) for span in evidence),
        reason=None if reason is None else Reason(reason),
        neighbours=tuple(VotingNeighbour(*near) for near in neighbours),
        rule=_rule_of(rule),
    )


def _spans(evidence: Sequence[Evidence]) -> list[list[Any]]:
    return [[span.text, span.start, span.end, span.field, span.cue, span.weight] for span in evidence]


def _rule(rule: AppliedRule | None) -> list[str] | None:
    return None if rule is None else [rule.id, rule.reason]


def _rule_of(stored: list[str] | None) -> AppliedRule | None:
    return None if stored is None else AppliedRule(*stored)


def _priority(priority: PrioritySuggestion) -> list[Any]:
    other = priority.counterfactual
    changed = other and [other.value, other.condition, other.family, other.changes, _spans(other.evidence)]
    return [priority.value, priority.because, _rule(priority.rule), changed]


def _priority_of(stored: list[Any]) -> PrioritySuggestion:
    value, because, rule, other = [*stored, None, None][:4]
    return PrioritySuggestion(value, because, _rule_of(rule), None if other is None else _counterfactual_of(other))


def _counterfactual_of(stored: list[Any]) -> Counterfactual:
    value, condition, family, changes, evidence = stored
    levels = {target: (now, then) for target, (now, then) in changes.items()}
    return Counterfactual(value, condition, EvidenceFamily(family), levels, tuple(Evidence(*span) for span in evidence))


def _sla(sla: SlaSuggestion | None) -> list[Any] | None:
    return None if sla is None else [sla.due_at.astimezone(UTC).isoformat(), sla.target_minutes, sla.clock]


def _sla_of(stored: list[Any] | None) -> SlaSuggestion | None:
    if stored is None:
        return None
    due_at, target_minutes, clock = stored
    return SlaSuggestion(datetime.fromisoformat(due_at), target_minutes, clock)

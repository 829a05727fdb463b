"""Incidents to rows and back."""

import json
from collections.abc import Sequence
from typing import Any, TypeAlias

from sqlalchemy import Row

from smarttriage.adapters.stores.lesson_json import counted_json, counted_of
from smarttriage.adapters.stores.schema import incident as table
from smarttriage.adapters.stores.transaction import json_of_set, set_of, texts_of, to_json
from smarttriage.domain.incident import Incident, IncidentStatus, LabelOrigin, Labels, Resolution

Columns: TypeAlias = dict[str, Any]
_COLUMNS = tuple(table.c.keys())


def incident_row(incident: Incident) -> dict[str, Any]:
    """Return the values of the table `incident`, by column."""
    labels = incident.labels
    return {
        "id": incident.id,
        "tenant": incident.tenant,
        "title": incident.title,
        "description": incident.description,
        "created_at": incident.created_at,
        "updated_at": incident.updated_at,
        "reported_at": incident.reported_at,
        "status": incident.status,
        "audiences": json_of_set(incident.audiences),
        "kind": labels.kind,
        "category": labels.category,
        "sub_category": labels.sub_category,
        "impact": labels.impact,
        "urgency": labels.urgency,
        "custom": to_json(labels.custom),
        "reviewed": json_of_set(incident.reviewed),
        "priority": incident.priority,
        "support_group": incident.support_group,
        "detected_at": incident.detected_at,
        "reporter": incident.reporter,
        "affected_users": to_json(incident.affected_users),
        "affected_services": to_json(incident.affected_services),
        "configuration_items": to_json(incident.configuration_items),
        "symptoms": to_json(incident.symptoms),
        "initial_impact": incident.initial_impact,
        "source_system": incident.source_system,
        "source_id": incident.source_id,
        "logged_by": incident.logged_by,
        "language": incident.language,
        "version": incident.version,
        "label_origins": to_json(incident.label_origins),
        "counted": counted_json(incident.counted),
        **_resolution_row(incident.resolution),
    }


def _resolution_row(resolution: Resolution | None) -> dict[str, Any]:
    return {
        "resolution_text": resolution.text if resolution else None,
        "resolved_at": resolution.resolved_at if resolution else None,
        "resolved_by": resolution.resolved_by if resolution else None,
        "resolution_article_id": resolution.article_id if resolution else None,
        "drafted_article_id": resolution.drafted_article_id if resolution else None,
    }


def incident_of(row: Row[Any] | Sequence[Any]) -> Incident:
    """Return the incident of a row of the table `incident`."""
    # Asking a row for one column costs as much as this for all of them, and a suggestion reads a dozen rows.
    of: Columns = dict(zip(_COLUMNS, row, strict=True))
    return Incident(
        id=of["id"],
        tenant=of["tenant"],
        title=of["title"],
        description=of["description"],
        created_at=of["created_at"],
        updated_at=of["updated_at"],
        reported_at=of["reported_at"],
        status=IncidentStatus(of["status"]),
        audiences=set_of(of["audiences"]),
        labels=_labels_of(of),
        reviewed=set_of(of["reviewed"]),
        priority=of["priority"],
        support_group=of["support_group"],
        detected_at=of["detected_at"],
        reporter=of["reporter"],
        affected_users=texts_of(of["affected_users"]),
        affected_services=texts_of(of["affected_services"]),
        configuration_items=texts_of(of["configuration_items"]),
        symptoms=texts_of(of["symptoms"]),
        initial_impact=of["initial_impact"],
        source_system=of["source_system"],
        source_id=of["source_id"],
        logged_by=of["logged_by"],
        language=of["language"],
        version=of["version"],
        resolution=_resolution_of(of),
        label_origins=_origins_of(of["label_origins"]),
        counted=counted_of(of["counted"]),
    )


def _labels_of(of: Columns) -> Labels:
    return Labels(
        kind=of["kind"],
        category=of["category"],
        sub_category=of["sub_category"],
        impact=of["impact"],
        urgency=of["urgency"],
        custom={} if of["custom"] == "{}" else json.loads(of["custom"]),
    )


def _origins_of(stored: str) -> dict[str, LabelOrigin]:
    return {} if stored == "{}" else {target: LabelOrigin(origin) for target, origin in json.loads(stored).items()}


def _resolution_of(of: Columns) -> Resolution | None:
    if of["resolution_text"] is None:
        return None
    return Resolution(
        text=of["resolution_text"],
        resolved_at=of["resolved_at"],
        resolved_by=of["resolved_by"],
        article_id=of["resolution_article_id"],
        drafted_article_id=of["drafted_article_id"],
    )

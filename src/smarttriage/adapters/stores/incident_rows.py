"""Incidents to rows and back."""

import json
from typing import Any

from sqlalchemy import Row

from smarttriage.adapters.stores.lesson_json import counted_json, counted_of
from smarttriage.adapters.stores.transaction import json_of_set, set_of, texts_of, to_json
from smarttriage.domain.incident import Incident, IncidentStatus, LabelOrigin, Labels, Resolution


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


def incident_of(row: Row[Any]) -> Incident:
    """Return the incident of a row of the table `incident`."""
    return Incident(
        id=row.id,
        tenant=row.tenant,
        title=row.title,
        description=row.description,
        created_at=row.created_at,
        updated_at=row.updated_at,
        reported_at=row.reported_at,
        status=IncidentStatus(row.status),
        audiences=set_of(row.audiences),
        labels=_labels_of(row),
        reviewed=set_of(row.reviewed),
        priority=row.priority,
        support_group=row.support_group,
        detected_at=row.detected_at,
        reporter=row.reporter,
        affected_users=texts_of(row.affected_users),
        affected_services=texts_of(row.affected_services),
        configuration_items=texts_of(row.configuration_items),
        symptoms=texts_of(row.symptoms),
        initial_impact=row.initial_impact,
        source_system=row.source_system,
        source_id=row.source_id,
        logged_by=row.logged_by,
        language=row.language,
        version=row.version,
        resolution=_resolution_of(row),
        label_origins=_origins_of(row.label_origins),
        counted=counted_of(row.counted),
    )


def _labels_of(row: Row[Any]) -> Labels:
    return Labels(
        kind=row.kind,
        category=row.category,
        sub_category=row.sub_category,
        impact=row.impact,
        urgency=row.urgency,
        custom={} if row.custom == "{}" else json.loads(row.custom),
    )


def _origins_of(stored: str) -> dict[str, LabelOrigin]:
    return {} if stored == "{}" else {target: LabelOrigin(origin) for target, origin in json.loads(stored).items()}


def _resolution_of(row: Row[Any]) -> Resolution | None:
    if row.resolution_text is None:
        return None
    return Resolution(
        text=row.resolution_text,
        resolved_at=row.resolved_at,
        resolved_by=row.resolved_by,
        article_id=row.resolution_article_id,
        drafted_article_id=row.drafted_article_id,
    )

"""Domain values as plain data, by hand: the generic ways cost more than a suggestion's classification."""

from datetime import datetime
from typing import Any

from smarttriage.domain.article import Article
from smarttriage.domain.feedback import Feedback
from smarttriage.domain.incident import TARGETS, Incident, Resolution
from smarttriage.ports import ApiKey, Page
from smarttriage.services.learning import Outcome
from smarttriage.services.live import Models
from smarttriage.services.outcomes import ArticleLife

Plain = dict[str, Any]


def incident(record: Incident) -> Plain:
    """Return the incident, its labels beside its other fields."""
    return {
        "id": record.id,
        "title": record.title,
        "description": record.description,
        "status": record.status,
        **{target: record.labels.get(target) for target in TARGETS},
        "custom": record.labels.custom,
        "reviewed": sorted(record.reviewed),
        "label_origins": record.label_origins,
        "priority": record.priority,
        "support_group": record.support_group,
        "audiences": sorted(record.audiences),
        "detected_at": record.detected_at,
        "reported_at": record.reported_at,
        "reporter": record.reporter,
        "affected_users": record.affected_users,
        "affected_services": record.affected_services,
        "configuration_items": record.configuration_items,
        "symptoms": record.symptoms,
        "initial_impact": record.initial_impact,
        "source_system": record.source_system,
        "source_id": record.source_id,
        "logged_by": record.logged_by,
        "language": record.language,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        "version": record.version,
        "resolution": _resolution(record.resolution),
        "counts_whole": record.counted is None,
    }


def outcome(result: Outcome) -> Plain:
    """Return what a resolution did."""
    return {
        "incident": incident(result.incident),
        "effect": result.effect,
        "article_id": result.article_id,
        "message": result.message,
        "question": result.question,
    }


def feedback(item: Feedback) -> Plain:
    """Return one stored judgement."""
    return {
        "id": item.id,
        "action": item.action,
        "field": item.field,
        "value": item.value,
        "match_id": item.match_id,
        "given_by": item.given_by,
        "created_at": item.created_at,
    }


def article(record: Article) -> Plain:
    """Return the article."""
    return {
        "id": record.id,
        "title": record.title,
        "body": record.body,
        "status": record.status,
        "revision": record.revision,
        "version": record.version,
        "audiences": sorted(record.audiences),
        "category": record.category,
        "sub_category": record.sub_category,
        "keywords": record.keywords,
        "language": record.language,
        "owner": record.owner,
        "valid_until": record.valid_until,
        "source_incidents": record.source_incidents,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        "updated_by": record.updated_by,
    }


def article_life(life: ArticleLife, now: datetime) -> Plain:
    """Return what is known of an article's worth."""
    said = life.evidence
    return {
        "worked": said.worked,
        "failed": said.failed,
        **{name: round(getattr(said, name), 4) for name in ("usefulness", "low", "high", "doubt")},
        "needs_review": said.needs_review,
        "contradicted": said.n_contradicted,
        "contradicted_by": life.contradicted_by,
        "confirmed_at": said.confirmed_at,
        "days_since_confirmed": life.days_since_confirmed(now),
        "expired": life.expired,
        "owner": life.owner,
        "counts": life.counts,
    }


def incidents(page: Page) -> Plain:
    """Return a page of incidents."""
    return {"items": [incident(record) for record in page.items], "next_cursor": page.next_cursor}


def articles(page: Page) -> Plain:
    """Return a page of articles."""
    return {"items": [article(record) for record in page.items], "next_cursor": page.next_cursor}


def key(record: ApiKey) -> Plain:
    """Return the key without its digest."""
    return {
        "id": record.id,
        "label": record.label,
        "scopes": sorted(record.scopes),
        "audiences": sorted(record.audiences),
        "created_at": record.created_at,
        "revoked_at": record.revoked_at,
        "trusted": record.trusted,
    }


def taxonomy(models: Models) -> Plain:
    """Return every label of the installation."""
    policy, labels = models.policy, models.taxonomy
    return {
        "version": labels.version,
        "kinds": [{"name": kind.name, "description": kind.description, "work_item": kind.work_item} for kind in labels.kinds],
        "categories": [
            {
                "name": category.name,
                "description": category.description,
                "support_group": category.support_group,
                "escalation": category.escalation,
                "sub_categories": [
                    {"name": sub.name, "description": sub.description, "support_group": sub.support_group}
                    for sub in category.sub_categories
                ],
            }
            for category in labels.categories
        ],
        "impacts": policy.matrix.impacts,
        "urgencies": policy.matrix.urgencies,
        "matrix": [
            {"impact": impact, "urgency": urgency, "priority": priority}
            for (impact, urgency), priority in policy.matrix.cells.items()
        ],
        "priorities": {
            name: {
                "name": target.name,
                "clock": target.clock,
                "goal_minutes": target.goal_minutes,
                "due_minutes": target.due_minutes,
            }
            for name, target in policy.targets.items()
        },
        "field_modes": {target: models.mode(target) for target in (*TARGETS, *models.classifier.cards)},
    }


def _resolution(resolution: Resolution | None) -> Plain | None:
    if resolution is None:
        return None
    return {
        "text": resolution.text,
        "resolved_at": resolution.resolved_at,
        "resolved_by": resolution.resolved_by,
        "article_id": resolution.article_id,
        "drafted_article_id": resolution.drafted_article_id,
    }

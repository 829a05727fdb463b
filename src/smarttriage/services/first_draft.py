"""The draft that a single resolution makes at once; the knowledge loop merges it with what other incidents say of the same fix."""

from datetime import datetime

from smarttriage.domain.article import Article, ArticleStatus
from smarttriage.domain.drafting import compose, render
from smarttriage.domain.incident import Incident, Resolution
from smarttriage.domain.observation import observed


def first_draft(incident: Incident, text: str, *, article_id: str, key_id: str, now: datetime) -> Article:
    """Return an unpublished article of the incident's own sentences, without greetings, people and secrets."""
    composed = compose([observed(incident, Resolution(text, now))])
    return Article(
        id=article_id,
        tenant=incident.tenant,
        audiences=incident.audiences,
        title=composed.title,
        body=render(composed.sentences),
        status=ArticleStatus.DRAFT,
        category=composed.category,
        sub_category=composed.sub_category,
        keywords=composed.keywords,
        language=composed.language,
        source_incidents=(incident.id,),
        created_at=now,
        updated_at=now,
        updated_by=key_id,
    )

"""What a group of observations proposes: a new article, what an existing one lacks, or nothing."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from smarttriage.domain.access import index_labels
from smarttriage.domain.article import Article
from smarttriage.domain.draft import ArticleDraft, DraftKind, DraftSentence, DraftStatus, draft_id
from smarttriage.domain.drafting import Composed, additions, compose
from smarttriage.domain.observation import FixGroup, Observation
from smarttriage.domain.outcome import is_named
from smarttriage.ports import Records, Vectors
from smarttriage.services.learning import with_resolution
from smarttriage.services.live import Live

# One ticket alone changes no reviewed article, and none becomes an article of its own out of an import: a desk's old records would be
# as many drafts.
FROM_INCIDENTS = 2
# Nor does one person, nor one source that is not trusted, in however many tickets.
FROM_VOICES = 2
# A published article whose passage is this near (cosine) to what the incidents say tells their fix. benchmarks/loop.py prints what
# SAME_FIX, from which a resolution is no longer drafted by itself, would do here: edits of other fixes' articles.
SAME_ARTICLE = 0.8
# Most typical first; more add citations, but hardly a sentence.
MAX_READ = 30


class Proposer:
    """Keeps at most one open draft for each group."""

    def __init__(self, *, live: Live, same_fix: float = SAME_ARTICLE) -> None:
        self._live = live
        self._same_fix = same_fix

    def drafts(
        self, records: Records, group: FixGroup, typical: Sequence[Observation], vector: Vectors | None, *, at: datetime
    ) -> list[ArticleDraft]:
        """Return the drafts of the group that are to be stored, each under its next version."""
        wanted = self._wanted(records, group, typical, vector, at=at) if typical and vector is not None else None
        changed = [
            replace(each, status=DraftStatus.SUPERSEDED, updated_at=at, version=each.version + 1)
            for each in records.open_drafts(group_ids=[group.id])
            if wanted is None or each.id != wanted.id
        ]
        return changed if wanted is None else [*changed, *_renewed(records, wanted)]

    def _wanted(
        self, records: Records, group: FixGroup, typical: Sequence[Observation], vector: Vectors, *, at: datetime
    ) -> ArticleDraft | None:
        composed = compose(typical[:MAX_READ])
        article = self._article(records, group, typical, vector)
        if article is not None:
            return self._edit(group, typical, composed, article, at=at) if voices(records, typical) >= FROM_VOICES else None
        asked_for = [each.drafted_article_id for each in sorted(typical, key=lambda each: (each.resolved_at, each.incident_id))]
        first = next((id_ for id_ in asked_for if id_ is not None), None)
        if all(each.is_history for each in typical) and len(typical) < FROM_INCIDENTS:
            return None
        return _draft(group, typical, composed, composed.sentences, at=at, kind=DraftKind.NEW, article_id=first)

    def _edit(
        self, group: FixGroup, typical: Sequence[Observation], composed: Composed, article: Article, *, at: datetime
    ) -> ArticleDraft | None:
        """Return what the incidents add to the article, None if nothing, or if more people read it than may see the incidents."""
        if not article.audiences <= group.audiences:
            return None
        added = additions(composed, article.body)
        if not added:
            return None
        kept = replace(
            composed,
            title=article.title,
            category=article.category,
            sub_category=article.sub_category,
            language=article.language,
            keywords=tuple(dict.fromkeys((*article.keywords, *composed.keywords)))[: max(len(article.keywords), 8)],
        )
        draft = _draft(group, typical, kept, added, at=at, kind=DraftKind.EDIT, article_id=article.id)
        return replace(draft, article_version=article.version)

    def _article(self, records: Records, group: FixGroup, typical: Sequence[Observation], vector: Vectors) -> Article | None:
        """Return the published article that tells the fix: the one that was used most, the group's own, or the nearest one."""
        used = Counter(each.article_id for each in typical if each.article_id is not None)
        for id_ in (*(id_ for id_, _ in used.most_common(1)), *((group.article_id,) if group.article_id else ())):
            article = records.published_revision(id_)
            if article is not None and article.tenant == group.tenant:
                return article
        first = typical[0]
        told = with_resolution(first.title, first.symptom, first.fix)
        allowed = index_labels(group.tenant, group.audiences)
        results = self._live.state.catalogue.articles.search(told, vector, 1, allowed=allowed)
        if not results or (results[0].dense or 0.0) < self._same_fix:
            return None
        return records.published_revision(results[0].id)


def voices(records: Records, observations: Sequence[Observation]) -> int:
    """Return how many say it: a person who is named once, a source that is not trusted once, where nobody is named each incident."""
    about = records.lessons_about([each.incident_id for each in observations])
    heard = set()
    for each in observations:
        told = [lesson for lesson in about.get(each.incident_id, ()) if lesson.said.resolution is not None]
        last = told[-1] if told else None
        counts_once = last is not None and (is_named(last.person) or last.decided_by is not None)
        heard.add(last.person if last is not None and counts_once else each.incident_id)
    return len(heard)


def _draft(
    group: FixGroup,
    typical: Sequence[Observation],
    composed: Composed,
    said: tuple[DraftSentence, ...],
    *,
    at: datetime,
    kind: DraftKind,
    article_id: str | None,
) -> ArticleDraft:
    return ArticleDraft(
        id=draft_id(group.id, article_id, said),
        tenant=group.tenant,
        audiences=group.audiences,
        group_id=group.id,
        kind=kind,
        title=composed.title,
        sentences=said,
        created_at=at,
        updated_at=at,
        category=composed.category,
        sub_category=composed.sub_category,
        keywords=composed.keywords,
        language=composed.language,
        incident_ids=tuple(sorted(each.incident_id for each in typical)),
        article_id=article_id,
    )


def _renewed(records: Records, wanted: ArticleDraft) -> list[ArticleDraft]:
    """Return the draft under its next version; none if it stands there as it is, or was decided."""
    present = records.drafts_by_id([wanted.id]).get(wanted.id)
    if present is None:
        return [wanted]
    if present.status in (DraftStatus.ACCEPTED, DraftStatus.REJECTED):
        return []
    known = replace(wanted, created_at=present.created_at, updated_at=present.updated_at, version=present.version)
    return [] if known == present else [replace(known, updated_at=wanted.updated_at, version=present.version + 1)]

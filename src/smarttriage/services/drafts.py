"""The review of drafts: read with their sources, accepted into a published article, or rejected with a reason."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from smarttriage.domain.access import Principal, Scope
from smarttriage.domain.article import Article, ArticleStatus
from smarttriage.domain.draft import ArticleDraft, Citation, DraftKind, DraftSentence, DraftStatus, Section, SourceField
from smarttriage.domain.drafting import render, with_additions
from smarttriage.domain.errors import Conflict, InvalidInput, NotFound, PermissionDenied, VersionMismatch
from smarttriage.domain.lesson import Lesson, LessonKind
from smarttriage.domain.observation import GroupEvent, Observation
from smarttriage.domain.outcome import person_of
from smarttriage.domain.review import WINDOW, ReviewPolicy
from smarttriage.domain.sentences import masked_text
from smarttriage.ports import Clock, Page, Records, Store
from smarttriage.services.knowledge import KnowledgeService


@dataclass(frozen=True, slots=True)
class Source:
    """A visible citation with the words that are cited, masked as in the draft."""

    citation: Citation
    quote: str


@dataclass(frozen=True, slots=True)
class DraftView:
    """A draft as one reviewer may see it.

    Attributes:
        draft: With the sentences that the reviewer may see, and only the citations and incidents that they may see.
        sources: The sources of each sentence.
        n_withheld: Sentences that only incidents say which the reviewer may not see.
        body: What the article would read, of what is visible.
        diff: The same beside the present article, as a unified diff.
        history: What happened to the group.
    """

    draft: ArticleDraft
    sources: tuple[tuple[Source, ...], ...]
    n_withheld: int
    body: str
    diff: str
    history: tuple[GroupEvent, ...]


class DraftService:
    """Reads and decides drafts."""

    def __init__(self, *, store: Store, clock: Clock, knowledge: KnowledgeService, policy: ReviewPolicy | None = None) -> None:
        self._store = store
        self._clock = clock
        self._knowledge = knowledge
        self._policy = policy or ReviewPolicy()

    def list(self, principal: Principal, *, status: DraftStatus | None, limit: int, cursor: str | None) -> Page:
        """Return a page of drafts as the principal may see them, the last changed first."""
        with self._store.begin() as records:
            page = records.article_drafts(principal, status=status, limit=limit, cursor=cursor)
            return Page([_visible(records, principal, draft)[0] for draft in page.items], page.next_cursor)

    def get(self, principal: Principal, draft_id: str) -> DraftView:
        """Return the draft with its sources and its diff. Raises NotFound."""
        with self._store.begin() as records:
            draft = _found(records, principal, draft_id)
            shown, observations, n_withheld = _visible(records, principal, draft)
            base = records.article(draft.article_id, principal) if draft.article_id else None
            return DraftView(
                draft=shown,
                sources=tuple(_sources(each, observations) for each in shown.sentences),
                n_withheld=n_withheld,
                body=_body(shown, base),
                diff=_diff(shown, base),
                history=tuple(records.group_events(draft.group_id)),
            )

    def accept(self, principal: Principal, draft_id: str, *, version: int | None) -> tuple[ArticleDraft, Article]:
        """Publish what the draft proposes, through the statuses of a review; return both.

        Raises NotFound, VersionMismatch, Conflict if it is decided already, its article has changed since, or the key accepts
        more than can be read; PermissionDenied if the reviewer may not see all that it says, or has said some of it.
        """
        principal.require(Scope.REVIEW)
        with self._store.begin(write=True) as records:
            draft = _open(records, principal, draft_id, version)
            _, _, n_withheld = _visible(records, principal, draft)
            if n_withheld:
                raise PermissionDenied(
                    f"{n_withheld} sentences of draft {draft_id} come from incidents that key {principal.key_id} may not see; "
                    "let somebody decide who may see them"
                )
            self._policy.check_author(principal, _authors(records, draft), f"a part of draft {draft_id}")
            since = self._clock() - WINDOW
            self._policy.check_pace(principal, records.n_accepted(principal.tenant, principal.key_id, since=since))
            base = records.article(draft.article_id, principal) if draft.article_id else None
            article = self._knowledge.publish_reviewed(records, principal, self._article(principal, draft, base), base=base)
            before = self._settle(records, principal, draft, article)
            decided = self._decided(principal, replace(draft, article_id=article.id), DraftStatus.ACCEPTED)
            records.put_drafts([decided])
            records.add_lessons([_lesson(principal, decided, group_article=before)])
            return decided, article

    def reject(self, principal: Principal, draft_id: str, *, reason: str, version: int | None) -> ArticleDraft:
        """Return the draft as rejected; the same sentences are not proposed again. Raises as `accept`, InvalidInput without reason."""
        principal.require(Scope.REVIEW)
        if not reason.strip():
            raise InvalidInput("reason is empty; say in a few words what is wrong with the draft", field="reason")
        with self._store.begin(write=True) as records:
            draft = _open(records, principal, draft_id, version)
            decided = replace(self._decided(principal, draft, DraftStatus.REJECTED), reason=reason.strip())
            records.put_drafts([decided])
            group = records.fix_groups([draft.group_id])[draft.group_id]
            records.add_lessons([_lesson(principal, decided, group_article=group.article_id)])
            return decided

    def _article(self, principal: Principal, draft: ArticleDraft, base: Article | None) -> Article:
        """Return the article that the draft would make. Raises Conflict if the one that it edits is another by now."""
        now = self._clock()
        content = {
            "title": draft.title,
            "category": draft.category,
            "sub_category": draft.sub_category,
            "keywords": draft.keywords,
            "language": draft.language,
            "body": _body(draft, base),
        }
        if draft.kind is DraftKind.EDIT and (base is None or base.version != draft.article_version):
            raise Conflict(
                f"article {draft.article_id} has changed since draft {draft.id} was made; a new draft follows where it still "
                "lacks something"
            )
        if base is None:
            id_ = draft.article_id or own_article_id(draft)
            sources = draft.incident_ids
            return Article(
                id=id_,
                tenant=principal.tenant,
                audiences=draft.audiences,
                source_incidents=sources,
                created_at=now,
                updated_at=now,
                **content,  # type: ignore[arg-type]
            )
        sources = tuple(dict.fromkeys((*base.source_incidents, *draft.incident_ids)))
        return replace(base, source_incidents=sources, **content)  # type: ignore[arg-type]

    def _settle(self, records: Records, principal: Principal, draft: ArticleDraft, article: Article) -> str | None:
        """Let the group know its article, and retire what each of its incidents was drafted by itself; return its former one."""
        group = records.fix_groups([draft.group_id])[draft.group_id]
        records.put_fix_groups([replace(group, article_id=article.id)])
        members = records.observations(draft.incident_ids).values()
        drafted = {each.drafted_article_id for each in members if each.drafted_article_id is not None}
        self._knowledge.retire_untouched(records, principal, drafted - {article.id})
        return group.article_id

    def _decided(self, principal: Principal, draft: ArticleDraft, status: DraftStatus) -> ArticleDraft:
        now = self._clock()
        return replace(
            draft, status=status, decided_at=now, decided_by=principal.key_id, updated_at=now, version=draft.version + 1
        )


def own_article_id(draft: ArticleDraft) -> str:
    """Return the id of the article that a draft makes where none was drafted before."""
    return f"kb_{draft.id.removeprefix('draft_')}"


def _authors(records: Records, draft: ArticleDraft) -> set[str]:
    """Return the keys that taught what the draft says."""
    about = records.lessons_about(draft.incident_ids)
    return {lesson.key_id for lessons in about.values() for lesson in lessons if lesson.said.resolution is not None}


def _lesson(principal: Principal, decided: ArticleDraft, *, group_article: str | None) -> Lesson:
    return Lesson(
        id=f"les_{decided.id}.{decided.version}",
        tenant=decided.tenant,
        kind=LessonKind.DECISION,
        record_id=decided.id,
        key_id=principal.key_id,
        person=person_of(None, principal),
        at=decided.updated_at,
        told=str(decided.status),
        group_article=group_article,
    )


def _found(records: Records, principal: Principal, draft_id: str) -> ArticleDraft:
    draft = records.article_draft(draft_id, principal)
    if draft is None:
        raise NotFound(f"there is no draft {draft_id}", field="draft_id")
    return draft


def _open(records: Records, principal: Principal, draft_id: str, version: int | None) -> ArticleDraft:
    draft = _found(records, principal, draft_id)
    if version is not None and version != draft.version:
        raise VersionMismatch(f"draft {draft_id} is at version {draft.version}, not {version}; read it again and decide anew")
    if draft.status is not DraftStatus.PROPOSED:
        raise Conflict(f"draft {draft_id} is {draft.status}; only a proposed one can be decided", field="status")
    return draft


def _visible(records: Records, principal: Principal, draft: ArticleDraft) -> tuple[ArticleDraft, Mapping[str, Observation], int]:
    """Return the draft of what the principal may see, the observations behind it, and how many sentences are left out."""
    seen = set(records.incidents_by_id(draft.incident_ids, principal))
    kept = []
    for each in draft.sentences:
        citations = tuple(citation for citation in each.citations if citation.incident_id in seen)
        if citations:
            kept.append(replace(each, citations=citations))
    titled = any(each.section is Section.TITLE for each in draft.sentences)
    title = draft.title if not titled or any(each.section is Section.TITLE for each in kept) else "(withheld)"
    keywords = draft.keywords if seen else ()
    shown = replace(
        draft,
        title=title,
        keywords=keywords,
        sentences=tuple(kept),
        incident_ids=tuple(id_ for id_ in draft.incident_ids if id_ in seen),
    )
    return shown, records.observations(seen), len(draft.sentences) - len(kept)


def _sources(sentence: DraftSentence, observations: Mapping[str, Observation]) -> tuple[Source, ...]:
    """Return the cited words of each citation; an incident that was told anew since has other words and no quote."""
    return tuple(Source(each, _quote(each, observations.get(each.incident_id), sentence)) for each in sentence.citations)


def _quote(citation: Citation, observation: Observation | None, sentence: DraftSentence) -> str:
    if observation is None:
        return ""
    if citation.field in (SourceField.AFFECTED_SERVICES, SourceField.CONFIGURATION_ITEMS):
        return sentence.text
    texts = {
        SourceField.TITLE: observation.title,
        SourceField.DESCRIPTION: observation.symptom,
        SourceField.RESOLUTION: observation.fix,
    }
    return masked_text(texts[citation.field][citation.start : citation.end], people=observation.people)


def _body(draft: ArticleDraft, base: Article | None) -> str:
    if draft.kind is DraftKind.EDIT:
        return with_additions(base.body if base is not None else "", draft.sentences)
    return render(draft.sentences)


def _diff(draft: ArticleDraft, base: Article | None) -> str:
    """Return what publishing would change; nothing is published of a draft that nobody has reviewed."""
    present = base.body if base is not None and (draft.kind is DraftKind.EDIT or base.status is ArticleStatus.PUBLISHED) else ""
    lines = difflib.unified_diff(present.splitlines(), _body(draft, base).splitlines(), "present", "proposed", lineterm="", n=2)
    return "\n".join(lines)

"""Undo everything that a key taught since an instant: lessons, outcomes, articles, decisions, and models that learnt from them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from smarttriage.domain.access import Principal, Scope
from smarttriage.domain.article import ArticleStatus
from smarttriage.domain.draft import ArticleDraft, DraftStatus
from smarttriage.domain.errors import Conflict
from smarttriage.domain.lesson import Lesson, LessonKind, Standing
from smarttriage.ports import Clock, ModelVersions, PromotionAction, PromotionEntry, Records, Store
from smarttriage.ports.outcomes import EVIDENCE_ACTOR, UNDO_ACTOR
from smarttriage.services.drafts import own_article_id
from smarttriage.services.lineage import ROWS_FILE, read_rows_file, version_before
from smarttriage.services.loop import propose_anew
from smarttriage.services.outcomes import OutcomeTaker
from smarttriage.services.promotion import Fingerprints
from smarttriage.services.teaching import recount
from smarttriage.services.undo_plan import UndoPlan, plan_undo


@dataclass(frozen=True, slots=True)
class UndoneArticle:
    """What becomes of an article.

    Attributes:
        id: Which one.
        undone: The versions that the key wrote.
        status: Its status afterwards.
    """

    id: str
    undone: tuple[int, ...]
    status: ArticleStatus


@dataclass(frozen=True, slots=True)
class Undone:
    """What an undo did, or would do.

    Attributes:
        key_id: Whose words.
        since: From when on.
        dry_run: Whether nothing was changed.
        n_lessons: Lessons that count no longer.
        incidents: Incidents that teach something else now, or nothing.
        n_outcomes: Outcomes of articles that count no longer.
        n_confirmed: Lessons of others that the key had confirmed, rejected or spoken for; they wait again, without its word.
        articles: Articles that were brought back, or retired where nobody else had written them.
        built_on: Published articles of others that name an incident of which the key taught; they stay, somebody should read them.
        drafts: Drafts that are to be decided anew.
        models: Versions that were trained since then on rows that the key taught.
        serving: The version that served before; None: the shipped starter.
        serves: The version that serves now.
    """

    key_id: str
    since: datetime
    dry_run: bool
    n_lessons: int
    incidents: tuple[str, ...]
    n_outcomes: int
    n_confirmed: int
    articles: tuple[UndoneArticle, ...]
    built_on: tuple[str, ...]
    drafts: tuple[str, ...]
    models: tuple[str, ...]
    serving: str | None
    serves: str | None


class UndoService:
    """Takes back what a key taught. Records stay as they were written and nothing is deleted; it counts no longer."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        taker: OutcomeTaker,
        versions: ModelVersions,
        reload: Callable[[], None],
        pinned: bool = False,
    ) -> None:
        """Take what it works on; `pinned` is whether a setting names the model, which then is not changed."""
        self._store = store
        self._clock = clock
        self._taker = taker
        self._versions = versions
        self._reload = reload
        self._pinned = pinned

    def undo(self, principal: Principal, key_id: str, *, since: datetime, reason: str = "", dry_run: bool = False) -> Undone:
        """Return what was undone of what a key of the tenant taught since then; doing it again finds nothing left.

        Raises NotFound for a key that the tenant never had.
        """
        principal.require(Scope.ADMIN)
        with self._store.begin() as records:
            plan = plan_undo(records, principal, key_id, since)
        # Models first: whoever is cut off here and begins again still finds which rows they learnt from.
        models, serving, serves = self._models(principal, plan.taught, since, key_id=key_id, dry_run=dry_run)
        if not dry_run:
            with self._store.begin(write=True) as records:
                plan = plan_undo(records, principal, key_id, since)
                self._apply(records, principal, plan, key_id=key_id, since=since, reason=reason)
        drafts = [each.record_id for each in plan.of_kind(LessonKind.DECISION)]
        return Undone(
            key_id=key_id,
            since=since,
            dry_run=dry_run,
            n_lessons=len(plan.lessons),
            incidents=tuple(plan.incidents),
            n_outcomes=sum(len(each.outcome_ids) for each in plan.lessons),
            n_confirmed=len(plan.confirmed),
            articles=tuple(UndoneArticle(id_, tuple(each.undone), each.status) for id_, each in plan.courses.items()),
            built_on=plan.built_on,
            drafts=tuple(dict.fromkeys(drafts)),
            models=tuple(models),
            serving=serving,
            serves=serves,
        )

    def _apply(
        self,
        records: Records,
        principal: Principal,
        plan: UndoPlan,
        *,
        key_id: str,
        since: datetime,
        reason: str,
    ) -> None:
        at = self._clock()
        records.settle_lessons(
            [each.settled(Standing.UNDONE, by=principal.key_id, at=at, reason=reason or None) for each in plan.lessons]
        )
        self._wait_again(records, plan, key_id)
        recount(records, plan.incidents, key_id=principal.key_id)
        told_of = list(records.withdraw_outcomes(principal.tenant, key_id, since=since, at=at))
        for id_, course in plan.courses.items():
            records.mark_undone(id_, course.undone, at=at)
            for place, step in enumerate(course.steps, 1):
                by = EVIDENCE_ACTOR if step.updated_by == EVIDENCE_ACTOR else UNDO_ACTOR
                version = course.versions[-1].version + place
                records.update_article(replace(step, version=version, updated_at=at, updated_by=by), key_id=principal.key_id)
        if plan.courses:
            propose_anew(records, since)
        again = {each.record_id for each in plan.confirmed if each.kind is LessonKind.OUTCOME}
        for id_ in dict.fromkeys((*told_of, *sorted(again))):
            self._taker.look_again(records, principal, records.article_course(id_)[-1][0])
        if plan.has_anything or told_of:
            records.note_undo(principal.tenant, key_id, by=principal.key_id)
        records.put_drafts([_open_again(records, lesson, at) for lesson in _last_decisions(records, plan, key_id)])

    def _wait_again(self, records: Records, plan: UndoPlan, key_id: str) -> None:
        """Let the lessons of others wait that count, or were rejected, by the key's word; what became of their outcomes follows."""
        records.settle_lessons(
            [
                replace(
                    each,
                    standing=Standing.QUARANTINED,
                    agreed=tuple(word for word in each.agreed if word[0] != key_id),
                    decided_at=None,
                    decided_by=None,
                    reason=None,
                )
                for each in plan.confirmed
            ]
        )
        records.quarantine_outcomes([id_ for each in plan.confirmed for id_ in each.outcome_ids])

    def _models(
        self, principal: Principal, taught: Fingerprints, since: datetime, *, key_id: str, dry_run: bool
    ) -> tuple[list[str], str | None, str | None]:
        """Return the versions that learnt from what was taught, what served and what serves: the last one before them."""
        learnt = [each for each in self._versions.versions() if self._learnt(each, taught, since)]
        serving = self._versions.current()
        if serving not in learnt or self._pinned:
            return learnt, serving, serving
        serves: str | None = serving
        while serves in learnt:
            serves = _before(self._versions, serves)
        if not dry_run:
            reason = f"{serving} learnt from what key {key_id} taught since {since.isoformat()}"
            self._versions.serve(
                PromotionEntry(self._clock(), principal.key_id, PromotionAction.ROLLED_BACK, serves, serving, reason)
            )
            self._reload()
        return learnt, serving, serves

    def _learnt(self, version: str, taught: Fingerprints, since: datetime) -> bool:
        """Return whether a version was trained since then on a row that was taught."""
        if datetime.fromisoformat(str(self._versions.manifest(version)["created_at"])) < since:
            return False
        rows = read_rows_file(self._versions.attachment(version, ROWS_FILE))
        return rows is not None and bool(np.isin(taught, rows).any())


def _last_decisions(records: Records, plan: UndoPlan, key_id: str) -> list[Lesson]:
    """Return the decisions that still stand as the key made them."""
    decisions = {each.record_id: each for each in plan.of_kind(LessonKind.DECISION)}
    drafts = records.drafts_by_id(list(decisions))
    return [decisions[id_] for id_, draft in drafts.items() if draft.decided_by == key_id]


def _open_again(records: Records, lesson: Lesson, at: datetime) -> ArticleDraft:
    """Return a draft as it was before it was decided, its group without what the decision gave it."""
    draft = records.drafts_by_id([lesson.record_id])[lesson.record_id]
    group = records.fix_groups([draft.group_id])[draft.group_id]
    records.put_fix_groups([replace(group, article_id=lesson.group_article)])
    return replace(
        draft,
        status=DraftStatus.PROPOSED,
        article_id=None if draft.article_id == own_article_id(draft) else draft.article_id,
        decided_at=None,
        decided_by=None,
        reason=None,
        updated_at=at,
        version=draft.version + 1,
    )


def _before(versions: ModelVersions, version: str | None) -> str | None:
    """Return what was current before a version; the shipped starter where the history knows nothing."""
    try:
        return version_before(versions.history(), version)
    except Conflict:
        return None

"""What became of articles, taken down with what it follows from, in the same transaction; enough failures send one to review."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime

from smarttriage.domain.access import Principal, Scope
from smarttriage.domain.article import Article, ArticleStatus
from smarttriage.domain.article_evidence import NOTHING, ArticleEvidence, evidence_of, is_expired
from smarttriage.domain.errors import InvalidInput, NotFound
from smarttriage.domain.feedback import Feedback, FeedbackAction
from smarttriage.domain.incident import Incident
from smarttriage.domain.lesson import Lesson, LessonKind, Standing
from smarttriage.domain.outcome import FAILURES, ArticleOutcome, OutcomeKind, person_of
from smarttriage.domain.suggestion import Suggestion
from smarttriage.ports import Clock, Records, Store
from smarttriage.ports.outcomes import EVIDENCE_ACTOR
from smarttriage.services.notes import assess

THUMBS = {FeedbackAction.THUMBS_UP: OutcomeKind.WORKED, FeedbackAction.THUMBS_DOWN: OutcomeKind.DID_NOT_WORK}
# What a person may say of an article directly; the others follow from what happens to incidents.
SAYABLE = (OutcomeKind.WORKED, OutcomeKind.DID_NOT_WORK, OutcomeKind.NOT_TRIED)


@dataclass(frozen=True, slots=True)
class ArticleLife:
    """What is known of an article's worth.

    Attributes:
        evidence: What those who tried it say of what is published now.
        counts: How often each outcome was said, whoever said it.
        expired: Whether it may no longer be trusted unseen.
        owner: Who keeps it right.
        contradicted_by: Incidents that may be seen and that a resolution without it ended after it had failed, oldest first.
    """

    evidence: ArticleEvidence
    counts: dict[OutcomeKind, int]
    expired: bool
    owner: str | None
    contradicted_by: tuple[str, ...] = ()

    def days_since_confirmed(self, now: datetime) -> int | None:
        """Return for how many days nobody has said that it worked; None: nobody ever has."""
        confirmed = self.evidence.confirmed_at
        return None if confirmed is None else (now - confirmed).days


class OutcomeTaker:
    """Takes outcomes down inside the transaction of the work that they follow from."""

    def __init__(self, *, clock: Clock, new_id: Callable[[str], str]) -> None:
        self._clock = clock
        self._new_id = new_id

    def resolved(
        self,
        records: Records,
        principal: Principal,
        incident: Incident,
        *,
        article_id: str | None,
        text: str,
        person: str | None,
        similar: str | None = None,
    ) -> tuple[str, ...]:
        """Take down what a resolution says of the article it used, of those that had failed and of those that were only shown.

        Return the ids of the outcomes, for the lesson that the resolution is.

        `similar` is the article that says the same as the resolution, which used none: if it was not suggested, that was missed.
        """
        of_incident = records.outcomes_of_incident(incident.id, principal)
        failed = {each.article_id for each in of_incident if each.kind in FAILURES} - {article_id}
        told = {each.article_id for each in of_incident if each.kind in (*FAILURES, OutcomeKind.WORKED)}
        shown = records.suggestion_of_incident(incident.id, principal)
        left = {match.id for match in shown.articles} - told - {article_id} if shown is not None else set()
        said = [(article_id, OutcomeKind.WORKED)] if article_id is not None else []
        if article_id is not None or assess(text).actionable:
            said += [(each, OutcomeKind.CONTRADICTED) for each in sorted(failed)]
        if shown is not None and similar is not None and similar not in {match.id for match in shown.articles}:
            said.append((similar, OutcomeKind.MISSED))
        said += [(each, OutcomeKind.NOT_TRIED) for each in sorted(left)]
        shown_id = shown.id if shown else None
        taken = self.take(records, principal, said, person=person, incident_id=incident.id, suggestion_id=shown_id)
        return tuple(outcome.id for outcome in taken)

    def reopened(self, records: Records, principal: Principal, incident: Incident) -> None:
        """Take down that the article which had resolved the incident did not: who said that it worked says so no longer."""
        article_id = incident.resolution.article_id if incident.resolution else None
        if article_id is None:
            return
        of_incident = records.outcomes_of_incident(incident.id, principal)
        by = [each.person for each in of_incident if (each.article_id, each.kind) == (article_id, OutcomeKind.WORKED)]
        said = [(article_id, OutcomeKind.REOPENED)]
        taken = self.take(records, principal, said, person=None, incident_id=incident.id, as_person=by[-1] if by else None)
        records.add_lessons(_lessons(taken))

    def judged(self, records: Records, principal: Principal, suggestion: Suggestion, feedback: Iterable[Feedback]) -> None:
        """Take down what thumbs say of a suggestion's articles."""
        articles = {match.id for match in suggestion.articles}
        for each in feedback:
            if each.action in THUMBS and each.match_id is not None and each.match_id in articles:
                said = [(each.match_id, THUMBS[each.action])]
                own = {"incident_id": suggestion.incident_id, "suggestion_id": suggestion.id}
                records.add_lessons(_lessons(self.take(records, principal, said, person=each.given_by, **own)))

    def take(
        self,
        records: Records,
        principal: Principal,
        said: Iterable[tuple[str, OutcomeKind]],
        *,
        person: str | None,
        incident_id: str | None = None,
        suggestion_id: str | None = None,
        as_person: str | None = None,
    ) -> list[ArticleOutcome]:
        """Return the outcomes, stored, of those articles that the principal may see, with those that failed looked at again.

        What a key says that is not trusted waits in quarantine and sends nothing to review.
        """
        kinds = list(said)
        present = records.articles_by_id({article_id for article_id, _ in kinds}, principal)
        outcomes = [
            ArticleOutcome(
                id=self._new_id("out"),
                tenant=principal.tenant,
                article_id=article_id,
                version=present[article_id].version,
                kind=kind,
                person=as_person or person_of(person, principal),
                created_at=self._clock(),
                key_id=principal.key_id,
                incident_id=incident_id,
                suggestion_id=suggestion_id,
                quarantined=not principal.is_trusted,
            )
            for article_id, kind in kinds
            if article_id in present
        ]
        records.add_outcomes(outcomes)
        for article_id in sorted({each.article_id for each in outcomes if each.kind in FAILURES and not each.quarantined}):
            self.look_again(records, principal, present[article_id])
        return outcomes

    def look_again(self, records: Records, principal: Principal, article: Article) -> Article:
        """Return the article, sent to review where it failed often enough, brought back where evidence had sent it and is gone."""
        doubted = _evidence(records, article.id).needs_review
        sent = article.status is ArticleStatus.IN_REVIEW and article.updated_by == EVIDENCE_ACTOR
        if doubted and article.status is ArticleStatus.PUBLISHED:
            status = ArticleStatus.IN_REVIEW
        elif sent and not doubted:
            status = ArticleStatus.PUBLISHED
        else:
            return article
        moved = replace(article, status=status, version=article.version + 1, updated_at=self._clock(), updated_by=EVIDENCE_ACTOR)
        records.update_article(moved, key_id=principal.key_id)
        return moved


class OutcomeService:
    """Says and tells what became of articles."""

    def __init__(self, *, store: Store, clock: Clock, taker: OutcomeTaker) -> None:
        self._store = store
        self._clock = clock
        self._taker = taker

    def say(
        self, principal: Principal, article_id: str, kind: OutcomeKind, *, given_by: str | None, incident_id: str | None
    ) -> ArticleLife:
        """Store an outcome; return what is known of the article now. Raises NotFound for article or incident."""
        principal.require(Scope.WRITE)
        if kind not in SAYABLE:
            raise InvalidInput(
                f'"{kind}" follows from what happens to incidents; say one of {", ".join(SAYABLE)}', field="outcome"
            )
        with self._store.begin(write=True) as records:
            _found(records, principal, article_id)
            if incident_id is not None and records.incident(incident_id, principal) is None:
                raise NotFound(f"there is no incident {incident_id}", field="incident_id")
            taken = self._taker.take(records, principal, [(article_id, kind)], person=given_by, incident_id=incident_id)
            records.add_lessons(_lessons(taken))
            return self._life(records, principal, _found(records, principal, article_id))

    def life(self, principal: Principal, article_id: str) -> ArticleLife:
        """Return what is known of an article's worth. Raises NotFound."""
        with self._store.begin() as records:
            return self._life(records, principal, _found(records, principal, article_id))

    def _life(self, records: Records, principal: Principal, article: Article) -> ArticleLife:
        published = records.published_revision(article.id) or article
        today: date = self._clock().date()
        counts = dict(records.outcome_counts(article.id))
        said = records.outcomes([article.id]).get(article.id, ())
        against = dict.fromkeys(each.incident_id for each in said if each.kind is OutcomeKind.CONTRADICTED and each.incident_id)
        visible = records.incidents_by_id(list(against), principal)
        return ArticleLife(
            evidence=evidence_of(said) if said else NOTHING,
            counts=counts,
            expired=is_expired(published.valid_until, today),
            owner=published.owner,
            contradicted_by=tuple(each for each in against if each in visible),
        )


def _evidence(records: Records, article_id: str) -> ArticleEvidence:
    said = records.outcomes([article_id]).get(article_id)
    return evidence_of(said) if said else NOTHING


def _lessons(taken: Iterable[ArticleOutcome]) -> list[Lesson]:
    return [
        Lesson(
            id=f"les_{each.id}",
            tenant=each.tenant,
            kind=LessonKind.OUTCOME,
            record_id=each.article_id,
            key_id=each.key_id,
            person=each.person,
            at=each.created_at,
            standing=Standing.QUARANTINED if each.quarantined else Standing.COUNTS,
            told=str(each.kind),
            outcome_ids=(each.id,),
        )
        for each in taken
    ]


def _found(records: Records, principal: Principal, article_id: str) -> Article:
    article = records.article(article_id, principal)
    if article is None:
        raise NotFound(f"there is no article {article_id}", field="article_id")
    return article

"""What comes back: judgements of suggestions, and resolutions. Both are stored in one transaction; indexes and models follow."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from smarttriage.domain.access import Principal, Scope
from smarttriage.domain.errors import Conflict, InvalidInput, NotFound
from smarttriage.domain.feedback import FIELD_ACTIONS, Feedback, FeedbackAction
from smarttriage.domain.incident import FEEDBACK_SOURCE, Incident, IncidentStatus, LabelOrigin, Resolution
from smarttriage.domain.suggestion import FieldPrediction, Suggestion
from smarttriage.domain.text import model_text
from smarttriage.ports import Clock, Records, Store
from smarttriage.services import incidents
from smarttriage.services.decisions import decide, left_standing
from smarttriage.services.first_draft import first_draft
from smarttriage.services.incidents import IncidentService
from smarttriage.services.live import Live
from smarttriage.services.notes import assess
from smarttriage.services.outcomes import OutcomeTaker
from smarttriage.services.teaching import Taught, write_down

# A published article whose passage is this near (cosine) to an incident with its resolution is taken to say the same: the least level
# at which four of five such claims were right (benchmarks/same_fix.py). With the resolution alone two of three were, at any level.
SAME_FIX = 0.6


class KnowledgeEffect(StrEnum):
    """What a resolution did to the knowledge base. Stable codes."""

    LINKED = "linked"
    SIMILAR_ARTICLE_EXISTS = "similar_article_exists"
    DRAFTED = "drafted"
    NO_CONTENT = "no_content"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A stored resolution and its effect.

    Attributes:
        incident: The incident as it stands now.
        effect: What happened to the knowledge base.
        article_id: The article that was linked, found to say the same, or drafted.
        message: The same in words, with a question where the note has no content.
        question: What to ask the agent, in the language of the note, where it has no content; else None.
    """

    incident: Incident
    effect: KnowledgeEffect
    article_id: str | None
    message: str
    question: str | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """One item of feedback as a platform sends it: a field's fate, or a thumb on a match."""

    action: FeedbackAction
    field: str | None = None
    value: str | None = None
    match_id: str | None = None
    given_by: str | None = None


class LearningService:
    """Takes resolutions and feedback."""

    def __init__(
        self, *, store: Store, clock: Clock, new_id: Callable[[str], str], live: Live, incident_service: IncidentService
    ) -> None:
        self._store = store
        self._clock = clock
        self._new_id = new_id
        self._live = live
        self._incidents = incident_service
        self._outcomes = OutcomeTaker(clock=clock, new_id=new_id)

    def resolve(
        self,
        principal: Principal,
        incident_id: str,
        *,
        text: str,
        article_id: str | None = None,
        resolved_by: str | None = None,
        resolved_at: datetime | None = None,
        labels: Mapping[str, str | None] | None = None,
    ) -> Outcome:
        """Store the resolution; link the article used, or draft one if the note has content and no article says the same.

        Raises NotFound for the incident, InvalidInput naming `article_id` for an article that is not there, Conflict if the
        incident is resolved already.
        """
        principal.require(Scope.WRITE)
        # Encoding is slow, so it happens before the transaction and reads what is published.
        similar = None if article_id else self._article_that_says(principal, incident_id, text)
        with self._store.begin(write=True) as records:
            present = incidents.found(records, principal, incident_id)
            if not present.is_open:
                raise Conflict(f"incident {incident_id} is {present.status}; PATCH its status to open before resolving it again")
            question = None if article_id is not None else self._question(present, text)
            if article_id is not None:
                effect, article, message = _linked(records, principal, article_id)
            elif question is not None:
                effect, article = KnowledgeEffect.NO_CONTENT, None
                message = f"the note does not say what was done, so no article was drafted. {question}"
            else:
                effect, article, message = self._grown(records, principal, present, text=text, similar=similar)
            resolution = Resolution(
                text=text,
                resolved_at=resolved_at or self._clock(),
                resolved_by=resolved_by,
                article_id=article if effect is KnowledgeEffect.LINKED else None,
                drafted_article_id=article if effect is KnowledgeEffect.DRAFTED else None,
            )
            now = self._clock()
            origins = incidents.label_origins(records, principal, incident_id, labels or {}, at=now)
            labelled = self._incidents.checked(incidents.with_labels(present, labels or {}, origins))
            left_standing(records, principal, incident_id, at=now)
            outcome_ids = self._outcomes.resolved(
                records, principal, present, article_id=resolution.article_id, text=text, person=resolved_by, similar=similar
            )
            resolved = replace(labelled, status=IncidentStatus.RESOLVED, resolution=resolution)
            taught = Taught(labels or {}, resolves=True, person=resolved_by, outcome_ids=outcome_ids)
            stored = write_down(records, principal, present, resolved, taught, at=now)
            return Outcome(stored, effect, article, message, question)

    def judge(
        self, principal: Principal, suggestion_id: str, judgements: Sequence[Judgement]
    ) -> tuple[list[Feedback], str | None]:
        """Store the judgements; return them and the id of the reviewed incident that now votes, if there is one.

        What a person accepted or replaced is written to the suggestion's incident; a suggestion that was made without one
        gets one, so that the next similar incident sees the decision. What was left standing is written there too, but
        never votes, and makes no incident.
        """
        principal.require(Scope.WRITE)
        with self._store.begin(write=True) as records:
            suggestion = records.suggestion(suggestion_id, principal)
            if suggestion is None:
                raise NotFound(f"there is no suggestion {suggestion_id}", field="suggestion_id")
            stored = [self._stored(principal, suggestion, judgement) for judgement in judgements]
            for feedback in stored:
                records.add_feedback(feedback)
            self._outcomes.judged(records, principal, suggestion, stored)
            labels = {item.field: item.value for item in stored if item.field is not None and item.value is not None}
            actions = {item.field: item.action for item in stored if item.field is not None}
            origins = decide(records, principal, suggestion, labels, at=self._clock(), actions=actions)
            deliberate = any(origin is not LabelOrigin.LEFT_STANDING for origin in origins.values())
            if not labels or (suggestion.incident_id is None and not deliberate):
                return stored, suggestion.incident_id
            people = [item.given_by for item in stored if item.given_by]
            taught = Taught(labels, person=people[-1] if people else None)
            return stored, self._review(records, principal, suggestion, taught, origins)

    def _stored(self, principal: Principal, suggestion: Suggestion, judgement: Judgement) -> Feedback:
        return Feedback(
            id=self._new_id("fb"),
            tenant=principal.tenant,
            suggestion_id=suggestion.id,
            action=judgement.action,
            created_at=self._clock(),
            key_id=principal.key_id,
            field=judgement.field,
            value=_decided_value(suggestion, judgement),
            match_id=_judged_match(suggestion, judgement),
            given_by=judgement.given_by,
        )

    def _review(
        self,
        records: Records,
        principal: Principal,
        suggestion: Suggestion,
        taught: Taught,
        origins: Mapping[str, LabelOrigin],
    ) -> str:
        """Write a person's decisions to the incident of the suggestion, making one where there is none; return its id."""
        present = records.incident(suggestion.incident_id, principal) if suggestion.incident_id else None
        if present is None:
            present = records.incident_by_source(principal.tenant, FEEDBACK_SOURCE, suggestion.id)
        if present is not None:
            reviewed = self._incidents.checked(incidents.with_labels(present, taught.labels, origins))
            return write_down(records, principal, present, reviewed, taught, at=self._clock()).id
        now = self._clock()
        fresh = Incident(
            id=self._new_id("inc"),
            tenant=principal.tenant,
            title=suggestion.title,
            description=suggestion.description,
            created_at=now,
            updated_at=now,
            reported_at=suggestion.created_at,
            status=IncidentStatus.IN_PROGRESS,
            audiences=principal.audiences,
            source_system=FEEDBACK_SOURCE,
            source_id=suggestion.id,
            logged_by=principal.key_id,
        )
        reviewed = self._incidents.checked(incidents.with_labels(fresh, taught.labels, origins))
        write_down(records, principal, None, reviewed, taught, at=now)
        records.link_suggestion(suggestion.id, reviewed.id)
        return reviewed.id

    def _article_that_says(self, principal: Principal, incident_id: str, text: str) -> str | None:
        """Return the published article nearest to the incident and its resolution, if it says the same."""
        if not assess(text).actionable:
            return None
        with self._store.begin() as records:
            present = incidents.found(records, principal, incident_id)
        state = self._live.state
        told = with_resolution(present.title, present.description, text)
        vector = state.search_encoder.encode([told])[0]
        results = state.catalogue.articles.search(told, vector, 1, allowed=principal.labels)
        return results[0].id if results and (results[0].dense or 0.0) >= SAME_FIX else None

    def _question(self, incident: Incident, text: str) -> str | None:
        """Return what to ask about a note without content, in its language or the incident's; None if it has content."""
        intake = self._live.state.models.gate.intake
        spoken = intake.languages.detect(text) if intake is not None else None
        return assess(text, language=spoken or incident.language).question

    def _grown(
        self, records: Records, principal: Principal, incident: Incident, *, text: str, similar: str | None
    ) -> tuple[KnowledgeEffect, str | None, str]:
        """Return what a resolution without an article does to the knowledge base, with the draft stored if there is one."""
        if similar is not None:
            return (
                KnowledgeEffect.SIMILAR_ARTICLE_EXISTS,
                similar,
                f"article {similar} says much the same, so none was drafted at once; what it lacks is proposed under /v1/drafts",
            )
        if not principal.is_trusted:
            message = "key {} is not trusted to teach, so nothing was drafted; what it says counts once a reviewer confirms it"
            return KnowledgeEffect.QUARANTINED, None, f"{message.format(principal.key_id)} (GET /v1/quarantine)"
        draft = first_draft(incident, text, article_id=self._new_id("kb"), key_id=principal.key_id, now=self._clock())
        records.add_articles([draft], key_id=principal.key_id)
        return KnowledgeEffect.DRAFTED, draft.id, f"drafted article {draft.id} for review"


def with_resolution(title: str, description: str, resolution: str) -> str:
    """Return what is put to the articles to learn whether one says the same."""
    return model_text(title, f"{description}\n{resolution}")


def _linked(records: Records, principal: Principal, article_id: str) -> tuple[KnowledgeEffect, str | None, str]:
    if records.article(article_id, principal) is None:
        raise InvalidInput(f"there is no article {article_id}; leave it out if none was used", field="article_id")
    return KnowledgeEffect.LINKED, article_id, f"linked to article {article_id}"


def _decided_value(suggestion: Suggestion, judgement: Judgement) -> str | None:
    """Return the label that stands after the judgement. Raises InvalidInput where the judgement makes no sense."""
    if judgement.action not in FIELD_ACTIONS:
        return None
    prediction = _prediction(suggestion, judgement.field)
    if judgement.action is FeedbackAction.REPLACED:
        if not judgement.value:
            raise InvalidInput('action "replaced" needs the label that is right', field="value")
        return judgement.value
    if judgement.action is FeedbackAction.LEFT_STANDING:
        return prediction.value
    if judgement.action is FeedbackAction.ACCEPTED:
        value = judgement.value or prediction.value
        if value is None:
            raise InvalidInput(f'nothing was filled in for "{judgement.field}"; send the chosen label as value', field="value")
        return value
    return None


def _prediction(suggestion: Suggestion, name: str | None) -> FieldPrediction:
    if name is None:
        raise InvalidInput("accepted, replaced, skipped and left_standing need the field that they judge", field="field")
    prediction = suggestion.field(name)
    if prediction is None:
        raise InvalidInput(f'suggestion {suggestion.id} has no field "{name}"', field="field")
    return prediction


def _judged_match(suggestion: Suggestion, judgement: Judgement) -> str | None:
    """Return the match that a thumb is about. Raises InvalidInput if the suggestion did not show it."""
    if judgement.action in FIELD_ACTIONS:
        return None
    shown = {article.id for article in suggestion.articles} | {incident.id for incident in suggestion.similar_incidents}
    if judgement.match_id not in shown:
        raise InvalidInput(
            f"match {judgement.match_id} is not among those that suggestion {suggestion.id} showed", field="match_id"
        )
    return judgement.match_id

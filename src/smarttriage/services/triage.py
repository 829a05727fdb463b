"""Incident in, suggestion out."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from smarttriage.domain.access import Principal, Scope
from smarttriage.domain.errors import NotFound
from smarttriage.domain.incident import TARGETS, Incident, Labels
from smarttriage.domain.priority import PriorityPolicy, SlaClock
from smarttriage.domain.suggestion import (
    ArticleMatch,
    FieldPrediction,
    IncidentMatch,
    PrioritySuggestion,
    Provenance,
    Reason,
    Routing,
    SlaSuggestion,
    Suggestion,
    Timing,
)
from smarttriage.domain.taxonomy import Taxonomy
from smarttriage.domain.text import locate, model_text, shared_words, telling_words
from smarttriage.domain.voting import Vote, with_votes
from smarttriage.ports import Clock, Probabilities, Store, TargetCard, Vectors
from smarttriage.services import fields
from smarttriage.services.catalogue import Catalogue
from smarttriage.services.live import Live, Models, State
from smarttriage.services.retrieval import SearchResult

# How near a reviewed incident must be to vote (cosine). Topic carries over from similar texts; who is hit and what has
# stopped does not, so impact and urgency listen only to near-identical texts. Measured by benchmarks/voting.py.
VOTE_FLOOR = 0.5
VOTE_FLOOR_SEVERITY = 0.9
N_NEIGHBOURS = 10
DEFAULT_MATCHES = 5


@dataclass(frozen=True, slots=True)
class IncidentText:
    """What a platform sends for a suggestion.

    Attributes:
        title: May be empty.
        description: May be empty.
        known: Labels that a person decided already; they are kept, not predicted.
        reported_at: Start of the SLA clock; None: now.
        incident_id: The stored incident it belongs to, if any; that one is no match for itself.
        k: How many articles and similar incidents at most.
    """

    title: str
    description: str
    known: Labels = field(default_factory=Labels)
    reported_at: datetime | None = None
    incident_id: str | None = None
    k: int = DEFAULT_MATCHES


def _unobserved(_suggestion: Suggestion, _vector: Vectors) -> None:
    """Do nothing: nobody watches the suggestions."""


class TriageService:
    """Answers suggestions from the state that stands when the request comes in.

    `observe` gets each stored suggestion and the (1, dim) vector of its text; it must return at once.
    """

    def __init__(
        self,
        *,
        live: Live,
        store: Store,
        clock: Clock,
        new_id: Callable[[str], str],
        observe: Callable[[Suggestion, Vectors], None] = _unobserved,
    ) -> None:
        self._live = live
        self._store = store
        self._clock = clock
        self._new_id = new_id
        self._observe = observe

    def suggest(self, principal: Principal, request: IncidentText) -> Suggestion:
        """Return a suggestion, stored by id. Raises PermissionDenied without the scope `suggest`."""
        principal.require(Scope.SUGGEST)
        started = time.perf_counter()
        suggestion, vector = self._compose(principal, request, self._live.state, started)
        before = time.perf_counter()
        with self._store.begin(write=True) as records:
            records.add_suggestion(suggestion)
        after = time.perf_counter()
        if vector is not None:
            self._observe(suggestion, vector)
        spent = replace(suggestion.timing_ms, store=_ms(after - before), total=_ms(after - started))
        return replace(suggestion, timing_ms=spent)

    def suggest_for(self, principal: Principal, incident_id: str, k: int = DEFAULT_MATCHES) -> Suggestion:
        """Return a suggestion for a stored incident. Raises NotFound if there is none that the principal may see."""
        principal.require(Scope.SUGGEST)
        with self._store.begin() as records:
            incident = records.incident(incident_id, principal)
        if incident is None:
            raise NotFound(f"there is no incident {incident_id}; POST /v1/incidents stores one", field="incident_id")
        return self.suggest(principal, _from_stored(incident, k))

    def predict(self, principal: Principal, texts: Sequence[IncidentText]) -> list[dict[str, FieldPrediction]]:
        """Return for each text its predicted fields by target, without searching or storing anything but reading neighbours."""
        principal.require(Scope.SUGGEST)
        models = self._live.state.models
        predictions = []
        for request in texts:
            text = model_text(request.title, request.description)
            if not text.strip():
                predictions.append(_nothing(models, Reason.EMPTY_TEXT))
                continue
            vector = models.encoder.encode([text])
            predictions.append(_predict(models, request, models.classifier.predict_proba([text], vector), {}))
        return predictions

    def _compose(
        self, principal: Principal, request: IncidentText, state: State, started: float
    ) -> tuple[Suggestion, Vectors | None]:
        """Return the suggestion and the (1, dim) vector of its text, None where there is no text."""
        models, catalogue = state.models, state.catalogue
        text = model_text(request.title, request.description)
        vector: Vectors | None = None
        watch = _Watch(started)
        if text.strip():
            vector = models.encoder.encode([text])
            watch.lap("encode")
            probabilities = models.classifier.predict_proba([text], vector)
            watch.lap("classify")
            neighbours = self._neighbours(principal, catalogue, request, text, vector)
            articles = _articles(catalogue, principal, text, vector[0], request.k)
            watch.lap("search")
            predictions = _predict(models, request, probabilities, _votes(neighbours))
            watch.lap("classify")
        else:
            neighbours, articles, predictions = [], (), _nothing(models, Reason.EMPTY_TEXT)
        now = self._clock()
        priority, sla = _priority(models.policy, predictions, request.reported_at or now, models)
        made = Suggestion(
            id=self._new_id("sug"),
            tenant=principal.tenant,
            incident_id=request.incident_id,
            title=request.title,
            description=request.description,
            created_at=now,
            **{target: predictions[target] for target in TARGETS},
            custom={target: found for target, found in predictions.items() if target not in TARGETS},
            priority=priority,
            sla=sla,
            routing=Routing(*models.taxonomy.route(predictions["category"].value, predictions["sub_category"].value)),
            articles=articles,
            similar_incidents=_similar(neighbours, request.k),
            provenance=Provenance(models.classifier.version, models.encoder.encoder_id, catalogue.seq, models.taxonomy.version),
            timing_ms=watch.timing(),
        )
        return made, vector

    def _neighbours(
        self, principal: Principal, catalogue: Catalogue, request: IncidentText, text: str, vector: Vectors
    ) -> list[tuple[SearchResult, Incident]]:
        """Return the nearest incidents as the store has them now, best first; the incident itself is not its neighbour."""
        wanted = max(N_NEIGHBOURS, request.k)
        itself = {request.incident_id} if request.incident_id else set()
        found = catalogue.incidents.search(text, vector[0], wanted, allowed=principal.labels, without=itself)
        with self._store.begin() as records:
            stored = records.incidents_by_id([result.id for result in found], principal)
        return [(result, stored[result.id]) for result in found if result.id in stored]


class _Watch:
    """Adds up where the milliseconds go."""

    def __init__(self, started: float) -> None:
        self._started = self._last = started
        self._spent: dict[str, float] = {}

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self._spent[name] = self._spent.get(name, 0.0) + now - self._last
        self._last = now

    def timing(self) -> Timing:
        spent = {name: _ms(self._spent.get(name, 0.0)) for name in ("encode", "classify", "search")}
        return Timing(**spent, store=0.0, total=_ms(time.perf_counter() - self._started))


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)


def _from_stored(incident: Incident, k: int) -> IncidentText:
    labels = incident.labels
    custom = {target: value for target, value in labels.custom.items() if target in incident.reviewed}
    known = replace(labels, **{target: None for target in TARGETS if target not in incident.reviewed}, custom=custom)
    return IncidentText(incident.title, incident.description, known, incident.reported_at, incident.id, k)


def _votes(neighbours: Sequence[tuple[SearchResult, Incident]]) -> Mapping[str, Sequence[Vote]]:
    votes: dict[str, list[Vote]] = {}
    for result, incident in neighbours:
        for target in incident.reviewed:
            label = incident.labels.get(target)
            if label is not None and result.dense is not None:
                votes.setdefault(target, []).append(Vote(label, result.dense))
    return votes


def _predict(
    models: Models,
    request: IncidentText,
    probabilities: Mapping[str, Probabilities],
    votes: Mapping[str, Sequence[Vote]],
) -> dict[str, FieldPrediction]:
    """Return every target's field: kind first, then each target above the one below it."""
    predictions: dict[str, FieldPrediction] = {}
    for target in (*TARGETS, *(name for name in models.classifier.cards if name not in TARGETS)):
        card = models.card(target)
        known = request.known.get(target)
        if known is not None:
            predictions[target] = fields.given(known, models.mode(target))
        elif card is None:
            predictions[target] = fields.unknown(Reason.NOT_TRAINED, models.mode(target))
        else:
            field_ = _one(models, card, request, row=probabilities[target][0], votes=votes.get(target, ()))
            predictions[target] = _under_what_is_known(models, target, field_, predictions)
    return predictions


def _one(
    models: Models, card: TargetCard, request: IncidentText, *, row: Probabilities, votes: Sequence[Vote]
) -> FieldPrediction:
    text = model_text(request.title, request.description)
    model = dict(zip(card.labels, row.tolist(), strict=True))
    floor = VOTE_FLOOR_SEVERITY if card.name in ("impact", "urgency") else VOTE_FLOOR
    permitted = models.taxonomy.names(card.name)
    usable = [vote for vote in votes if permitted is None or vote.label in permitted]
    labels = fields.ranked(model, with_votes(model, usable, floor=floor))
    # A label that only people have used so far has no words in the model yet.
    spans = models.classifier.explain(text, card.name, labels.best.value) if labels.best.value in card.labels else ()
    evidence = [
        locate(request.title, request.description, span.start, span.end, cue=span.cue, weight=span.weight) for span in spans
    ]
    return fields.predicted(card, labels, models.mode(card.name), evidence)


def _under_what_is_known(
    models: Models, target: str, field_: FieldPrediction, above: Mapping[str, FieldPrediction]
) -> FieldPrediction:
    """Return the field as far as the ones above it allow: no category without work, no sub-category of another category."""
    if target not in ("category", "sub_category"):
        return field_
    if not _means_work(models.taxonomy, above["kind"].value):
        return fields.without_value(field_, Reason.NO_WORK_ITEM)
    stray = target == "sub_category" and models.taxonomy.parents.get(field_.value or "") != above["category"].value
    return fields.without_value(field_, Reason.PARENT_UNKNOWN) if stray and field_.value is not None else field_


def _means_work(taxonomy: Taxonomy, kind: str | None) -> bool:
    """Return false only for a kind that is known to be no work item."""
    return kind is None or kind in taxonomy.work_item_kinds


def _nothing(models: Models, reason: Reason) -> dict[str, FieldPrediction]:
    targets = dict.fromkeys((*TARGETS, *models.classifier.cards))
    return {target: fields.unknown(reason, models.mode(target)) for target in targets}


def _priority(
    policy: PriorityPolicy, predictions: Mapping[str, FieldPrediction], reported_at: datetime, models: Models
) -> tuple[PrioritySuggestion, SlaSuggestion | None]:
    kind, impact, urgency = (predictions[name].value for name in ("kind", "impact", "urgency"))
    if not _means_work(models.taxonomy, kind):
        return PrioritySuggestion(None, f'kind "{kind}" is no work item, so it has no priority'), None
    missing = [name for name in ("impact", "urgency") if predictions[name].value is None]
    if impact is None or urgency is None:
        return PrioritySuggestion(None, f"{' and '.join(missing)} not known well enough; choose to get a priority"), None
    if (impact, urgency) not in policy.matrix.cells:
        return PrioritySuggestion(None, f'the matrix has no cell for impact "{impact}" and urgency "{urgency}"'), None
    value = policy.matrix.priority(impact, urgency)
    target = policy.targets[value]
    allowed = timedelta(minutes=target.due_minutes)
    business = target.clock is SlaClock.BUSINESS_HOURS
    due_at = policy.calendar.add(reported_at, allowed) if business else reported_at + allowed
    because = f"impact {impact} x urgency {urgency}{_quoted(predictions)}"
    return PrioritySuggestion(value, because), SlaSuggestion(due_at, target.due_minutes, str(target.clock))


def _quoted(predictions: Mapping[str, FieldPrediction]) -> str:
    """Return the words that carried impact and urgency, as a clause."""
    quotes = [
        f'{name} from "{predictions[name].evidence[0].text}"' for name in ("impact", "urgency") if predictions[name].evidence
    ]
    return f" ({'; '.join(quotes)})" if quotes else ""


def _articles(catalogue: Catalogue, principal: Principal, text: str, vector: Vectors, k: int) -> tuple[ArticleMatch, ...]:
    results = catalogue.articles.search(text, vector, k, allowed=principal.labels)
    words = telling_words(text) if results else ()
    matches = []
    for result in results:
        entry = catalogue.entries[result.id]
        passage = entry.passages[result.part].text
        why = because(words, result, f"{entry.title}\n{passage}\n{' '.join(entry.keywords)}")
        matches.append(ArticleMatch(result.id, entry.title, round(result.score, 4), passage, why))
    return tuple(matches)


def because(words: Sequence[str], result: SearchResult, found: str) -> str:
    """Return why an article was found: how near in meaning, and the caller's words that it has too."""
    words = shared_words(words, found)
    parts = [f"meaning {result.dense:.2f}"] if result.dense is not None else []
    if words:
        parts.append(f"shares {', '.join(words)}")
    return "; ".join(parts)


def _similar(neighbours: Sequence[tuple[SearchResult, Incident]], k: int) -> tuple[IncidentMatch, ...]:
    return tuple(
        IncidentMatch(
            incident.id,
            incident.title,
            str(incident.status),
            round(result.score, 4),
            incident.resolution.text if incident.resolution else None,
        )
        for result, incident in neighbours[:k]
    )

"""Incident in, suggestion out."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from smarttriage.domain.access import Principal, Scope
from smarttriage.domain.errors import NotFound
from smarttriage.domain.holdout import is_held_out
from smarttriage.domain.incident import TARGETS, Incident
from smarttriage.domain.matches import ArticleMatch
from smarttriage.domain.rules import Circumstances
from smarttriage.domain.suggestion import FieldPrediction, Provenance, Reason, Suggestion, Timing
from smarttriage.domain.taxonomy import Taxonomy
from smarttriage.domain.text import model_text
from smarttriage.ports import Clock, Encoder, Probabilities, Store, Vectors
from smarttriage.ports.evidence import Prepares
from smarttriage.services import fields
from smarttriage.services.affected import Affected
from smarttriage.services.batch import predict_texts
from smarttriage.services.cmdb import NO_CMDB, CmdbView
from smarttriage.services.counterfactual import counterfactual
from smarttriage.services.levels import Tree
from smarttriage.services.live import Live, Models, State
from smarttriage.services.matching import DEFAULT_MATCHES, IncidentText, Nearest, Question, Worded
from smarttriage.services.ongoing import NOTHING_ONGOING, Ongoing
from smarttriage.services.predicting import anew, judged, means_work, nothing, votes_of
from smarttriage.services.prioritising import prioritise
from smarttriage.services.ruling import ruled
from smarttriage.services.turns import new_turns

# Threads that search by words beside the encoder; they hold the interpreter, so more would only wait for each other.
N_BESIDE = 2
# The starter calls terse reports of unheard-of things ("fax gateway says E-7731") no work at about .65, thanks and spam above .9.
SURELY_IDLE = 0.8


def _unobserved(_suggestion: Suggestion, _vector: Vectors, _probabilities: Mapping[str, Probabilities]) -> None:
    """Do nothing: nobody watches the suggestions."""


class TriageService:
    """Answers suggestions from the state that stands when the request comes in.

    While a text is being encoded, which leaves the interpreter free, another thread searches by its words and prepares the
    classification. `observe` gets each stored suggestion, the (1, dim) vector of its text and what the model said of it; it must
    return at once. Of a random `holdout_share` of the suggestions nothing is filled in, so that the precision of what is filled
    in can be measured. A text is read under `turns`.
    """

    def __init__(
        self,
        *,
        live: Live,
        store: Store,
        clock: Clock,
        new_id: Callable[[str], str],
        observe: Callable[[Suggestion, Vectors, Mapping[str, Probabilities]], None] = _unobserved,
        holdout_share: float = 0.0,
        ongoing: Callable[[], Ongoing] = lambda: NOTHING_ONGOING,
        cmdb: Callable[[str], CmdbView] = lambda _tenant: NO_CMDB,
        turns: threading.Semaphore | None = None,
    ) -> None:
        self._live = live
        self._store = store
        self._clock = clock
        self._new_id = new_id
        self._observe = observe
        self._holdout_share = holdout_share
        self._ongoing = ongoing
        self._cmdb = cmdb
        self._turns = turns or new_turns()
        self._beside = ThreadPoolExecutor(N_BESIDE, thread_name_prefix="words")

    def suggest(self, principal: Principal, request: IncidentText) -> Suggestion:
        """Return a suggestion, stored by id. Raises PermissionDenied without the scope `suggest`."""
        principal.require(Scope.SUGGEST)
        started = time.perf_counter()
        with self._turns:
            suggestion, read = self._compose(principal, request, self._live.state, time.perf_counter())
        before = time.perf_counter()
        with self._store.begin(write=True) as records:
            records.add_suggestion(suggestion)
        after = time.perf_counter()
        if read is not None:
            self._observe(suggestion, read.vector, read.probabilities)
        spent = replace(suggestion.timing_ms, store=_ms(after - before), total=_ms(after - started))
        return replace(suggestion, timing_ms=spent)

    def suggest_for(self, principal: Principal, incident_id: str, k: int = DEFAULT_MATCHES) -> Suggestion:
        """Return a suggestion for a stored incident. Raises NotFound if there is none that the principal may see."""
        principal.require(Scope.SUGGEST)
        with self._store.begin() as records:
            incident = records.incident(incident_id, principal)
        if incident is None:
            raise NotFound(f"there is no incident {incident_id}; POST /v1/incidents stores one", field="incident_id")
        return self.suggest(principal, _from_stored(incident.counting_for(principal.key_id), k))

    def predict(self, principal: Principal, texts: Sequence[IncidentText]) -> list[dict[str, FieldPrediction]]:
        """Return for each text its predicted fields by target, without searching or storing anything but reading neighbours."""
        principal.require(Scope.SUGGEST)
        models = self._live.state.models
        return predict_texts(models, texts, encode=models.encoder.encode)

    def _compose(
        self, principal: Principal, request: IncidentText, state: State, started: float
    ) -> tuple[Suggestion, "_Read | None"]:
        """Return the suggestion and what was read of its text, None where the text was refused unread."""
        models, watch = state.models, _Watch(started)
        found = self._read(principal, request, state, watch)
        read = found if isinstance(found, _Read) else None
        predictions = found.predictions if isinstance(found, _Read) else nothing(models, found, request.known)
        now, suggestion_id = self._clock(), self._new_id("sug")
        affected = Affected.of(self._cmdb(principal.tenant), principal, request, request.reported_at or now)
        predictions, ruling = ruled(models, request, predictions, read.again(models) if read else None, affected.rules(models))
        # A stored incident is drawn by its own id: asking again must not draw again.
        if is_held_out(request.incident_id or suggestion_id, self._holdout_share):
            predictions = Tree.of(models).closed(fields.held_out(predictions))
        priority, sla = prioritise(models.policy, predictions, request.reported_at or now, models, ruling)
        if read and priority.value is not None and priority.rule is None:
            priority = replace(priority, counterfactual=counterfactual(models, request, predictions, read.vector[0]))
        watch.lap("classify")
        made = Suggestion(
            id=suggestion_id,
            tenant=principal.tenant,
            incident_id=request.incident_id,
            title=request.title,
            description=request.description,
            created_at=now,
            **{target: predictions[target] for target in TARGETS},
            custom={target: found for target, found in predictions.items() if target not in TARGETS},
            priority=priority,
            sla=sla,
            routing=affected.routing(models, request, predictions),
            articles=read.articles if read else (),
            ongoing=self._ongoing().matches(principal, read.sought, state.search_encoder.encoder_id) if read else (),
            similar_incidents=affected.similar(read.nearest, request.k) if read else (),
            provenance=Provenance(
                models.classifier.version, state.search_encoder.encoder_id, state.catalogue.seq, models.taxonomy.version
            ),
            timing_ms=watch.timing(),
            audiences=principal.audiences,
            configuration_items=affected.findings(),
        )
        return made, read

    def _read(self, principal: Principal, request: IncidentText, state: State, watch: "_Watch") -> "_Read | Reason":
        models, text = state.models, model_text(request.title, request.description)
        question = Question(principal, state.catalogue, request, text)
        pending = self._beside.submit(_worded, question, models, state.search_encoder)
        vector = models.encoder.encode([text])
        watch.lap("encode")
        worded = pending.result()
        if isinstance(worded, Reason):
            return worded
        searcher = state.search_encoder
        sought = vector if searcher is models.encoder else searcher.encode([text])
        nearest = question.neighbours(sought[0], worded, self._store)
        articles = question.articles(sought[0], worded, today=self._clock().date())
        watch.lap("search")
        probabilities = models.classifier.predict_proba([text], vector)
        predictions, refused = judged(models, request, vector[0], probabilities, votes_of(nearest.neighbours, models))
        if refused is Reason.OFF_TOPIC or _surely_idle(models.taxonomy, predictions["kind"]):
            articles = ()
        watch.lap("classify")
        return _Read(vector, sought[0], probabilities, nearest, articles, predictions)


@dataclass(frozen=True, slots=True)
class _Read:
    """What a text that was read gave: its (1, dim) vector, the (dim,) one that is searched with, (1, n_labels) probabilities by target, finds and fields."""

    vector: Vectors
    sought: Vectors
    probabilities: Mapping[str, Probabilities]
    nearest: Nearest
    articles: tuple[ArticleMatch, ...]
    predictions: Mapping[str, FieldPrediction]

    def again(self, models: Models) -> Callable[[IncidentText], dict[str, FieldPrediction]]:
        """Return what predicts the same text where more is known of it."""
        return anew(models, self.vector[0], self.probabilities, lambda: votes_of(self.nearest.neighbours, models))


def _worded(question: Question, models: Models, searcher: Encoder) -> Worded | Reason:
    """Return what the words find, or why the text is refused, and let the classifier read them: all that needs no vector."""
    refused = models.gate.refusal(question.request.title, question.request.description)
    if refused is not None:
        return refused
    found = question.worded(models.gloss(question.text), searcher)
    if isinstance(models.classifier, Prepares):
        models.classifier.prepare(question.text)
    return found


def _surely_idle(taxonomy: Taxonomy, kind: FieldPrediction) -> bool:
    """Return whether a text is so surely no work that articles would only distract; a wrong refusal hides the fix."""
    return not means_work(taxonomy, kind.value) and kind.confidence >= SURELY_IDLE


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
    circumstances = Circumstances(
        incident.reporter,
        incident.affected_users,
        incident.affected_services,
        incident.configuration_items,
        incident.source_system,
    )
    return IncidentText(incident.title, incident.description, known, incident.reported_at, incident.id, k, circumstances)

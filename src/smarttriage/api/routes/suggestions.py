"""Suggestions, and predictions for many texts at once."""

from fastapi import APIRouter, Response

from smarttriage.api import documented, suggestion_wire
from smarttriage.api.answer_schemas import PredictionsOut, SuggestionOut
from smarttriage.api.answers import Answer, answer
from smarttriage.api.calls import Call, Suggester, SuggestionReader, not_longer
from smarttriage.api.errors import TooLarge
from smarttriage.api.labels import labels_of
from smarttriage.api.schemas import BatchCreate, SuggestionContext, SuggestionCreate
from smarttriage.api.strict_json import StrictRoute
from smarttriage.domain.errors import InvalidInput, NotFound
from smarttriage.domain.rules import Circumstances
from smarttriage.domain.suggestion import Suggestion
from smarttriage.services.installation import Limits
from smarttriage.services.matching import IncidentText

router = APIRouter(route_class=StrictRoute, tags=["suggestions"])


@router.post(
    "/v1/suggestions",
    summary="Suggest labels, priority, articles and similar incidents",
    responses=documented.answers(SuggestionOut, *documented.WRITE_ONE),
)
def create_suggestion(call: Suggester, body: SuggestionCreate) -> Response:
    """Answer for the given text, or for a stored incident. The answer is stored under its id, so that feedback can name it."""

    def work() -> Answer:
        made = _suggested(call, body)
        call.app.metrics.suggestion(made.timing_ms)
        return answer(suggestion_wire.suggestion(made))

    # A suggestion adds nothing that the index would have to follow, so nobody is woken.
    return call.once(work).response


@router.get(
    "/v1/suggestions/{suggestion_id}",
    summary="Read a suggestion as it was given",
    responses=documented.answers(SuggestionOut, *documented.READ_ONE),
)
def read_suggestion(call: SuggestionReader, suggestion_id: str) -> Response:
    """Return the stored answer; its `timing_ms.store` is 0, because it was stored before that was known."""
    with call.services.store.begin() as records:
        made = records.suggestion(suggestion_id, call.principal)
    if made is None or not made.shown_to(call.principal):
        raise NotFound(f"there is no suggestion {suggestion_id}", field="suggestion_id")
    return answer(suggestion_wire.suggestion(made)).response


@router.post(
    "/v1/predictions:batch",
    summary="Predict the labels of many texts",
    responses=documented.answers(PredictionsOut, *documented.WRITE),
)
def predict_batch(call: Suggester, body: BatchCreate) -> Response:
    """Return one prediction for each text, in order. Nothing is searched, and nothing is stored of the texts."""
    limits = call.services.limits
    if len(body.texts) > limits.max_batch:
        raise TooLarge(f"texts has {len(body.texts)} items; at most {limits.max_batch} are taken at once", field="texts")
    for position, text in enumerate(body.texts):
        _check_lengths(text.title, text.description, limits, f"texts.{position}.")
    texts = [IncidentText(text.title, text.description, labels_of(text, call.services.live)) for text in body.texts]

    def work() -> Answer:
        return answer(
            {
                "predictions": [
                    suggestion_wire.prediction(fields) for fields in call.services.triage.predict(call.principal, texts)
                ]
            }
        )

    return call.once(work).response


def _suggested(call: Call, body: SuggestionCreate) -> Suggestion:
    triage = call.services.triage
    if body.incident_id is not None:
        given = next((name for name in ("title", "description", "context") if getattr(body, name) is not None), None)
        if given is not None:
            raise InvalidInput(f"{given} cannot stand beside incident_id; the stored incident has its own", field=given)
        return triage.suggest_for(call.principal, body.incident_id, body.k)
    if body.title is None and body.description is None:
        raise InvalidInput("neither title and description nor incident_id is given; send one of them", field="title")
    title, description, context = body.title or "", body.description or "", body.context or SuggestionContext()
    _check_lengths(title, description, call.services.limits)
    request = IncidentText(
        title,
        description,
        known=labels_of(context, call.services.live),
        reported_at=context.reported_at,
        k=body.k,
        circumstances=_circumstances(context),
    )
    return triage.suggest(call.principal, request)


def _circumstances(context: SuggestionContext) -> Circumstances:
    return Circumstances(
        context.reporter,
        tuple(context.affected_users),
        tuple(context.affected_services),
        tuple(context.configuration_items),
        context.source_system,
    )


def _check_lengths(title: str, description: str, limits: Limits, prefix: str = "") -> None:
    not_longer(f"{prefix}title", title, limits.max_title_chars)
    not_longer(f"{prefix}description", description, limits.max_description_chars)

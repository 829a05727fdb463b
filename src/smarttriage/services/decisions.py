"""What people decide about predicted fields, told apart from what merely stays."""

from collections.abc import Mapping
from datetime import datetime

from smarttriage.domain.access import Principal
from smarttriage.domain.decision import Decision, Shown, origin_of, shown_as
from smarttriage.domain.feedback import FeedbackAction
from smarttriage.domain.incident import TARGETS, LabelOrigin
from smarttriage.domain.suggestion import Suggestion
from smarttriage.ports import Records

Actions = Mapping[str, FeedbackAction]


def decide(
    records: Records,
    principal: Principal,
    suggestion: Suggestion | None,
    labels: Mapping[str, str | None],
    *,
    at: datetime,
    actions: Actions | None = None,
) -> dict[str, LabelOrigin]:
    """Return how each of `labels` came to stand, with the decisions about the suggestion's fields stored.

    A label that is written again after somebody decided it keeps that origin: platforms send their record more than once.
    """
    written = {target: value for target, value in labels.items() if value is not None}
    if suggestion is None:
        return dict.fromkeys(written, LabelOrigin.RECORDED)
    earlier = {each.field: each for each in records.decisions(suggestion.id, principal) if each.deliberate}
    origins: dict[str, LabelOrigin] = {}
    fallen = []
    for target, value in written.items():
        known = earlier.get(target)
        if known is not None and known.value == value:
            origins[target] = known.origin
            continue
        action = (actions or {}).get(target)
        origins[target] = origin_of(value, suggestion.field(target), action)
        decision = _decision(suggestion, target, origins[target], value, at)
        if decision is not None:
            fallen.append(decision)
    records.put_decisions(fallen)
    return origins


def left_standing(records: Records, principal: Principal, incident_id: str, *, at: datetime) -> None:
    """Count the fields of the closed incident's newest suggestion that nobody said anything about.

    What was filled in stands; what was held out or only recommended ended without a label that we know of.
    """
    suggestion = records.suggestion_of_incident(incident_id, principal)
    if suggestion is None:
        return
    decided = {each.field for each in records.decisions(suggestion.id, principal)}
    untouched = [target for target in (*TARGETS, *suggestion.custom) if target not in decided]
    made = [_decision(suggestion, target, LabelOrigin.LEFT_STANDING, None, at) for target in untouched]
    records.put_decisions([decision for decision in made if decision is not None])


def _decision(suggestion: Suggestion, target: str, origin: LabelOrigin, value: str | None, at: datetime) -> Decision | None:
    """Return the decision about a field, None where nothing was shown that could be decided about."""
    field = suggestion.field(target)
    shown = shown_as(field) if field is not None else None
    if field is None or shown is None:
        return None
    predicted = field.alternatives[0].value
    if value is None and shown is Shown.AUTOFILLED:
        value = predicted
    return Decision(suggestion.id, suggestion.tenant, target, shown, predicted, origin, value, at)

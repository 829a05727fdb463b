"""Impact and urgency to priority and SLA, with the reason in words."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from smarttriage.domain.priority import PriorityPolicy, SlaClock
from smarttriage.domain.suggestion import FieldPrediction, PrioritySuggestion, SlaSuggestion
from smarttriage.services.live import Models
from smarttriage.services.predicting import means_work


def prioritise(
    policy: PriorityPolicy, predictions: Mapping[str, FieldPrediction], reported_at: datetime, models: Models
) -> tuple[PrioritySuggestion, SlaSuggestion | None]:
    """Return the priority with its reason, and the SLA that follows from it; None where there is no priority."""
    kind, impact, urgency = (predictions[name].value for name in ("kind", "impact", "urgency"))
    if not means_work(models.taxonomy, kind):
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

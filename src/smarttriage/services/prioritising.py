"""Impact and urgency to priority and SLA, with the reason in words."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from smarttriage.domain.priority import PriorityPolicy, SlaClock
from smarttriage.domain.suggestion import FieldPrediction, PrioritySuggestion, Reason, SlaSuggestion
from smarttriage.services.live import Models
from smarttriage.services.predicting import means_work
from smarttriage.services.ruling import PriorityRuling

_NO_RULING = PriorityRuling()


def prioritise(
    policy: PriorityPolicy,
    predictions: Mapping[str, FieldPrediction],
    reported_at: datetime,
    models: Models,
    ruling: PriorityRuling = _NO_RULING,
) -> tuple[PrioritySuggestion, SlaSuggestion | None]:
    """Return the priority with its reason, and the SLA that follows from it; None where there is no priority.

    A rule about the priority itself stands above the matrix, but not above a person who gave both impact and urgency.
    """
    kind = predictions["kind"].value
    if not means_work(models.taxonomy, kind):
        return PrioritySuggestion(None, f'kind "{kind}" is no work item, so it has no priority'), None
    by_matrix = _by_matrix(policy, predictions)
    given = all(predictions[name].reason is Reason.GIVEN for name in ("impact", "urgency"))
    value, rule = (by_matrix.value, None) if given else ruling.over(by_matrix.value)
    if value is None:
        return by_matrix, None
    if rule is not None:
        by_matrix = PrioritySuggestion(value, f'rule "{rule.id}": {rule.reason} ({by_matrix.because})', rule)
    return by_matrix, _sla(policy, value, reported_at)


def _by_matrix(policy: PriorityPolicy, predictions: Mapping[str, FieldPrediction]) -> PrioritySuggestion:
    impact, urgency = (predictions[name].value for name in ("impact", "urgency"))
    missing = [name for name in ("impact", "urgency") if predictions[name].value is None]
    if impact is None or urgency is None:
        return PrioritySuggestion(None, f"{' and '.join(missing)} not known well enough; choose to get a priority")
    if (impact, urgency) not in policy.matrix.cells:
        return PrioritySuggestion(None, f'the matrix has no cell for impact "{impact}" and urgency "{urgency}"')
    return PrioritySuggestion(
        policy.matrix.priority(impact, urgency), f"impact {impact} x urgency {urgency}{_quoted(predictions)}"
    )


def _sla(policy: PriorityPolicy, value: str, reported_at: datetime) -> SlaSuggestion:
    target = policy.targets[value]
    allowed = timedelta(minutes=target.due_minutes)
    business = target.clock is SlaClock.BUSINESS_HOURS
    due_at = policy.calendar.add(reported_at, allowed) if business else reported_at + allowed
    return SlaSuggestion(due_at, target.due_minutes, str(target.clock))


def _quoted(predictions: Mapping[str, FieldPrediction]) -> str:
    """Return the rules and the words that decided impact and urgency, as a clause."""
    quotes = []
    for name in ("impact", "urgency"):
        field = predictions[name]
        if field.rule:
            quotes.append(f'{name} by rule "{field.rule.id}": {field.rule.reason}')
        elif field.evidence:
            quotes.append(f'{name} from "{field.evidence[0].text}"')
    return f" ({'; '.join(quotes)})" if quotes else ""

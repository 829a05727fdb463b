"""The nearest other priority: which one thing would have to be otherwise, asked of the model itself."""

from collections.abc import Mapping

from smarttriage.domain.suggestion import Counterfactual, FieldPrediction
from smarttriage.domain.text import locate, model_text
from smarttriage.ports import Vectors
from smarttriage.ports.evidence import Reconsidered, Reconsiders
from smarttriage.services.live import Models
from smarttriage.services.matching import IncidentText

LEVELS = ("impact", "urgency")


def counterfactual(
    models: Models, request: IncidentText, predictions: Mapping[str, FieldPrediction], vector: Vectors
) -> Counterfactual | None:
    """Return the smallest change of the evidence after which the model would give another priority; None where there is none.

    Only a level that the model decided can move: those of people, rules and neighbours stand. After the change the model must
    be as sure as it has to be for a value. `vector` is the (dim,) encoding of the text.
    """
    now = {name: predictions[name].value for name in LEVELS}
    movable = [name for name in LEVELS if predictions[name].reason is None and not predictions[name].neighbours]
    if None in now.values() or not movable or not isinstance(models.classifier, Reconsiders):
        return None
    present = _priority(models, now)
    for answer in models.classifier.reconsider(model_text(request.title, request.description), vector):
        then = {**now, **{name: _level(models, name, answer) for name in movable}}
        other = _priority(models, then)
        if other is not None and present is not None and other != present and answer.change.allows(other < present):
            changes = {name: (str(now[name]), str(then[name])) for name in LEVELS if now[name] != then[name]}
            evidence = tuple(
                locate(request.title, request.description, span.start, span.end, cue=span.cue) for span in answer.spans
            )
            return Counterfactual(other, answer.change.says, answer.change.family, changes, evidence)
    return None


def _level(models: Models, target: str, answer: Reconsidered) -> str | None:
    """Return the level that the model would give, None where it would not be sure enough."""
    card = models.card(target)
    if card is None or target not in answer.probabilities:
        return None
    row = answer.probabilities[target]
    best = int(row.argmax())
    return card.labels[best] if row[best] >= card.thresholds[card.labels[best]] else None


def _priority(models: Models, levels: Mapping[str, str | None]) -> str | None:
    impact, urgency = levels["impact"], levels["urgency"]
    if impact is None or urgency is None:
        return None
    return models.policy.matrix.cells.get((impact, urgency))

"""From probabilities and reviewed neighbours to the predicted fields of one text."""

from collections.abc import Mapping, Sequence

from smarttriage.domain.incident import TARGETS, Labels
from smarttriage.domain.suggestion import FieldPrediction, Reason, VotingNeighbour
from smarttriage.domain.taxonomy import Taxonomy
from smarttriage.domain.text import locate, model_text
from smarttriage.domain.voting import SEVERITY, TOPIC, Vote, shares, with_votes
from smarttriage.ports import Probabilities, TargetCard, Vectors
from smarttriage.services import fields
from smarttriage.services.gate import withheld
from smarttriage.services.live import Models
from smarttriage.services.matching import N_NEIGHBOURS, IncidentText, Neighbours


def votes_of(neighbours: Neighbours) -> Mapping[str, Sequence[Vote]]:
    """Return target -> the labels that people decided for the neighbours, each with its similarity."""
    votes: dict[str, list[Vote]] = {}
    near = sorted((result.dense or 0.0 for result, _ in neighbours), reverse=True)
    tenth = near[N_NEIGHBOURS - 1] if len(near) >= N_NEIGHBOURS else 0.0
    for result, incident in neighbours:
        for target in incident.reviewed:
            label = incident.labels.get(target)
            if label is not None and result.dense is not None:
                votes.setdefault(target, []).append(Vote(label, result.dense, incident.id, tenth))
    return votes


def predict(
    models: Models,
    request: IncidentText,
    probabilities: Mapping[str, Probabilities],
    votes: Mapping[str, Sequence[Vote]],
    *,
    idle: bool = True,
) -> dict[str, FieldPrediction]:
    """Return every target's field: kind first, then each target above the one below it.

    Without `idle` the model's guess that the text is no work item is not believed: the kind is left open.
    """
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
            if target == "kind" and not idle and not means_work(models.taxonomy, field_.value):
                field_ = fields.without_value(field_, Reason.LOW_CONFIDENCE)
            predictions[target] = _under_what_is_known(models, target, field_, predictions)
    return predictions


def _one(
    models: Models, card: TargetCard, request: IncidentText, *, row: Probabilities, votes: Sequence[Vote]
) -> FieldPrediction:
    text = model_text(request.title, request.description)
    model = dict(zip(card.labels, row.tolist(), strict=True))
    voting = SEVERITY if card.ordered or card.name in ("impact", "urgency") else TOPIC
    permitted = models.taxonomy.names(card.name)
    usable = [vote for vote in votes if permitted is None or vote.label in permitted]
    labels = fields.ranked(model, with_votes(model, usable, voting))
    voters = tuple(
        VotingNeighbour(vote.incident_id, vote.label, round(min(1.0, vote.similarity), 4), round(share, 4))
        for vote, share in shares(model, usable, voting)
    )
    # A label that only people have used so far has no words in the model yet.
    spans = models.classifier.explain(text, card.name, labels.best.value) if labels.best.value in card.labels else ()
    evidence = [
        locate(request.title, request.description, span.start, span.end, cue=span.cue, weight=span.weight) for span in spans
    ]
    return fields.predicted(card, labels, models.mode(card.name), evidence, voters)


def _under_what_is_known(
    models: Models, target: str, field_: FieldPrediction, above: Mapping[str, FieldPrediction]
) -> FieldPrediction:
    """Return the field as far as the ones above it allow: no category without work, no sub-category of another category."""
    if target not in ("category", "sub_category"):
        return field_
    if not means_work(models.taxonomy, above["kind"].value):
        return fields.without_value(field_, Reason.NO_WORK_ITEM)
    stray = target == "sub_category" and models.taxonomy.parents.get(field_.value or "") != above["category"].value
    return fields.without_value(field_, Reason.PARENT_UNKNOWN) if stray and field_.value is not None else field_


def means_work(taxonomy: Taxonomy, kind: str | None) -> bool:
    """Return false only for a kind that is known to be no work item."""
    return kind is None or kind in taxonomy.work_item_kinds


def nothing(models: Models, reason: Reason, known: Labels) -> dict[str, FieldPrediction]:
    """Return every target's field without a word about it, and why; what a person gave stays."""
    targets = dict.fromkeys((*TARGETS, *models.classifier.cards))
    given = {target: label for target in targets if (label := known.get(target)) is not None}
    return {
        target: fields.given(given[target], models.mode(target))
        if target in given
        else fields.unknown(reason, models.mode(target))
        for target in targets
    }


def judged(
    models: Models,
    request: IncidentText,
    vector: Vectors,
    probabilities: Mapping[str, Probabilities],
    votes: Mapping[str, Sequence[Vote]],
) -> tuple[dict[str, FieldPrediction], Reason | None]:
    """Return every target's field as far as the gate lets it through, and why the text was refused, if it was.

    `vector` is the (dim,) encoding of the text.
    """
    verdict = models.gate.verdict(
        model_text(request.title, request.description),
        vector,
        {target: rows[0] for target, rows in probabilities.items()},
        taxonomy=models.taxonomy,
        votes=votes,
        labels={target: card.labels for target, card in models.classifier.cards.items()},
    )
    predictions = predict(models, request, probabilities, votes, idle=not verdict.kind_doubted)
    if verdict.refused is not None and means_work(models.taxonomy, predictions["kind"].value):
        return withheld(predictions, verdict.refused), verdict.refused
    return predictions, None

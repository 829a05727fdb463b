"""From probabilities and reviewed neighbours to the predicted fields of one text."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from smarttriage.domain.incident import TARGETS, Labels
from smarttriage.domain.suggestion import FieldPrediction, Reason, VotingNeighbour
from smarttriage.domain.taxonomy import Taxonomy
from smarttriage.domain.text import locate, model_text
from smarttriage.domain.voting import SEVERITY, TOPIC, Vote, shares, with_shares
from smarttriage.ports import Probabilities, TargetCard, Vectors
from smarttriage.services import fields
from smarttriage.services.gate import withheld
from smarttriage.services.levels import Beliefs, Level, Tree, within
from smarttriage.services.live import Models
from smarttriage.services.matching import N_NEIGHBOURS, IncidentText, Neighbours


def votes_of(neighbours: Neighbours, models: Models) -> Mapping[str, Sequence[Vote]]:
    """Return target -> the labels that people decided for the neighbours, each with its similarity.

    Who decided a label has decided those above it.
    """
    votes: dict[str, list[Vote]] = {}
    near = sorted((result.dense or 0.0 for result, _ in neighbours), reverse=True)
    tenth = near[N_NEIGHBOURS - 1] if len(near) >= N_NEIGHBOURS else 0.0
    tree = Tree.of(models)
    for result, incident in neighbours:
        if result.dense is None or not incident.reviewed:
            continue
        for target, label in tree.reviewed(incident).items():
            level = tree.levels.get(target)
            above = incident.labels.get(level.above) if level else None
            votes.setdefault(target, []).append(Vote(label, result.dense, incident.id, tenth, above))
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
    beliefs: dict[str, Beliefs] = {}
    tree = Tree.of(models)
    known = tree.implied(request.known)
    for target in tree.order:
        card = models.card(target)
        if target in known:
            predictions[target] = fields.given(known[target], models.mode(target))
            beliefs[target] = {known[target]: 1.0}
        elif card is None:
            predictions[target] = fields.unknown(Reason.NOT_TRAINED, models.mode(target))
        else:
            asked = _Asked(models, card, request, votes.get(target, ()), tree.levels.get(target))
            field_, beliefs[target] = asked.answered(probabilities[target][0], predictions, beliefs)
            if target == "kind" and not idle and not means_work(models.taxonomy, field_.value):
                field_ = fields.without_value(field_, Reason.LOW_CONFIDENCE)
            predictions[target] = _under_what_is_known(asked, field_, predictions)
    return predictions


@dataclass(frozen=True, slots=True)
class _Asked:
    """One target of one text: its card, the votes on it and where it stands."""

    models: Models
    card: TargetCard
    request: IncidentText
    votes: Sequence[Vote]
    level: Level | None

    def answered(
        self, row: Probabilities, above: Mapping[str, FieldPrediction], beliefs: Mapping[str, Beliefs]
    ) -> tuple[FieldPrediction, Beliefs]:
        """Return the field, of labels below the one decided above only, and what is believed of every label."""
        card, voting = self.card, SEVERITY if self.card.ordered or self.card.name in ("impact", "urgency") else TOPIC
        model: Beliefs = dict(zip(card.labels, row.tolist(), strict=True))
        permitted = self.models.taxonomy.names(card.name)
        usable = [vote for vote in self.votes if permitted is None or vote.label in permitted]
        level = self.level.with_votes(usable) if self.level else None
        if level is not None:
            usable = [vote for vote in usable if vote.label in level.parents]
        voters = shares(model, usable, voting)
        blended = with_shares(model, voters)
        if level is None or not level.placed(blended):
            field_ = self._field(fields.ranked(model, blended), [_neighbour(*each, blended, blended) for each in voters])
            stray = level is not None and field_.value is not None
            return (fields.without_value(field_, Reason.PARENT_UNKNOWN) if stray else field_), blended
        decided = above[level.above]
        final = level.below(level.under(blended, beliefs.get(level.above)), decided.value)
        model = level.below(level.under(model, beliefs.get(level.above)), decided.value) if voters else final
        if not final or decided.reason is Reason.NOTHING_BELOW:
            return fields.unknown(Reason.NOTHING_BELOW, self.models.mode(card.name)), {}
        field_ = self._field(fields.ranked(model, final), [_neighbour(*each, final, blended) for each in voters])
        return field_, final

    def _field(self, labels: fields.Ranked, voters: Sequence[VotingNeighbour]) -> FieldPrediction:
        title, description, best = self.request.title, self.request.description, labels.best.value
        # A label that only people have used so far has no words in the model yet.
        known = best in self.card.labels
        spans = self.models.classifier.explain(model_text(title, description), self.card.name, best) if known else ()
        evidence = [locate(title, description, span.start, span.end, cue=span.cue, weight=span.weight) for span in spans]
        return fields.predicted(self.card, labels, self.models.mode(self.card.name), evidence, tuple(voters))


def _neighbour(vote: Vote, share: float, final: Beliefs, blended: Beliefs) -> VotingNeighbour:
    """Return the voter with its share of the final probability of its label, which the level above may have moved."""
    weight = share * final.get(vote.label, 0.0) / blended[vote.label]
    return VotingNeighbour(vote.incident_id, vote.label, round(min(1.0, vote.similarity), 4), round(min(1.0, weight), 4))


def _under_what_is_known(asked: _Asked, field_: FieldPrediction, above: Mapping[str, FieldPrediction]) -> FieldPrediction:
    """Return the field as far as the ones above it allow: no category without work, nothing below a level that is open."""
    of_work = asked.card.name in ("category", "sub_category") and "kind" in above
    if of_work and not means_work(asked.models.taxonomy, above["kind"].value):
        return fields.without_value(field_, Reason.NO_WORK_ITEM)
    if asked.level is None:
        return field_
    return within(field_, above[asked.level.above])


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
    return (fields.recommended(predictions) if verdict.kind_doubted else predictions), None


def anew(
    models: Models,
    vector: Vectors,
    probabilities: Mapping[str, Probabilities],
    votes: Callable[[], Mapping[str, Sequence[Vote]]],
) -> Callable[[IncidentText], dict[str, FieldPrediction]]:
    """Return what judges a text that was read, as often as more becomes known of it."""
    return lambda request: judged(models, request, vector, probabilities, votes())[0]

"""The administrator's rules, applied above the model."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from smarttriage.domain.cue_families import family_of
from smarttriage.domain.incident import TARGETS
from smarttriage.domain.rules import Grounds, Rule
from smarttriage.domain.suggestion import Alternative, AppliedRule, FieldMode, FieldPrediction, Reason
from smarttriage.domain.text import Evidence, locate, model_text
from smarttriage.services.levels import Tree
from smarttriage.services.live import Models
from smarttriage.services.matching import IncidentText


@dataclass(frozen=True, slots=True)
class PriorityRuling:
    """What rules say of the priority itself: a value, a least value, and the rule of each."""

    value: str | None = None
    set_by: AppliedRule | None = None
    at_least: str | None = None
    raised_by: AppliedRule | None = None

    def over(self, priority: str | None) -> tuple[str | None, AppliedRule | None]:
        """Return the priority under the rules, and the rule that decided it; P1 is the highest."""
        if self.value is not None:
            priority, decided = self.value, self.set_by
        else:
            decided = None
        if self.at_least is not None and (priority is None or self.at_least < priority):
            return self.at_least, self.raised_by
        return priority, decided


def ruled(
    models: Models,
    request: IncidentText,
    predictions: Mapping[str, FieldPrediction],
    again: Callable[[IncidentText], Mapping[str, FieldPrediction]] | None = None,
    beside: Sequence[Rule] = (),
) -> tuple[dict[str, FieldPrediction], PriorityRuling]:
    """Return the fields under the rules, in their order, and what rules say of the priority.

    What a person gave stands, and so does a field that is turned off or only monitored. `again` predicts the fields anew for
    the same text where more is known: the levels above and below what a rule decided follow from it. Rules `beside` those of the
    administrator come last.
    """
    found, ruling = dict(predictions), PriorityRuling()
    rules = (*models.rules.rules, *beside)
    if not rules:
        return found, ruling
    text = models.rules.read(model_text(request.title, request.description), cues=bool(beside))
    for rule in rules:
        values = {target: found[target].value for target in TARGETS}
        grounds = models.rules.grounds(rule, text, request.circumstances, values)
        if grounds is None:
            continue
        for target, label in {**rule.sets, **rule.at_least}.items():
            if target == "priority":
                ruling = _on_priority(rule, grounds, ruling)
            elif _open_to(found[target], rule, target) and not _reached(models, found[target], rule, target):
                found[target] = _decided(models, request, found[target], target=target, label=label, rule=rule, grounds=grounds)
    return _consistent(models, _anew(models, request, found, again) if again else found), ruling


def _anew(
    models: Models,
    request: IncidentText,
    found: Mapping[str, FieldPrediction],
    again: Callable[[IncidentText], Mapping[str, FieldPrediction]],
) -> dict[str, FieldPrediction]:
    """Return the fields with those above and below what a rule decided predicted under it."""
    tree = Tree.of(models)
    decided = {target: field.value for target, field in found.items() if field.rule and field.value}
    levels = tree.related(list(decided))
    if not levels:
        return dict(found)
    fields = {**found, **{t: field for t, field in again(request.knowing(decided)).items() if t in levels}}
    for target in decided:
        for above in tree.above(target):
            if fields[above].reason is Reason.GIVEN and found[above].reason is not Reason.GIVEN:
                fields[above] = replace(fields[above], reason=Reason.RULE, rule=found[target].rule)
    return fields


def _open_to(field: FieldPrediction, rule: Rule, target: str) -> bool:
    if field.reason is Reason.GIVEN or field.mode in (FieldMode.MONITOR, FieldMode.OFF):
        return False
    return target in rule.at_least or field.rule is None


def _reached(models: Models, field: FieldPrediction, rule: Rule, target: str) -> bool:
    """Return whether the field is at the rule's floor already, or is unknown but more likely above it."""
    if target not in rule.at_least:
        return False
    matrix = models.policy.matrix
    order = matrix.impacts if target == "impact" else matrix.urgencies
    likely = field.value or next((label.value for label in field.alternatives), None)
    if likely not in order:
        return False
    here, least = order.index(likely), order.index(rule.at_least[target])
    return here >= least if field.value else here > least


def _decided(
    models: Models, request: IncidentText, field: FieldPrediction, *, target: str, label: str, rule: Rule, grounds: Grounds
) -> FieldPrediction:
    others = tuple(other for other in field.alternatives if other.value != label)
    return FieldPrediction(
        value=label,
        confidence=1.0,
        mode=models.mode(target),
        alternatives=(Alternative(label, 1.0), *others),
        evidence=_evidence(request, grounds),
        reason=Reason.RULE,
        rule=_applied(rule, grounds),
    )


def _on_priority(rule: Rule, grounds: Grounds, ruling: PriorityRuling) -> PriorityRuling:
    applied = _applied(rule, grounds)
    if "priority" in rule.sets and ruling.value is None:
        return replace(ruling, value=rule.sets["priority"], set_by=applied)
    floor = rule.at_least.get("priority")
    if floor is not None and (ruling.at_least is None or floor < ruling.at_least):
        return replace(ruling, at_least=floor, raised_by=applied)
    return ruling


def _applied(rule: Rule, grounds: Grounds) -> AppliedRule:
    known = f" ({', '.join(grounds.known)})" if grounds.known else ""
    return AppliedRule(rule.id, f"{rule.reason}{known}")


def _evidence(request: IncidentText, grounds: Grounds) -> tuple[Evidence, ...]:
    places: Sequence[tuple[int, int, str]] = sorted({(span.start, span.end, span.cue) for span in grounds.spans})
    return tuple(
        locate(request.title, request.description, start, end, cue=cue if family_of(cue) else None) for start, end, cue in places
    )


def _consistent(models: Models, found: Mapping[str, FieldPrediction]) -> dict[str, FieldPrediction]:
    """Return the fields with nothing left that a rule's kind, or what a rule decided of the level above, rules out."""
    fields, kind = dict(found), found["kind"]
    if kind.rule and kind.value not in models.taxonomy.work_item_kinds:
        for target in ("category", "sub_category"):
            fields[target] = replace(fields[target], value=None, mode=FieldMode.RECOMMEND, reason=Reason.NO_WORK_ITEM, rule=None)
    for target, level in Tree.of(models).levels.items():
        field, above = fields[target], fields[level.above]
        if above.rule and field.value and level.parents.get(field.value) != above.value and field.reason is not Reason.GIVEN:
            fields[target] = replace(field, value=None, mode=FieldMode.RECOMMEND, reason=Reason.PARENT_UNKNOWN, rule=None)
    return fields

"""From probabilities to predicted fields: votes, thresholds, hierarchy and the modes that an administrator sets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from smarttriage.domain.contract import NEVER
from smarttriage.domain.decision import Shown, shown_as
from smarttriage.domain.suggestion import Alternative, FieldMode, FieldPrediction, Reason, VotingNeighbour
from smarttriage.domain.text import Evidence
from smarttriage.ports import TargetCard

N_ALTERNATIVES = 3


@dataclass(frozen=True, slots=True)
class Ranked:
    """The likeliest labels of one target, most likely first, and whether reviewed neighbours decided the first."""

    alternatives: tuple[Alternative, ...]
    voted: bool = False

    @property
    def best(self) -> Alternative:
        """The most likely label."""
        return self.alternatives[0]


def ranked(model: Mapping[str, float], blended: Mapping[str, float]) -> Ranked:
    """Return the likeliest labels by `blended`, ties by name; voted if that changed which comes first."""
    order = [label for _, label in sorted([(-probability, label) for label, probability in blended.items()])]
    _, first = max(zip(model.values(), model.keys(), strict=True), default=(0.0, None))
    shown = tuple(Alternative(label, round(min(1.0, blended[label]), 4)) for label in order[:N_ALTERNATIVES])
    return Ranked(shown, voted=order[0] != first)


def predicted(
    card: TargetCard,
    labels: Ranked,
    mode: FieldMode,
    evidence: Sequence[Evidence] = (),
    neighbours: tuple[VotingNeighbour, ...] = (),
) -> FieldPrediction:
    """Return the field: filled in if the best label's confidence reaches that label's threshold, else null with its reason.

    A label that the model never learnt (only people used it so far) is held to the strictest reachable threshold. What only
    the votes of neighbours lift over a lower bar is recommended: no contract was measured for that.
    """
    best = labels.best
    reachable = [threshold for threshold in card.thresholds.values() if threshold <= 1]
    threshold = card.thresholds.get(best.value, max(reachable, default=1.0))
    if labels.voted:
        threshold = min(threshold, max(reachable, default=0.5), 0.9)
    sure = best.confidence >= threshold
    promised = best.confidence >= card.thresholds.get(best.value, NEVER)
    filled = FieldPrediction(
        value=best.value if sure else None,
        confidence=best.confidence,
        mode=FieldMode.AUTOFILL if promised and mode is FieldMode.AUTOFILL else FieldMode.RECOMMEND,
        alternatives=labels.alternatives,
        evidence=tuple(evidence),
        reason=(Reason.REVIEWED_NEIGHBOURS if labels.voted else None) if sure else Reason.LOW_CONFIDENCE,
        neighbours=neighbours,
    )
    return _in_mode(filled, mode)


def unknown(reason: Reason, mode: FieldMode = FieldMode.RECOMMEND) -> FieldPrediction:
    """Return a field about which nothing is said, and why."""
    return FieldPrediction(None, 0.0, mode if mode in (FieldMode.MONITOR, FieldMode.OFF) else FieldMode.RECOMMEND, reason=reason)


def given(value: str, mode: FieldMode) -> FieldPrediction:
    """Return a field that a person has decided already."""
    return FieldPrediction(value, 1.0, mode, (Alternative(value, 1.0),), reason=Reason.GIVEN)


def without_value(field: FieldPrediction, reason: Reason) -> FieldPrediction:
    """Return the field with its value withheld for `reason`; what it would have been stays among the alternatives."""
    return replace(field, value=None, mode=FieldMode.RECOMMEND, reason=reason)


def held_out(fields: Mapping[str, FieldPrediction]) -> dict[str, FieldPrediction]:
    """Return the fields with everything that would be filled in recommended instead, for measuring what agents choose."""
    return {
        target: without_value(field, Reason.HOLDOUT) if shown_as(field) is Shown.AUTOFILLED and field.rule is None else field
        for target, field in fields.items()
    }


def recommended(fields: Mapping[str, FieldPrediction]) -> dict[str, FieldPrediction]:
    """Return the fields with everything that the model would fill in recommended instead; what a person gave stays."""
    return {
        target: replace(field, mode=FieldMode.RECOMMEND)
        if field.mode is FieldMode.AUTOFILL and field.reason is not Reason.GIVEN
        else field
        for target, field in fields.items()
    }


def _in_mode(field: FieldPrediction, mode: FieldMode) -> FieldPrediction:
    if mode is FieldMode.OFF:
        return unknown(Reason.TURNED_OFF, mode)
    if mode is FieldMode.MONITOR:
        return replace(field, value=None, mode=mode, alternatives=(), evidence=(), neighbours=(), reason=Reason.MONITOR_ONLY)
    return field

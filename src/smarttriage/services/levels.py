"""Targets below others while a text is answered: what each level may be under what the level above is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from smarttriage.domain.incident import TARGETS, Incident, Labels
from smarttriage.domain.suggestion import FieldMode, FieldPrediction, Reason
from smarttriage.domain.tree import ancestors, parents_first
from smarttriage.domain.voting import Vote
from smarttriage.services import fields
from smarttriage.services.live import Models

Beliefs = Mapping[str, float]
# Keeps 0 / 0 away where the level above is given although the model rules out all labels below it.
_FLOOR = 1e-12


@dataclass(frozen=True, slots=True)
class Level:
    """Where a target stands: below which other one, and below which label of that each of its own."""

    above: str
    parents: Mapping[str, str]

    def with_votes(self, votes: Sequence[Vote]) -> "Level":
        """Return the level with the labels that only people have used so far, below the label that their case has above."""
        found = {vote.label: vote.above for vote in votes if vote.above and vote.label not in self.parents}
        return replace(self, parents={**self.parents, **found}) if found else self

    def placed(self, beliefs: Beliefs) -> Beliefs:
        """Return the labels that stand below some label above; a model without a tree may know others."""
        return {label: belief for label, belief in beliefs.items() if label in self.parents}

    def under(self, beliefs: Beliefs, above: Beliefs | None) -> Beliefs:
        """Return P(label above) * P(label | label above) for each label, so that none is more likely than the one above it.

        `beliefs` are of the whole path as the model sees it; their shares below one label above are all that is kept, unless
        nothing is believed of the level above (None).
        """
        placed = self.placed(beliefs)
        if above is None:
            return placed
        inside: dict[str, float] = {}
        for label, belief in placed.items():
            parent = self.parents[label]
            inside[parent] = inside.get(parent, 0.0) + belief + _FLOOR
        return {
            label: above.get(parent := self.parents[label], 0.0) * ((belief + _FLOOR) / inside[parent])
            for label, belief in placed.items()
        }

    def below(self, beliefs: Beliefs, value: str | None) -> Beliefs:
        """Return the labels below `value`; all of them while the level above is open."""
        return beliefs if value is None else {label: one for label, one in beliefs.items() if self.parents[label] == value}


@dataclass(frozen=True, slots=True)
class Tree:
    """Which of an installation's targets stands below which.

    Attributes:
        order: All targets, the five and the model's own, each behind the one above it.
        levels: Target -> where it stands, for those below another one.
    """

    order: tuple[str, ...]
    levels: Mapping[str, Level]

    @classmethod
    def of(cls, models: Models) -> "Tree":
        """Return the tree that the model was trained on; without one, sub_category is below category as the taxonomy says."""
        cards, of_taxonomy = models.classifier.cards, models.taxonomy.parents
        found = {target: Level(card.parent, card.parents) for target, card in cards.items() if card.parent is not None}
        sub = found.get("sub_category", Level("category", {}))
        if sub.above == "category":
            found["sub_category"] = Level("category", {**of_taxonomy, **sub.parents})
        parents = {target: found[target].above if target in found else None for target in (*TARGETS, *cards)}
        return cls(tuple(parents_first(parents)), found)

    def implied(self, known: Labels) -> dict[str, str]:
        """Return target -> label of what is known, with the labels above that follow from it."""
        return self._upwards({target: label for target in self.order if (label := known.get(target)) is not None})

    def reviewed(self, incident: Incident) -> dict[str, str]:
        """Return target -> label that a person decided for the incident, with the labels above that follow from it."""
        labels = incident.labels
        return self._upwards({target: label for target in incident.reviewed if (label := labels.get(target)) is not None})

    def closed(self, predictions: Mapping[str, FieldPrediction]) -> dict[str, FieldPrediction]:
        """Return the fields with nothing left below a level that is open; what people gave and rules decided stays."""
        found = dict(predictions)
        for target in self.order:
            if target in self.levels and not found[target].rule and found[target].reason is not Reason.GIVEN:
                found[target] = within(found[target], found[self.levels[target].above])
        return found

    def above(self, target: str) -> list[str]:
        """Return the targets above, nearest first."""
        return ancestors(target, {one: self.levels[one].above if one in self.levels else None for one in self.order})

    def related(self, targets: Sequence[str]) -> set[str]:
        """Return the targets above and below these."""
        above = {one for target in targets for one in self.above(target)}
        below = {target for target in self.order if set(self.above(target)) & set(targets)}
        return (above | below) - set(targets)

    def _upwards(self, found: dict[str, str]) -> dict[str, str]:
        for target in reversed(self.order):
            level = self.levels.get(target)
            if level is not None and target in found and level.above not in found and found[target] in level.parents:
                found[level.above] = level.parents[found[target]]
        return found


def within(field: FieldPrediction, above: FieldPrediction) -> FieldPrediction:
    """Return the field as far as the level above holds: nothing below a level that is open, nothing surer than its mode."""
    if above.value is None:
        return fields.without_value(field, Reason.PARENT_UNKNOWN) if field.value is not None else field
    if field.mode is FieldMode.AUTOFILL and above.mode is FieldMode.RECOMMEND and above.reason is not Reason.GIVEN:
        return replace(field, mode=FieldMode.RECOMMEND)
    return field

"""The one reference that every request reads: models and catalogue as one immutable value, swapped whole."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from smarttriage.domain.glossary import NO_GLOSSARY, Gloss, Glossary
from smarttriage.domain.priority import PriorityPolicy
from smarttriage.domain.rules import RuleBook
from smarttriage.domain.suggestion import FieldMode
from smarttriage.domain.taxonomy import Taxonomy
from smarttriage.ports import Classifier, Encoder, TargetCard
from smarttriage.services.catalogue import Catalogue
from smarttriage.services.gate import Gate
from smarttriage.services.operating_point import card_at


@dataclass(frozen=True, slots=True)
class FieldSettings:
    """What an administrator decided about a field; None leaves it to the installation or to the model.

    Attributes:
        mode: What the service may do with the field.
        target_precision: What every label that is filled in must guarantee.
    """

    mode: FieldMode | None = None
    target_precision: float | None = None


@dataclass(frozen=True, slots=True)
class Models:
    """What turns text into labels.

    Attributes:
        encoder: Text to vectors.
        classifier: Vectors and text to labels; the starter until a customer trains one.
        taxonomy: Which labels there are and who takes them.
        policy: Matrix, targets, calendar.
        gate: Which texts get no answer.
        glossary: What words of other languages are in English.
        modes: Target -> what the service may do with it; a target that is not named is autofilled.
        settings: Target -> what an administrator decided since; goes before `modes`.
        rules: What an administrator put above the model.
        moved: Target -> its card with thresholds for the administrator's precision instead of the model's own.
    """

    encoder: Encoder
    classifier: Classifier
    taxonomy: Taxonomy
    policy: PriorityPolicy
    gate: Gate = field(default_factory=Gate)
    glossary: Glossary = NO_GLOSSARY
    modes: Mapping[str, FieldMode] = field(default_factory=dict)
    settings: Mapping[str, FieldSettings] = field(default_factory=dict)
    moved: Mapping[str, TargetCard] = field(default_factory=dict)
    rules: RuleBook = field(default_factory=RuleBook)

    def mode(self, target: str) -> FieldMode:
        """Return what the service may do with the target."""
        settings = self.settings.get(target)
        return (settings and settings.mode) or self.modes.get(target, FieldMode.AUTOFILL)

    def card(self, target: str) -> TargetCard | None:
        """Return the target's card with the thresholds that hold now, None where the model does not know it."""
        return self.moved.get(target) or self.classifier.cards.get(target)

    def gloss(self, text: str) -> Gloss | None:
        """Return the text in English, None where it is English, of an unclear language or has no known word."""
        if self.gate.intake is None or not self.glossary.lexicons:
            return None
        return self.glossary.gloss(text, self.gate.intake.languages.detect(text))

    def under(self, settings: Mapping[str, FieldSettings]) -> "Models":
        """Return the models under these settings. A precision for which the model has no curve leaves its own thresholds."""
        moved = {}
        for target, card in self.classifier.cards.items():
            wanted = settings.get(target, FieldSettings()).target_precision
            if wanted is not None and card.curve is not None:
                moved[target] = card_at(card, wanted)
        return replace(self, settings=dict(settings), moved=moved)


@dataclass(frozen=True, slots=True)
class State:
    """Models and catalogue that belong together."""

    models: Models
    catalogue: Catalogue

    @property
    def search_encoder(self) -> Encoder:
        """Whose vectors are searched: another than the models' while the indexes are being embedded anew."""
        return self.catalogue.encoder


class Live:
    """Holds the present `State`. Readers take the reference once per request; writers replace it whole."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._swap = threading.Lock()

    @property
    def state(self) -> State:
        """The present state."""
        return self._state

    def publish_catalogue(self, catalogue: Catalogue) -> None:
        """Serve the catalogue from the next request on."""
        with self._swap:
            self._state = replace(self._state, catalogue=catalogue)

    def publish_models(self, models: Models) -> None:
        """Serve the models from the next request on; what an administrator decided about fields holds for them too."""
        self.update_models(lambda present: models.under(present.settings))

    def update_models(self, change: Callable[[Models], Models]) -> None:
        """Serve what `change` makes of the present models; nobody else changes them meanwhile."""
        with self._swap:
            self._state = replace(self._state, models=change(self._state.models))

"""The one reference that every request reads: models and catalogue as one immutable value, swapped whole."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from smarttriage.domain.priority import PriorityPolicy
from smarttriage.domain.suggestion import FieldMode
from smarttriage.domain.taxonomy import Taxonomy
from smarttriage.ports import Classifier, Encoder
from smarttriage.services.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Models:
    """What turns text into labels.

    Attributes:
        encoder: Text to vectors.
        classifier: Vectors and text to labels; the starter until a customer trains one.
        taxonomy: Which labels there are and who takes them.
        policy: Matrix, targets, calendar.
        modes: Target -> what the service may do with it; a target that is not named is autofilled.
    """

    encoder: Encoder
    classifier: Classifier
    taxonomy: Taxonomy
    policy: PriorityPolicy
    modes: Mapping[str, FieldMode] = field(default_factory=dict)

    def mode(self, target: str) -> FieldMode:
        """Return what the service may do with the target."""
        return self.modes.get(target, FieldMode.AUTOFILL)


@dataclass(frozen=True, slots=True)
class State:
    """Models and catalogue that belong together."""

    models: Models
    catalogue: Catalogue


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
        """Serve the models from the next request on."""
        with self._swap:
            self._state = replace(self._state, models=models)

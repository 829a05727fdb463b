"""The default classifier as it answers: plain NumPy, so that several targets of one text cost about a millisecond."""

from collections.abc import Mapping, Sequence
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from smarttriage.adapters.classifiers.bundle_format import read, write
from smarttriage.adapters.classifiers.explain import Carried, heaviest, reconsidered
from smarttriage.adapters.classifiers.features import ExtraFeatures, Row, TextFeatures
from smarttriage.adapters.classifiers.heads import (
    Projection,
    Scores,
    TargetModel,
    linear_scores,
    owners_of,
    stack_linear,
    under_owners,
    with_dense,
)
from smarttriage.adapters.classifiers.novelty import NearestRows, read_novelty
from smarttriage.adapters.classifiers.prepared import EvidenceHead, Prepared, prepare
from smarttriage.domain.errors import InvalidInput, NotFound
from smarttriage.ports import HeldOut, Probabilities, TargetCard, TextSpan, Vectors
from smarttriage.ports.evidence import Reconsidered


class SklearnClassifier:
    """A fitted classifier. Immutable and safe to call from many threads."""

    format = "sklearn"

    def __init__(
        self,
        *,
        features: TextFeatures,
        projection: Projection | None,
        models: Mapping[str, TargetModel],
        encoder_id: str | None,
        version: str = "unsaved",
        held_out: Mapping[str, HeldOut] | None = None,
        novelty: NearestRows | None = None,
    ) -> None:
        self._features = features
        self._projection = projection
        self._models = dict(models)
        self._encoder_id = encoder_id
        self._version = version
        self._held_out = dict(held_out or {})
        self._novelty = novelty
        self._head, self._columns = stack_linear(self._models)
        self._cards = {name: model.card for name, model in self._models.items()}
        self._owners = {
            name: owners_of(card, self._cards[card.parent].labels)
            for name, card in self._cards.items()
            if card.parent is not None
        }
        # A request explains several targets of the same text.
        self._ordered, ordered_columns = _ordered_columns(self._models, self._columns)
        evidence = EvidenceHead(ordered_columns, self._head.dense[features.dim :, ordered_columns])
        self._prepared = lru_cache(maxsize=16)(partial(prepare, features, self._head, evidence))

    @classmethod
    def from_files(
        cls, files: Mapping[str, bytes], *, version: str, extras: Mapping[str, ExtraFeatures] | None = None
    ) -> "SklearnClassifier":
        """Return the classifier that `to_files` wrote.

        Raises:
            BundleError: The files do not make a classifier.
        """
        features, projection, models, encoder_id = read(files, extras or {})
        return cls(
            features=features,
            projection=projection,
            models=models,
            encoder_id=encoder_id,
            version=version,
            novelty=read_novelty(files),
        )

    def to_files(self) -> dict[str, bytes]:
        """Return the files of a bundle, name -> content."""
        known = self._novelty.to_files() if self._novelty else {}
        return {**write(self._features, self._projection, self._models, self._encoder_id), **known}

    @property
    def version(self) -> str:
        """Bundle version; "unsaved" fresh from training."""
        return self._version

    @property
    def encoder_id(self) -> str | None:
        """The encoder whose vectors it was fitted on."""
        return self._encoder_id

    @property
    def cards(self) -> Mapping[str, TargetCard]:
        """Target name -> its labels and thresholds, parents before their children."""
        return self._cards

    @property
    def held_out(self) -> Mapping[str, HeldOut]:
        """Held-out predictions of the training rows; empty after loading from a bundle."""
        return self._held_out

    @property
    def novelty(self) -> NearestRows | None:
        """What tells a text that is unlike the training rows; None in a bundle made before there was any."""
        return self._novelty

    def predict_proba(self, texts: Sequence[str], vectors: Vectors) -> Mapping[str, Probabilities]:
        """Return target -> (n, n_labels) probabilities. Row by row, so that a text gets the same ones in any company."""
        if vectors.shape != (len(texts), self._features.dim):
            message = f"vectors have shape {vectors.shape}; {len(texts)} texts need {(len(texts), self._features.dim)}."
            raise InvalidInput(message, field="vectors")
        found = {name: np.empty((len(texts), len(card.labels))) for name, card in self._cards.items()}
        # Where its terms stand is wanted of a text that is asked alone, to explain it; of many it would only cost time.
        alone = len(texts) == 1
        for place, text in enumerate(texts):
            if alone:
                scored = self._scored(self._prepared(text), vectors[place])
            else:
                row = self._features.row(text, vectors[place])
                scored = linear_scores(self._head, row), self._inputs(row)
            for name, probabilities in self._predict_one(*scored).items():
                found[name][place] = probabilities
        return found

    def prepare(self, text: str) -> None:
        """Compute what needs the text only, so that asking for it soon after is quicker."""
        self._prepared(text)

    def explain(self, text: str, target: str, label: str, n: int = 5) -> Sequence[TextSpan]:
        """Return the at most n spans of the text that carried the label most in the linear part, heaviest first.

        Evidence for the label (a cue such as "no_workaround") goes before mere words: words are shown only where it is missing.
        """
        if target not in self._models or label not in self._cards[target].labels:
            raise NotFound(f"The model has no label {label!r} of target {target!r}; it knows the targets {sorted(self._cards)}.")
        column = self._cards[target].labels.index(label)
        carried = Carried(self._features, self._prepared(text), self._models[target], self._columns[target], column)
        return heaviest(carried.places(target, label), n) or carried.words(n)

    def reconsider(self, text: str, vector: Vectors) -> Sequence[Reconsidered]:
        """Return what the ordered targets would be if one piece of evidence were otherwise, smallest change first."""
        prepared = self._prepared(text)
        scores, inputs = self._scored(prepared, vector)
        present = {name: (self._models[name], scores[self._columns[name]]) for name in self._ordered}
        return reconsidered(present, self._ordered, prepared, inputs=inputs)

    def _scored(self, prepared: Prepared, vector: Vectors) -> tuple[Scores, Vectors | None]:
        """Return the linear scores of all targets and what the networks read; equal to those of the text's row."""
        row = prepared.row(vector)
        return with_dense(self._head, row.dense, prepared.terms), self._inputs(row)

    def _inputs(self, row: Row) -> Vectors | None:
        return self._projection.inputs(row, self._features.dim) if self._projection else None

    def _predict_one(self, scores: Scores, inputs: Vectors | None) -> dict[str, Probabilities]:
        found: dict[str, Probabilities] = {}
        for name, model in self._models.items():
            probabilities = model.probabilities(scores[self._columns[name]], inputs)
            if model.card.parent is not None:
                probabilities = under_owners(probabilities[None], found[model.card.parent][None], self._owners[name])[0]
            found[name] = probabilities
        return found


def _ordered_columns(
    models: Mapping[str, TargetModel], columns: Mapping[str, slice]
) -> tuple[dict[str, slice], NDArray[np.intp]]:
    """Return where the labels of each ordered target stand among those of all ordered ones, and these among those of all targets."""
    places: dict[str, slice] = {}
    among_all: list[int] = []
    for name, model in models.items():
        if model.card.ordered:
            start = len(among_all)
            among_all += range(columns[name].start, columns[name].stop)
            places[name] = slice(start, len(among_all))
    return places, np.array(among_all, dtype=np.intp)

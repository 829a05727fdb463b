"""The default classifier: linear models on TF-IDF and the embedding, with small networks beside them where rows are many.

scikit-learn fits; at run time everything is plain NumPy, so that several targets of one text cost about a millisecond.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from smarttriage.adapters.classifiers.bundle_format import read, write
from smarttriage.adapters.classifiers.contracts import group_numbers, precision_curve, under_contract
from smarttriage.adapters.classifiers.explain import Carried, heaviest, reconsidered
from smarttriage.adapters.classifiers.features import ExtraFeatures, Row, TextFeatures
from smarttriage.adapters.classifiers.few_shot import FEW, described_features, fit_few, is_few
from smarttriage.adapters.classifiers.fitting import Fitted, Task, check_lengths, column_of, fit_target
from smarttriage.adapters.classifiers.folds import assign_folds, text_groups
from smarttriage.adapters.classifiers.heads import (
    Projection,
    Scores,
    TargetModel,
    linear_scores,
    stack_linear,
    under_parent,
    with_dense,
)
from smarttriage.adapters.classifiers.hierarchy import HeldLevel, held_level, known_parents
from smarttriage.adapters.classifiers.novelty import Detect, Everyday, NearestRows, fit_novelty, no_vectors, read_novelty, unclear
from smarttriage.adapters.classifiers.prepared import Prepared, prepare
from smarttriage.adapters.classifiers.recipes import MANY_ROWS, fit_projection, network_inputs, recipes_for
from smarttriage.domain.errors import InvalidInput, NotFound
from smarttriage.domain.tree import parents_first
from smarttriage.ports import DescribedLabels, HeldOut, LabelledTexts, Probabilities, TargetCard, TextSpan, Vectors
from smarttriage.ports.evidence import Reconsidered

TARGET_PRECISION = 0.9
CONFIDENCE = 0.9


@dataclass(frozen=True, slots=True)
class TargetOptions:
    """What cannot be read from the labels of a target.

    Attributes:
        parent: The target above it, which must be trained with it.
        order: The labels from lowest to highest, for an ordered target.
        extra: Whether the trainer's extra features may speak for it.
    """

    parent: str | None = None
    order: tuple[str, ...] = ()
    extra: bool = True


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
        # A request explains several targets of the same text.
        self._prepared = lru_cache(maxsize=16)(partial(prepare, features, self._head))

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
        models = {name: model for name, model in self._models.items() if model.card.ordered}
        prepared = self._prepared(text)
        scores, inputs = self._scored(prepared, vector)
        return reconsidered(models, self._columns, prepared, scores=scores, inputs=inputs)

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
                above = model.card.parent
                probabilities = under_parent(probabilities[None], found[above][None], model.card, self._cards[above].labels)[0]
            found[name] = probabilities
        return found


@dataclass(frozen=True, slots=True)
class SklearnTrainer:
    """Fits `SklearnClassifier`s.

    Attributes:
        encoder_id: Whose vectors the examples carry.
        targets: Options of the targets that need some.
        target_precision: What the thresholds promise for a label that is filled in.
        confidence: How sure that promise is, for all labels of a target at once.
        together: Promise it of all labels of a target taken together instead, which rows too few for each label allow.
        extra: Further numbers computed from the text.
        n_threads: Fits side by side; the model is the same for any number.
        many_rows: Labelled rows from which a target gets networks beside the linear part.
        few: Mean labelled rows for each label below which a target starts from names and descriptions.
        kept_recipes: Target -> the recipe that an earlier training chose (`HeldOut.recipe`), kept instead of choosing again.
        detect: Tells the language of a text; strangeness is bounded for each language.
        everyday: Gives the vectors of texts that are about nothing that one trains on.
    """

    encoder_id: str | None
    targets: Mapping[str, TargetOptions] = field(default_factory=dict)
    target_precision: float = TARGET_PRECISION
    confidence: float = CONFIDENCE
    together: bool = False
    extra: ExtraFeatures | None = None
    n_threads: int = 2
    many_rows: int = MANY_ROWS
    few: int = FEW
    kept_recipes: Mapping[str, str] = field(default_factory=dict)
    detect: Detect = unclear
    everyday: Everyday = no_vectors

    def fit(self, examples: LabelledTexts, *, seed: int) -> SklearnClassifier:
        """Return a calibrated classifier of every target. Same examples and seed, same model.

        Folds keep groups whole. The vocabulary, its idf and the word projection see all texts but no label; everything that
        sees labels is fitted without the held-out rows before those are used for calibration and thresholds.

        Raises:
            InvalidInput: A target cannot be learnt, or the lengths differ.
        """
        check_lengths(examples)
        labels = {name: [label or None for label in column] for name, column in examples.labels.items()}
        order = parents_first({name: self._options(name).parent for name in labels})
        groups = examples.groups if examples.groups is not None else text_groups(examples.texts)
        finest = max(labels, key=lambda name: len(set(labels[name])))
        folds = assign_folds(groups, labels[finest], seed=seed)
        few = {name for name in labels if is_few(labels[name], examples.descriptions.get(name), self.few)}
        described = {name: part for name, part in examples.descriptions.items() if name in few}
        features, matrix, prior = described_features(examples, described, self.extra)
        # One BLAS thread: more are slower on arrays of this size, and sums in another order would be another model.
        with threadpool_limits(1):
            large = any(sum(label is not None for label in column) >= self.many_rows for column in labels.values())
            projection = fit_projection(matrix, seed=seed) if large else None
            inputs = network_inputs(projection, matrix) if projection else None
            fitted: dict[str, Fitted] = {}
            cards: dict[str, TargetCard] = {}
            for name in order:
                card = self._card(name, labels, described.get(name))
                truth = column_of(labels[name], card.labels)
                mine = matrix.for_target(self.extra if self._options(name).extra else None, name)
                recipes = recipes_for(int((truth >= 0).sum()), self.many_rows, kept=self.kept_recipes.get(name))
                task = Task(name, mine, inputs, folds, truth, card.labels, recipes, seed, self.n_threads)
                fitted[name] = fit_few(task, prior.get(name)) if name in few else fit_target(task)
                cards[name] = card

        def novelty(held_out: Mapping[str, HeldOut]) -> NearestRows:
            return fit_novelty(examples, groups, held_out, detect=self.detect, seed=seed, everyday=self.everyday)

        return self._assemble(features, projection, fitted, cards, labels, groups=group_numbers(groups), novelty=novelty)

    def _options(self, name: str) -> TargetOptions:
        return self.targets.get(name, TargetOptions())

    def _card(self, name: str, labels: Mapping[str, Sequence[str | None]], described: DescribedLabels | None) -> TargetCard:
        options = self._options(name)
        known = {label for label in labels[name] if label} | set(described.labels if described else ())
        if options.order and (strange := known - set(options.order)):
            message = f"Target {name!r} has labels {sorted(strange)} that its order {list(options.order)} does not name."
            raise InvalidInput(message, field=name)
        ordered = tuple(label for label in options.order if label in known)
        return TargetCard(
            name=name,
            labels=ordered or tuple(sorted(known)),
            thresholds={},
            target_precision=self.target_precision,
            parent=options.parent,
            parents=known_parents(name, options.parent, labels, described) if options.parent else {},
            ordered=bool(options.order),
        )

    def _assemble(
        self,
        features: TextFeatures,
        projection: Projection | None,
        fitted: Mapping[str, Fitted],
        cards: Mapping[str, TargetCard],
        labels: Mapping[str, Sequence[str | None]],
        *,
        groups: NDArray[np.int_],
        novelty: Callable[[Mapping[str, HeldOut]], NearestRows],
    ) -> SklearnClassifier:
        models, held_out, levels = {}, {}, dict[str, HeldLevel]()
        for name, part in fitted.items():
            card = cards[name]
            above = (levels[card.parent], cards[card.parent].labels) if card.parent else (None, ())
            level = levels[name] = held_level(part.rows, part.calibrated, card, *above)
            probabilities = level.joint
            truth = column_of([labels[name][row] for row in part.rows.tolist()], card.labels)
            kept = truth >= 0
            promise = partial(precision_curve, confidence=self.confidence, together=self.together)
            curve = promise(card.labels, level.decided[kept], truth[kept], groups[part.rows[kept]])
            models[name] = TargetModel(under_contract(card, curve), part.linear, part.networks, part.calibration)
            names = [card.labels[column] for column in truth[kept].tolist()]
            if names:  # nothing can be held out of very few rows: no figures, and nothing is filled in
                held_out[name] = HeldOut(part.rows[kept].tolist(), names, part.raw[kept], probabilities[kept], str(part.recipe))
        return SklearnClassifier(
            features=features,
            projection=projection,
            models=models,
            encoder_id=self.encoder_id,
            held_out=held_out,
            novelty=novelty(held_out),
        )

"""How scikit-learn fits the default classifier: linear models on TF-IDF and the embedding, networks beside them for many rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from smarttriage.adapters.classifiers.classifier import SklearnClassifier
from smarttriage.adapters.classifiers.contracts import group_numbers, precision_curve, under_contract
from smarttriage.adapters.classifiers.features import ExtraFeatures, TextFeatures
from smarttriage.adapters.classifiers.few_shot import FEW, described_features, fit_few, is_few
from smarttriage.adapters.classifiers.fitting import Fitted, Task, check_lengths, column_of, fit_target
from smarttriage.adapters.classifiers.folds import assign_folds, text_groups
from smarttriage.adapters.classifiers.heads import (
    Projection,
    TargetModel,
)
from smarttriage.adapters.classifiers.hierarchy import HeldLevel, held_level, known_parents
from smarttriage.adapters.classifiers.novelty import Detect, Everyday, NearestRows, fit_novelty, no_vectors, unclear
from smarttriage.adapters.classifiers.recipes import MANY_ROWS, fit_projection, network_inputs, recipes_for
from smarttriage.domain.errors import InvalidInput
from smarttriage.domain.tree import parents_first
from smarttriage.ports import DescribedLabels, HeldOut, LabelledTexts, TargetCard

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

"""A walk through a history in the order of time: train on what was known, answer what came next, look at nothing later."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from smarttriage.domain.errors import InvalidInput
from smarttriage.domain.near_text import near_identical, word_set
from smarttriage.domain.suggestion import FieldMode
from smarttriage.ports import FittedClassifier, LabelledTexts, Trainer, Vectors
from smarttriage.services import fields
from smarttriage.services.backtest_answers import Answer, FinishedSteps, FitFacts, Guess, StepAnswers
from smarttriage.services.backtest_history import History
from smarttriage.services.backtest_neighbours import Neighbours
from smarttriage.services.backtest_plan import Plan, Step, known_seconds, steps_of
from smarttriage.services.evaluation import score
from smarttriage.services.training import Progress


class MakeTrainer(Protocol):
    """Makes the trainer of one fit."""

    def __call__(
        self, labels: Mapping[str, Sequence[str | None]], *, kept_recipes: Mapping[str, str]
    ) -> Trainer[FittedClassifier]:
        """Return a trainer for these labels that keeps the recipes of earlier fits."""
        ...


class Walk:
    """One walk through one history."""

    def __init__(
        self,
        history: History,
        vectors: Vectors,
        plan: Plan,
        *,
        make_trainer: MakeTrainer,
        finished: FinishedSteps,
        progress: Progress,
    ) -> None:
        if len(vectors) != len(history.texts):
            raise InvalidInput(f"{len(history.texts)} texts but {len(vectors)} vectors.", field="vectors")
        self._history, self._vectors, self._plan = history, vectors, plan
        self._make_trainer, self._finished, self._progress = make_trainer, finished, progress
        self._known = known_seconds(history)
        self._words = [word_set(text) for text in history.texts]
        self._neighbours = Neighbours(history, vectors, self._known)
        self._recipes: dict[str, str] = {}
        self._model: tuple[str, FittedClassifier | None, Mapping[str, FitFacts], Mapping[str, str]] | None = None

    def run(self) -> list[StepAnswers]:
        """Return the answers of every step; those that were finished before are not computed again."""
        results: list[StepAnswers] = []
        steps = steps_of(self._history, self._plan)
        starts = {step.name: step for step in steps}
        for place, step in enumerate(steps):
            self._progress(f"walk {step.name}", step.first, len(self._history.texts))
            kept = self._finished.get(step.name)
            if kept is None:
                before = steps[place - 1].starts_at if place else step.starts_at
                result = self._walked(step, starts[step.fitted_at] if step.fitted_at else None, before)
                self._finished.put(step.name, result.as_json())
            else:
                result = StepAnswers.from_json(kept)
            if result.fitted_at == step.name:
                # A target that could not be trained keeps nothing, and chooses as soon as it can.
                self._recipes = {target: facts.recipe for target, facts in result.fits.items()}
            results.append(result)
        self._progress("walk", len(self._history.texts), len(self._history.texts))
        return results

    def _walked(self, step: Step, fitted_at: Step | None, before: datetime) -> StepAnswers:
        model, fits, refused = self._fitted(fitted_at)
        start = step.starts_at.timestamp()
        return StepAnswers(
            step=step.name,
            fitted_at=step.fitted_at,
            fits=fits,
            refused=refused,
            majority=self._commonest(self._known < start),
            recent=self._commonest((self._known >= before.timestamp()) & (self._known < start)),
            answers=self._answers(step, model),
        )

    def _fitted(self, at: Step | None) -> tuple[FittedClassifier | None, Mapping[str, FitFacts], Mapping[str, str]]:
        if at is None:
            return None, {}, dict.fromkeys(self._history.labels, "no label was known yet")
        if self._model is None or self._model[0] != at.name:
            self._model = (at.name, *self._fit(at))
        return self._model[1:]

    def _fit(self, step: Step) -> tuple[FittedClassifier | None, Mapping[str, FitFacts], Mapping[str, str]]:
        rows = np.flatnonzero(self._known < step.starts_at.timestamp()).tolist()
        examples = LabelledTexts(
            [self._history.texts[row] for row in rows],
            self._vectors[rows],
            {target: [column[row] for row in rows] for target, column in self._history.labels.items()},
        )
        kept = {} if step.chooses else self._recipes
        make = lambda labels: self._make_trainer(labels, kept_recipes=kept)  # noqa: E731 - binds this fit's recipes
        model, refused = fit_what_can_be(examples, make, seed=self._plan.seed)
        return model, facts_of(model) if model else {}, refused

    def _commonest(self, chosen: NDArray[np.bool_]) -> dict[str, str]:
        found = {}
        for target, column in self._history.labels.items():
            counts = Counter(label for row in np.flatnonzero(chosen).tolist() if (label := column[row]))
            if counts:
                found[target] = min(counts, key=lambda label: (-counts[label], label))
        return found

    def _answers(self, step: Step, model: FittedClassifier | None) -> list[Answer]:
        texts = self._history.texts[step.first : step.last]
        guesses = guessed(model, texts, self._vectors[step.first : step.last]) if model else [{} for _ in texts]
        nearest, resolved = self._neighbours.before(step.first, step.last)
        return [
            Answer(mine, near, fixed, any(near_identical(self._words[step.first + row], self._words[place]) for place, _ in near))
            for row, (mine, near, fixed) in enumerate(zip(guesses, nearest, resolved, strict=True))
        ]


def fit_what_can_be(
    examples: LabelledTexts, make_trainer: Callable[[Mapping[str, Sequence[str | None]]], Trainer[FittedClassifier]], *, seed: int
) -> tuple[FittedClassifier | None, dict[str, str]]:
    """Return a classifier of every target that can be learnt (None: of none) and why the others cannot."""
    labels, refused = dict(examples.labels), dict[str, str]()
    while labels:
        try:
            return make_trainer(labels).fit(replace(examples, labels=labels), seed=seed), refused
        except InvalidInput as error:
            culprits = [error.field] if error.field in labels else list(labels)
            for name in culprits:
                refused[name] = error.message
                del labels[name]
    return None, refused


def facts_of(model: FittedClassifier) -> dict[str, FitFacts]:
    """Return for each target what the held-out rows of the fit promise."""
    found = {}
    for target, held in model.held_out.items():
        if not held.truth:  # too few rows to hold any out: no promise
            continue
        scores = score(model.cards[target], held.calibrated, held.truth)
        n_labels = len(model.cards[target].labels)
        found[target] = FitFacts(
            scores.n, n_labels, held.recipe, scores.accuracy, scores.coverage, scores.precision_at_thresholds
        )
    return found


def guessed(model: FittedClassifier, texts: Sequence[str], vectors: Vectors) -> list[dict[str, Guess]]:
    """Return for each text the guess of every target, filled in where the service would fill it in."""
    found: list[dict[str, Guess]] = [{} for _ in texts]
    for target, rows in model.predict_proba(texts, vectors).items():
        card = model.cards[target]
        for place, row in enumerate(rows):
            probabilities = dict(zip(card.labels, row.tolist(), strict=True))
            ranked = fields.ranked(probabilities, probabilities)
            prediction = fields.predicted(card, ranked, FieldMode.AUTOFILL)
            found[place][target] = Guess(ranked.best.value, ranked.best.confidence, prediction.value is not None)
    return found

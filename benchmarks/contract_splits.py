"""The resplits that benchmarks/contracts.py measures on: clusters whole, 75 % to fit on, 25 % unseen; one file a split.

A split that is on disk already is not fitted again, so that a run can be stopped at any time and go on later.
"""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from smarttriage.adapters.classifiers.sklearn import SklearnTrainer
from smarttriage.adapters.vector_cache import FileVectorCache
from smarttriage.bootstrap import parts
from smarttriage.bootstrap.training import N_THREADS, read_training_rows
from smarttriage.ports import LabelledTexts, Probabilities
from smarttriage.services.training import TrainingRows, embed

UNSEEN_SHARE = 0.25
Columns = NDArray[np.int_]


@dataclass(frozen=True, slots=True)
class Question:
    """A data set, the column to predict, and what keeps sixty fits affordable.

    Attributes:
        n_rows: At most so many rows a split, whole clusters drawn anew for each; None: all.
        one_recipe: Fit the recipe for large sets only, instead of choosing among eighteen in each split.
    """

    name: str
    folder: str
    target: str
    text_columns: tuple[str, ...] = ("text",)
    n_rows: int | None = None
    one_recipe: bool = False


QUESTIONS = (
    Question("it_ticket_category", "it_ticket_category", "category", n_rows=8_000, one_recipe=True),
    Question("msoffice product", "msoffice_symptom_product", "product"),
    Question("endava service", "endava_native_labels", "service_code", ("title", "body"), one_recipe=True),
)


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Predictions of one split: cross-fitted ones of the rows it was fitted on, and those of the unseen rows."""

    labels: tuple[str, ...]
    held: Probabilities
    held_truth: Columns
    held_groups: Columns
    unseen: Probabilities
    unseen_truth: Columns
    fit_s: float


def read_question(question: Question, data: Path) -> TrainingRows:
    """Return train and dev together: nothing here was tuned on either, and more rows make steadier figures."""
    files = [data / question.folder / f"{part}.csv.gz" for part in ("train", "dev")]
    return read_training_rows(files, [question.target], question.text_columns, group_column="cluster", on_problem=print)


def split_rows(question: Question, rows: TrainingRows, seed: int) -> tuple[list[int], list[int]]:
    """Return the rows to fit on and the unseen ones; no cluster stands on both sides."""
    members: dict[str, list[int]] = {}
    for row, group in enumerate(rows.groups or ()):
        members.setdefault(group, []).append(row)
    names = sorted(members)
    wanted = min(question.n_rows or len(rows.texts), len(rows.texts))
    unseen: list[int] = []
    fitted: list[int] = []
    for place in np.random.default_rng(seed).permutation(len(names)):
        side = unseen if len(unseen) < UNSEEN_SHARE * wanted else fitted
        if side is fitted and len(fitted) >= (1 - UNSEEN_SHARE) * wanted:
            break
        side += members[names[place]]
    return sorted(fitted), sorted(unseen)


def fit_split(question: Question, rows: TrainingRows, cache: Path | None, seed: int) -> Split:
    """Return the predictions of one split."""
    fitted, unseen = split_rows(question, rows, seed)
    encoder = parts.encoder(n_threads=N_THREADS)
    kept = FileVectorCache(cache) if cache else None
    texts = [rows.texts[row] for row in (*fitted, *unseen)]
    vectors = embed(texts, encoder=encoder, cache=kept)
    labels, groups = rows.labels[question.target], list(rows.groups or ())
    examples = LabelledTexts(
        texts[: len(fitted)],
        vectors[: len(fitted)],
        {question.target: [labels[row] for row in fitted]},
        [groups[row] for row in fitted],
    )
    trainer = SklearnTrainer(encoder_id=encoder.encoder_id, **({"many_rows": 1} if question.one_recipe else {}))
    started = time.perf_counter()
    model = trainer.fit(examples, seed=seed)
    fit_s = time.perf_counter() - started
    held, known = model.held_out[question.target], model.cards[question.target].labels
    columns = {label: place for place, label in enumerate(known)}
    numbers = {group: place for place, group in enumerate(dict.fromkeys(groups))}
    return Split(
        labels=known,
        held=held.calibrated,
        held_truth=np.array([columns[label] for label in held.truth]),
        held_groups=np.array([numbers[groups[fitted[row]]] for row in held.rows]),
        unseen=model.predict_proba(texts[len(fitted) :], vectors[len(fitted) :])[question.target],
        unseen_truth=np.array([columns.get(labels[row] or "", -1) for row in unseen]),
        fit_s=fit_s,
    )


def split_path(folder: Path, question: Question, seed: int) -> Path:
    """Return where a split is kept."""
    return folder / f"{question.name.replace(' ', '_')}-{seed:02}.npz"


def save_split(path: Path, split: Split) -> None:
    """Write a split, in a way that leaves no half of one."""
    arrays = {name: getattr(split, name) for name in ("held", "held_truth", "held_groups", "unseen", "unseen_truth")}
    scratch = path.with_suffix(".part.npz")
    np.savez_compressed(scratch, labels=np.array(split.labels), fit_s=split.fit_s, **arrays)
    scratch.replace(path)


def load_split(path: Path) -> Split:
    """Return a split that was saved."""
    with np.load(path) as found:
        arrays = {name: found[name] for name in ("held", "held_truth", "held_groups", "unseen", "unseen_truth")}
        return Split(labels=tuple(found["labels"].tolist()), fit_s=float(found["fit_s"]), **arrays)

"""Labelled rows in, a calibrated classifier out, with what it scored on rows it was not fitted on."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np

from smarttriage.domain.description import Description
from smarttriage.domain.errors import InvalidInput
from smarttriage.domain.text import model_text
from smarttriage.ports import (
    DescribedLabels,
    Encoder,
    FittedClassifier,
    HeldOut,
    LabelledTexts,
    TargetCard,
    Trainer,
    VectorCache,
    Vectors,
)
from smarttriage.services.evaluation import expected_calibration_error, score

CHUNK = 512
# Chunks between two writes of the cache, which is written whole: at 50 texts a second a killed run loses a minute or so.
CHUNKS_A_WRITE = 8
Progress = Callable[[str, int, int], None]
Fitted = TypeVar("Fitted", bound=FittedClassifier)


@dataclass(frozen=True, slots=True)
class TrainingRows:
    """Rows ready to learn from or to be measured on.

    Attributes:
        texts: n model texts, none of them empty.
        labels: Target -> n labels, None where a row has none.
        groups: n groups that no split may tear apart, or None.
        n_skipped: Rows left out because they hold no text or, where that is asked for, no label at all.
        descriptions: Target -> what its labels mean, for a start with few labelled rows or none.
    """

    texts: Sequence[str]
    labels: Mapping[str, Sequence[str | None]]
    groups: Sequence[str] | None
    n_skipped: int
    descriptions: Mapping[str, Sequence[Description]] = field(default_factory=dict)

    @property
    def n_unlabelled(self) -> int:
        """Rows without any label; their words and vectors help where labels are few."""
        return sum(not any(found) for found in zip(*self.labels.values(), strict=True))

    def sha256(self) -> str:
        """Return the hash of texts, labels and descriptions, in order."""
        digest = hashlib.sha256()
        targets = sorted(self.labels)
        for place, text in enumerate(self.texts):
            row = [text, *(self.labels[target][place] for target in targets)]
            digest.update(json.dumps(row).encode() + b"\n")
        for target in sorted(self.descriptions):
            for one in self.descriptions[target]:
                digest.update(json.dumps([target, one.label, one.text, one.parent]).encode() + b"\n")
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Training(Generic[Fitted]):
    """A fitted classifier and what is known about it.

    Attributes:
        classifier: Fitted on all rows.
        metrics: Target -> scores on held-out rows, calibration error before and after, the recipe that was chosen.
        data_sha256: Hash of the rows.
        n_rows: How many they are.
        encode_s: Seconds for the vectors.
        fit_s: Seconds for the fit.
        vectors: (n_rows, dim), what the classifier was fitted on; drift is measured against them.
    """

    classifier: Fitted
    metrics: Mapping[str, Mapping[str, object]]
    data_sha256: str
    n_rows: int
    encode_s: float
    fit_s: float
    vectors: Vectors


def collect(
    rows: Iterable[Mapping[str, str | None]],
    *,
    text_columns: Sequence[str],
    targets: Sequence[str],
    group_column: str | None = None,
    max_unlabelled: int = 0,
) -> TrainingRows:
    """Return the usable rows; a row without text, or without any label beyond `max_unlabelled` of them, is left out and counted.

    The first of several text columns is the title, the others are the description, as `model_text` joins them.

    Raises:
        InvalidInput: No usable row is left, or no text column or target was named.
    """
    if not text_columns or not targets:
        raise InvalidInput("Name at least one text column and one target.", field="text_column" if targets else "target")
    texts: list[str] = []
    labels: dict[str, list[str | None]] = {target: [] for target in targets}
    groups: list[str] = []
    n_skipped = 0
    for row in rows:
        text, found = row_text(row, text_columns), [_label(row.get(target)) for target in targets]
        wanted = any(found) or max_unlabelled > 0
        if not text.strip() or not wanted:
            n_skipped += 1
            continue
        max_unlabelled -= not any(found)
        texts.append(text)
        for target, label in zip(targets, found, strict=True):
            labels[target].append(label)
        if group_column:
            groups.append(row.get(group_column) or f"row {len(texts)}")
    if not texts:
        raise InvalidInput(f"None of the {n_skipped} rows has a text in {list(text_columns)} and a label in {list(targets)}.")
    return TrainingRows(texts, labels, groups if group_column else None, n_skipped)


def row_text(row: Mapping[str, str | None], text_columns: Sequence[str]) -> str:
    """Return the model text of a row."""
    values = [row.get(column) or "" for column in text_columns]
    title = values[0] if len(values) > 1 else ""
    return model_text(title, "\n".join(value for value in (values[1:] if len(values) > 1 else values) if value))


def embed(
    texts: Sequence[str], *, encoder: Encoder, cache: VectorCache | None = None, progress: Progress | None = None
) -> Vectors:
    """Return (len(texts), dim) vectors; identical texts are encoded once, known ones not at all.

    What is encoded goes to the cache while the rest is still encoded, so a run that was stopped or killed goes on from there.
    """
    distinct = list(dict.fromkeys(texts))
    known = cache.get(encoder.encoder_id, distinct) if cache else [None] * len(distinct)
    vectors = {text: vector for text, vector in zip(distinct, known, strict=True) if vector is not None}
    # Texts of a length keep each other company: no core waits for another's long last text, no batch is padded for one.
    missing = sorted((text for text in distinct if text not in vectors), key=len, reverse=True)
    unsaved: list[str] = []
    for start in range(0, len(missing), CHUNK):
        chunk = missing[start : start + CHUNK]
        vectors.update(zip(chunk, encoder.encode(chunk), strict=True))
        unsaved += chunk
        if cache and (len(unsaved) >= CHUNKS_A_WRITE * CHUNK or start + CHUNK >= len(missing)):
            cache.put(encoder.encoder_id, unsaved, np.stack([vectors[text] for text in unsaved]))
            unsaved = []
        if progress:
            progress("encode", start + len(chunk), len(missing))
    return np.stack([vectors[text] for text in texts]) if texts else np.zeros((0, encoder.dim), dtype=np.float32)


def describe(descriptions: Mapping[str, Sequence[Description]], *, encoder: Encoder) -> dict[str, DescribedLabels]:
    """Return target -> its labels with the text and vector of each."""
    found = {}
    for target, items in descriptions.items():
        texts = [model_text(one.label, one.text) for one in items]
        parents = {one.label: one.parent for one in items if one.parent}
        found[target] = DescribedLabels([one.label for one in items], texts, embed(texts, encoder=encoder), parents)
    return found


def train(
    rows: TrainingRows,
    *,
    encoder: Encoder,
    trainer: Trainer[Fitted],
    seed: int,
    timer: Callable[[], float],
    cache: VectorCache | None = None,
    progress: Progress | None = None,
) -> Training[Fitted]:
    """Return a classifier of every target of the rows.

    Raises:
        InvalidInput: A target cannot be learnt from these rows.
    """
    started = timer()
    vectors = embed(rows.texts, encoder=encoder, cache=cache, progress=progress)
    encoded = timer()
    if progress:
        progress("fit", 0, len(rows.texts))
    described = describe(rows.descriptions, encoder=encoder)
    classifier = trainer.fit(LabelledTexts(rows.texts, vectors, rows.labels, rows.groups, described), seed=seed)
    fitted = timer()
    metrics = {target: held_out_metrics(classifier.cards[target], held) for target, held in classifier.held_out.items()}
    return Training(classifier, metrics, rows.sha256(), len(rows.texts), encoded - started, fitted - encoded, vectors)


def held_out_metrics(card: TargetCard, held: HeldOut) -> dict[str, object]:
    """Return the scores on held-out rows, with the calibration error before and after calibration.

    The recipe was chosen among several on these rows, so their scores lie a little above those on fresh ones.
    """
    scores = score(card, held.calibrated, held.truth)
    columns = {label: place for place, label in enumerate(card.labels)}
    truth = np.array([columns[label] for label in held.truth])
    before = expected_calibration_error(held.raw.max(axis=1), held.raw.argmax(axis=1) == truth)
    return {**scores.as_json(), "ece_before_calibration": before, "recipe": held.recipe, "held_out": True}


def _label(value: str | None) -> str | None:
    stripped = (value or "").strip()
    return stripped or None

"""The streams that benchmarks/voting.py replays: a model fitted on the first rows, then one ticket after the other.

Each stream keeps the first row of every near-duplicate cluster, so that no vote comes from a copy. The model stays as it was
fitted. In a stream with a hidden category, the model never saw it and its tickets arrive in the second half only. What costs
time (fit, predictions, neighbours) is kept in a folder, one file a stream, so that an interrupted run goes on where it was.
"""

import csv
import gzip
import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from smarttriage.adapters.classifiers.sklearn import SklearnTrainer
from smarttriage.adapters.vector_cache import FileVectorCache
from smarttriage.ports import Encoder, LabelledTexts, Vectors
from smarttriage.services.matching import N_NEIGHBOURS
from smarttriage.services.training import embed, row_text

MIN_HIDDEN_ROWS = 90


@dataclass(frozen=True, slots=True)
class Source:
    """A data set and how streams are cut from it: file order in blocks, or shuffled by the seed where rows are few."""

    folder: str
    target: str
    text_columns: tuple[str, ...]
    n_fit: int
    n_stream: int
    in_file_order: bool = False
    ordered: bool = False
    min_hidden: int = MIN_HIDDEN_ROWS


IT_TICKETS = Source("it_ticket_category", "category", ("text",), 2000, 2000, in_file_order=True)
MSOFFICE = Source("msoffice_symptom_product", "product", ("text",), 500, 800, min_hidden=50)
ENDAVA = Source("endava_native_labels", "service_code", ("title", "body"), 1500, 2000)
WITH_HIDDEN = (IT_TICKETS, MSOFFICE, ENDAVA)
OTHER_TOPICS = (
    replace(MSOFFICE, target="area_top"),
    replace(ENDAVA, target="ticket_kind"),
    replace(ENDAVA, target="category_code"),
)
SEVERITIES = (
    replace(ENDAVA, target="urgency", ordered=True),
    replace(ENDAVA, target="impact", ordered=True),
    Source("status_page_impact", "impact", ("text",), 1500, 2000, ordered=True),
    Source("alert_severity", "severity", ("text",), 400, 600, ordered=True),
    Source("gcp_incident_severity", "severity", ("text",), 400, 600, ordered=True),
    Source("hadoop_priority", "priority", ("text",), 800, 1000, ordered=True),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """One stream: its source, the category that the model never saw (None: none), and block or seed."""

    source: Source
    hidden: str | None
    seed: int

    @property
    def name(self) -> str:
        """Return for example "it_ticket_category category, hidden Purchase, 0"."""
        hidden = f", hidden {self.hidden}" if self.hidden else ""
        return f"{self.source.folder} {self.source.target}{hidden}, {self.seed}"


@dataclass(frozen=True, slots=True)
class Stream:
    """A replayed stream: n tickets in order of arrival.

    Attributes:
        plan: What it is.
        truth: Their n labels.
        labels: Columns of the model.
        model: (n, n_labels) probabilities without votes.
        near: (n, k) stream positions of the nearest earlier tickets, -1 where there are fewer.
        similarity: (n, k) their cosine similarities.
        near_labels: (n, k) labels of the nearest among fitted rows and earlier tickets together, "" where there are fewer.
        near_similarity: (n, k) their cosine similarities.
        recipe: What was fitted.
    """

    plan: Plan
    truth: np.ndarray
    labels: np.ndarray
    model: np.ndarray
    near: np.ndarray
    similarity: np.ndarray
    near_labels: np.ndarray
    near_similarity: np.ndarray
    recipe: np.ndarray


def plans(data: Path, *, tuning: bool) -> list[Plan]:
    """Return the streams that settings are chosen on, or those that are reported: other hidden categories, other blocks."""
    seeds = {True: (0, 1), False: (2, 3, 4)}[tuning]
    made = []
    for source in WITH_HIDDEN:
        counts = Counter(row[source.target] for row in rows_of(data, source))
        able = sorted(label for label, n in counts.items() if n >= source.min_hidden)
        hidden = able[::2] if tuning else able[1::2]
        chosen = seeds if source is not ENDAVA else seeds[:2]
        made += [Plan(source, label, seed) for label in (None, *hidden) for seed in chosen]
    others = (*OTHER_TOPICS, *SEVERITIES)
    return made + [Plan(source, None, seed) for source in others for seed in seeds]


def rows_of(data: Path, source: Source) -> list[dict[str, str]]:
    """Return the labelled train rows, the first of each cluster, in file order."""
    with gzip.open(data / source.folder / "train.csv.gz", "rt", encoding="utf-8") as lines:
        first = {row["cluster"]: row for row in reversed(list(csv.DictReader(lines))) if row[source.target]}
    return list(reversed(first.values()))


def streams(chosen: list[Plan], data: Path, *, encoder: Encoder, cache: Path | None, work: Path) -> Iterator[Stream]:
    """Yield the streams, each made only if `work` does not hold it yet.

    The recipe of the linear model is chosen once for a source, on its first stream, and kept for the others: choosing costs
    most of a training's time.
    """
    work.mkdir(parents=True, exist_ok=True)
    vectors = FileVectorCache(cache) if cache else None
    for plan in chosen:
        first = Plan(plan.source, None, 0)
        for needed in dict.fromkeys((first, plan)):
            if not _path(needed, work).is_file():
                recipe = None if needed == first else str(_kept(first, work).recipe)
                made = _made(needed, data, encoder, vectors, recipe)
                np.savez(_path(needed, work), **{name: getattr(made, name) for name in Stream.__slots__ if name != "plan"})
        yield _kept(plan, work)


def _path(plan: Plan, work: Path) -> Path:
    return work / f"{hashlib.sha256(repr(asdict(plan)).encode()).hexdigest()[:16]}.npz"


def _kept(plan: Plan, work: Path) -> Stream:
    with np.load(_path(plan, work), allow_pickle=False) as kept:
        return Stream(plan, **{name: kept[name] for name in kept.files})


def _made(plan: Plan, data: Path, encoder: Encoder, cache: FileVectorCache | None, recipe: str | None) -> Stream:
    source = plan.source
    rows = rows_of(data, source)
    length = source.n_fit + source.n_stream
    if source.in_file_order:
        rows = rows[plan.seed * length : (plan.seed + 1) * length]
    else:
        order = np.random.default_rng(plan.seed).permutation(len(rows))
        rows = [rows[place] for place in order[:length]]
    halfway = source.n_fit + source.n_stream // 2
    fitted = [row for row in rows[: source.n_fit] if row[source.target] != plan.hidden]
    arriving = [row for n, row in enumerate(rows) if n >= source.n_fit and (n >= halfway or row[source.target] != plan.hidden)]
    fitted_texts, texts = ([row_text(row, source.text_columns) for row in part] for part in (fitted, arriving))
    fitted_vectors, vectors = (embed(each, encoder=encoder, cache=cache) for each in (fitted_texts, texts))
    labels = [row[source.target] for row in fitted]
    examples = LabelledTexts(fitted_texts, fitted_vectors, {source.target: labels}, [row["cluster"] for row in fitted])
    kept = {source.target: recipe} if recipe else {}
    classifier = SklearnTrainer(encoder_id=encoder.encoder_id, n_threads=1, kept_recipes=kept).fit(examples, seed=0)
    truth = [row[source.target] for row in arriving]
    near, similarity = _nearest(vectors, 0)
    everything, near_similarity = _nearest(np.concatenate([fitted_vectors, vectors]), len(fitted))
    names = np.array([*labels, *truth, ""])
    return Stream(
        plan=plan,
        truth=np.array(truth),
        labels=np.array(classifier.cards[source.target].labels),
        model=classifier.predict_proba(texts, vectors)[source.target],
        near=near,
        similarity=similarity,
        near_labels=names[everything],
        near_similarity=near_similarity,
        recipe=np.array(classifier.held_out[source.target].recipe),
    )


def _nearest(vectors: Vectors, n_before: int) -> tuple[np.ndarray, np.ndarray]:
    """Return for each row behind `n_before` the positions and similarities of the nearest rows before it, best first."""
    n = len(vectors) - n_before
    near, similarity = np.full((n, N_NEIGHBOURS), -1), np.full((n, N_NEIGHBOURS), -1.0)
    for i in range(n):
        found = vectors[: n_before + i] @ vectors[n_before + i]
        best = np.argsort(-found, kind="stable")[:N_NEIGHBOURS]
        near[i, : len(best)], similarity[i, : len(best)] = best, found[best]
    return near, similarity

"""Training and evaluation from files, as the command line and the benchmarks ask for them."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from smarttriage.adapters.articles import read_articles
from smarttriage.adapters.bundles import read_bundle, write_bundle
from smarttriage.adapters.classifiers.classifier import SklearnClassifier
from smarttriage.adapters.tabular import read_rows
from smarttriage.adapters.vector_cache import FileVectorCache
from smarttriage.bootstrap import parts, resources
from smarttriage.bootstrap.bundles import codecs, folder_bundles
from smarttriage.bootstrap.classifiers import sklearn_trainer
from smarttriage.bootstrap.lineage import Origin, bundle_facts
from smarttriage.bootstrap.trees import NO_TREE, Forest
from smarttriage.domain.description import Description, described, descriptions_from_rows, descriptions_from_toml, with_articles
from smarttriage.domain.errors import BundleError, InvalidInput
from smarttriage.domain.tree import TreeColumn
from smarttriage.services.evaluation import ClassifierScores, score
from smarttriage.services.hierarchy import HierarchyScores, chain, known_path, score_hierarchy
from smarttriage.services.training import Progress, Training, TrainingRows, collect, embed, train

# Training is bulk work: one text per core of the machine this is measured on.
N_THREADS = 2
# Twenty seconds of encoding; the benchmark has 1,000.
MAX_UNLABELLED = 5_000


@dataclass(frozen=True, slots=True)
class TrainedBundle:
    """A written bundle and how it was trained."""

    folder: Path
    version: str
    encoder_id: str
    training: Training[SklearnClassifier]
    n_unlabelled: int
    n_skipped: int
    total_s: float


def train_bundle(
    *,
    files: Sequence[Path],
    targets: Sequence[str],
    text_columns: Sequence[str],
    group_column: str | None,
    out: Path | None,
    cache: Path | None,
    target_precision: float,
    confidence: float,
    together: bool = False,
    seed: int,
    learning_curve: bool = False,
    descriptions: Path | None = None,
    articles: Path | None = None,
    forest: Forest = NO_TREE,
    progress: Progress,
    on_problem: Callable[[str], None],
) -> TrainedBundle:
    """Train on the files and write a bundle into `out`, or below models/ under its version; return both.

    The levels of the columns of paths in `forest` are targets too.

    Raises:
        InvalidInput: A file, a column or a target cannot be used.
        BundleError: `out` holds something else.
    """
    started = time.perf_counter()
    targets = [*targets, *(target for target in forest.targets if target not in targets)]
    known = described(read_descriptions(descriptions, targets[0]), targets, descriptions.name) if descriptions else {}
    if articles:
        known = with_articles(known, read_known_articles(articles, on_problem))
    rows = read_training_rows(
        files, targets, text_columns, group_column=group_column, descriptions=known, forest=forest, on_problem=on_problem
    )
    encoder = parts.encoder(n_threads=N_THREADS)
    trainer = sklearn_trainer(
        encoder.encoder_id,
        rows.labels,
        target_precision=target_precision,
        confidence=confidence,
        together=together,
        parents=forest.parents,
    )
    kept = FileVectorCache(cache) if cache else None
    result: Training[SklearnClassifier] = train(
        rows, encoder=encoder, trainer=trainer, seed=seed, timer=time.perf_counter, cache=kept, progress=progress
    )
    origin = Origin([path.name for path in files], text_columns, seed, learning_curve)
    facts, version = bundle_facts(result, rows, origin)
    if out is None:
        version = folder_bundles(Path("models")).save(result.classifier, facts, version=version)
        out = Path("models") / version
    else:
        version = write_bundle(out, result.classifier, facts, version=version)
    return TrainedBundle(
        out, version, encoder.encoder_id, result, rows.n_unlabelled, rows.n_skipped, time.perf_counter() - started
    )


def evaluate_bundle(
    *,
    folder: Path,
    files: Sequence[Path],
    target: str,
    text_columns: Sequence[str],
    tree_column: TreeColumn | None = None,
    progress: Progress,
    on_problem: Callable[[str], None],
) -> tuple[ClassifierScores, HierarchyScores | None]:
    """Return the scores of a bundle on labelled files, and of the whole path where the target stands below others.

    The labels of the levels above may be missing; they follow from those below. All of them may come from one column of paths.

    Raises:
        BundleError: The bundle does not match its manifest or was made for another encoder.
        InvalidInput: A file or a column cannot be used, or the model has no such target.
    """
    classifier = read_bundle(folder, codecs=codecs())
    encoder = parts.encoder(n_threads=N_THREADS)
    if classifier.encoder_id != encoder.encoder_id:
        message = (
            f"{folder} was trained on the encoder {classifier.encoder_id}, this one is {encoder.encoder_id}; train it again."
        )
        raise BundleError(message)
    cards = chain(classifier, target)
    targets = [card.name for card in cards]
    forest = Forest({}, (replace(tree_column, targets=tree_column.targets or tuple(targets)),)) if tree_column else NO_TREE
    above = {name for name in targets if name != target and name not in forest.targets}
    rows = read_training_rows(files, targets, text_columns, forest=forest, optional=above, on_problem=on_problem)
    probabilities = classifier.predict_proba(rows.texts, embed(rows.texts, encoder=encoder, progress=progress))
    labelled = [place for place, label in enumerate(rows.labels[target]) if label]
    truth = [label for label in rows.labels[target] if label]
    scores = score(classifier.cards[target], probabilities[target][labelled], truth)
    if len(cards) == 1:
        return scores, None
    paths = [known_path(cards, labels) for labels in zip(*(rows.labels[name] for name in targets), strict=True)]
    return scores, score_hierarchy(cards, probabilities, paths)


def read_training_rows(
    files: Sequence[Path],
    targets: Sequence[str],
    text_columns: Sequence[str],
    *,
    group_column: str | None = None,
    descriptions: Mapping[str, Sequence[Description]] | None = None,
    forest: Forest = NO_TREE,
    optional: Collection[str] = (),
    on_problem: Callable[[str], None],
) -> TrainingRows:
    """Return the usable rows of all files; each row that cannot be read is told to `on_problem` and left out.

    Where labels are described, there may be no file at all, a described target's column may be missing, and up to
    `MAX_UNLABELLED` rows without a label stay. The columns of `optional` targets may be missing as well.
    """
    known = descriptions or {}
    wanted = (target for target in targets if target not in known and target not in optional)
    columns = forest.sources([*text_columns, *wanted, *([group_column] if group_column else [])])

    def rows() -> Iterator[Mapping[str, str | None]]:
        for path in files:
            for row in read_rows(path, columns):
                if row.problem is None:
                    yield forest.expanded(row.values)
                else:
                    on_problem(f"{path}, line {row.line}: {row.problem}")

    if not files and set(targets) <= set(known):
        return TrainingRows([], {target: [] for target in targets}, None, 0, known)
    if not files:
        raise InvalidInput("Name at least one data file, or describe the labels of every target.", field="data")
    most = MAX_UNLABELLED if known else 0
    found = collect(rows(), text_columns=text_columns, targets=targets, group_column=group_column, max_unlabelled=most)
    return replace(found, descriptions=known)


def read_known_articles(path: Path, on_problem: Callable[[str], None]) -> Iterator[Mapping[str, Any]]:
    """Yield the fields of the articles; what is wrong with the others is told to `on_problem`."""
    for row in read_articles(path):
        if row.problem is None:
            yield row.values
        else:
            on_problem(f"{row.place}: {row.problem}")


def read_descriptions(path: Path, target: str) -> Mapping[str, list[Description]]:
    """Return target -> descriptions of a TOML file, or of a table with the columns label and description.

    Raises:
        InvalidInput: The file is not there or cannot be read.
        ConfigurationError: A key of the TOML file has the wrong kind of value.
    """
    if path.suffix == ".toml":
        return descriptions_from_toml(resources.toml(path), str(path))
    return descriptions_from_rows((row.values for row in read_rows(path, ["label", "description"])), target=target)

"""A tree of targets beside flat models for each level: consistency, hierarchical F1, and stopping where confidence ends.

    python benchmarks/hierarchy.py [--data ../shared/data] [--cache FOLDER] [--work FOLDER] [--only NAME]

Fit on train, measured on dev (seed incidents: on the later quarter, without near-duplicates of the earlier ones). The flat models
are the tree's own models before the level above has its say, so that nothing else differs. Fitted models are kept in the work
folder; writes benchmarks/results/hierarchy.json and .md once every set is there.
"""

import argparse
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from report import write_results
from smarttriage.adapters.classifiers.classifier import SklearnClassifier
from smarttriage.adapters.classifiers.folds import text_groups
from smarttriage.adapters.classifiers.sklearn import SklearnTrainer, TargetOptions
from smarttriage.adapters.tabular import read_rows
from smarttriage.adapters.vector_cache import FileVectorCache
from smarttriage.bootstrap import parts
from smarttriage.bootstrap.training import N_THREADS
from smarttriage.domain.text import model_text
from smarttriage.domain.tree import TreeColumn
from smarttriage.ports import Encoder, LabelledTexts, Probabilities, TargetCard
from smarttriage.services.hierarchy import answers, chain, consistency, score_hierarchy, set_scores
from smarttriage.services.operating_point import card_at
from smarttriage.services.training import embed, row_text

ROOT = Path(__file__).resolve().parent.parent
PRECISIONS = (0.7, 0.8, 0.9)
CONFIDENCES = (0.5, 0.7)
LATER_SHARE = 0.25


COMPARED = (
    "Every level answered. Hierarchical F1 counts each answer with all labels above it. Inconsistent: a label stands below another",
    "one than the one answered above it. The flat models are the tree's own before the level above has its say, so the tree differs",
    "by consistency alone: it costs accuracy where the level above is wrong, and gains where the level above is right. The last two",
    "ways of choosing were tried to win that back; neither is ahead on all sets, and on trees that end early (msoffice) both lose",
    "the first level, so the service chooses from the top down. Levels that a row does not have count for nothing.",
)
STOPPING = (
    "The tree, stopping at the level where confidence ends, beside always answering every level. Answered: share of rows that get",
    "an answer down to the level, in brackets the share right of those with a label of it. Deepest right: share right of the deepest",
    "labels answered. A promised precision holds for each label with a confidence of .9 (services/operating_point.py): a label needs",
    "some dozens of held-out rows for it, which few labels of the last levels have here, so answers stop high in the tree.",
)


@dataclass(frozen=True, slots=True)
class Rows:
    """n texts with their path of labels and what keeps near-duplicates together."""

    texts: list[str]
    paths: list[tuple[str, ...]]
    groups: list[str]


@dataclass(frozen=True, slots=True)
class Question:
    """A data set and the tree in it.

    Attributes:
        name: As in the table.
        levels: Its targets, highest first.
        folder: Below the data folder; None: the seed incidents.
        text_columns: Columns with the text.
        separator: What stands between two levels in the last level's column; None: a column for each level.
        one_recipe: Fit the recipe for large sets only, instead of choosing among eighteen for each level.
    """

    name: str
    levels: tuple[str, ...]
    folder: str | None = None
    text_columns: tuple[str, ...] = ("text",)
    separator: str | None = None
    one_recipe: bool = False


QUESTIONS = (
    Question("seed incidents", ("category", "sub_category")),
    Question("msoffice", ("product", "area", "symptom"), "msoffice_symptom_product", separator="\\"),
    Question(
        "endava",
        ("category_code", "sub_category1", "sub_category2"),
        "endava_native_labels",
        ("title", "body"),
        one_recipe=True,
    ),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--cache", type=Path, help="Keep vectors here.")
    parser.add_argument("--work", type=Path, default=ROOT / ".cache" / "hierarchy", help="Keep fitted models here.")
    parser.add_argument("--only", choices=[question.name for question in QUESTIONS], help="Fit this one; nothing is written.")
    args = parser.parse_args()
    if not args.data.is_dir():
        raise SystemExit(f"{args.data} is absent: give --data FOLDER with the data sets.")
    encoder, cache = parts.encoder(n_threads=N_THREADS), FileVectorCache(args.cache) if args.cache else None
    found = {}
    for question in QUESTIONS:
        if args.only in (None, question.name):
            train, test = read(question, args.data)
            model, fit_s = fitted(question, train, encoder, cache, args.work)
            found[question.name] = {**measure(question, model, test, encoder, cache), "n_train": len(train.texts), "fit_s": fit_s}
    if args.only:
        print(json.dumps(found, indent=1))
        return
    write_results("hierarchy", found, table(found))


def read(question: Question, data: Path) -> tuple[Rows, Rows]:
    """Return the rows to fit on and the unseen ones."""
    if question.folder is None:
        return seed_rows(question)
    train, test = (rows_of(question, data / question.folder / f"{part}.csv.gz") for part in ("train", "dev"))
    return train, test


def rows_of(question: Question, path: Path) -> Rows:
    """Return the labelled rows of a file."""
    found = Rows([], [], [])
    for row in read_rows(path):
        labels = path_of(question, row.values)
        text = row_text(row.values, question.text_columns)
        if labels and text.strip():
            found.texts.append(text)
            found.paths.append(labels)
            found.groups.append(str(row.values["cluster"]))
    return found


def path_of(question: Question, row: Mapping[str, str | None]) -> tuple[str, ...]:
    """Return the row's labels, each the whole path down to it: a name may stand below several others."""
    if question.separator is None:
        names = [row.get(level) or "" for level in question.levels]
    else:
        names = [row.get(question.levels[0]) or "", *(row.get("sap") or "").split(question.separator)]
    return TreeColumn("path", separator=" / ").labels(" / ".join(name.replace(" / ", ", ") for name in names))[
        : len(question.levels)
    ]


def seed_rows(question: Question) -> tuple[Rows, Rows]:
    """Return the earlier seed incidents, and the later ones that are no near-duplicate of any earlier one."""
    lines = (ROOT / "kb" / "incidents.jsonl").read_text("utf-8").splitlines()
    records = sorted((json.loads(line) for line in lines), key=lambda record: str(record["reported_at"]))
    work = [record for record in records if record.get("category") and record.get("sub_category")]
    texts = [model_text(record["title"].strip(), record["description"].strip()) for record in work]
    groups, paths = text_groups(texts), [tuple(record[level] for level in question.levels) for record in work]
    border = round(len(work) * (1 - LATER_SHARE))
    known = set(groups[:border])
    later = [place for place in range(border, len(work)) if groups[place] not in known]
    return Rows(texts[:border], paths[:border], groups[:border]), Rows(
        [texts[place] for place in later], [paths[place] for place in later], [groups[place] for place in later]
    )


def fitted(
    question: Question, rows: Rows, encoder: Encoder, cache: FileVectorCache | None, work: Path
) -> tuple[SklearnClassifier, float]:
    """Return the tree's classifier, fitted or read from the work folder, and the seconds that the fit took."""
    folder = work / question.name.replace(" ", "_")
    names = ("model.json", "arrays.safetensors", "seconds.json")
    if not (folder / names[-1]).is_file():
        vectors = embed(rows.texts, encoder=encoder, cache=cache)
        columns = list(zip_longest(*rows.paths))
        labels = dict(zip(question.levels, columns, strict=True))
        options = {below: TargetOptions(parent=above) for above, below in zip(question.levels, question.levels[1:], strict=False)}
        many = {"many_rows": 1} if question.one_recipe else {}
        started = time.perf_counter()
        model = SklearnTrainer(encoder_id=encoder.encoder_id, targets=options, **many).fit(
            LabelledTexts(rows.texts, vectors, labels, rows.groups), seed=0
        )
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in model.to_files().items():
            (folder / name).write_bytes(content)
        (folder / names[-1]).write_text(json.dumps(time.perf_counter() - started))
    files = {name: (folder / name).read_bytes() for name in names[:2]}
    return SklearnClassifier.from_files(files, version=question.name), json.loads((folder / names[-1]).read_text())


def without_tree(model: SklearnClassifier) -> SklearnClassifier:
    """Return the same models, each for itself."""
    files = model.to_files()
    content = json.loads(files["model.json"])
    for target in content["targets"]:
        target.update(parent=None, parents={})
    return SklearnClassifier.from_files({**files, "model.json": json.dumps(content).encode()}, version="flat")


def measure(
    question: Question, model: SklearnClassifier, rows: Rows, encoder: Encoder, cache: FileVectorCache | None
) -> dict[str, Any]:
    """Return the figures of one set."""
    vectors = embed(rows.texts, encoder=encoder, cache=cache)
    tree, flat = (one.predict_proba(rows.texts, vectors) for one in (model, without_tree(model)))
    cards = chain(model, question.levels[-1])
    ways = {
        "flat, a model for each level": list(zip(*(winners(card, flat) for card in cards), strict=True)),
        "flat, the last level and what is above it": [lineage(cards, label) for label in winners(cards[-1], flat)],
        "tree (served)": list(answers(cards, tree).paths),
        "tree, the likeliest whole path": [lineage(cards, label) for label in winners(cards[-1], tree)],
        "product of all levels, the likeliest whole path": [lineage(cards, label) for label in of_all_levels(cards, flat)],
    }
    return {
        "n": len(rows.texts),
        "levels": {card.name: len(card.labels) for card in cards},
        "ways": {name: way_scores(cards, paths, rows.paths) for name, paths in ways.items()},
        "stopping": {
            **{
                f"precision {precision} for each label": stopped([card_at(card, precision) for card in cards], tree, rows)
                for precision in PRECISIONS
            },
            **{
                f"confidence {bound} for every label": stopped([bounded(card, bound) for card in cards], tree, rows)
                for bound in CONFIDENCES
            },
        },
    }


def stopped(cards: Sequence[TargetCard], probabilities: Mapping[str, Probabilities], rows: Rows) -> dict[str, Any]:
    return asdict(score_hierarchy(cards, probabilities, rows.paths))


def bounded(card: TargetCard, bound: float) -> TargetCard:
    """Return the card with one threshold for all labels, without any promise."""
    return replace(card, thresholds=dict.fromkeys(card.labels, bound))


def of_all_levels(cards: Sequence[TargetCard], flat: Mapping[str, Probabilities]) -> list[str]:
    """Return the label of the last level for which the product of what the levels say for themselves is largest."""
    lines = [lineage(cards, label) for label in cards[-1].labels]
    scores = np.zeros((len(flat[cards[-1].name]), len(lines)))
    for level, card in enumerate(cards):
        columns = [card.labels.index(line[level]) for line in lines]
        scores += np.log(flat[card.name][:, columns] + 1e-12)
    return [lines[place][-1] for place in scores.argmax(axis=1).tolist()]


def winners(card: TargetCard, probabilities: Mapping[str, Probabilities]) -> list[str]:
    return [card.labels[column] for column in probabilities[card.name].argmax(axis=1).tolist()]


def lineage(cards: Sequence[TargetCard], leaf: str) -> tuple[str, ...]:
    """Return the labels above a label of the last level, and itself."""
    found = [leaf]
    for card in reversed(cards[1:]):
        found.insert(0, card.parents[found[0]])
    return tuple(found)


def way_scores(cards: Sequence[TargetCard], paths: Sequence[tuple[str, ...]], true: Sequence[tuple[str, ...]]) -> dict[str, Any]:
    """Return accuracy by level, hierarchical scores and consistency of answers that go down as far as the tree does.

    A row whose truth ends early counts for the levels that it has; what is answered below is left out of all scores.
    """
    cut = [path[: len(right)] for path, right in zip(paths, true, strict=True)]
    accuracy = [
        float(
            np.mean(
                [
                    len(path) > level and path[level] == right[level]
                    for path, right in zip(cut, true, strict=True)
                    if len(right) > level
                ]
            )
        )
        for level in range(len(cards))
    ]
    return {"accuracy": accuracy, **asdict(set_scores(cut, true)), "inconsistent": 1 - consistency(cards, paths)}


def table(found: Mapping[str, Any]) -> str:
    return "\n".join([*compared(found), "", *stopping(found)])


def compared(found: Mapping[str, Any]) -> Iterator[str]:
    yield from COMPARED
    yield ""
    yield "| set (fitted on, measured on; labels by level) | answers | accuracy by level | hierarchical F1 | inconsistent |"
    yield "|---|---|---|---|---|"
    for name, result in found.items():
        labels = " > ".join(map(str, result["levels"].values()))
        for way, scores in result["ways"].items():
            levels = " / ".join(f"{value:.3f}" for value in scores["accuracy"])
            title = f"{name} ({result['n_train']:,}, {result['n']:,}; {labels})"
            yield f"| {title} | {way} | {levels} | {scores['f1']:.3f} | {scores['inconsistent']:.1%} |"


def stopping(found: Mapping[str, Any]) -> Iterator[str]:
    yield from STOPPING
    yield ""
    yield "| set | stops below | answered by level (right) | mean depth | hierarchical precision / recall | deepest right |"
    yield "|---|---|---|---|---|---|"
    for name, result in found.items():
        whole = result["ways"]["tree (served)"]
        levels = " > ".join(f"100% ({value:.3f})" for value in whole["accuracy"])
        sets = f"{whole['precision']:.3f} / {whole['recall']:.3f}"
        yield f"| {name} | nothing: every level | {levels} | {len(result['levels'])} | {sets} | {whole['accuracy'][-1]:.3f} |"
        for bound, scores in result["stopping"].items():
            levels = " > ".join(f"{one['coverage']:.0%} ({number(one['precision'])})" for one in scores["levels"].values())
            sets = f"{number(scores['stopped']['precision'])} / {scores['stopped']['recall']:.3f}"
            yield f"| {name} | {bound} | {levels} | {scores['mean_depth']:.2f} | {sets} | {number(scores['deepest_right'])} |"


def number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


if __name__ == "__main__":
    main()

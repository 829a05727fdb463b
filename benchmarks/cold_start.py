"""Cold start: names and one-line descriptions alone, then 1 to 100 labels for each class, beside two baselines.

    python benchmarks/cold_start.py --steps FOLDER [--data ../shared/data] [--cache FOLDER] [--only SET ...] [--development]

Labels are drawn from train, scores are macro-F1 on dev; five draws. Every (set, seed) is kept in --steps, so that a run that was
stopped goes on. `--development` measures the sets on which the design was chosen, with the recipes for many rows beside it:
their rows are parted by cluster, since all of them may be looked at. Writes results/cold_start.json, .md and .svg, or
cold_start_development.json and .md.
"""

import argparse
import json
import sys
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.pipeline import make_union
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_limits

from cold_start_report import curves, table
from report import RESULTS, write_results
from smarttriage.adapters.articles import read_articles
from smarttriage.adapters.classifiers.few_shot import FEW
from smarttriage.adapters.classifiers.sklearn import SklearnTrainer
from smarttriage.adapters.tabular import read_rows
from smarttriage.adapters.vector_cache import FileVectorCache
from smarttriage.bootstrap import parts
from smarttriage.domain.description import Description, with_articles
from smarttriage.domain.text import model_text
from smarttriage.ports import DescribedLabels, Encoder, LabelledTexts, VectorCache, Vectors
from smarttriage.services.evaluation import expected_calibration_error
from smarttriage.services.training import embed, row_text

ROOT = Path(__file__).resolve().parent.parent
COUNTS = (0, 1, 2, 5, 10, 20, 50, 100)
SEEDS = range(5)
N_UNLABELLED = 1_000
N_MEASURED = 1_500
# Best or within .002 of the best of .1 to 10 and 3 to 30 on the development sets, at nearly every count.
SVM_C, LOGISTIC_C = 1.0, 10.0


@dataclass(frozen=True, slots=True)
class Question:
    """One data set and the column to predict.

    Attributes:
        name: In the tables.
        source: Folder of train.csv.gz and dev.csv.gz, or a file below the checkout.
        target: The column.
        text_columns: Of several the first is the title.
        described: Section of data/cold_start.toml, "taxonomy" for kb/taxonomy.toml, "names" for names alone, "" for nothing.
        least: Rows in train that a class must have, else it is left out.
    """

    name: str
    source: str
    target: str
    text_columns: tuple[str, ...] = ("text",)
    described: str = "names"
    least: int = 1


REPORTED = (
    Question("it_ticket_category", "it_ticket_category", "category", described="it_ticket_category"),
    Question("msoffice product", "msoffice_symptom_product", "product", described="msoffice_product"),
    Question("endava service", "endava_native_labels", "service_code", ("title", "body"), described="", least=20),
)
DEVELOPMENT = (
    Question("seed category", "kb/incidents.jsonl", "category", ("title", "description"), described="taxonomy"),
    Question("seed sub_category", "kb/incidents.jsonl", "sub_category", ("title", "description"), described="taxonomy"),
    Question("msoffice area", "msoffice_symptom_product", "area_top", least=20),
    Question("alert service", "alert_severity", "service", least=15),
    Question("gcp service", "gcp_incident_severity", "service", least=15),
    Question("status vendor", "status_page_impact", "vendor", least=15),
    Question("status impact", "status_page_impact", "impact", least=15),
)


@dataclass(frozen=True, slots=True)
class Part:
    """Texts, their vectors and labels."""

    texts: Sequence[str]
    vectors: Vectors
    labels: Sequence[str]

    def of(self, rows: Sequence[int]) -> "Part":
        return Part([self.texts[row] for row in rows], self.vectors[list(rows)], [self.labels[row] for row in rows])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--steps", type=Path, required=True, help="Folder that keeps the scores of each set and seed.")
    parser.add_argument("--cache", type=Path, help="Keep vectors here.")
    parser.add_argument("--only", nargs="+", metavar="SET", help="Measure these; nothing is written but the steps.")
    parser.add_argument("--seeds", nargs="+", type=int, default=list(SEEDS), help="With --only: measure these seeds.")
    parser.add_argument("--kept", action="store_true", help="Write what --steps holds already; measure nothing.")
    parser.add_argument("--development", action="store_true", help="The sets on which the design was chosen.")
    args = parser.parse_args()
    if not args.data.is_dir():
        raise SystemExit(f"{args.data} is absent: give --data FOLDER with the data sets.")
    encoder, cache = parts.encoder(n_threads=1), FileVectorCache(args.cache) if args.cache else None
    questions = [one for one in (DEVELOPMENT if args.development else REPORTED) if not args.only or one.name in args.only]
    with threadpool_limits(1):
        wanted = {
            one.name: [seed for seed in args.seeds if not args.kept or path_of(one, seed, args).is_file()] for one in questions
        }
        found = {one.name: [step(one, seed, args, encoder, cache) for seed in wanted[one.name]] for one in questions}
    if args.only:
        return
    name = "cold_start_development" if args.development else "cold_start"
    write_results(name, found, table(found, n_unlabelled=N_UNLABELLED, n_measured=N_MEASURED))
    if not args.development:
        (RESULTS / "cold_start.svg").write_text(curves(found), encoding="utf-8")


def step(
    question: Question, seed: int, args: argparse.Namespace, encoder: Encoder, cache: VectorCache | None
) -> dict[str, dict[str, float]]:
    """Return count -> method -> macro-F1 of one set and draw, from --steps where it is there already."""
    path = path_of(question, seed, args)
    if path.is_file():
        return json.loads(path.read_text())
    train, measured = read(question, args.data, encoder, cache)
    found = measure(question, train, measured, seed, encoder, many=args.development)
    args.steps.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found))
    print(question.name, seed, json.dumps(found), file=sys.stderr, flush=True)
    return found


def path_of(question: Question, seed: int, args: argparse.Namespace) -> Path:
    return args.steps / f"{question.name.replace(' ', '_')}-{seed}.json"


def read(question: Question, data: Path, encoder: Encoder, cache: VectorCache | None) -> tuple[Part, Part]:
    """Return the rows to draw from and the rows to measure on; a development set is parted by cluster."""
    if question.source.endswith(".jsonl"):
        rows = list(rows_of(ROOT / question.source, question))
        sides = [rows[place::2] for place in range(2)]
    elif question in DEVELOPMENT:
        rows = list(rows_of(data / question.source / "train.csv.gz", question))
        sides = [[row for row in rows if int(row[2], 36) % 5 >= 2], [row for row in rows if int(row[2], 36) % 5 < 2]]
    else:
        sides = [list(rows_of(data / question.source / f"{part}.csv.gz", question)) for part in ("train", "dev")]
    counts = Counter(label for side in sides[: 1 if question in REPORTED else 2] for _, label, _ in side)
    kept = {label for label, n in counts.items() if n >= question.least}
    sides = [[row for row in side if row[1] in kept] for side in sides]
    if len(sides[1]) > N_MEASURED:
        chosen = np.sort(np.random.default_rng(0).permutation(len(sides[1]))[:N_MEASURED])
        sides[1] = [sides[1][row] for row in chosen]
    texts = [[text for text, _, _ in side] for side in sides]
    first, second = (
        Part(text, embed(text, encoder=encoder, cache=cache), [label for _, label, _ in side])
        for text, side in zip(texts, sides, strict=True)
    )
    return first, second


def rows_of(path: Path, question: Question) -> list[tuple[str, str, str]]:
    """Return (text, label, cluster) of the labelled rows; a cluster is a number in base 36."""
    found = []
    for row in read_rows(path):
        label, text = row.values.get(question.target), row_text(row.values, question.text_columns)
        if label and label != "OTHER" and text.strip():
            cluster = "".join(character for character in str(row.values.get("cluster") or "0").lower() if character.isalnum())
            found.append((text, label, cluster))
    return found


def descriptions(question: Question, labels: Sequence[str]) -> dict[str, str]:
    """Return label -> name and description."""
    if not question.described:
        return {}
    if question.described == "names":
        return {label: label for label in labels}
    if question.described == "taxonomy":
        content = tomllib.loads((ROOT / "kb" / "taxonomy.toml").read_text())["categories"]
        items = content if question.target == "category" else [sub for one in content for sub in one["sub_categories"]]
        known = {item["name"]: item["description"] for item in items}
    else:
        known = tomllib.loads((ROOT / "benchmarks" / "data" / "cold_start.toml").read_text())[question.described]
    return {label: model_text(label, known[label]) for label in labels}


def measure(
    question: Question, train: Part, measured: Part, seed: int, encoder: Encoder, *, many: bool
) -> dict[str, dict[str, float]]:
    """Return count -> method -> macro-F1 on the measured rows."""
    labels = sorted(set(train.labels))
    described = descriptions(question, labels)
    vectors = encoder.encode(list(described.values())) if described else None
    known = DescribedLabels(list(described), list(described.values()), vectors) if vectors is not None else None
    articles = knowledge(question, described, encoder) if question.described == "taxonomy" else None
    order = np.random.default_rng(seed).permutation(len(train.labels)).tolist()
    by_label = {label: [row for row in order if train.labels[row] == label] for label in labels}
    found: dict[str, dict[str, float]] = {}
    for n in COUNTS:
        drawn = [row for rows in by_label.values() for row in rows[:n]]
        if not drawn and known is None:
            continue
        rest = [row for row in order if row not in set(drawn)][:N_UNLABELLED]
        few, free = train.of(drawn), train.of(rest)
        predicted = baselines(few, free, measured, known)
        found[str(n)] = {name: macro_f1(measured.labels, labels) for name, labels in predicted.items()}
        found[str(n)] |= ours(few, free, measured, known, encoder.encoder_id, seed, many=many and n >= 10)
        if articles is not None:
            more = ours(few, free, measured, articles, encoder.encoder_id, seed, many=False)
            found[str(n)]["with articles"] = more["smarttriage"]
    return found


def knowledge(question: Question, described: Mapping[str, str], encoder: Encoder) -> DescribedLabels:
    """Return the descriptions and the shipped articles behind them. The seed incidents were written with the articles at hand."""
    items = {question.target: [Description(label, text) for label, text in described.items()]}
    rows = (row.values for row in read_articles(ROOT / "kb" / "articles") if row.problem is None)
    found = with_articles(items, rows)[question.target]
    texts = [one.text if place < len(described) else model_text(one.label, one.text) for place, one in enumerate(found)]
    return DescribedLabels([one.label for one in found], texts, encoder.encode(texts))


def baselines(few: Part, free: Part, measured: Part, known: DescribedLabels | None) -> dict[str, Sequence[str]]:
    """Return method -> predictions. Without a label the descriptions are the training rows, which is all there is."""
    if not few.labels and known is not None:
        few = Part(known.texts, known.vectors, known.labels)
    union = make_union(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True),
    )
    found = {}
    for name, texts in (("TF-IDF LinearSVC", few.texts), ("TF-IDF LinearSVC, unlabelled idf", [*few.texts, *free.texts])):
        union.fit(texts)
        fitted = LinearSVC(C=SVM_C, random_state=0).fit(union.transform(few.texts), few.labels)
        found[name] = fitted.predict(union.transform(measured.texts)).tolist()
    logistic = LogisticRegression(C=LOGISTIC_C, max_iter=2_000).fit(few.vectors, few.labels)
    return {**found, "embedding LogisticRegression": logistic.predict(measured.vectors).tolist()}


def ours(
    few: Part, free: Part, measured: Part, known: DescribedLabels | None, encoder_id: str, seed: int, *, many: bool
) -> dict[str, float]:
    """Return variant -> macro-F1: as it is, without unlabelled texts, without descriptions, with the recipes for many rows."""
    variants = {"smarttriage": (True, known, None), "without unlabelled": (False, known, None)}
    if known is not None and 0 < len(few.labels) < FEW * len(known.labels):
        variants["without descriptions"] = (True, None, None)
    if many:
        variants |= {"few-shot": (True, known, 10_000), "many rows": (True, known, 0)}
    found = {}
    for name, (unlabelled, described, bound) in variants.items():
        texts = [*few.texts, *(free.texts if unlabelled else ())]
        vectors = np.concatenate([few.vectors, free.vectors]) if unlabelled else few.vectors
        labels: Mapping[str, Sequence[str | None]] = {"target": [*few.labels, *[None] * (len(texts) - len(few.labels))]}
        options = {} if bound is None else {"few": bound}
        trainer = SklearnTrainer(encoder_id=encoder_id, n_threads=1, **options)
        examples = LabelledTexts(texts, vectors, labels, descriptions={"target": described} if described else {})
        classifier = trainer.fit(examples, seed=seed)
        probabilities = classifier.predict_proba(measured.texts, measured.vectors)["target"]
        columns = probabilities.argmax(axis=1)
        predicted = [classifier.cards["target"].labels[column] for column in columns]
        found[name] = macro_f1(measured.labels, predicted)
        if name == "smarttriage":
            right = np.array([a == b for a, b in zip(predicted, measured.labels, strict=True)])
            found["ECE"] = expected_calibration_error(probabilities.max(axis=1), right)
    return found


def macro_f1(truth: Sequence[str], predicted: Sequence[str]) -> float:
    return float(f1_score(truth, predicted, average="macro", zero_division=0.0))


if __name__ == "__main__":
    main()

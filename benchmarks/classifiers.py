"""The classifier beside majority and TF-IDF baselines on public tickets, alerts and bugs: fit on train, measured on dev.

    python benchmarks/classifiers.py [--data ../shared/data] [--only NAME ...] [--cache FOLDER]

Writes benchmarks/results/classifiers.json and .md. Each baseline's C is chosen on a part of train that shares no cluster
with the rest (train only, never dev); then it is fitted on all of train, as ours is.
"""

import argparse
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import GroupShuffleSplit
from sklearn.pipeline import make_union
from sklearn.svm import LinearSVC

from report import machine
from smarttriage.adapters.vector_cache import FileVectorCache
from smarttriage.bootstrap import parts
from smarttriage.bootstrap.classifiers import sklearn_trainer
from smarttriage.bootstrap.training import N_THREADS, read_training_rows
from smarttriage.ports import Encoder
from smarttriage.services.evaluation import evaluate_classifier
from smarttriage.services.training import TrainingRows, embed, train

ROOT = Path(__file__).resolve().parent.parent
SVM_C = (0.1, 0.3, 1.0, 3.0)
LOGISTIC_C = (1.0, 3.0, 10.0)


@dataclass(frozen=True, slots=True)
class Question:
    """One data set and the column to predict."""

    name: str
    folder: str
    target: str
    text_columns: tuple[str, ...] = ("text",)


QUESTIONS = (
    Question("it_ticket_category", "it_ticket_category", "category"),
    Question("alert_severity", "alert_severity", "severity"),
    Question("gcp_incident_severity", "gcp_incident_severity", "severity"),
    Question("msoffice product", "msoffice_symptom_product", "product"),
    Question("msoffice area", "msoffice_symptom_product", "area_top"),
    Question("endava ticket_kind", "endava_native_labels", "ticket_kind", ("title", "body")),
    Question("endava service", "endava_native_labels", "service_code", ("title", "body")),
    Question("hadoop_priority", "hadoop_priority", "priority"),
    Question("status_page_impact", "status_page_impact", "impact"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="Measure these only; nothing is written.")
    parser.add_argument("--cache", type=Path, help="Keep vectors here. Encoding times of texts kept there mean nothing.")
    args = parser.parse_args()
    if not args.data.is_dir():
        raise SystemExit(f"{args.data} is absent: give --data FOLDER with the data sets.")
    encoder = parts.encoder(n_threads=N_THREADS)
    chosen = [question for question in QUESTIONS if not args.only or question.name in args.only]
    results = {question.name: measure(question, args.data, encoder, args.cache) for question in chosen}
    report = {**machine(), "encoder_id": encoder.encoder_id, "results": results}
    print(table(report))
    if not args.only:
        args.out.mkdir(parents=True, exist_ok=True)
        (args.out / "classifiers.json").write_text(json.dumps(report, indent=2) + "\n")
        (args.out / "classifiers.md").write_text(table(report) + "\n")


def measure(question: Question, data: Path, encoder: Encoder, cache: Path | None) -> dict[str, object]:
    folder = data / question.folder
    fitted_on, measured_on = (
        read_training_rows(
            [folder / f"{part}.csv.gz"], [question.target], question.text_columns, group_column="cluster", on_problem=warn
        )
        for part in ("train", "dev")
    )
    say(f"{question.name}: {len(fitted_on.texts)} train, {len(measured_on.texts)} dev")
    found = {"majority": majority(question, fitted_on, measured_on), **baselines(question, fitted_on, measured_on)}
    found["smarttriage"] = ours(question, fitted_on, measured_on, encoder, cache)
    for name, scores in found.items():
        say(f"  {name:<28} accuracy {scores['accuracy']:.4f}, macro-F1 {scores['macro_f1']:.4f}, {scores['seconds']:.1f} s")
    return {"n_train": len(fitted_on.texts), "n_dev": len(measured_on.texts), "models": found}


def ours(
    question: Question, fitted_on: TrainingRows, measured_on: TrainingRows, encoder: Encoder, cache: Path | None
) -> dict[str, object]:
    kept = FileVectorCache(cache) if cache else None
    trainer = sklearn_trainer(encoder.encoder_id, fitted_on.labels, target_precision=0.9)
    done = train(fitted_on, encoder=encoder, trainer=trainer, seed=0, timer=time.perf_counter, cache=kept)
    vectors = embed(measured_on.texts, encoder=encoder, cache=kept)
    truth = [label or "" for label in measured_on.labels[question.target]]
    started = time.perf_counter()
    scores = evaluate_classifier(done.classifier, question.target, measured_on.texts, vectors, truth).as_json()
    scores["predict_ms"] = (time.perf_counter() - started) * 1_000 / len(truth)
    held_out = done.metrics[question.target]
    scores["ece_held_out_before"], scores["ece_held_out_after"] = held_out["ece_before_calibration"], held_out["ece"]
    scores["recipe"] = held_out["recipe"]
    return {**scores, "seconds": done.encode_s + done.fit_s, "encode_s": done.encode_s, "fit_s": done.fit_s}


def majority(question: Question, fitted_on: TrainingRows, measured_on: TrainingRows) -> dict[str, object]:
    names, counts = np.unique([str(label) for label in fitted_on.labels[question.target]], return_counts=True)
    truth = np.array([str(label) for label in measured_on.labels[question.target]])
    return {**scored(truth, np.full(len(truth), names[counts.argmax()])), "seconds": 0.0}


def baselines(question: Question, fitted_on: TrainingRows, measured_on: TrainingRows) -> dict[str, dict[str, object]]:
    labels = np.array([str(label) for label in fitted_on.labels[question.target]])
    truth = np.array([str(label) for label in measured_on.labels[question.target]])
    splitter = GroupShuffleSplit(1, test_size=0.2, random_state=0)
    inside, outside = next(splitter.split(labels, groups=list(fitted_on.groups or [])))
    found: dict[str, dict[str, object]] = {}
    for blocks in (("word",), ("char",), ("word", "char")):
        for learner, grid in (("LinearSVC", SVM_C), ("LogisticRegression", LOGISTIC_C)):
            started = time.perf_counter()
            features = make_union(*(vectorizer(block, len(labels)) for block in blocks))
            rows = features.fit_transform(fitted_on.texts).tocsr()
            best = max(
                grid, key=lambda c: chosen_by(model(learner, c).fit(rows[inside], labels[inside]), rows[outside], labels[outside])
            )
            fitted = model(learner, best).fit(rows, labels)
            predicted = fitted.predict(features.transform(measured_on.texts))
            name = f"TF-IDF {'+'.join(blocks)} {learner}"
            found[name] = {**scored(truth, predicted), "c": best, "seconds": time.perf_counter() - started}
    return found


def vectorizer(block: str, n_rows: int) -> TfidfVectorizer:
    if block == "word":
        return TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2 if n_rows > 3_000 else 1)
    return TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True, min_df=3 if n_rows > 3_000 else 2)


def model(learner: str, c: float) -> LinearSVC | LogisticRegression:
    return LinearSVC(C=c, random_state=0) if learner == "LinearSVC" else LogisticRegression(C=c, max_iter=1_000, tol=1e-3)


def chosen_by(fitted: LinearSVC | LogisticRegression, rows: object, truth: np.ndarray) -> float:
    """Return what C is chosen by: the mean of accuracy and macro-F1, as for ours."""
    scores = scored(truth, fitted.predict(rows))
    return float(scores["accuracy"] + scores["macro_f1"]) / 2


def scored(truth: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    macro = f1_score(truth, predicted, average="macro", zero_division=0.0)
    return {"accuracy": float((truth == predicted).mean()), "macro_f1": float(macro)}


def table(report: dict[str, object]) -> str:
    lines = [
        f"`{report['command']}`, {report['date']}, {report['machine']}; {report['versions']}",
        "",
        "Fit on train, measured on dev; accuracy / macro-F1. Baselines: C chosen inside train by clusters.",
        "",
        "| set | train / dev | majority | best TF-IDF by accuracy | best TF-IDF by macro-F1 | smarttriage | ECE | filled in, precision | encode + fit, s |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, result in report["results"].items():
        models = result["models"]
        mine = models["smarttriage"]
        others = {key: value for key, value in models.items() if key.startswith("TF-IDF")}
        by_accuracy = max(others.values(), key=lambda value: value["accuracy"])
        by_f1 = max(others.values(), key=lambda value: value["macro_f1"])
        precision = "-" if mine["precision_at_thresholds"] is None else f"{mine['precision_at_thresholds']:.3f}"
        cells = [
            name,
            f"{result['n_train']:,} / {result['n_dev']:,}",
            *(pair(value) for value in (models["majority"], by_accuracy, by_f1, mine)),
            f"{mine['ece']:.4f}",
            f"{mine['coverage']:.0%}, {precision}",
            f"{mine['encode_s']:.0f} + {mine['fit_s']:.0f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def pair(scores: dict[str, float]) -> str:
    return f"{scores['accuracy']:.4f} / {scores['macro_f1']:.4f}"


def warn(line: str) -> None:
    say(f"left out: {line}")


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

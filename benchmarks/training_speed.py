"""How long training, one classification, its explanation and a batch of predictions take, beside scikit-learn's own.

    python benchmarks/training_speed.py [--data ../shared/data] [--cache FOLDER] [--work FOLDER] [--only train|one|batch]

Trains on all of it_ticket_category's train part with `smarttriage train`, its vectors at hand in --cache (the first run without
them encodes, which costs minutes); classifies single encoded texts of 15, 60 and 200 tokens with that model of one target and with
the shipped starter of five; predicts 10,000 texts with `smarttriage predict`. Baselines in the same step: TF-IDF + LinearSVC and
logistic regression on the same vectors. Each step keeps its figures in --work; the table is written once all three are there.
"""

import argparse
import csv
import gzip
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import LinearSVC

from report import write_results
from smarttriage.adapters.bundles import read_bundle
from smarttriage.adapters.vector_cache import FileVectorCache
from smarttriage.bootstrap import parts
from smarttriage.bootstrap.bundles import codecs
from smarttriage.bootstrap.resources import shipped
from smarttriage.bootstrap.training import N_THREADS
from smarttriage.ports import Classifier, Vectors
from smarttriage.services.training import embed

ROOT = Path(__file__).resolve().parent.parent
FOLDER, TARGET, TEXT = "it_ticket_category", "category", "text"
STEPS = ("train", "one", "batch")
TOKENS = (15, 60, 200)
N_SINGLE = 300
N_BATCH = 10_000
# What benchmarks/classifiers.py chose for TF-IDF + LinearSVC on this set; benchmarks/cold_start.py's for regression on vectors.
LINEAR_C, LOGISTIC_C = 0.3, 10.0
# What is asked for: seconds of training, milliseconds of one classification and of its explanation.
GOALS = {"train_s": 180, "classify_ms": 2, "explain_ms": 3}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--cache", type=Path, help="Vectors are kept here; default: in --work.")
    parser.add_argument(
        "--work", type=Path, default=Path("/tmp/smarttriage-speed"), help="Model and finished steps are kept here."
    )
    parser.add_argument("--only", choices=STEPS, help="Measure this step alone; the table follows once all are there.")
    args = parser.parse_args()
    if not args.data.is_dir():
        raise SystemExit(f"{args.data} is absent: give --data FOLDER with the data sets.")
    args.work.mkdir(parents=True, exist_ok=True)
    cache = args.cache or args.work / "vectors"
    for step in STEPS:
        path = args.work / f"{step}.json"
        if args.only == step or (args.only is None and not path.is_file()):
            before = os.getloadavg()[0]
            found = {"train": measure_training, "one": measure_single, "batch": measure_batch}[step](args.data, args.work, cache)
            measured = {**found, "load_before": before, "load_after": os.getloadavg()[0]}
            path.write_text(json.dumps({**measured, "earlier": earlier(path)}))
    if all((args.work / f"{step}.json").is_file() for step in STEPS):
        result = {step: json.loads((args.work / f"{step}.json").read_text()) for step in STEPS}
        write_results("training_speed", result, table(result))


def earlier(path: Path) -> list[dict[str, object]]:
    """Return what was measured of this step before, so that a second run hides no first one."""
    if not path.is_file():
        return []
    last = json.loads(path.read_text())
    return [*last.pop("earlier", []), last]


def measure_training(data: Path, work: Path, cache: Path) -> dict[str, object]:
    source, bundle = data / FOLDER / "train.csv.gz", work / "model"
    texts, labels = read(source)
    vectors = embed(texts, encoder=parts.encoder(n_threads=N_THREADS), cache=FileVectorCache(cache))
    linear_s, _ = timed(lambda: linear_svc().fit(texts, labels))
    logistic_s, _ = timed(lambda: logistic().fit(vectors, labels))
    shutil.rmtree(bundle, ignore_errors=True)
    options = ["--data", source, "--target", TARGET, "--text-column", TEXT, "--cache", cache, "--model", bundle, "--json"]
    spent, answer = command("train", *options)
    trained = json.loads(answer.stdout)
    return {
        "n": len(texts),
        "n_labels": len(set(labels)),
        "smarttriage": {**spent, **{name: trained["seconds"][name] for name in ("encode", "fit")}},
        "accuracy": trained["targets"][TARGET]["accuracy"],
        "linear_svc_s": linear_s,
        "logistic_s": logistic_s,
    }


def measure_single(data: Path, work: Path, cache: Path) -> dict[str, object]:
    texts, labels = read(data / FOLDER / "train.csv.gz")
    vectors = embed(texts, encoder=parts.encoder(), cache=FileVectorCache(cache))
    svc, regression = linear_svc().fit(texts, labels), logistic().fit(vectors, labels)
    models = {"one target": work / "model", "five targets": shipped("models") / "starter-1"}
    loaded = {name: read_bundle(folder, codecs=codecs()) for name, folder in models.items()}
    rows = []
    for n_tokens in TOKENS:
        asked = texts_of(read(data / FOLDER / "dev.csv.gz")[0], n_tokens, N_SINGLE)
        encoded = parts.encoder().encode(asked)
        rows.append(
            {
                "tokens": n_tokens,
                **{name: single(model, asked, encoded) for name, model in loaded.items()},
                "linear_svc_ms": median_ms([lambda text=text: svc.predict([text]) for text in asked]),
                "logistic_ms": median_ms([lambda row=row: regression.predict_proba(row[None]) for row in encoded]),
            }
        )
    return {"n": N_SINGLE, "rows": rows}


def single(model: Classifier, texts: Sequence[str], vectors: Vectors) -> dict[str, float]:
    """Return median milliseconds of classifying one encoded text, of that once its words were read, and of explaining it after."""
    whole, after, explained = [], [], []
    for text, vector in zip(texts, vectors, strict=True):
        seconds, rows = timed(lambda: model.predict_proba([text], vector[None]))  # noqa: B023 - called at once
        whole.append(seconds)
        labels = {target: model.cards[target].labels[int(found[0].argmax())] for target, found in rows.items()}
        explained.append(timed(lambda: [model.explain(text, target, label) for target, label in labels.items()])[0])  # noqa: B023
        after.append(timed(lambda: model.predict_proba([text], vector[None]))[0])  # noqa: B023 - its words are known by now
    figures = {"classify_ms": whole, "words_read_ms": after, "explain_ms": explained}
    found = {name: 1_000 * statistics.median(values) for name, values in figures.items()}
    return {**found, "classify_p95_ms": 1_000 * float(np.quantile(whole, 0.95))}


def measure_batch(data: Path, work: Path, cache: Path) -> dict[str, object]:
    texts, labels = read(data / FOLDER / "train.csv.gz")
    svc, encoder = linear_svc().fit(texts, labels), parts.encoder(n_threads=N_THREADS)
    regression = logistic().fit(embed(texts, encoder=encoder, cache=FileVectorCache(cache)), labels)
    asked, source = texts[:N_BATCH], work / "texts.csv"
    with source.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerows([[TEXT], *([text] for text in asked)])
    found = {}
    for name, options in {"encoding": [], "vectors at hand": ["--cache", cache]}.items():
        model = ["--model", work / "model", "--data", source, "--text-column", TEXT, "--out", work / "out.csv", "--json"]
        spent, answer = command("predict", *model, *options)
        found[name] = {
            **spent,
            "predict": json.loads(answer.stdout)["seconds"]["predict"],
            "lines": answer.stderr.count("predict:"),
        }
    vectors = embed(asked, encoder=encoder, cache=FileVectorCache(cache))
    return {
        "n": len(asked),
        "smarttriage": found,
        "encoder_alone_s": timed(lambda: encoder.encode(asked[::5]))[0] * len(asked) / len(asked[::5]),
        "linear_svc_s": timed(lambda: svc.predict(asked))[0],
        "logistic_s": timed(lambda: regression.predict_proba(vectors))[0],
    }


def command(name: str, *options: object) -> tuple[dict[str, float], subprocess.CompletedProcess[str]]:
    """Return the wall and CPU seconds of one `smarttriage` command, start included, and its answer."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    call = [str(Path(sys.executable).parent / "smarttriage"), name, *map(str, options)]
    answer = subprocess.run(call, check=True, capture_output=True, text=True)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall": wall, "cpu": cpu}, answer


def read(path: Path) -> tuple[list[str], list[str]]:
    """Return the texts that hold one and their labels."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
        rows = [(row[TEXT].rstrip(), row[TARGET]) for row in csv.DictReader(stream) if row[TEXT].strip() and row[TARGET]]
    return [text for text, _ in rows], [label for _, label in rows]


def texts_of(texts: Sequence[str], n_tokens: int, n: int) -> list[str]:
    """Return n different texts of about so many tokens: words of real texts one after the other, cut."""
    tokenizer, words, made = parts.encoder()._tokenizer, iter(" ".join(texts).split()), []
    while len(made) < n:
        several = [next(words) for _ in range(n_tokens)]
        while len(tokenizer.encode(" ".join(several)).ids) > n_tokens:
            several.pop()
        made.append(" ".join(several))
    return made


def linear_svc() -> Pipeline:
    return make_pipeline(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2), LinearSVC(C=LINEAR_C))


def logistic() -> LogisticRegression:
    return LogisticRegression(C=LOGISTIC_C, max_iter=1_000)


def timed(work: Callable[[], object]) -> tuple[float, object]:
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def median_ms(calls: Sequence[Callable[[], object]]) -> float:
    return 1_000 * statistics.median(timed(call)[0] for call in calls)


def table(result: dict[str, dict[str, object]]) -> str:
    head = (
        "The machine was shared: ratios within a step count; single times are what they were under the load that each step names."
    )
    parts_ = [training_lines(result["train"], result["batch"]), single_lines(result["one"]), batch_lines(result["batch"])]
    return "\n\n".join([head, *("\n".join(lines) for lines in parts_)])


def load_of(step: dict[str, float]) -> str:
    return f"load average {step['load_before']:.1f} before, {step['load_after']:.1f} after, {os.cpu_count()} cores"


def training_lines(step: dict[str, object], batch: dict[str, object]) -> list[str]:
    ours, n = step["smarttriage"], step["n"]
    per_text = batch["encoder_alone_s"] / batch["n"]
    met = "met" if ours["wall"] < GOALS["train_s"] else f"missed by the clock under this load, with {ours['cpu']:.0f} s of CPU"
    before = [
        f"{one['smarttriage']['wall']:.0f} s (CPU {one['smarttriage']['cpu']:.0f}; {load_of(one)})" for one in step["earlier"]
    ]
    return [
        f"Training on {n:,} rows, one target of {step['n_labels']} labels, all vectors in the cache by content hash ({load_of(step)}).",
        "",
        "| what | wall s | of which |",
        "|---|---|---|",
        f"| `smarttriage train --cache`, start, report and bundle included | {ours['wall']:.0f} (CPU {ours['cpu']:.0f}) | reading vectors {ours['encode']:.1f}, fit {ours['fit']:.0f} |",
        f"| TF-IDF + LinearSVC, one fit, nothing chosen, no probabilities | {step['linear_svc_s']:.1f} | |",
        f"| logistic regression on the vectors, one fit | {step['logistic_s']:.1f} | |",
        "",
        f"The goal of {GOALS['train_s']} s is {met}. The fit tries recipes, calibrates and holds rows out for the thresholds, which the baselines "
        f"do not. Encoding all texts anew would add {per_text * n:.0f} s at the encoder's {1_000 * per_text:.1f} ms a text in the last table."
        + (f" Measured before: {'; '.join(before)}." if before else ""),
    ]


def single_lines(step: dict[str, object]) -> list[str]:
    lines = [
        f"One encoded text, median of {step['n']} different ones ({load_of(step)}). Words read: the same call once the words of the text are",
        "read, which the service does while the encoder runs. Explain: added by the spans of every target's label.",
        "",
        "| tokens | model | classify ms (p95) | words read ms | explain ms | TF-IDF + LinearSVC ms | logistic regression on the vector ms |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in step["rows"]:
        for name in ("one target", "five targets"):
            one = row[name]
            cells = [
                str(row["tokens"]),
                name,
                f"{one['classify_ms']:.2f} ({one['classify_p95_ms']:.2f})",
                f"{one['words_read_ms']:.2f}",
                f"{one['explain_ms']:.2f}",
                f"{row['linear_svc_ms']:.2f}",
                f"{row['logistic_ms']:.2f}",
            ]
            lines.append("| " + " | ".join(cells) + " |")
    told = [f"Measured before ({load_of(one)}). {single_verdict(one['rows'])}" for one in step["earlier"]]
    return [*lines, "", " ".join([single_verdict(step["rows"]), *told])]


def single_verdict(rows: Sequence[dict[str, dict[str, float]]]) -> str:
    told = []
    for name, goal in (("classify_ms", GOALS["classify_ms"]), ("explain_ms", GOALS["explain_ms"])):
        missed = [
            f"{model} at {row['tokens']} tokens ({row[model][name]:.2f})"
            for row in rows
            for model in ("one target", "five targets")
            if row[model][name] >= goal
        ]
        what = name.removesuffix("_ms")
        told.append(f"{what}: below {goal} ms " + (f"but for {', '.join(missed)}" if missed else "everywhere"))
    return f"Goals (p50): {'; '.join(told)}."


def batch_lines(step: dict[str, object]) -> list[str]:
    n, lines = step["n"], []
    for name, one in step["smarttriage"].items():
        lines.append(
            f"| `smarttriage predict`, {name}: value, confidence, reason, words | {one['predict']:.1f} | {n / one['predict']:.0f} | "
            f"whole command {one['wall']:.1f} s (CPU {one['cpu']:.0f}), {one['lines']} lines of progress |"
        )
    return [
        f"{n:,} texts, one target ({load_of(step)}).",
        "",
        "| what | s | texts/s | |",
        "|---|---|---|---|",
        *lines,
        f"| the encoder alone, two threads, from every fifth text | {step['encoder_alone_s']:.1f} | {n / step['encoder_alone_s']:.0f} | |",
        f"| TF-IDF + LinearSVC, labels only | {step['linear_svc_s']:.1f} | {n / step['linear_svc_s']:.0f} | |",
        f"| logistic regression, vectors at hand | {step['logistic_s']:.3f} | {n / step['logistic_s']:.0f} | |",
    ]


if __name__ == "__main__":
    main()

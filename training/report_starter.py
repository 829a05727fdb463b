"""What the starter model scores: on held-out incidents, on held-out writers, and once on incidents of another writer.

    python training/report_starter.py

Writes training/reports/starter.json and starter.md. The holdout (benchmarks/data/triage_holdout.jsonl) is read here only and
decides nothing: not the cues, not the recipe, not a threshold.
"""

import json
import os
import platform
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import accuracy_score, cohen_kappa_score, f1_score
from sklearn.model_selection import GroupKFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

import starter
from smarttriage.adapters.classifiers.classifier import SklearnClassifier
from smarttriage.services.evaluation import expected_calibration_error
from starter import ROOT, Examples, Incident

HOLDOUT = ROOT / "benchmarks/data/triage_holdout.jsonl"
REPORT = ROOT / f"training/reports/starter{starter.suffix()}"
LEVELS = ("low", "medium", "high")
ORDERED = ("impact", "urgency")
Scores = dict[str, Any]
Keep = Callable[[Incident], bool]
SLICES: Mapping[str, Keep] = {
    "incidents and requests": lambda row: row["kind"] != "other",
    "misleading tone": lambda row: row["kind"] != "other" and bool(row["tone_misleads"]),
    "plain tone": lambda row: row["kind"] != "other" and not row["tone_misleads"],
    "not English": lambda row: row["kind"] != "other" and row["language"] != "en",
    "all, other included": lambda row: True,
}


def main() -> None:
    """Fit the starter as it is shipped and report on it."""
    plan = starter.recipe()
    incidents = starter.read_incidents(ROOT / plan["data"])
    examples = starter.examples(incidents, plan["tone"], seed=plan["seed"])
    by_row = starter.fit(examples.rows(plan["targets"], starter.own_groups(incidents)), plan).classifier
    sys.stdout.write(write(by_row, examples, plan))


def write(by_row: SklearnClassifier, examples: Examples, plan: Mapping[str, Any]) -> str:
    """Return the report on the fitted starter as Markdown, written beside its JSON; fits once more with writers held out."""
    incidents = examples.incidents
    names = starter.writers(incidents, ROOT / plan["writers"])
    by_writer = starter.fit(examples.rows(ORDERED, names), plan).classifier
    holdout = _unseen(starter.read_incidents(HOLDOUT), incidents)
    result = {
        "made": _made(),
        "data": {
            "n": len(incidents),
            "n_rows": len(examples.texts),
            "languages": dict(Counter(row["language"] for row in incidents).most_common()),
            "writers": len(set(names)),
        },
        "rows held out": _held_out(by_row, by_row, examples, plan["targets"], folds=None),
        "writers held out": _held_out(by_writer, by_row, examples, ORDERED, folds=names),
        "holdout": _holdout(by_row, holdout, incidents, plan["targets"]),
    }
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    text = _markdown(result)
    REPORT.with_suffix(".md").write_text(text, encoding="utf-8")
    return text


def _held_out(
    model: SklearnClassifier,
    shipped: SklearnClassifier,
    examples: Examples,
    targets: Sequence[str],
    *,
    folds: Sequence[str] | None,
) -> Scores:
    """Return the scores of the model's own held-out predictions, filled in from the shipped model's thresholds on.

    Originals only, beside the baselines.
    """
    scores: Scores = {}
    for target in targets:
        held = model.held_out[target]
        place = [index for index, row in enumerate(held.rows) if row < examples.n_originals]
        rows = [examples.incidents[held.rows[index]] for index in place]
        labels = model.cards[target].labels
        scores[target] = _target(rows, target, labels, held.calibrated[place], shipped.cards[target].thresholds)
        scores[target]["baselines"] = _baselines(rows, target, rows, folds and [folds[held.rows[index]] for index in place])
    return scores


def _holdout(model: SklearnClassifier, rows: Sequence[Incident], seen: Sequence[Incident], targets: Sequence[str]) -> Scores:
    texts = [starter.text_of(row) for row in rows]
    found = model.predict_proba(texts, starter.vectors_of(texts))
    scores: Scores = {}
    for target in targets:
        kept = [place for place, row in enumerate(rows) if row[target] is not None]
        card, chosen = model.cards[target], [rows[place] for place in kept]
        scores[target] = _target(chosen, target, card.labels, found[target][kept], card.thresholds)
        scores[target]["baselines"] = _baselines([row for row in seen if row[target] is not None], target, chosen, None)
    return scores


def _unseen(holdout: Sequence[Incident], incidents: Sequence[Incident]) -> list[Incident]:
    """Return the holdout without texts that also stand in the training data."""
    known = {starter.text_of(row).casefold() for row in incidents}
    return [row for row in holdout if starter.text_of(row).casefold() not in known]


def _target(
    rows: Sequence[Incident], target: str, labels: Sequence[str], probabilities: NDArray[np.float64], bounds: Mapping[str, float]
) -> Scores:
    truth = [row[target] for row in rows]
    winners = [labels[column] for column in probabilities.argmax(axis=1)]
    confidence = probabilities.max(axis=1)
    right = np.array([one == other for one, other in zip(truth, winners, strict=True)])
    filled = confidence >= np.array([bounds[label] for label in winners])
    keep = SLICES if target in ORDERED else {"all": SLICES["all, other included"]}
    return {
        "slices": {name: _scores(rows, truth, winners, target, kept) for name, kept in keep.items()},
        "ece": expected_calibration_error(confidence, right),
        "coverage": float(filled.mean()),
        "precision_where_filled": float(right[filled].mean()) if filled.any() else None,
    }


def _scores(rows: Sequence[Incident], truth: Sequence[str], winners: Sequence[str], target: str, keep: Keep) -> Scores:
    pairs = [(one, other) for row, one, other in zip(rows, truth, winners, strict=True) if keep(row)]
    true, found = [one for one, _ in pairs], [other for _, other in pairs]
    result: Scores = {
        "n": len(pairs),
        "accuracy": accuracy_score(true, found),
        "macro_f1": f1_score(true, found, average="macro", zero_division=0.0),
    }
    if target in ORDERED:
        numbers = [[LEVELS.index(label) for label in side] for side in (true, found)]
        result["quadratic_kappa"] = cohen_kappa_score(*numbers, weights="quadratic") if len(set(true)) > 1 else None
    return result


def _baselines(seen: Sequence[Incident], target: str, rows: Sequence[Incident], writers: Sequence[str] | None) -> Scores:
    """Return the scores of the majority, of the true category alone and of TF-IDF with a linear SVM, each fitted on `seen`.

    Where `seen` is `rows`, TF-IDF is cross-validated; the other two are fitted on the rows themselves, which flatters them.
    """
    truth = [row[target] for row in rows]
    keep = SLICES["incidents and requests"] if target in ORDERED else SLICES["all, other included"]
    majority = Counter(row[target] for row in seen if keep(row)).most_common(1)[0][0]
    predictions = {"majority": [majority] * len(rows), "tfidf_svm": _tfidf(seen, target, rows, writers)}
    if target in ORDERED:
        by_category: dict[str | None, Counter[str]] = {}
        for row in seen:
            by_category.setdefault(row["category"], Counter())[row[target]] += 1
        predictions["true category only"] = [by_category[row["category"]].most_common(1)[0][0] for row in rows]
    return {name: _scores(rows, truth, found, target, keep) for name, found in predictions.items()}


def _tfidf(seen: Sequence[Incident], target: str, rows: Sequence[Incident], writers: Sequence[str] | None) -> list[str]:
    texts, truth = [starter.text_of(row) for row in seen], np.array([row[target] for row in seen])

    def model() -> Any:
        return make_pipeline(TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2)), LinearSVC(C=0.5, class_weight="balanced"))

    if seen is not rows:
        return [str(label) for label in model().fit(texts, truth).predict([starter.text_of(row) for row in rows])]
    found = np.empty(len(texts), dtype=object)
    split = StratifiedKFold(5, shuffle=True, random_state=0) if writers is None else GroupKFold(len(set(writers)))
    for fitted, held in split.split(texts, truth, writers):
        found[held] = model().fit([texts[row] for row in fitted], truth[fitted]).predict([texts[row] for row in held])
    return [str(label) for label in found]


def _made() -> dict[str, str]:
    lines = open("/proc/cpuinfo", encoding="utf-8").read().splitlines() if os.path.exists("/proc/cpuinfo") else []  # noqa: PTH110, PTH123, SIM115
    model = next((line.split(":", 1)[1].strip() for line in lines if "model name" in line), platform.processor())
    return {
        "command": "python training/report_starter.py",
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} x {model}, Python {platform.python_version()}",
    }


def _markdown(result: Scores) -> str:
    made, data = result["made"], result["data"]
    parts = [f"`{made['command']}`, {made['date']}, {made['machine']}\n"]
    parts.append(
        f"{data['n']} incidents of {data['writers']} writers, {data['n_rows']} training rows with toned copies and pieces of articles.\n"
    )
    for part, title in (
        ("rows held out", "Held-out incidents (five folds, near-duplicates and copies together)"),
        ("writers held out", "Held-out writers (five folds, a writer's incidents together)"),
        ("holdout", "Holdout: another writer's incidents, half of them with misleading tone, used once"),
    ):
        parts += [f"## {title}\n", *_ordered_table(result[part]), *_other_table(result[part])]
    return "\n".join(parts)


def _ordered_table(part: Scores) -> list[str]:
    lines = ["| target | rows | n | accuracy | macro-F1 | quadratic kappa |", "|---|---|---|---|---|---|"]
    for target in ORDERED:
        for name, scores in part[target]["slices"].items():
            lines.append(f"| {target} | {name} | {_cells(scores)} |")
        for name, scores in part[target]["baselines"].items():
            lines.append(f"| {target} | baseline: {name} | {_cells(scores)} |")
    return [*lines, ""]


def _other_table(part: Scores) -> list[str]:
    lines = [
        "| target | n | accuracy | macro-F1 | TF-IDF + SVM: accuracy / macro-F1 | ECE | filled in | precision where filled |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for target, found in part.items():
        name = "all, other included" if target in ORDERED else "all"
        scores, base = found["slices"][name], found["baselines"]["tfidf_svm"]
        shown = "(above)" if target in ORDERED else f"{base['accuracy']:.3f} / {base['macro_f1']:.3f}"
        precision = found["precision_where_filled"]
        lines.append(
            f"| {target} | {scores['n']} | {scores['accuracy']:.3f} | {scores['macro_f1']:.3f} | {shown} | {found['ece']:.3f} "
            f"| {found['coverage']:.3f} | {'-' if precision is None else format(precision, '.3f')} |"
        )
    return [*lines, ""]


def _cells(scores: Scores) -> str:
    kappa = scores["quadratic_kappa"]
    return (
        f"{scores['n']} | {scores['accuracy']:.3f} | {scores['macro_f1']:.3f} | {'-' if kappa is None else format(kappa, '.3f')}"
    )


if __name__ == "__main__":
    main()

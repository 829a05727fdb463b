"""How far tone alone moves urgency: the same held-out texts with loud and with calm words around them.

    python training/probe_tone.py

Five folds over the incidents and requests of kb/incidents.jsonl; three models: TF-IDF, TF-IDF with the recipe's toned copies, and
the starter's features (evidence cues, embedding) with the copies. The probe's words are not among the recipe's phrases as they
stand. Writes training/reports/tone.json and tone.md.
"""

import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

import starter
from smarttriage.adapters.classifiers.evidence import EvidenceCues
from smarttriage.adapters.classifiers.feature_fitting import fit_features
from smarttriage.adapters.classifiers.heads import linear_scores
from smarttriage.adapters.classifiers.recipes import Learner, Recipe, design, fit_linear, linear_head
from smarttriage.bootstrap.resources import lexicon
from starter import ROOT

LEVELS = ("low", "medium", "high")
PROBES: dict[str, str] = {
    "as written": "{}",
    "loud": "URGENT!!! CRITICAL!!! {}\nI DEMAND a solution AT ONCE!!!",
    "calm": "No rush at all, just a small note: {}\nWhenever you have a moment.",
}
RECIPE = Recipe(Learner.SVM, c=0.8, balance=0.5, char=True, embedding=0.5)
Levels = NDArray[np.int_]
Predict = Callable[[Sequence[str]], Levels]


def fit_words(texts: Sequence[str], levels: Levels) -> Predict:
    """Return a TF-IDF model's predictions."""
    model = make_pipeline(TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2)), LinearSVC(C=0.5, class_weight="balanced"))
    return model.fit(texts, levels).predict  # type: ignore[no-any-return]


def fit_starter(texts: Sequence[str], levels: Levels) -> Predict:
    """Return the predictions of the starter's features under the recipe that cross-validation chose for urgency."""
    cues = EvidenceCues(lexicon())
    features, whole = fit_features(texts, starter.vectors_of(texts), cues)
    matrix = whole.for_target(cues, "urgency")
    head = linear_head(*fit_linear(design(matrix, RECIPE), levels, len(LEVELS), RECIPE, seed=0), matrix, RECIPE)

    def predict(probes: Sequence[str]) -> Levels:
        rows = zip(probes, starter.vectors_of(probes), strict=True)
        return np.array([int(linear_scores(head, features.row(text, vector)).argmax()) for text, vector in rows])

    return predict


def main() -> None:
    """Measure and write."""
    plan = starter.recipe()
    incidents = [row for row in starter.read_incidents(ROOT / plan["data"]) if row["kind"] != "other"]
    examples = starter.examples(incidents, plan["tone"], seed=plan["seed"])
    n = len(incidents)
    levels = np.array([LEVELS.index(row["urgency"]) for row in incidents])
    copies = {source: text for source, text in zip(examples.sources[n:], examples.texts[n:], strict=True) if source < n}
    models = {
        "TF-IDF": (fit_words, False),
        "TF-IDF, toned copies": (fit_words, True),
        "starter features, toned copies": (fit_starter, True),
    }
    found = {name: {probe: np.zeros(n, dtype=int) for probe in PROBES} for name in models}
    for fitted, held in StratifiedKFold(5, shuffle=True, random_state=0).split(levels, levels):
        for name, (fit, with_copies) in models.items():
            more = [row for row in fitted.tolist() if with_copies and row in copies]
            texts = [examples.texts[row] for row in fitted] + [copies[row] for row in more]
            predict = fit(texts, levels[[*fitted.tolist(), *more]])
            for probe, frame in PROBES.items():
                found[name][probe][held] = predict([frame.format(examples.texts[row]) for row in held])
    _write({name: _moves(by_probe, levels) for name, by_probe in found.items()}, n)


def _moves(by_probe: dict[str, Levels], levels: Levels) -> dict[str, float]:
    plain = by_probe["as written"]
    moves = {"accuracy": float((plain == levels).mean())}
    for probe in ("loud", "calm"):
        moves[f"{probe}: accuracy"] = float((by_probe[probe] == levels).mean())
        moves[f"{probe}: lowered"] = float((by_probe[probe] < plain).mean())
        moves[f"{probe}: raised"] = float((by_probe[probe] > plain).mean())
    return moves


def _write(result: dict[str, dict[str, float]], n: int) -> None:
    stamp = f"`python training/probe_tone.py`, {datetime.now(UTC).date().isoformat()}, {n} incidents and requests, five folds"
    columns = list(next(iter(result.values())))
    lines = [f"{stamp}\n", f"| urgency | {' | '.join(columns)} |", "|" + "---|" * (len(columns) + 1)]
    lines += [f"| {name} | {' | '.join(f'{moves[column]:.3f}' for column in columns)} |" for name, moves in result.items()]
    path = ROOT / "training/reports/tone"
    path.with_suffix(".json").write_text(json.dumps({"made": stamp, "result": result}, indent=1) + "\n", encoding="utf-8")
    path.with_suffix(".md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()

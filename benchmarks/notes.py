"""Does a resolution note say what was done? Rules alone, the shipped model over them, and two baselines.

    python benchmarks/notes.py

benchmarks/data/resolution_notes.jsonl holds 300 notes in five languages, half of them empty; 150 are for fitting, 150 are held out
and reported. What is fitted here (the length, the TF-IDF baseline) sees the first part only, as the shipped model did
(training/train_notes.py).
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline

from report import write_results
from smarttriage.domain import resolution_note
from smarttriage.domain.interval import clopper_pearson
from smarttriage.services import notes

DATA = Path(__file__).resolve().parent / "data" / "resolution_notes.jsonl"
LENGTHS = range(2, 16)
SEED = 7
N_DRAWS = 10_000


def main() -> None:
    rows = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]
    fit, held = ([row for row in rows if row["part"] == part] for part in ("fit", "held_out"))
    right = np.array([row["actionable"] for row in held])
    length = max(LENGTHS, key=lambda n: scores(_labels(fit), _longer(fit, n))["f1"])
    said = {
        "the rules with the model (shipped)": _said(notes.assess, held),
        "the rules alone": _said(resolution_note.assess, held),
        f"at least {length} words": _longer(held, length),
        "TF-IDF of character n-grams + logistic regression": _tfidf(fit, held),
    }
    result = {name: scores(right, each) for name, each in said.items()}
    by_language = {
        code: {name: scores(right[of], each[of])["f1"] for name, each in list(said.items())[:2]} | {"n": int(of.sum())}
        for code in ("en", "de", "fr", "nl", "es")
        for of in [np.array([row["language"] == code for row in held])]
    }
    shipped, rules = list(said.values())[:2]
    gain = paired(right, shipped, rules)
    wrong = [(row["text"], row["actionable"]) for row, guess in zip(held, shipped, strict=True) if guess != row["actionable"]]
    found = {"held_out": result, "by_language": by_language, "gain_in_f1": gain, "wrong": wrong}
    write_results("notes", found, table(found, len(fit), len(held)))


def _labels(rows: Sequence[Any]) -> Any:
    return np.array([row["actionable"] for row in rows])


def _longer(rows: Sequence[Any], n: int) -> Any:
    return np.array([len(row["text"].split()) >= n for row in rows])


def _said(assess: Any, rows: Sequence[Any]) -> Any:
    return np.array([assess(row["text"]).actionable for row in rows])


def _tfidf(fit: Sequence[Any], held: Sequence[Any]) -> Any:
    """Return what the better of words and character n-grams says, its settings chosen by cross-validation on the fit part."""
    plan = {
        "tfidfvectorizer__analyzer": ["word", "char_wb"],
        "tfidfvectorizer__ngram_range": [(1, 1), (1, 2), (2, 5)],
        "logisticregression__C": [1.0, 10.0, 100.0],
    }
    pipeline = make_pipeline(TfidfVectorizer(sublinear_tf=True), LogisticRegression())
    search = GridSearchCV(pipeline, plan, scoring="f1", cv=StratifiedKFold(5, shuffle=True, random_state=SEED))
    search.fit([row["text"] for row in fit], _labels(fit))
    return search.predict([row["text"] for row in held])


def scores(right: Any, said: Any) -> dict[str, float]:
    """Return precision, recall and F1 of "a colleague could follow it"."""
    hits, claimed, there = int((right & said).sum()), int(said.sum()), int(right.sum())
    low, high = clopper_pearson(int((right == said).sum()), len(right))
    return {
        "precision": hits / claimed if claimed else 1.0,
        "recall": hits / there,
        "f1": 2 * hits / (claimed + there),
        "accuracy": float((right == said).mean()),
        "low": low,
        "high": high,
    }


def paired(right: Any, first: Any, second: Any) -> dict[str, float]:
    """Return by how much the first's F1 lies above the second's, with the 95 % interval of a paired bootstrap."""
    random = np.random.default_rng(SEED)
    drawn = [random.integers(0, len(right), len(right)) for _ in range(N_DRAWS)]
    gains = [scores(right[d], first[d])["f1"] - scores(right[d], second[d])["f1"] for d in drawn]
    low, high = np.quantile(gains, [0.025, 0.975]).tolist()
    return {"gain": scores(right, first)["f1"] - scores(right, second)["f1"], "low": low, "high": high}


def table(found: dict[str, Any], n_fit: int, n_held: int) -> str:
    gain = found["gain_in_f1"]
    return "\n".join(
        [
            f"{n_held} held-out notes, {n_fit} to fit on, written for this project in English, German, French, Dutch and Spanish. Notes and "
            "the rules' word lists are by one author: expect less of the first two rows on another desk's notes.",
            "",
            "| | precision | recall | F1 | accuracy, 95 % |",
            "|---|---|---|---|---|",
            *(
                f"| {name} | {row['precision']:.3f} | {row['recall']:.3f} | {row['f1']:.3f} | {row['accuracy']:.3f} "
                f"({row['low']:.3f} to {row['high']:.3f}) |"
                for name, row in found["held_out"].items()
            ),
            "",
            f"The model adds {gain['gain']:+.3f} F1 to the rules (95 %, paired bootstrap: {gain['low']:+.3f} to {gain['high']:+.3f}).",
            "",
            "| F1 by language | n | with the model | rules alone |",
            "|---|---|---|---|",
            *(
                f"| {code} | {row['n']} | {row['the rules with the model (shipped)']:.3f} | {row['the rules alone']:.3f} |"
                for code, row in found["by_language"].items()
            ),
            "",
            "Where the shipped model is wrong:",
            "",
            *(f"- {'taken for empty' if label else 'taken for a fix'}: {text}" for text, label in found["wrong"]),
        ]
    )


if __name__ == "__main__":
    main()

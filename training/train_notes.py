"""Train the model that tells empty resolution notes from those that a colleague could follow.

    python training/train_notes.py

Fits a logistic regression over `domain.note_features.FEATURES` (the verdict of the rules is one of them) on the notes of
benchmarks/data/resolution_notes.jsonl whose part is "fit", and writes src/smarttriage/services/assets/resolution_notes.json. The
regularisation is chosen by five-fold cross-validation on the same part. Seeded: the same file each time.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from smarttriage.domain.note_features import FEATURES, features

ROOT = Path(__file__).resolve().parent.parent
NOTES = ROOT / "benchmarks/data/resolution_notes.jsonl"
MODEL = ROOT / "src/smarttriage/services/assets/resolution_notes.json"
SEED = 7
STRENGTHS = (0.1, 0.3, 1.0, 3.0)
N_FOLDS = 5


def main() -> None:
    """Fit and write."""
    model, strength, cv_f1 = fitted()
    MODEL.write_text(json.dumps(model, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps({"C": strength, "cv_f1": round(cv_f1, 3), **model}) + "\n")


def fitted() -> tuple[dict[str, Any], float, float]:
    """Return the model, the inverse regularisation that was chosen and the F1 of cross-validation that chose it."""
    rows = [json.loads(line) for line in NOTES.read_text(encoding="utf-8").splitlines()]
    fit = [row for row in rows if row["part"] == "fit"]
    inputs = np.array([list(features(row["text"]).values()) for row in fit])
    folds = StratifiedKFold(N_FOLDS, shuffle=True, random_state=SEED)
    found = GridSearchCV(LogisticRegression(), {"C": STRENGTHS}, scoring="f1", cv=folds)
    found.fit(inputs, np.array([row["actionable"] for row in fit]))
    best: LogisticRegression = found.best_estimator_
    weights = dict(zip(FEATURES, np.round(best.coef_[0], 4).tolist(), strict=True))
    return {"weights": weights, "bias": round(float(best.intercept_[0]), 4)}, found.best_params_["C"], found.best_score_


if __name__ == "__main__":
    main()

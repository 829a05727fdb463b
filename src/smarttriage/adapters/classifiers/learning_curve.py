"""How much more rows would still help: a quick linear model on growing parts of the rows."""

from collections.abc import Sequence

import numpy as np
from sklearn.metrics import f1_score

from smarttriage.adapters.classifiers.feature_fitting import fit_features
from smarttriage.adapters.classifiers.fitting import column_of
from smarttriage.adapters.classifiers.folds import assign_folds, text_groups
from smarttriage.adapters.classifiers.recipes import Learner, Recipe, design, fit_linear
from smarttriage.ports import Vectors

SHARES = (0.1, 0.2, 0.4, 0.7, 1.0)
# The recipe without characters is the quickest of those that are tried; the shape of the curve is what counts.
QUICK = Recipe(Learner.SVM, c=0.2, balance=0.5, char=False, embedding=1.0)
_LEAST_ROWS = 10


def learning_curve(
    texts: Sequence[str], vectors: Vectors, labels: Sequence[str | None], *, groups: Sequence[str] | None = None, seed: int
) -> list[tuple[int, float, float]]:
    """Return (rows, accuracy, macro-F1) on a fifth of the groups that no fit has seen; too few rows give no point."""
    kept = [place for place, label in enumerate(labels) if label]
    names = sorted({str(labels[place]) for place in kept})
    truth = column_of([labels[place] for place in kept], names)
    mine = [groups[place] for place in kept] if groups is not None else text_groups([texts[place] for place in kept])
    folds = assign_folds(mine, [labels[place] for place in kept], seed=seed)
    _, matrix = fit_features([texts[place] for place in kept], vectors[kept], None)
    rows = design(matrix, QUICK)
    unseen = np.flatnonzero(folds == 0)
    pool = np.random.default_rng(seed).permutation(np.flatnonzero(folds != 0))
    points = []
    for share in SHARES:
        seen = pool[: round(share * len(pool))]
        if len(seen) < _LEAST_ROWS or len(np.unique(truth[seen])) < 2 or not len(unseen):
            continue
        weights, biases = fit_linear(rows[seen], truth[seen], len(names), QUICK, seed=seed)
        predicted = np.asarray(rows[unseen] @ weights + biases).argmax(axis=1)
        macro = f1_score(truth[unseen], predicted, average="macro", zero_division=0.0)
        points.append((len(seen), float((predicted == truth[unseen]).mean()), float(macro)))
    return points

"""Splits that keep near-duplicates together, so that a held-out row was never seen in another wording."""

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from smarttriage.domain.fingerprint import normalised

N_FOLDS = 5
# The accuracy of 10,000 held-out rows is known to about .003, well inside the .02 of calibration error that is allowed, and
# each further fold costs a full fit.
ENOUGH_HELD_OUT = 10_000


def text_groups(texts: Sequence[str]) -> list[str]:
    """Return one group name per text; texts equal after lower-casing and masking digits and white space share one."""
    return [normalised(text) for text in texts]


def assign_folds(groups: Sequence[str], labels: Sequence[str | None], *, seed: int) -> NDArray[np.int_]:
    """Return a fold (0 to N_FOLDS - 1) per row: groups whole, labels spread evenly, the same for the same seed."""
    members: dict[str, list[int]] = defaultdict(list)
    for row, group in enumerate(groups):
        members[group].append(row)
    names = sorted(members)
    shuffled = [names[place] for place in np.random.default_rng(seed).permutation(len(names))]
    by_label: dict[str, list[str]] = defaultdict(list)
    for name in shuffled:
        by_label[Counter(labels[row] or "" for row in members[name]).most_common(1)[0][0]].append(name)
    folds = np.zeros(len(groups), dtype=np.int_)
    dealt = [name for label in sorted(by_label) for name in by_label[label]]
    for place, name in enumerate(dealt):
        folds[members[name]] = place % N_FOLDS
    return folds


def folds_to_fit(n_rows: int) -> range:
    """Return the folds to hold out: all of them, or as many as give `ENOUGH_HELD_OUT` rows."""
    return range(min(N_FOLDS, -(-ENOUGH_HELD_OUT * N_FOLDS // n_rows)))

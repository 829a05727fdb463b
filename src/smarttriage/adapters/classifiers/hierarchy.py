"""Targets below other targets: which label belongs under which, and what a level is worth under the one above it."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from smarttriage.adapters.classifiers.heads import owners_of, under_parent
from smarttriage.domain.errors import InvalidInput
from smarttriage.ports import DescribedLabels, Probabilities, TargetCard


def parents_of(name: str, labels: Sequence[str | None], above: Sequence[str | None]) -> dict[str, str]:
    """Return label -> label of the parent target, read off the rows that carry both.

    Raises:
        InvalidInput: A label stands under two parents, or under none in any row.
    """
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    for label, parent in zip(labels, above, strict=True):
        if label and parent:
            seen[label][parent] += 1
    for label in sorted({label for label in labels if label}):
        if len(seen[label]) != 1:
            found = f"under {sorted(seen[label])}" if seen[label] else "in no row beside a label of its parent target"
            message = f"Label {label!r} of target {name!r} stands {found}; it must have exactly one parent."
            raise InvalidInput(f"{message} Correct the rows, or train on a column of whole paths (--tree-column).", field=name)
    return {label: next(iter(parents)) for label, parents in seen.items()}


def known_parents(
    name: str, above: str, labels: Mapping[str, Sequence[str | None]], described: DescribedLabels | None
) -> dict[str, str]:
    """Return label -> label of the target above, as the rows and the descriptions say.

    Raises:
        InvalidInput: A label stands under two parents, or under none.
    """
    found = {**(described.parents if described else {}), **parents_of(name, labels[name], labels[above])}
    if described and (orphans := sorted(set(described.labels) - set(found))):
        message = f"Label {orphans[0]!r} of target {name!r} is described without its {above}; add that as its parent."
        raise InvalidInput(message, field=name)
    return found


@dataclass(frozen=True, slots=True)
class HeldLevel:
    """Held-out probabilities of one level.

    Attributes:
        places: Row of the training input -> its place in the arrays.
        joint: (n, n_labels) probabilities of the whole path down to each label.
        decided: The same, 0 for every label that is not below the label decided above: what serving chooses from.
    """

    places: Mapping[int, int]
    joint: Probabilities
    decided: Probabilities


def held_level(
    rows: NDArray[np.int_], own: Probabilities, card: TargetCard, above: HeldLevel | None, labels_above: Sequence[str]
) -> HeldLevel:
    """Return the level of (n, n_labels) probabilities `own` of the rows; a row that was not held out above keeps its own."""
    places = {row: place for place, row in enumerate(rows.tolist())}
    joint, decided = own.copy(), own.copy()
    if above is not None and (both := [row for row in places if row in above.places]):
        here, there = [places[row] for row in both], [above.places[row] for row in both]
        joint[here] = under_parent(own[here], above.joint[there], card, labels_above)
        inside = owners_of(card, labels_above)[None, :] == above.decided[there].argmax(axis=1)[:, None]
        decided[here] = np.where(inside, joint[here], 0.0)
    return HeldLevel(places, joint, decided)

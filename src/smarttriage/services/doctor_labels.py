"""What the data doctor finds in the labels: twins, classes too small, wrong labels, classes that overlap."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from smarttriage.domain.contract import PrecisionCurve
from smarttriage.domain.doctor import Check, Example, Finding, Severity, counted
from smarttriage.domain.labels import spellings
from smarttriage.services.doctor_rows import SHOWN, DoctorTable
from smarttriage.services.label_errors import LabelDoubts

# Of each of the two classes at least this share is taken for the other: one row in ten, the larger of the two error rates
# that a precision contract of .9 leaves.
MUCH_CONFUSED = 0.1
# And the pair is confused at least so much more than if every error fell on the other classes by their size.
MUCH_ABOVE_CHANCE = 2.0
_Z_90_ONE_SIDED = 1.2816
SHOWN_WRONG = 20


@dataclass(frozen=True, slots=True)
class LabelledPart:
    """The rows that label checks read, with the doubts about them.

    Attributes:
        rows: Their positions in the table.
        names: The labels in column order.
        truth: The column of each row.
        doubts: About each row.
    """

    rows: Sequence[int]
    names: Sequence[str]
    truth: NDArray[np.int_]
    doubts: LabelDoubts


def label_findings(table: DoctorTable, *, groups: Sequence[str], target_precision: float, confidence: float) -> Iterator[Finding]:
    """Yield what is wrong with the labels by themselves, no model asked; `groups` (one per row) tell near-duplicates."""
    missing = [row for row, label in enumerate(table.labels) if label is None]
    if missing:
        yield Finding(
            Check.MISSING_LABELS,
            Severity.NOTE,
            len(missing),
            "rows",
            f"{counted(len(missing), 'row')} without a label in {table.columns.target!r}",
            "Label them or leave them: training skips them.",
            tuple(table.example([row], "") for row in missing[:SHOWN]),
        )
    yield from _twins(table)
    yield from _small(table, groups, target_precision, confidence)


def _twins(table: DoctorTable) -> Iterator[Finding]:
    twins = [found for found in spellings(label for label in table.raw_labels if label).values() if len(found) > 1]
    if not twins:
        return
    first = {label: row for row, label in reversed(list(enumerate(table.raw_labels)))}
    examples, renamed = [], {}
    for found in sorted(twins, key=lambda counts: -sum(counts.values())):
        name = str(table.labels[first[next(iter(found))]])
        renamed.update({label: name for label in found if label != name})
        said = ", ".join(f'"{label}" {n}' for label, n in found.most_common())
        examples.append(Example(tuple(table.places[first[label]] for label in found), name, said))
    n_rows = sum(label in renamed for label in table.raw_labels)
    yield Finding(
        Check.LABEL_TWINS,
        Severity.ERROR,
        len(twins),
        "labels",
        f"{counted(len(twins), 'label')} written in several ways, {counted(n_rows, 'row')} not in the commonest: "
        "case, spaces or Unicode forms",
        "Merge each into its commonest spelling (--fix does); a model learns twins as classes of their own.",
        tuple(examples),
        {"rows": n_rows, "renamed": renamed},
    )


def _small(table: DoctorTable, groups: Sequence[str], target_precision: float, confidence: float) -> Iterator[Finding]:
    counts = Counter(label for label, _ in {(label, group) for label, group in zip(table.labels, groups, strict=True) if label})
    needed = PrecisionCurve(confidence, sum(counts.values()), len(counts), {}).rows_needed(target_precision)
    small = sorted((n, label) for label, n in counts.items() if n < needed)
    if not small:
        return
    yield Finding(
        Check.SMALL_CLASSES,
        Severity.WARNING,
        len(small),
        "labels",
        f"{len(small)} of {len(counts)} classes with fewer than {needed} rows, near-duplicates counted once: even without an "
        f"error they cannot prove a precision of {target_precision:g} with {confidence:.0%} confidence",
        "Collect more rows, merge them into a neighbour, or let the model only recommend them.",
        tuple(Example((), label, counted(n, "row")) for n, label in small[:SHOWN_WRONG]),
        {"rows_needed": needed, "counts": {label: n for n, label in small}},
    )


def wrong_labels(table: DoctorTable, part: LabelledPart) -> Iterator[Finding]:
    """Yield the rows whose label is likely wrong, the most doubtful first."""
    ranked = part.doubts.ranked().tolist()
    if not ranked:
        return
    examples = []
    for place in ranked[:SHOWN_WRONG]:
        own, better = part.names[part.truth[place]], part.names[part.doubts.suggested[place]]
        note = f'labelled "{own}", looks like "{better}" ({part.doubts.confidence[place]:.2f})'
        examples.append(table.example([part.rows[place]], note))
    pairs = Counter((part.names[part.truth[place]], part.names[part.doubts.suggested[place]]) for place in ranked)
    yield Finding(
        Check.WRONG_LABELS,
        Severity.WARNING,
        len(ranked),
        "rows",
        f"{counted(len(ranked), 'row')} ({len(ranked) / len(part.rows):.1%}) more like another class than like their own",
        "Look through them, the most doubtful first; --fix flags them in doctor_flag and changes no label.",
        tuple(examples),
        {"pairs": [{"label": own, "suggested": better, "rows": n} for (own, better), n in pairs.most_common(SHOWN_WRONG)]},
    )


def overlapping_classes(part: LabelledPart) -> Iterator[Finding]:
    """Yield the pairs of classes that are taken for each other, in both directions, far above chance."""
    n_labels = len(part.names)
    predicted = part.doubts.probabilities.argmax(axis=1)
    counts = np.bincount(part.truth * n_labels + predicted, minlength=n_labels**2).reshape(n_labels, n_labels)
    sizes = counts.sum(axis=1)
    found = []
    for one in range(n_labels):
        for other in range(one + 1, n_labels):
            rates = [_least_rate(int(counts[a, b]), int(sizes[a])) for a, b in ((one, other), (other, one))]
            lift = _above_chance(counts, sizes, one, other)
            if min(rates) >= MUCH_CONFUSED and (lift >= MUCH_ABOVE_CHANCE or n_labels == 2):
                found.append((int(counts[one, other] + counts[other, one]), one, other, lift))
    if not found:
        return
    found.sort(reverse=True)
    pairs = [_pair(part.names, counts, sizes, one, other, lift=lift) for _, one, other, lift in found]
    yield Finding(
        Check.OVERLAPPING_CLASSES,
        Severity.WARNING,
        len(pairs),
        "label pairs",
        f"{counted(len(pairs), 'pair')} of classes that are taken for each other in both directions",
        "Merge them, or write down what tells them apart and label some rows of both again.",
        tuple(Example((), f"{pair['one']} / {pair['other']}", str(pair["said"])) for pair in pairs[:SHOWN]),
        {"pairs": pairs},
    )


def _least_rate(n: int, size: int) -> float:
    """Return the lower bound of the share n / size, one-sided, 90 % (Wilson, 1927, JASA 22)."""
    if not size:
        return 0.0
    share, z2 = n / size, _Z_90_ONE_SIDED**2
    spread = _Z_90_ONE_SIDED * math.sqrt(share * (1 - share) / size + z2 / (4 * size**2))
    return (share + z2 / (2 * size) - spread) / (1 + z2 / size)


def _above_chance(counts: NDArray[np.int_], sizes: NDArray[np.int_], one: int, other: int) -> float:
    """Return the pair's confusions over those to expect if each class's errors fell on the others by their size."""
    expected = 0.0
    for a, b in ((one, other), (other, one)):
        rest = int(sizes.sum() - sizes[a])
        expected += float(sizes[a] - counts[a, a]) * float(sizes[b]) / rest if rest else 0.0
    return float(counts[one, other] + counts[other, one]) / expected if expected else 0.0


def _pair(
    names: Sequence[str], counts: NDArray[np.int_], sizes: NDArray[np.int_], one: int, other: int, *, lift: float
) -> dict[str, object]:
    there, back = float(counts[one, other] / sizes[one]), float(counts[other, one] / sizes[other])
    said = f"{there:.0%} of the first taken for the second, {back:.0%} back; {lift:.1f} times chance"
    found = {"one": names[one], "other": names[other], "one_taken_for_other": there, "other_taken_for_one": back}
    return {**found, "times_chance": lift, "said": said}

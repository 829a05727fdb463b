"""How the rows changed over time: shares of labels, new and vanished labels, and the texts themselves."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from smarttriage.domain.doctor import Check, Example, Finding, Severity, Skipped, counted
from smarttriage.domain.errors import InvalidInput
from smarttriage.domain.instants import TimeReader, reader_for
from smarttriage.ports.cross_fitting import CrossFitter
from smarttriage.services.doctor_rows import SHOWN, DoctorTable

# Conventional bounds of the population stability index (Siddiqi, 2006, "Credit Risk Scorecards"): .1 some, .25 much change.
SOME_DRIFT, MUCH_DRIFT = 0.1, 0.25
# A classifier that tells first from last part above chance has found a change (Lopez-Paz and Oquab, 2017,
# arXiv:1610.06545); from where on it matters is a rule of thumb.
SOME_TEXT_DRIFT, MUCH_TEXT_DRIFT = 0.6, 0.75
# A label that is new with fewer rows than this may be chance: with a share of 5 / n it is absent from n rows in exp(-5).
FEW = 5
MIN_ROWS = 60


@dataclass(frozen=True, slots=True)
class Periods:
    """The first and the last third of the rows in the order of time; the middle is left out, so that a change shows.

    Attributes:
        first: Rows of the first third.
        last: Rows of the last third.
        said: From when to when each reaches, in words.
        unreadable: Rows whose time cannot be read.
    """

    first: Sequence[int]
    last: Sequence[int]
    said: str
    unreadable: Sequence[int]


def periods(table: DoctorTable, *, time_format: str | None) -> Periods:
    """Return the periods. Raises InvalidInput where the order of day and month cannot be told or too few times can be read."""
    reader = reader_for((time for time in table.times if time), zone=UTC, time_format=time_format)
    at: dict[int, datetime] = {}
    unreadable = []
    for row, time in enumerate(table.times):
        instant = _instant(reader, time)
        if instant is None:
            unreadable.append(row)
        elif table.texts[row].strip():
            at[row] = instant
    if len(at) < MIN_ROWS:
        raise InvalidInput(f"{len(at)} rows with a text and a time in {table.columns.time!r}; drift needs at least {MIN_ROWS}.")
    ordered = sorted(at, key=lambda row: (at[row], row))
    third = len(ordered) // 3
    first, last = ordered[:third], ordered[-third:]
    said = f"{at[first[0]].date()} to {at[first[-1]].date()} against {at[last[0]].date()} to {at[last[-1]].date()}"
    return Periods(first, last, said, unreadable)


def _instant(reader: TimeReader, text: str | None) -> datetime | None:
    try:
        return reader.read(text) if text and text.strip() else None
    except InvalidInput:
        return None  # counted by the caller


def stability_index(first: Sequence[str], last: Sequence[str]) -> float:
    """Return the population stability index of two samples of labels, half a row added to each label's count in both."""
    names = sorted({*first, *last})
    shares = []
    for sample in (first, last):
        counts = Counter(sample)
        smoothed = np.array([counts[name] + 0.5 for name in names])
        shares.append(smoothed / smoothed.sum())
    return float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())


def area_under_curve(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    """Return the AUC: the share of (positive, negative) pairs in the right order, ties half (Hanley and McNeil, 1982)."""
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    n_positive = int(positive.sum())
    n_pairs = n_positive * (len(scores) - n_positive)
    return float((ranks[positive].sum() - n_positive * (n_positive + 1) / 2) / n_pairs) if n_pairs else 0.5


@dataclass(frozen=True, slots=True)
class Drift:
    """Findings about time, figures measured, and what could not be measured."""

    findings: Sequence[Finding]
    measures: dict[str, float]
    skipped: Sequence[Skipped]


def drift(table: DoctorTable, *, fitter: CrossFitter, groups: Sequence[str], time_format: str | None, seed: int) -> Drift:
    """Return how first and last third differ; `groups` (one per row) keep near-duplicates on one side of a fold."""
    try:
        found = periods(table, time_format=time_format)
    except InvalidInput as error:
        checks = (Check.LABEL_DRIFT, Check.NEW_OR_VANISHED_LABELS, Check.TEXT_DRIFT)
        return Drift([], {}, [Skipped(check, error.message) for check in checks])
    labels = [[label for row in rows if (label := table.labels[row])] for rows in (found.first, found.last)]
    findings = [*_unreadable(table, found), *_changed_labels(labels[0], labels[1], found.said)]
    measures, skipped = {}, []
    if all(labels):
        measures["label_stability_index"] = stability_index(labels[0], labels[1])
        findings.extend(_label_drift(labels[0], labels[1], measures["label_stability_index"], found.said))
    try:
        measures["first_last_auc"] = _told_apart(table, found, fitter, groups, seed)
        findings.extend(_text_drift(len(found.first) + len(found.last), measures["first_last_auc"], found.said))
    except InvalidInput as error:
        skipped.append(Skipped(Check.TEXT_DRIFT, error.message))
    return Drift(findings, measures, skipped)


def _told_apart(table: DoctorTable, found: Periods, fitter: CrossFitter, groups: Sequence[str], seed: int) -> float:
    rows = [*found.first, *found.last]
    late = np.arange(len(rows)) >= len(found.first)
    told = fitter.probabilities(
        [table.texts[row] for row in rows], late.astype(np.int_), 2, groups=[groups[row] for row in rows], seed=seed
    )
    return area_under_curve(told[:, 1], late)


def _unreadable(table: DoctorTable, found: Periods) -> Iterator[Finding]:
    if found.unreadable:
        yield Finding(
            Check.UNREADABLE_TIMES,
            Severity.NOTE,
            len(found.unreadable),
            "rows",
            f"{counted(len(found.unreadable), 'row')} without a readable time in {table.columns.time!r}; drift is measured without them",
            "Give --time-format if the column is written in an uncommon way.",
            tuple(table.example([row], f'"{(table.times[row] or "")[:40]}"') for row in found.unreadable[:SHOWN]),
        )


def _changed_labels(first: Sequence[str], last: Sequence[str], said: str) -> Iterator[Finding]:
    before, after = Counter(first), Counter(last)
    new = {label: n for label, n in after.items() if n >= FEW and not before[label]}
    gone = {label: n for label, n in before.items() if n >= FEW and not after[label]}
    if new or gone:
        examples = [Example((), label, f"new: {counted(n, 'row')} in the last third") for label, n in sorted(new.items())]
        examples += [Example((), label, f"vanished: {counted(n, 'row')} in the first third") for label, n in sorted(gone.items())]
        yield Finding(
            Check.NEW_OR_VANISHED_LABELS,
            Severity.WARNING,
            len(new) + len(gone),
            "labels",
            f"{counted(len(new), 'new label')}, {counted(len(gone), 'vanished label')} ({said})",
            "If they were renamed, rename the older rows; do not train on labels that nobody uses any more.",
            tuple(examples),
            {"new": new, "vanished": gone},
        )


def _label_drift(first: Sequence[str], last: Sequence[str], index: float, said: str) -> Iterator[Finding]:
    if index < SOME_DRIFT:
        return
    shares = {label: (first.count(label) / len(first), last.count(label) / len(last)) for label in sorted({*first, *last})}
    moved = sorted(shares, key=lambda label: -abs(shares[label][1] - shares[label][0]))
    yield Finding(
        Check.LABEL_DRIFT,
        Severity.WARNING if index >= MUCH_DRIFT else Severity.NOTE,
        len(first) + len(last),
        "rows",
        f"The labels' shares changed: population stability index {index:.2f} ({said})",
        "Train on recent rows or weight them, and measure on the latest, not on a random part.",
        tuple(Example((), label, f"{shares[label][0]:.1%} then {shares[label][1]:.1%}") for label in moved[:SHOWN]),
        {"stability_index": index},
    )


def _text_drift(n_rows: int, auc: float, said: str) -> Iterator[Finding]:
    if auc < SOME_TEXT_DRIFT + _sampling_error(n_rows):
        return
    yield Finding(
        Check.TEXT_DRIFT,
        Severity.WARNING if auc >= MUCH_TEXT_DRIFT else Severity.NOTE,
        n_rows,
        "rows",
        f"A classifier tells texts of the first third from the last ones with an AUC of {auc:.2f}; .5 is chance ({said})",
        "Train on recent rows, and test by time (smarttriage backtest), not on a random part.",
        (),
        {"auc": auc},
    )


def _sampling_error(n_rows: int) -> float:
    """Return two standard errors of the AUC of two halves without a difference: variance (n + 1) / (12 * (n / 2) ** 2)."""
    return 2 * float(np.sqrt((n_rows + 1) / (3 * n_rows**2)))

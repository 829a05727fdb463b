"""The data doctor: labelled rows in, what is wrong with them out, and a plan for a fixed copy."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import numpy as np

from smarttriage.domain.courtesy import says_nothing
from smarttriage.domain.doctor import Check, Examination, Finding, FixPlan, Severity, Skipped
from smarttriage.domain.errors import InvalidInput
from smarttriage.domain.personal_data import DEFAULT_KINDS, PersonalData
from smarttriage.ports import Vectors
from smarttriage.ports.cross_fitting import CrossFitter
from smarttriage.services.doctor_drift import drift
from smarttriage.services.doctor_duplicates import clusters, duplicate_findings, joint_groups
from smarttriage.services.doctor_fix import Diagnosis, plan_fixes
from smarttriage.services.doctor_labels import LabelledPart, label_findings, overlapping_classes, wrong_labels
from smarttriage.services.doctor_rows import DoctorTable
from smarttriage.services.doctor_texts import text_findings
from smarttriage.services.label_errors import label_doubts, neighbour_votes
from smarttriage.services.training import Progress

# With fewer rows or rows of a class, what a model that never saw them says of them is noise.
MIN_ROWS = 50
MIN_ROWS_OF_CLASS = 5


@dataclass(frozen=True, slots=True)
class Instruments:
    """What the doctor works with.

    Attributes:
        fitter: Gives out-of-sample probabilities.
        keys: Texts -> one key each; equal keys say the same but for case, digits and white space.
        embed: Texts -> their vectors; None: no embedding, wrong labels are judged by words alone.
        progress: Told each step.
    """

    fitter: CrossFitter
    keys: Callable[[Sequence[str]], Sequence[str]]
    embed: Callable[[Sequence[str]], Vectors] | None
    progress: Progress


@dataclass(frozen=True, slots=True)
class DoctorOptions:
    """What the caller may choose.

    Attributes:
        target_precision: What the precision contract will promise for each class.
        confidence: How sure it is to be of that.
        personal_data: Kinds of personal data to look for, and to mask.
        mask_personal_data: Whether the fixed copy masks them.
        time_format: How the time column is written; None: found out.
        seed: Same rows and seed, same findings.
    """

    target_precision: float = 0.95
    confidence: float = 0.9
    personal_data: Collection[PersonalData] = field(default=DEFAULT_KINDS)
    mask_personal_data: bool = False
    time_format: str | None = None
    seed: int = 0


def examine(table: DoctorTable, instruments: Instruments, options: DoctorOptions) -> tuple[Examination, FixPlan]:
    """Return what was found, most severe first, and what a fixed copy would change."""
    progress, n_rows = instruments.progress, len(table.places)
    progress("texts", 0, n_rows)
    keys = instruments.keys(table.texts)
    findings = [*text_findings(table, keys=keys, kinds=options.personal_data)]
    progress("near-duplicates", 0, n_rows)
    found = clusters(table, keys)
    groups = joint_groups(table, found)
    findings += label_findings(table, groups=groups, target_precision=options.target_precision, confidence=options.confidence)
    findings += duplicate_findings(table, found, keys)
    measures: dict[str, float] = {}
    skipped: list[Skipped] = []
    part: LabelledPart | None = None
    try:
        part = judge_labels(table, groups, instruments, seed=options.seed)
        findings += [*wrong_labels(table, part), *overlapping_classes(part)]
        measures["agreement_with_labels"] = float((part.doubts.probabilities.argmax(axis=1) == part.truth).mean())
    except InvalidInput as error:
        skipped += [Skipped(check, error.message) for check in (Check.WRONG_LABELS, Check.OVERLAPPING_CLASSES)]
    if table.columns.time:
        progress("drift", 0, n_rows)
        changed = drift(table, fitter=instruments.fitter, groups=groups, time_format=options.time_format, seed=options.seed)
        findings += changed.findings
        skipped += changed.skipped
        measures |= changed.measures
    else:
        no_time = "no time column was named (--time-column)"
        skipped += [Skipped(check, no_time) for check in (Check.LABEL_DRIFT, Check.NEW_OR_VANISHED_LABELS, Check.TEXT_DRIFT)]
    mask = options.personal_data if options.mask_personal_data else ()
    plan = plan_fixes(table, Diagnosis(found, groups, part), mask=mask)
    n_labels = len({label for label in table.labels if label})
    return Examination(n_rows, n_labels, _by_severity(findings), skipped, measures), plan


def judge_labels(table: DoctorTable, groups: Sequence[str], instruments: Instruments, *, seed: int) -> LabelledPart:
    """Return the rows whose labels can be judged, and the doubts about them.

    Raises:
        InvalidInput: Too few rows or classes to hold some out.
    """
    counts = Counter(label for label, text in zip(table.labels, table.texts, strict=True) if label and not says_nothing(text))
    names = sorted(label for label, n in counts.items() if n >= MIN_ROWS_OF_CLASS)
    columns = {label: column for column, label in enumerate(names)}
    rows = [row for row, text in enumerate(table.texts) if table.labels[row] in columns and not says_nothing(text)]
    if len(rows) < MIN_ROWS or len(names) < 2:
        message = f"{len(rows)} rows in {len(names)} classes with {MIN_ROWS_OF_CLASS} rows or more: too few to judge labels by."
        raise InvalidInput(f"{message} At least {MIN_ROWS} rows in two classes are needed.", field="target")
    texts = [table.texts[row] for row in rows]
    truth = np.array([columns[str(table.labels[row])] for row in rows], dtype=np.int_)
    instruments.progress("cross-fit", 0, len(rows))
    told = instruments.fitter.probabilities(texts, truth, len(names), groups=[groups[row] for row in rows], seed=seed)
    votes = None
    if instruments.embed:
        vectors = instruments.embed(texts)
        instruments.progress("neighbours", 0, len(rows))
        votes = neighbour_votes(vectors, truth, len(names), seed=seed)
    return LabelledPart(rows, names, truth, label_doubts(told, truth, votes))


def _by_severity(findings: Sequence[Finding]) -> list[Finding]:
    order, checks = list(Severity), list(Check)
    return sorted(findings, key=lambda finding: (order.index(finding.severity), checks.index(finding.check)))

"""What a fixed copy changes: what is safe is done, what needs a person is flagged."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from smarttriage.domain.courtesy import says_nothing
from smarttriage.domain.doctor import ADDED_COLUMNS, FixPlan, Place, RowEdit
from smarttriage.domain.labels import tidy_label
from smarttriage.domain.personal_data import PersonalData, masked
from smarttriage.services.doctor_duplicates import exact_duplicates
from smarttriage.services.doctor_labels import LabelledPart
from smarttriage.services.doctor_rows import DoctorTable

FLAG, SUGGESTED, GROUP = ADDED_COLUMNS
LIKELY_WRONG = "likely wrong label"
CONFLICTING = "near-duplicates with different labels"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What the fixes need of an examination.

    Attributes:
        clusters: Rows of each cluster of near-duplicates.
        groups: One name per row; rows of a cluster or of one group of the caller's share it.
        part: Doubts about labels, None where they could not be computed.
    """

    clusters: Sequence[Sequence[int]]
    groups: Sequence[str]
    part: LabelledPart | None


def plan_fixes(table: DoctorTable, diagnosis: Diagnosis, *, mask: Collection[PersonalData] = ()) -> FixPlan:
    """Return what the fixed copy does to each row.

    Rows without text and repeated rows are dropped; labels get their twins' common name; white space around labels and texts
    is trimmed; personal data of the kinds in `mask` is masked. Labels that look wrong stay and are flagged in added columns.
    """
    repeated = exact_duplicates(table)
    flags = _flags(table, diagnosis)
    counts = Counter({**dict.fromkeys(_COUNTED, 0), "unreadable_rows_left_out": len(table.unreadable)})
    edits: dict[Place, RowEdit] = {}
    for row, place in enumerate(table.places):
        if all(says_nothing(cell) for cell in table.cells[row]) or row in repeated:
            counts["repeated_rows_dropped" if row in repeated else "empty_rows_dropped"] += 1
            edits[place] = RowEdit(drop=True)
            continue
        cells = {**_label_cell(table, row, counts), **_text_cells(table, row, mask, counts)}
        flag, suggested = flags.get(row, (None, None))
        counts["rows_flagged"] += flag is not None
        counts["rows_written"] += 1
        edits[place] = RowEdit(cells={**cells, FLAG: flag, SUGGESTED: suggested, GROUP: diagnosis.groups[row]})
    return FixPlan(edits, dict(counts))


_COUNTED = (
    "rows_written",
    "empty_rows_dropped",
    "repeated_rows_dropped",
    "unreadable_rows_left_out",
    "labels_merged",
    "labels_trimmed",
    "texts_trimmed",
    "texts_masked",
    "rows_flagged",
)


def _flags(table: DoctorTable, diagnosis: Diagnosis) -> dict[int, tuple[str, str | None]]:
    flags: dict[int, tuple[str, str | None]] = {}
    for rows in diagnosis.clusters:
        if len({table.labels[row] for row in rows} - {None}) > 1:
            flags.update(dict.fromkeys(rows, (CONFLICTING, None)))
    if part := diagnosis.part:
        for place in part.doubts.ranked().tolist():
            row = part.rows[place]
            reasons = [LIKELY_WRONG, *([CONFLICTING] if row in flags else [])]
            flags[row] = ("; ".join(reasons), part.names[part.doubts.suggested[place]])
    return flags


def _label_cell(table: DoctorTable, row: int, counts: Counter[str]) -> dict[str, str | None]:
    raw, label = table.raw_labels[row], table.labels[row]
    if raw is None or raw == label:
        return {}
    counts["labels_trimmed" if label is None or tidy_label(raw) == label else "labels_merged"] += 1
    return {table.columns.target: label}


def _text_cells(table: DoctorTable, row: int, mask: Collection[PersonalData], counts: Counter[str]) -> dict[str, str | None]:
    changed: dict[str, str | None] = {}
    for column, cell in zip(table.columns.texts, table.cells[row], strict=True):
        trimmed = cell.strip()
        safe = masked(trimmed, mask) if mask else trimmed
        counts["texts_trimmed"] += trimmed != cell
        counts["texts_masked"] += safe != trimmed
        if safe != cell:
            changed[column] = safe
    return changed

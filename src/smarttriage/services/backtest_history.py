"""A customer's export as a history: rows in the order of time, each with the instant from which its labels were known."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from smarttriage.domain.errors import InvalidInput
from smarttriage.domain.incident import TARGETS
from smarttriage.domain.instants import TimeReader, reader_for
from smarttriage.services.import_rows import CUSTOM, EMPTY_DATES, parse_map
from smarttriage.services.training import row_text


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of a table as it was read.

    Attributes:
        line: Where it starts in the file.
        values: Column -> text.
        problem: Why it cannot be read, or None.
    """

    line: int
    values: Mapping[str, str | None]
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column says what.

    Attributes:
        time: When the incident was reported.
        texts: Its text; of several the first is the title.
        targets: Target -> the column with its label.
        known_at: When the labels were settled; None: at once.
        resolution: What fixed it; None: not in the file.
    """

    time: str
    texts: tuple[str, ...]
    targets: Mapping[str, str]
    known_at: str | None = None
    resolution: str | None = None

    @classmethod
    def chosen(
        cls,
        *,
        pairs: Sequence[str],
        time: str | None,
        texts: Sequence[str],
        targets: Sequence[str],
        known_at: str | None,
        resolution: str | None,
    ) -> "Columns":
        """Return the columns: what was named outright, else what the "field=column" pairs of an import say.

        Raises:
            InvalidInput: No time, text or target column was named, or a pair is none.
        """
        mapping = parse_map(pairs)
        time = time or mapping.get("reported_at")
        found = tuple(texts) or tuple(mapping[field] for field in ("title", "description") if field in mapping)
        mapped = {field.removeprefix(CUSTOM): theirs for field, theirs in mapping.items() if _is_target(field)}
        wanted = {target: mapped.get(target, target) for target in targets} if targets else mapped
        if time is None:
            raise InvalidInput("Name the column with the time: --time-column COLUMN or --map reported_at=COLUMN.", field="time")
        if not found:
            raise InvalidInput("Name the column with the text: --text-column COLUMN or --map description=COLUMN.", field="text")
        if not wanted:
            raise InvalidInput("Name what to predict: --target COLUMN or --map category=COLUMN.", field="target")
        return cls(time, found, wanted, known_at or mapping.get("resolved_at"), resolution or mapping.get("resolution"))

    @property
    def named(self) -> tuple[str, ...]:
        """Every column that is read."""
        optional = [column for column in (self.known_at, self.resolution) if column]
        return tuple(dict.fromkeys([self.time, *self.texts, *self.targets.values(), *optional]))


@dataclass(frozen=True, slots=True)
class History:
    """n incidents in the order of time; of two at the same instant the one that stands first in the file comes first.

    Attributes:
        lines: Where each stands in the file.
        at: When each was reported, UTC.
        known_at: From when its labels and its resolution were known, never before `at`; None: never.
        texts: Model texts, none of them empty.
        labels: Target -> n labels, None where a row has none.
        resolutions: n resolutions, None where a row has none; None where the file says nothing of them.
        left_out: (line, reason) of every row that could not be used.
        corrected: (line, what was done) of rows that contradict themselves but are used.
        tied_lines: Lines of the rows whose instant another row shares; neither counts as earlier than the other.
    """

    lines: Sequence[int]
    at: Sequence[datetime]
    known_at: Sequence[datetime | None]
    texts: Sequence[str]
    labels: Mapping[str, Sequence[str | None]]
    resolutions: Sequence[str | None] | None
    left_out: Sequence[tuple[int, str]]
    corrected: Sequence[tuple[int, str]]
    tied_lines: Sequence[int]

    def sha256(self) -> str:
        """Return the hash of everything that a walk reads."""
        digest = hashlib.sha256(json.dumps(sorted(self.labels)).encode())
        for place, text in enumerate(self.texts):
            known_at = self.known_at[place]
            labels = [self.labels[target][place] for target in sorted(self.labels)]
            note = self.resolutions[place] if self.resolutions else None
            row = [self.at[place].isoformat(), known_at and known_at.isoformat(), text, *labels, note]
            digest.update(json.dumps(row).encode() + b"\n")
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class _Used:
    line: int
    at: datetime
    known_at: datetime | None
    text: str
    labels: Mapping[str, str | None]
    resolution: str | None


def read_history(rows: Iterable[TableRow], columns: Columns, *, zone: tzinfo = UTC, time_format: str | None = None) -> History:
    """Return the history in a table; each row that cannot be used is listed with its line and why.

    Raises:
        InvalidInput: No row is left, or the order of day and month cannot be told.
    """
    table = list(rows)
    instants = _reader(table, columns.time, zone, time_format)
    settled = _reader(table, columns.known_at, zone, time_format) if columns.known_at else None
    left_out: list[tuple[int, str]] = []
    corrected: list[tuple[int, str]] = []
    used: list[_Used] = []
    for row in table:
        try:
            used.append(_used(row, columns, instants, settled, lambda line, what: corrected.append((line, what))))
        except InvalidInput as error:
            left_out.append((row.line, error.message))
    if not used:
        first = f"; line {left_out[0][0]}: {left_out[0][1]}" if left_out else ""
        raise InvalidInput(f"None of the {len(table)} rows can be used{first}.", field="data")
    used.sort(key=lambda one: one.at)  # stable: ties stay in the order of the file
    shared = Counter(one.at for one in used)
    return History(
        lines=[one.line for one in used],
        at=[one.at for one in used],
        known_at=[one.known_at for one in used],
        texts=[one.text for one in used],
        labels={target: [one.labels[target] for one in used] for target in columns.targets},
        resolutions=[one.resolution for one in used] if columns.resolution else None,
        left_out=left_out,
        corrected=corrected,
        tied_lines=[one.line for one in used if shared[one.at] > 1],
    )


def _reader(table: Sequence[TableRow], column: str, zone: tzinfo, time_format: str | None) -> TimeReader:
    return reader_for((row.values.get(column) or "" for row in table), zone=zone, time_format=time_format)


def _used(
    row: TableRow, columns: Columns, instants: TimeReader, settled: TimeReader | None, correct: Callable[[int, str], None]
) -> _Used:
    if row.problem is not None:
        raise InvalidInput(row.problem)
    at = _instant(row, columns.time, instants)
    if at is None:
        raise InvalidInput(f"no time in column {columns.time!r}")
    text = row_text(row.values, columns.texts)
    if not text.strip():
        raise InvalidInput("no text")
    labels = {target: (row.values.get(column) or "").strip() or None for target, column in columns.targets.items()}
    if not any(labels.values()):
        raise InvalidInput("no label")
    known_at = _instant(row, columns.known_at, settled) if columns.known_at and settled else at
    if known_at is not None and known_at < at:
        correct(row.line, f"{columns.known_at} is before {columns.time}; its labels count as known from {columns.time}")
        known_at = at
    note = (row.values.get(columns.resolution) or "").strip() or None if columns.resolution else None
    return _Used(row.line, at, known_at, text, labels, note)


def _instant(row: TableRow, column: str, reader: TimeReader) -> datetime | None:
    text = (row.values.get(column) or "").strip()
    if text.casefold() in EMPTY_DATES:
        return None
    try:
        return reader.read(text)
    except InvalidInput as error:
        raise InvalidInput(f"column {column!r}: {error.message}") from None


def _is_target(field: str) -> bool:
    return field in TARGETS or field.startswith(CUSTOM)

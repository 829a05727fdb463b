"""What an examination of labelled rows finds: findings with examples, and what a fixed copy changes."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from smarttriage.domain.personal_data import masked

SCHEMA_VERSION = 1
SHOWN_CHARS = 100
ADDED_COLUMNS = ("doctor_flag", "doctor_suggested_label", "doctor_group")


class Severity(StrEnum):
    """How much a finding harms: an error makes a model or its score wrong, a warning worse; a note is worth knowing."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    def reaches(self, least: "Severity") -> bool:
        """Return whether this is at least as severe."""
        order = list(Severity)
        return order.index(self) <= order.index(least)


class Check(StrEnum):
    """What is looked for; the values are part of the JSON contract."""

    UNREADABLE_ROWS = "unreadable_rows"
    MISSING_LABELS = "missing_labels"
    EMPTY_TEXTS = "empty_texts"
    BOILERPLATE_TEXTS = "boilerplate_texts"
    CONSTANT_TEXTS = "constant_texts"
    BROKEN_CHARACTERS = "broken_characters"
    LABEL_TWINS = "label_twins"
    SMALL_CLASSES = "small_classes"
    WRONG_LABELS = "wrong_labels"
    OVERLAPPING_CLASSES = "overlapping_classes"
    EXACT_DUPLICATES = "exact_duplicates"
    NEAR_DUPLICATES = "near_duplicates"
    CONFLICTING_DUPLICATES = "conflicting_duplicates"
    PERSONAL_DATA = "personal_data"
    UNREADABLE_TIMES = "unreadable_times"
    LABEL_DRIFT = "label_drift"
    NEW_OR_VANISHED_LABELS = "new_or_vanished_labels"
    TEXT_DRIFT = "text_drift"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a row stands: its file and its line, counted from 1 as an editor does (in Parquet the number of the row)."""

    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Example:
    """Rows that show a finding.

    Attributes:
        places: Where they stand; empty where the finding is about labels, not rows.
        text: Beginning of the first one's text, or the label; personal data in it is masked.
        note: What is wrong with it.
    """

    places: tuple[Place, ...]
    text: str
    note: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of problem in the rows.

    Attributes:
        check: What was looked for.
        severity: How much it harms.
        n: How many `unit` it concerns.
        unit: "rows", "labels", "label pairs" or "clusters".
        message: What was found, one sentence with its figures.
        advice: What to do about it, one sentence.
        examples: The worst or first ones.
        details: Further figures by name; plain JSON values.
    """

    check: Check
    severity: Severity
    n: int
    unit: str
    message: str
    advice: str
    examples: tuple[Example, ...] = ()
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A check that could not run, and why."""

    check: Check
    reason: str


@dataclass(frozen=True, slots=True)
class Examination:
    """All that was found, most severe first.

    Attributes:
        n_rows: Rows that could be read.
        n_labels: Distinct labels, twins counted once.
        findings: The problems.
        skipped: Checks that could not run.
        measures: Figures that are worth knowing even where nothing is wrong, such as the population stability index.
    """

    n_rows: int
    n_labels: int
    findings: Sequence[Finding]
    skipped: Sequence[Skipped]
    measures: Mapping[str, float]

    def worst(self) -> Severity | None:
        """Return the severity of the worst finding, None where there is none."""
        return self.findings[0].severity if self.findings else None

    def as_json(self) -> dict[str, object]:
        """Return everything as plain JSON values."""
        return {"schema_version": SCHEMA_VERSION, **asdict(self)}


@dataclass(frozen=True, slots=True)
class RowEdit:
    """What the fixed copy does to one row: it is dropped, or some of its columns get another text (None: nothing)."""

    drop: bool = False
    cells: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FixPlan:
    """What a fixed copy changes.

    Attributes:
        edits: Place -> edit, for the rows that change.
        counts: What was done -> rows; the names are part of the JSON contract.
    """

    edits: Mapping[Place, RowEdit]
    counts: Mapping[str, int]


def counted(n: int, noun: str) -> str:
    """Return the number with its noun, for example "1 row" or "36,376 rows"."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def excerpt(text: str, n_chars: int = SHOWN_CHARS) -> str:
    """Return the beginning of a text on one line, personal data masked, nothing in it that moves a terminal's cursor."""
    flat = " ".join(masked(text[: 4 * n_chars]).split())
    shown = "".join(character if character.isprintable() else "\ufffd" for character in flat)
    return shown if len(shown) <= n_chars else f"{shown[: n_chars - 1]}…"

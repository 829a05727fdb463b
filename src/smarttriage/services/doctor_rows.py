"""The rows that the data doctor reads, with all they need to be found again."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from smarttriage.domain.doctor import Example, Place, excerpt
from smarttriage.domain.errors import InvalidInput
from smarttriage.domain.labels import canonical_names, spellings
from smarttriage.services.training import row_text

SHOWN = 5


@dataclass(frozen=True, slots=True)
class DoctorColumns:
    """Which columns are read.

    Attributes:
        target: The labels.
        texts: The text; of several the first is the title.
        group: Rows that share its value are kept together by the caller's own splits; None: no such column.
        time: When a row was made; None: no such column.
    """

    target: str
    texts: tuple[str, ...]
    group: str | None = None
    time: str | None = None

    @property
    def named(self) -> tuple[str, ...]:
        """Every column that must be there."""
        return tuple(dict.fromkeys([*self.texts, self.target, *(name for name in (self.group, self.time) if name)]))


@dataclass(frozen=True, slots=True)
class DoctorRow:
    """A row as it was read, nothing trimmed; `problem` says why it cannot be read, or None."""

    place: Place
    values: Mapping[str, str | None]
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class DoctorTable:
    """n rows that could be read, column by column.

    Attributes:
        columns: Where each of the following came from.
        places: Where each row stands.
        cells: The text cells of each row as written, in the order of `columns.texts`.
        texts: What a model would read of each row.
        raw_labels: The label cells as written; None for nothing.
        labels: The same with twins merged; None where there is no label.
        groups: The group cells; None where there is none.
        times: The time cells; None where there is none.
        unreadable: (place, why) of the rows that could not be read.
    """

    columns: DoctorColumns
    places: Sequence[Place]
    cells: Sequence[tuple[str, ...]]
    texts: Sequence[str]
    raw_labels: Sequence[str | None]
    labels: Sequence[str | None]
    groups: Sequence[str | None]
    times: Sequence[str | None]
    unreadable: Sequence[tuple[Place, str]] = field(default_factory=tuple)

    @classmethod
    def read(cls, rows: Iterable[DoctorRow], columns: DoctorColumns) -> "DoctorTable":
        """Return the table. Raises InvalidInput where no row can be read."""
        kept: list[DoctorRow] = []
        unreadable: list[tuple[Place, str]] = []
        for row in rows:
            if row.problem is None:
                kept.append(DoctorRow(row.place, {name: row.values.get(name) for name in columns.named}))
            else:
                unreadable.append((row.place, row.problem))
        if not kept:
            raise InvalidInput(f"There is no row to examine; {len(unreadable)} could not be read.", field="data")
        raw = [row.values[columns.target] for row in kept]
        names = canonical_names(spellings(label for label in raw if label))
        return cls(
            columns=columns,
            places=[row.place for row in kept],
            cells=[tuple(row.values[name] or "" for name in columns.texts) for row in kept],
            texts=[row_text(row.values, columns.texts) for row in kept],
            raw_labels=raw,
            labels=[names.get(label) if label else None for label in raw],
            groups=[row.values[columns.group] if columns.group else None for row in kept],
            times=[row.values[columns.time] if columns.time else None for row in kept],
            unreadable=unreadable,
        )

    def example(self, rows: Sequence[int], note: str) -> Example:
        """Return the rows as one example; the text is the first one's, and at most `SHOWN` places are named."""
        return Example(tuple(self.places[row] for row in rows[:SHOWN]), excerpt(self.texts[rows[0]]), note)

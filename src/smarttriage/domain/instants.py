"""Instants out of the texts that exports write them in: ISO 8601, epoch, and the usual dates; each column one way of writing."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from email.utils import parsedate_to_datetime

from smarttriage.domain.errors import InvalidInput

_EPOCH = re.compile(r"-?\d{9,11}(?:\.\d+)?|-?\d{12,14}")
_UTC_NAMED = re.compile(r"(.+?) ?(?:UTC|GMT)$")
_MILLISECONDS_FROM = 100_000_000_000
_DATES = (
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d.%m.%Y",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d.%m.%y",
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%d %b %Y",
    "%d-%b-%Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
)
_CLOCKS = ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p")
_TIMES = ("", *(f"{between}{clock}" for between in (" ", ", ") for clock in _CLOCKS))
# The same date with day and month the other way round.
_TWINS = (("%d/%m/%Y", "%m/%d/%Y"), ("%d-%m-%Y", "%m-%d-%Y"), ("%d/%m/%y", "%m/%d/%y"))
# Texts on which formats are tried at first; the order of day and month is settled on all of them.
_SAMPLE = 200


@dataclass(frozen=True, slots=True)
class TimeReader:
    """Reads the instants of one column.

    Attributes:
        zone: What a time without an offset is meant in.
        formats: `strptime` formats to try, in order, where a text is neither ISO 8601, epoch nor an e-mail date.
        only_formats: Whether the formats were given by a person, so that nothing else is tried.
    """

    zone: tzinfo = UTC
    formats: tuple[str, ...] = ()
    only_formats: bool = False

    def read(self, text: str) -> datetime:
        """Return the UTC instant. Raises InvalidInput naming the text."""
        stripped = text.strip()
        named = None if self.only_formats else _UTC_NAMED.fullmatch(stripped)
        found = None if self.only_formats else _standard(stripped)
        found = found or _by_formats(stripped, self.formats) or (_in_utc(named[1], self.formats) if named else None)
        if found is None:
            known = ", ".join(self.formats) if self.only_formats else "ISO 8601, epoch seconds or a common date"
            raise InvalidInput(f'"{stripped[:40]}" is no time ({known})', field="time")
        try:
            return (found if found.tzinfo else found.replace(tzinfo=self.zone)).astimezone(UTC)
        except (OverflowError, ValueError):
            raise InvalidInput(f'"{stripped[:40]}" lies outside the years that can be computed with', field="time") from None


def reader_for(texts: Iterable[str], *, zone: tzinfo, time_format: str | None = None) -> TimeReader:
    """Return the reader of a column: with `time_format` that one only, else what reads most of the texts.

    A column has one order of day and month, so all its texts decide together: one "25/12/2026" settles the other rows.

    Raises:
        InvalidInput: Day and month could be either way round in every row.
    """
    if time_format:
        return TimeReader(zone, (time_format,), only_formats=True)
    bare = (_UTC_NAMED.sub(r"\1", text.strip()) for text in texts)
    odd = list(dict.fromkeys(text for text in bare if text and _standard(text) is None))
    sample = odd[:: max(1, len(odd) // _SAMPLE)]
    plausible = [date for date in _DATES if any(_by_formats(text, _with_times(date)) for text in sample)]
    n_read = {date: sum(_by_formats(text, _with_times(date)) is not None for text in odd) for date in plausible}
    for date, twin in _TWINS:
        if date in n_read and n_read[date] == n_read.get(twin):
            message = f'day and month cannot be told apart ("{odd[0]}"): give --time-format "{date} %H:%M" or "{twin} %H:%M"'
            raise InvalidInput(message, field="time_format")
    lost = {min(pair, key=lambda date: n_read.get(date, 0)) for pair in _TWINS}
    dates = sorted(set(n_read) - lost, key=lambda date: (-n_read[date], _DATES.index(date)))
    return TimeReader(zone, tuple(form for date in dates for form in _with_times(date)))


def _in_utc(text: str, formats: Sequence[str]) -> datetime | None:
    """Return the instant of a text behind which "UTC" stood, as status pages and cloud consoles write it."""
    found = _standard(text) or _by_formats(text, formats)
    return found.replace(tzinfo=UTC) if found and found.tzinfo is None else None


def _with_times(date: str) -> tuple[str, ...]:
    return tuple(f"{date}{time}" for time in _TIMES)


def _standard(text: str) -> datetime | None:
    if _EPOCH.fullmatch(text):
        seconds = float(text)
        try:
            return datetime.fromtimestamp(seconds / 1_000 if abs(seconds) >= _MILLISECONDS_FROM else seconds, UTC)
        except (OverflowError, OSError, ValueError):
            return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    try:
        return parsedate_to_datetime(text) if "," in text else None
    except (ValueError, TypeError, IndexError):
        return None


def _by_formats(text: str, formats: Sequence[str]) -> datetime | None:
    for form in formats:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007 - the caller adds the column's zone
        except ValueError:
            continue
    return None

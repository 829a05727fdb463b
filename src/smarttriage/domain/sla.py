"""Business time: when a deadline falls due across nights, weekends, holidays and changes of the clock."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from smarttriage.domain.configuration import Section
from smarttriage.domain.errors import ConfigurationError, InvalidInput

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# A calendar that has no open hour for this long has been mistyped; the loop must not run for ever.
LONGEST_CLOSURE_DAYS = 366
_DAY_MINUTES = 24 * 60
MAX_REMEMBERED_DAYS = 4_000


@dataclass(frozen=True, slots=True)
class BusinessCalendar:
    """Opening hours in local time.

    Attributes:
        zone: The site's time zone; nights and weekends are its nights and weekends.
        hours: For each weekday (0 is Monday) the open spans as minutes after local midnight, in order, not overlapping.
        holidays: Days on which nothing is open -> their name.
        business_day_minutes: What "one business day" in a target is worth.
    """

    zone: ZoneInfo
    hours: tuple[tuple[tuple[int, int], ...], ...]
    holidays: Mapping[date, str]
    business_day_minutes: int
    # A report asks for the same few hundred days of a year 100,000 times.
    _days: dict[date, tuple[tuple[datetime, datetime], ...]] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def from_section(cls, section: Section) -> "BusinessCalendar":
        """Return the checked calendar of the table [calendar]."""
        section.only(["time_zone", "business_day", "holidays", "hours"])
        hours = section.table("hours")
        hours.only(WEEKDAYS)
        spans = tuple(_spans(hours, day) for day in WEEKDAYS)
        if not any(spans):
            section.fail("hours", 'is closed all week; open at least one day, for example monday = ["09:00-17:00"]')
        holidays = {}
        for day in section.tables("holidays"):
            day.only(["date", "name"])
            holidays[day.date("date")] = day.text("name")
        return cls(_zone(section), spans, holidays, section.minutes("business_day"))

    def add(self, start: datetime, elapsed: timedelta) -> datetime:
        """Return the UTC instant at which `elapsed` business time has passed since `start`.

        A start outside the hours counts from the next opening; a deadline that falls on a closing time is that closing time.
        Hours are real time: a day on which the clock changes inside the hours is longer or shorter by that change.

        Raises:
            InvalidInput: `start` has no time zone or `elapsed` is negative.
            ConfigurationError: nothing is open for a year.
        """
        start = _utc(start)
        if elapsed < timedelta(0):
            raise InvalidInput(f"elapsed is {elapsed}; a duration must not be negative", field="elapsed")
        left = elapsed
        for opens, closes in self._open_from(start):
            begin = max(opens, start)
            if begin + left <= closes:
                return begin + left
            left -= closes - begin
        raise AssertionError("unreachable: _open_from ends only by raising")

    def between(self, start: datetime, end: datetime) -> timedelta:
        """Return the business time from `start` to `end`; zero if `end` is not after `start`."""
        start, end = _utc(start), _utc(end)
        total = timedelta(0)
        first, last = self._local_day(start), self._local_day(end)
        for offset in range((last - first).days + 1):
            for opens, closes in self._day(first + timedelta(days=offset)):
                total += max(timedelta(0), min(closes, end) - max(opens, start))
        return total

    def _local_day(self, instant: datetime) -> date:
        return instant.astimezone(self.zone).date()

    def _open_from(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Yield the open spans (UTC) that end after `start`, in order, without end."""
        day, closed = self._local_day(start), 0
        while closed <= LONGEST_CLOSURE_DAYS:
            closed += 1
            for opens, closes in self._day(day):
                if closes > start:
                    closed = 0
                    yield opens, closes
            day += timedelta(days=1)
        raise ConfigurationError(
            f"the business calendar has no open hour in the {LONGEST_CLOSURE_DAYS} days before {day}; check hours and holidays"
        )

    def _day(self, day: date) -> tuple[tuple[datetime, datetime], ...]:
        """Return the open spans (UTC) of a day."""
        found = self._days.get(day)
        if found is None:
            if len(self._days) >= MAX_REMEMBERED_DAYS:
                self._days.clear()
            found = self._days[day] = () if day in self.holidays else tuple(self._spans_of(day))
        return found

    def _spans_of(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        for first, last in self.hours[day.weekday()]:
            opens, closes = self._instant(day, first), self._instant(day, last)
            if closes > opens:
                yield opens, closes

    def _instant(self, day: date, minutes: int) -> datetime:
        """Return local wall time as UTC: of a time that comes twice the first, for one that the clock skips the moment of the change."""
        whole, rest = divmod(minutes, _DAY_MINUTES)
        wall = datetime.combine(day + timedelta(days=whole), time(rest // 60, rest % 60), self.zone)
        late, early = wall.astimezone(UTC), wall.replace(fold=1).astimezone(UTC)
        return late if early >= late else self._change_between(early, late)

    def _change_between(self, before: datetime, after: datetime) -> datetime:
        """Return the first whole second of (before, after] at which the clock shows the offset of `after`."""
        offset = after.astimezone(self.zone).utcoffset()
        while after - before > timedelta(seconds=1):
            middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
            if middle.astimezone(self.zone).utcoffset() == offset:
                after = middle
            else:
                before = middle
        return after


def _utc(instant: datetime) -> datetime:
    """Return the instant in UTC: Python's arithmetic inside one zone counts wall time, which is wrong when the clock changes."""
    if instant.tzinfo is None:
        raise InvalidInput(f"{instant.isoformat()} has no time zone; add one, for example +00:00")
    return instant.astimezone(UTC)


def _zone(section: Section) -> ZoneInfo:
    name = section.text("time_zone")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        section.fail("time_zone", f'is "{name}", which is no IANA time zone; write for example "Europe/Berlin" or "UTC"')


def _spans(section: Section, day: str) -> tuple[tuple[int, int], ...]:
    spans: list[tuple[int, int]] = []
    for text in section.texts(day):
        match = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)", text)
        first, last = (int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])) if match else (0, 0)
        if not first < last <= _DAY_MINUTES:
            section.fail(
                day, f'"{text}" is no span of hours; write for example "09:00-17:00" (the end after the start, at most 24:00)'
            )
        position = bisect_right(spans, (first, last))
        spans.insert(position, (first, last))
    for (_, closes), (opens, _) in pairwise(spans):
        if opens < closes:
            section.fail(day, "has spans that overlap; join them into one")
    return tuple(spans)

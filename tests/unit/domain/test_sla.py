"""Deadlines across nights, weekends, holidays and changes of the clock: properties in five zones, and examples worked by hand."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from smarttriage.domain.errors import ConfigurationError, InvalidInput
from smarttriage.domain.sla import BusinessCalendar

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC")
# Changes of the clock in 2026 and 2027 lie inside; Lord Howe's move by 30 minutes.
FIRST = date(2026, 1, 1)
NIGHT_CHANGES = [date(2026, 3, 8), date(2026, 3, 29), date(2026, 4, 5), date(2026, 10, 4), date(2026, 10, 25), date(2026, 11, 1)]
ALWAYS = ((0, 1440),)
OFFICE = ((540, 1020),)


def calendar(
    hours: tuple[tuple[tuple[int, int], ...], ...], zone: str = "Europe/Berlin", holidays: tuple[date, ...] = ()
) -> BusinessCalendar:
    return BusinessCalendar(ZoneInfo(zone), hours, dict.fromkeys(holidays, "holiday"), 480)


def week(
    spans: tuple[tuple[int, int], ...], weekend: tuple[tuple[int, int], ...] = ()
) -> tuple[tuple[tuple[int, int], ...], ...]:
    return (spans,) * 5 + (weekend,) * 2


@st.composite
def spans(draw: st.DrawFn) -> tuple[tuple[int, int], ...]:
    """Return 0 to 3 spans in order: noon breaks, hours that begin or end inside 01:00-03:00, touching spans, whole days."""
    edges = st.one_of(st.integers(0, 1440), st.sampled_from([0, 60, 90, 120, 135, 150, 180, 540, 720, 780, 1020, 1440]))
    bounds = sorted(draw(st.lists(edges, min_size=0, max_size=6, unique=True)))
    pairs = list(zip(bounds[::2], bounds[1::2], strict=False))
    if len(pairs) == 2 and draw(st.booleans()):
        pairs = [(pairs[0][0], pairs[1][0]), pairs[1]]
    return tuple(pairs)


@st.composite
def calendars(draw: st.DrawFn) -> BusinessCalendar:
    hours = draw(st.one_of(st.tuples(*[spans()] * 7), spans().map(lambda day: (day,) * 7)))
    assume(sum(last - first for day in hours for first, last in day) >= 60)
    holidays = draw(st.lists(st.one_of(st.dates(FIRST, date(2027, 12, 31)), st.sampled_from(NIGHT_CHANGES)), max_size=5))
    return calendar(hours, draw(st.sampled_from(ZONES)), tuple(holidays))


@st.composite
def instants(draw: st.DrawFn) -> datetime:
    """Return an aware instant, often near a change of the clock, told in any of the zones."""
    day = draw(st.one_of(st.dates(FIRST, date(2027, 6, 30)), st.sampled_from(NIGHT_CHANGES)))
    minute = draw(st.integers(-1440, 2880))
    instant = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(
        minutes=minute, seconds=draw(st.sampled_from([0, 0, 1, 59]))
    )
    return instant.astimezone(ZoneInfo(draw(st.sampled_from(ZONES))))


DURATIONS = st.one_of(st.integers(0, 600), st.integers(0, 12_000)).map(lambda minutes: timedelta(minutes=minutes))


def opening_of(cal: BusinessCalendar, instant: datetime) -> datetime:
    """Return the instant, or the next opening where it stands on a closing time."""
    return cal.add(instant, timedelta(0))


@given(cal=calendars(), start=instants(), longer=DURATIONS, shorter=DURATIONS)
def test_longer_target_is_never_due_earlier(
    cal: BusinessCalendar, start: datetime, longer: timedelta, shorter: timedelta
) -> None:
    shorter, longer = sorted((shorter, longer))
    assert cal.add(start, shorter) <= cal.add(start, longer)


@given(cal=calendars(), first=instants(), second=instants(), elapsed=DURATIONS)
def test_later_start_is_never_due_earlier(cal: BusinessCalendar, first: datetime, second: datetime, elapsed: timedelta) -> None:
    first, second = sorted((first.astimezone(UTC), second.astimezone(UTC)))
    assert cal.add(first, elapsed) <= cal.add(second, elapsed)


@given(cal=calendars(), start=instants(), elapsed=DURATIONS)
def test_time_between_start_and_deadline_is_the_target(cal: BusinessCalendar, start: datetime, elapsed: timedelta) -> None:
    assert cal.between(start, cal.add(start, elapsed)) == elapsed


@given(cal=calendars(), start=instants(), one=DURATIONS, two=DURATIONS)
def test_two_steps_lead_where_one_does(cal: BusinessCalendar, start: datetime, one: timedelta, two: timedelta) -> None:
    together, stepwise = cal.add(start, one + two), cal.add(cal.add(start, one), two)
    assert opening_of(cal, together) == opening_of(cal, stepwise)


@given(cal=calendars(), points=st.tuples(instants(), instants(), instants()))
def test_time_between_adds_up_over_a_point_in_the_middle(
    cal: BusinessCalendar, points: tuple[datetime, datetime, datetime]
) -> None:
    first, middle, last = sorted(point.astimezone(UTC) for point in points)
    assert cal.between(first, last) == cal.between(first, middle) + cal.between(middle, last)


@given(cal=calendars(), start=instants(), elapsed=DURATIONS)
def test_deadline_stands_inside_the_hours_and_on_no_holiday(cal: BusinessCalendar, start: datetime, elapsed: timedelta) -> None:
    due = cal.add(start, elapsed)
    assert due >= start
    assert due.tzinfo is UTC
    second = timedelta(seconds=1)
    open_before, open_after = cal.between(due - second, due), cal.between(due, due + second)
    assert open_before + open_after > timedelta(0)
    assert elapsed == timedelta(0) or open_before > timedelta(0)
    # An opening counts as the day it begins, a closing at 24:00 as the day that ends.
    moment = due if open_after else due - second
    assert moment.astimezone(cal.zone).date() not in cal.holidays


@given(start=instants(), elapsed=DURATIONS, zone=st.sampled_from(ZONES))
def test_round_the_clock_is_plain_time_whatever_the_clocks_do(start: datetime, elapsed: timedelta, zone: str) -> None:
    cal = calendar((ALWAYS,) * 7, zone)
    assert cal.add(start, elapsed) == start.astimezone(UTC) + elapsed
    assert cal.between(start, start.astimezone(UTC) + elapsed) == elapsed


@given(cal=calendars(), start=instants(), elapsed=DURATIONS, zone=st.sampled_from(ZONES))
def test_zone_in_which_the_caller_tells_the_time_changes_nothing(
    cal: BusinessCalendar, start: datetime, elapsed: timedelta, zone: str
) -> None:
    assert cal.add(start.astimezone(ZoneInfo(zone)), elapsed) == cal.add(start.astimezone(UTC), elapsed)


@given(cal=calendars(), one=instants(), two=instants())
@settings(max_examples=50)
def test_time_between_is_never_more_than_real_time_and_zero_backwards(
    cal: BusinessCalendar, one: datetime, two: datetime
) -> None:
    first, last = sorted((one.astimezone(UTC), two.astimezone(UTC)))
    assert timedelta(0) <= cal.between(first, last) <= last - first
    assert cal.between(last, first) == timedelta(0)


def berlin(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin"), fold=fold)


CHRISTMAS = (date(2026, 12, 25), date(2027, 1, 1))
BREAK = ((480, 720), (780, 1020))
# (hours of a working day, hours of a weekend day, start, business minutes, due), all on Berlin's clock
EXAMPLES = [
    pytest.param(OFFICE, (), "2026-11-20T16:30", 60, "2026-11-23T09:30", id="Friday 16:30 and one hour is Monday 09:30"),
    pytest.param(OFFICE, (), "2026-11-20T16:30", 30, "2026-11-20T17:00", id="a closing time stays the closing time"),
    pytest.param(OFFICE, (), "2026-11-21T12:00", 60, "2026-11-23T10:00", id="Saturday counts from Monday"),
    pytest.param(OFFICE, (), "2026-11-23T03:00", 60, "2026-11-23T10:00", id="night counts from the opening"),
    pytest.param(OFFICE, (), "2026-11-23T22:00", 60, "2026-11-24T10:00", id="evening counts from the next opening"),
    pytest.param(OFFICE, (), "2026-11-23T09:00", 3 * 480, "2026-11-25T17:00", id="three business days from Monday morning"),
    pytest.param(OFFICE, (), "2026-11-23T10:00", 5 * 480, "2026-11-30T10:00", id="five business days are a week"),
    pytest.param(OFFICE, (), "2026-12-24T16:00", 120, "2026-12-28T10:00", id="Christmas Day and the weekend are passed over"),
    pytest.param(OFFICE, (), "2026-12-25T10:00", 60, "2026-12-28T10:00", id="a start on the holiday counts from the next day"),
    pytest.param(OFFICE, (), "2026-12-31T16:30", 60, "2027-01-04T09:30", id="New Year"),
    pytest.param(BREAK, (), "2026-11-23T11:30", 60, "2026-11-23T13:30", id="the noon break does not count"),
    pytest.param(BREAK, (), "2026-11-23T12:30", 60, "2026-11-23T14:00", id="a start in the noon break counts from its end"),
    pytest.param(OFFICE, (), "2026-03-27T16:00", 120, "2026-03-30T10:00", id="office hours over the spring change are the same"),
    pytest.param(OFFICE, (), "2026-10-23T16:00", 120, "2026-10-26T10:00", id="office hours over the autumn change are the same"),
    pytest.param(ALWAYS, ALWAYS, "2026-03-28T20:00", 480, "2026-03-29T05:00", id="eight hours over the spring change"),
    pytest.param(ALWAYS, ALWAYS, "2026-10-24T20:00", 480, "2026-10-25T03:00", id="eight hours over the autumn change"),
    pytest.param(ALWAYS, ALWAYS, "2026-03-29T00:00", 23 * 60, "2026-03-30T00:00", id="the day of the spring change has 23 hours"),
    pytest.param(ALWAYS, ALWAYS, "2026-10-25T00:00", 25 * 60, "2026-10-26T00:00", id="the day of the autumn change has 25 hours"),
    pytest.param(
        (), ((60, 240),), "2026-03-29T00:00", 120, "2026-03-29T04:00", id="a night shift of three hours has two in spring"
    ),
    pytest.param((), ((60, 240),), "2026-10-25T00:00", 240, "2026-10-25T04:00", id="and four in autumn"),
    pytest.param(
        (), ((60, 150),), "2026-03-29T00:00", 60, "2026-03-29T03:00", id="hours that end in the skipped hour end at the change"
    ),
    pytest.param((), ((150, 240),), "2026-03-29T00:00", 60, "2026-03-29T04:00", id="hours that begin in it begin at the change"),
    pytest.param((), ((120, 150), (180, 240)), "2026-03-29T00:00", 30, "2026-03-29T03:30", id="hours inside it do not exist"),
]


@pytest.mark.parametrize(("working", "weekend", "start", "minutes", "due"), EXAMPLES)
def test_example_worked_by_hand(
    working: tuple[tuple[int, int], ...], weekend: tuple[tuple[int, int], ...], start: str, minutes: int, due: str
) -> None:
    cal = calendar(week(working, weekend), holidays=CHRISTMAS)
    elapsed = timedelta(minutes=minutes)
    assert cal.add(berlin(start), elapsed) == berlin(due).astimezone(UTC)
    assert cal.between(berlin(start), berlin(due)) == elapsed


def test_hour_that_comes_twice_is_told_apart() -> None:
    cal = calendar(week(ALWAYS, ALWAYS))
    first, second = berlin("2026-10-25T02:30"), berlin("2026-10-25T02:30", fold=1)
    assert cal.between(first, second) == timedelta(hours=1)
    assert cal.add(first, timedelta(hours=1)) == second.astimezone(UTC)


def test_half_hour_change_of_lord_howe_makes_a_day_half_an_hour_longer() -> None:
    cal = calendar(week(ALWAYS, ALWAYS), "Australia/Lord_Howe")
    zone = ZoneInfo("Australia/Lord_Howe")
    assert cal.between(datetime(2026, 4, 5, tzinfo=zone), datetime(2026, 4, 6, tzinfo=zone)) == timedelta(hours=24.5)
    assert cal.between(datetime(2026, 10, 4, tzinfo=zone), datetime(2026, 10, 5, tzinfo=zone)) == timedelta(hours=23.5)


def test_deadline_is_told_in_utc() -> None:
    assert calendar(week(OFFICE)).add(berlin("2026-11-23T09:00"), timedelta(hours=1)).isoformat() == "2026-11-23T09:00:00+00:00"


def test_no_time_leads_to_the_next_moment_that_is_open() -> None:
    cal = calendar(week(OFFICE))
    assert cal.add(berlin("2026-11-23T10:00"), timedelta(0)) == berlin("2026-11-23T10:00")
    assert cal.add(berlin("2026-11-20T17:00"), timedelta(0)) == berlin("2026-11-23T09:00")


def test_time_without_a_zone_is_refused() -> None:
    cal, naive = calendar(week(OFFICE)), datetime(2026, 11, 23, 10)  # noqa: DTZ001 - that is what is refused
    with pytest.raises(InvalidInput, match="2026-11-23T10:00:00 has no time zone; add one, for example"):
        cal.add(naive, timedelta(hours=1))
    with pytest.raises(InvalidInput, match="no time zone"):
        cal.between(naive, berlin("2026-11-23T10:00"))
    with pytest.raises(InvalidInput, match="no time zone"):
        cal.between(berlin("2026-11-23T10:00"), naive)


def test_negative_duration_is_refused() -> None:
    with pytest.raises(InvalidInput, match="must not be negative"):
        calendar(week(OFFICE)).add(berlin("2026-11-23T10:00"), timedelta(minutes=-1))


def test_calendar_that_is_closed_for_a_year_is_refused() -> None:
    closed = tuple(date(2026, 11, 1) + timedelta(days=offset) for offset in range(400))
    with pytest.raises(ConfigurationError, match=r"no open hour in the 366 days before .*; check hours and holidays"):
        calendar(week(OFFICE), holidays=closed).add(berlin("2026-11-23T10:00"), timedelta(hours=1))


def test_closure_of_some_months_is_waited_out() -> None:
    closed = tuple(date(2026, 11, 23) + timedelta(days=offset) for offset in range(100))
    due = calendar(week(OFFICE), holidays=closed).add(berlin("2026-11-23T10:00"), timedelta(hours=1))
    assert due == berlin("2027-03-03T10:00")

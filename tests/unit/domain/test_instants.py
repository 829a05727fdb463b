from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from smarttriage.domain.errors import InvalidInput
from smarttriage.domain.instants import TimeReader, reader_for

BERLIN = ZoneInfo("Europe/Berlin")
AT = datetime(2026, 2, 1, 13, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-01T13:05:00Z",
        "2026-02-01 13:05",
        " 2026-02-01T05:05:00.000-08:00 ",
        "20260201T130500",
        str(int(AT.timestamp())),
        f"{AT.timestamp() * 1000:.0f}",
        f"{AT.timestamp()}",
        "Sun, 01 Feb 2026 13:05:00 +0000",
    ],
)
def test_iso_epoch_and_mail_dates_are_read_by_themselves(text: str) -> None:
    assert TimeReader().read(text) == AT


@pytest.mark.parametrize(
    "text",
    [
        "13/02/2026 13:05",
        "2/13/2026 1:05 PM",
        "13.02.2026 13:05:00",
        "13-Feb-2026 13:05",
        "Feb 13, 2026 13:05",
        "2026/02/13 13:05:00",
        "2026-02-13 1:05 PM",
        "2/13/26 1:05 PM",
        "13.02.26 13:05",
        "13/02/2026, 13:05:00",
        "2/13/2026, 1:05:00 PM",
        "2026-02-13 13:05 UTC",
        "13-Feb-2026 13:05 GMT",
    ],
)
def test_common_dates_are_recognised(text: str) -> None:
    assert reader_for([text], zone=UTC).read(text) == datetime(2026, 2, 13, 13, 5, tzinfo=UTC)


def test_one_row_settles_the_order_of_day_and_month_for_all() -> None:
    assert reader_for(["01/02/2026", "25/12/2026"], zone=UTC).read("01/02/2026") == datetime(2026, 2, 1, tzinfo=UTC)
    assert reader_for(["01/02/2026", "12/25/2026 8:00 AM"], zone=UTC).read("01/02/2026") == datetime(2026, 1, 2, tzinfo=UTC)


def test_day_and_month_that_cannot_be_told_apart_are_asked_for() -> None:
    with pytest.raises(InvalidInput, match="--time-format"):
        reader_for(["01/02/2026", "03/04/2026"], zone=UTC)
    reader = reader_for(["01/02/2026"], zone=UTC, time_format="%d/%m/%Y")
    assert reader.read("01/02/2026") == datetime(2026, 2, 1, tzinfo=UTC)
    with pytest.raises(InvalidInput, match="%d/%m/%Y"):
        reader.read("2026-02-01")


def test_a_row_of_the_losing_order_is_refused_rather_than_read_the_other_way_round() -> None:
    reader = reader_for(["25/12/2026", "26/12/2026", "12/27/2026"], zone=UTC)
    with pytest.raises(InvalidInput, match='"12/27/2026" is no time'):
        reader.read("12/27/2026")


def test_a_time_without_an_offset_is_meant_in_the_zone_and_one_with_an_offset_is_not() -> None:
    reader = TimeReader(BERLIN)
    assert reader.read("2026-07-01 12:00") == datetime(2026, 7, 1, 10, tzinfo=UTC)
    assert reader.read("2026-01-01 12:00") == datetime(2026, 1, 1, 11, tzinfo=UTC)
    assert reader.read("2026-07-01 12:00+00:00") == datetime(2026, 7, 1, 12, tzinfo=UTC)


def test_utc_behind_a_time_goes_before_the_zone_of_the_file() -> None:
    assert reader_for(["2026-07-01 12:00 UTC"], zone=BERLIN).read("2026-07-01 12:00 UTC") == datetime(2026, 7, 1, 12, tzinfo=UTC)
    assert reader_for(["1/31/2026 8:00 AM UTC"], zone=BERLIN).read("1/31/2026 8:00 AM UTC") == datetime(
        2026, 1, 31, 8, tzinfo=UTC
    )


def test_the_hour_that_comes_twice_is_the_first_and_the_one_that_is_skipped_is_no_failure() -> None:
    reader = TimeReader(BERLIN)
    assert reader.read("2026-10-25 02:30") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert reader.read("2026-03-29 02:30") == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01", "0001-01-01", "12345", "32/01/2026", ",", "Mon, nonsense"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        TimeReader(BERLIN).read(text)

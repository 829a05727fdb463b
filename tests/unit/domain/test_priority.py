"""The matrix and its targets: the shipped ones cell by cell, those of ServiceNow and GLPI, and what the loader refuses."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smarttriage.domain.errors import ConfigurationError
from smarttriage.domain.priority import PriorityPolicy, SlaClock

KB = Path(__file__).parents[3] / "kb"
DAY = 8 * 60
Values = dict[str, Any]


def load(path: Path) -> PriorityPolicy:
    return PriorityPolicy.from_mapping(tomllib.loads(path.read_text(encoding="utf-8")), path.name)


def values() -> Values:
    return tomllib.loads((KB / "priority.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("impact", "urgency", "priority"),
    [
        ("high", "high", "P1"),
        ("high", "medium", "P2"),
        ("high", "low", "P3"),
        ("medium", "high", "P2"),
        ("medium", "medium", "P3"),
        ("medium", "low", "P4"),
        ("low", "high", "P3"),
        ("low", "medium", "P4"),
        ("low", "low", "P4"),
    ],
)
def test_shipped_matrix_is_the_table_of_the_rubric(impact: str, urgency: str, priority: str) -> None:
    assert load(KB / "priority.toml").matrix.priority(impact, urgency) == priority


@pytest.mark.parametrize(
    ("priority", "name", "clock", "goal", "due"),
    [
        ("P1", "critical", SlaClock.ROUND_THE_CLOCK, 60, 240),
        ("P2", "high", SlaClock.ROUND_THE_CLOCK, 240, 480),
        ("P3", "medium", SlaClock.BUSINESS_HOURS, 1 * DAY, 3 * DAY),
        ("P4", "low", SlaClock.BUSINESS_HOURS, 3 * DAY, 5 * DAY),
    ],
)
def test_shipped_targets_are_those_of_the_rubric(priority: str, name: str, clock: SlaClock, goal: int, due: int) -> None:
    target = load(KB / "priority.toml").targets[priority]
    assert (target.priority, target.name, target.clock) == (priority, name, clock)
    assert (target.goal_minutes, target.due_minutes) == (goal, due)


def test_shipped_scales_are_listed_lowest_first_and_nothing_else_is_promised() -> None:
    policy = load(KB / "priority.toml")
    assert policy.matrix.impacts == policy.matrix.urgencies == ("low", "medium", "high")
    assert sorted(policy.targets) == ["P1", "P2", "P3", "P4"]


def test_level_that_the_scale_does_not_have_is_an_error() -> None:
    with pytest.raises(KeyError):
        load(KB / "priority.toml").matrix.priority("huge", "low")


def test_servicenow_matrix_is_its_default_lookup() -> None:
    matrix = load(KB / "matrices" / "servicenow.toml").matrix
    lookup = {"11": 1, "12": 2, "13": 3, "21": 2, "22": 3, "23": 4, "31": 3, "32": 4, "33": 5}
    assert {f"{impact}{urgency}": int(priority[1]) for (impact, urgency), priority in matrix.cells.items()} == lookup
    assert (matrix.impacts[-1], matrix.urgencies[-1]) == ("1", "1")


# priority_matrix[urgency][impact] of GLPI's install/empty_data.php, 5 = very high.
GLPI = {
    1: {1: 1, 2: 1, 3: 2, 4: 2, 5: 2},
    2: {1: 1, 2: 2, 3: 2, 4: 3, 5: 3},
    3: {1: 2, 2: 2, 3: 3, 4: 4, 5: 4},
    4: {1: 2, 2: 3, 3: 4, 4: 4, 5: 5},
    5: {1: 2, 2: 3, 3: 4, 4: 5, 5: 5},
}


def test_glpi_matrix_is_its_default_of_five_by_five() -> None:
    matrix = load(KB / "matrices" / "glpi.toml").matrix
    assert len(matrix.cells) == 25
    for urgency, row in GLPI.items():
        for impact, priority in row.items():
            assert matrix.priority(str(impact), str(urgency)) == f"P{6 - priority}", (urgency, impact)


@pytest.mark.parametrize("name", ["servicenow.toml", "glpi.toml"])
def test_fifth_priority_has_a_target_on_the_business_clock(name: str) -> None:
    target = load(KB / "matrices" / name).targets["P5"]
    assert (target.clock, target.goal_minutes, target.due_minutes) == (SlaClock.BUSINESS_HOURS, 5 * DAY, 10 * DAY)


def put(value: object, *path: str) -> Callable[[Values], None]:
    def edit(table: Values) -> None:
        for step in path[:-1]:
            table = table[step]
        table[path[-1]] = value

    return edit


def drop(*path: str) -> Callable[[Values], None]:
    def edit(table: Values) -> None:
        for step in path[:-1]:
            table = table[step]
        del table[path[-1]]

    return edit


SIX = ["a", "b", "c", "d", "e", "f"]
BROKEN: list[tuple[Callable[[Values], None], str, str]] = [
    (drop("version"), "version", "write a non-empty text"),
    (put({}, "sla"), "sla", "unknown key; use one of calendar, matrix, priorities, scales, version"),
    (drop("scales"), "scales", r"add \[scales\]"),
    (drop("matrix"), "matrix", r"add \[matrix\]"),
    (drop("priorities"), "priorities", r"add \[priorities\]"),
    (drop("calendar"), "calendar", r"add \[calendar\]"),
    (drop("matrix", "low"), "matrix.low", r"add \[matrix.low\]"),
    (drop("matrix", "high", "medium"), "matrix.high.medium", "has no priority; the matrix must not have holes"),
    (put("P9", "matrix", "high", "low"), "matrix.high.low", r"no table \[priorities.P9\]; use one of P1, P2, P3, P4"),
    (put(1, "matrix", "high", "low"), "matrix.high.low", "write a non-empty text in quotes"),
    (put("P1", "matrix", "high", "huge"), "matrix.high.huge", "unknown key; use one of high, low, medium"),
    (put({}, "matrix", "huge"), "matrix.huge", "unknown key; use one of high, low, medium"),
    (put(SIX, "scales", "impact"), "scales.impact", "give 1 to 5 different names, lowest first"),
    (put(SIX, "scales", "urgency"), "scales.urgency", "give 1 to 5 different names"),
    (put(["low", "low"], "scales", "impact"), "scales.impact", "different names"),
    (put([], "scales", "impact"), "scales.impact", "give 1 to 5"),
    (put([1, 2], "scales", "impact"), "scales.impact", "write a list of texts"),
    (put([], "scales", "risk"), "scales.risk", "unknown key; use one of impact, urgency"),
    (put({}, "priorities"), "priorities.P1", "add a table for each priority of the matrix, out of P1, P2, P3, P4, P5"),
    (put({}, "priorities", "P6"), "priorities.P6", "unknown key; use one of P1, P2, P3, P4, P5"),
    (put("critical", "priorities", "P1"), "priorities.P1", r"add \[priorities.P1\]"),
    (drop("priorities", "P1", "name"), "priorities.P1.name", "write a non-empty text"),
    (put("always", "priorities", "P1", "clock"), "priorities.P1.clock", "write one of round_the_clock, business_hours"),
    (put("5h", "priorities", "P1", "goal"), "priorities.P1.goal", '"5h" is longer than due "4h"; make it the shorter one'),
    (put("4bd", "priorities", "P3", "goal"), "priorities.P3.goal", '"4bd" is longer than due "3bd"'),
    (put("1bd", "priorities", "P1", "due"), "priorities.P1.due", "business days need clock = business_hours"),
    (put("0h", "priorities", "P1", "goal"), "priorities.P1.goal", 'write a duration such as "30m", "4h"'),
    (put("4", "priorities", "P3", "due"), "priorities.P3.due", 'write a duration such as "30m", "4h" or "3bd"'),
    (put("-4h", "priorities", "P3", "due"), "priorities.P3.due", "write a duration such as"),
    (put("9" * 30 + "h", "priorities", "P3", "due"), "priorities.P3.due", "write a duration such as"),
    (put(4, "priorities", "P3", "due"), "priorities.P3.due", "write a non-empty text in quotes"),
    (drop("priorities", "P3", "due"), "priorities.P3.due", "write a non-empty text"),
    (put("x", "priorities", "P3", "target"), "priorities.P3.target", "unknown key; use one of clock, due, goal, name"),
    (put("1bd", "calendar", "business_day"), "calendar.business_day", "write a duration such as"),
    (
        put("Europe/Nowhere", "calendar", "time_zone"),
        "calendar.time_zone",
        'no IANA time zone; write for example "Europe/Berlin"',
    ),
    (put("../../etc/passwd", "calendar", "time_zone"), "calendar.time_zone", "no IANA time zone"),
    (put({}, "calendar", "hours"), "calendar.hours", "is closed all week; open at least one day"),
    (put({"montag": []}, "calendar", "hours"), "calendar.hours.montag", "unknown key; use one of friday, monday"),
    (put(["17:00-09:00"], "calendar", "hours", "monday"), "calendar.hours.monday", "no span of hours; write for example"),
    (put(["9-17"], "calendar", "hours", "monday"), "calendar.hours.monday", "no span of hours"),
    (put(["20:00-24:30"], "calendar", "hours", "monday"), "calendar.hours.monday", "at most 24:00"),
    (put(["08:00-12:00", "11:00-17:00"], "calendar", "hours", "monday"), "calendar.hours.monday", "overlap; join them into one"),
    (
        put([{"date": "2026-12-25", "name": "x"}], "calendar", "holidays"),
        r"calendar.holidays\[0\].date",
        "write a date without quotes",
    ),
    (put([{"day": 1}], "calendar", "holidays"), r"calendar.holidays\[0\].day", "unknown key; use one of date, name"),
    (put("none", "calendar", "holidays"), "calendar.holidays", r"write \[\[calendar.holidays\]\] for each"),
    (put(1, "calendar", "country"), "calendar.country", "unknown key; use one of business_day"),
]


@pytest.mark.parametrize(("edit", "key", "way_out"), BROKEN)
def test_broken_file_is_refused_with_file_key_and_way_out(edit: Callable[[Values], None], key: str, way_out: str) -> None:
    table = values()
    edit(table)
    with pytest.raises(ConfigurationError, match=rf"^mine\.toml: {key}: .*{way_out}"):
        PriorityPolicy.from_mapping(table, "mine.toml")


def test_goal_may_equal_due() -> None:
    table = values()
    table["priorities"]["P1"]["goal"] = "240m"
    target = PriorityPolicy.from_mapping(table).targets["P1"]
    assert target.goal_minutes == target.due_minutes == 240


def test_scale_of_one_level_is_enough() -> None:
    table = values()
    table["scales"] = {"impact": ["any"], "urgency": ["any"]}
    table["matrix"] = {"any": {"any": "P4"}}
    assert PriorityPolicy.from_mapping(table).matrix.priority("any", "any") == "P4"


def test_business_day_in_a_target_is_worth_what_the_calendar_says() -> None:
    table = values()
    table["calendar"]["business_day"] = "450m"
    assert PriorityPolicy.from_mapping(table).targets["P3"].due_minutes == 3 * 450

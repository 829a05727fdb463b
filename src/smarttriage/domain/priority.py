"""Impact x urgency -> priority, and the service level that each priority promises."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from smarttriage.domain.configuration import Section
from smarttriage.domain.sla import BusinessCalendar

MAX_LEVELS = 5
PRIORITIES = ("P1", "P2", "P3", "P4", "P5")


class SlaClock(StrEnum):
    """Which time counts against a target."""

    ROUND_THE_CLOCK = "round_the_clock"
    BUSINESS_HOURS = "business_hours"


@dataclass(frozen=True, slots=True)
class SlaTarget:
    """What a priority promises.

    Attributes:
        priority: "P1" to "P5".
        name: What people call it, for example "critical".
        clock: Which time counts.
        goal_minutes: The good end of the range, in minutes of that clock.
        due_minutes: The deadline, in minutes of that clock.
    """

    priority: str
    name: str
    clock: SlaClock
    goal_minutes: int
    due_minutes: int


@dataclass(frozen=True, slots=True)
class PriorityMatrix:
    """A complete table from (impact, urgency) to a priority; a table with a hole does not load.

    Attributes:
        impacts: Level names, lowest first.
        urgencies: Level names, lowest first.
        cells: (impact, urgency) -> priority.
    """

    impacts: tuple[str, ...]
    urgencies: tuple[str, ...]
    cells: Mapping[tuple[str, str], str]

    def priority(self, impact: str, urgency: str) -> str:
        """Return the priority. Raises KeyError for a level that the scales do not have."""
        return self.cells[impact, urgency]


@dataclass(frozen=True, slots=True)
class PriorityPolicy:
    """The matrix, the targets and the calendar they run on."""

    matrix: PriorityMatrix
    targets: Mapping[str, SlaTarget]
    calendar: BusinessCalendar

    def due_at(self, priority: str, start: datetime, *, share: float = 1.0) -> datetime:
        """Return when a share of the allowed time has passed, on the priority's own clock. Raises KeyError for one without a target."""
        target = self.targets[priority]
        allowed = timedelta(minutes=target.due_minutes) * share
        return self.calendar.add(start, allowed) if target.clock is SlaClock.BUSINESS_HOURS else start + allowed

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any], file: str = "priority.toml") -> "PriorityPolicy":
        """Return the checked policy of a parsed file. Raises ConfigurationError naming file, key and way out."""
        top = Section(values, file)
        top.only(["version", "scales", "matrix", "priorities", "calendar"])
        top.text("version")
        calendar = BusinessCalendar.from_section(top.table("calendar"))
        targets = _targets(top.table("priorities"), calendar)
        return cls(_matrix(top, frozenset(targets)), targets, calendar)


def _targets(section: Section, calendar: BusinessCalendar) -> dict[str, SlaTarget]:
    section.only(PRIORITIES)
    if not section.values:
        section.fail("P1", f"is missing; add a table for each priority of the matrix, out of {', '.join(PRIORITIES)}")
    return {name: _target(section.table(name), name, calendar) for name in PRIORITIES if name in section.values}


def _target(section: Section, priority: str, calendar: BusinessCalendar) -> SlaTarget:
    section.only(["name", "clock", "goal", "due"])
    if section.text("clock") not in list(SlaClock):
        section.fail("clock", f'is "{section.text("clock")}"; write one of {", ".join(SlaClock)}')
    clock = SlaClock(section.text("clock"))
    day = calendar.business_day_minutes if clock is SlaClock.BUSINESS_HOURS else None
    goal, due = section.minutes("goal", business_day=day), section.minutes("due", business_day=day)
    if goal > due:
        section.fail("goal", f'"{section.text("goal")}" is longer than due "{section.text("due")}"; make it the shorter one')
    return SlaTarget(priority, section.text("name"), clock, goal, due)


def _matrix(top: Section, known: frozenset[str]) -> PriorityMatrix:
    scales = top.table("scales")
    scales.only(["impact", "urgency"])
    impacts, urgencies = _scale(scales, "impact"), _scale(scales, "urgency")
    table = top.table("matrix")
    table.only(impacts)
    cells = {}
    for impact in impacts:
        row = table.table(impact)
        row.only(urgencies)
        for urgency in urgencies:
            priority = (
                row.text(urgency)
                if urgency in row.values
                else row.fail(urgency, "has no priority; the matrix must not have holes")
            )
            if priority not in known:
                row.fail(
                    urgency, f'is "{priority}", which has no table [priorities.{priority}]; use one of {", ".join(sorted(known))}'
                )
            cells[impact, urgency] = priority
    return PriorityMatrix(impacts, urgencies, cells)


def _scale(scales: Section, name: str) -> tuple[str, ...]:
    levels = scales.texts(name)
    if not 1 <= len(levels) <= MAX_LEVELS or len(set(levels)) != len(levels):
        scales.fail(name, f"has the levels {list(levels)}; give 1 to {MAX_LEVELS} different names, lowest first")
    return levels

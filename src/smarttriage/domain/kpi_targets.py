"""The mission's targets, and where the record stands beside each."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from smarttriage.domain.kpi import GroupFigures, Grouping, Kpis


class Standing(StrEnum):
    """Whether a target is met. Stable codes."""

    MET = "met"
    MISSED = "missed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure beside its target; `unit` is "hours" or "share", None means that the record does not tell."""

    name: str
    unit: str
    target: str
    value: float | None
    n: int
    standing: Standing


def goals(found: Kpis, code: Callable[[str], str]) -> list[Goal]:
    """Return the mission's targets beside the figures; `code` turns a desk's name of a priority into "P1"."""
    p1, p2 = (_mean_hours(found, priority, code) for priority in ("P1", "P2"))
    first, sla, recurred, reopened = found.first_contact, found.met_sla, found.recurred, found.reopened
    soon = found.reopened_soon
    return [
        _goal("MTTR P1", "hours", "< 4 h", p1, lambda value: value < 4),
        _goal("MTTR P2", "hours", "< 8 h", p2, lambda value: value < 8),
        _goal("first-contact resolution", "share", "70-80 %", (first.value, first.n), lambda value: value >= 0.7),
        _goal("SLA compliance", "share", "> 90 %", (sla.value, sla.n), lambda value: value > 0.9),
        _goal("same problem again in 30 days", "share", "< 10 %", (recurred.value, recurred.n), lambda value: value < 0.1),
        _goal("reopened in 30 days", "share", "< 10 %", (soon.value, soon.n), lambda value: value < 0.1),
        _goal("reopened", "share", "< 10 %", (reopened.value, reopened.n), lambda value: value < 0.1),
    ]


def _mean_hours(found: Kpis, priority: str, code: Callable[[str], str]) -> tuple[float | None, int]:
    own: list[GroupFigures] = [one for one in found.groups[Grouping.PRIORITY] if code(one.name) == priority]
    n = sum(one.time_to_resolve.n for one in own)
    total = sum((one.time_to_resolve.mean or 0.0) * one.time_to_resolve.n for one in own)
    return (total / n if n else None), n


def _goal(name: str, unit: str, target: str, figure: tuple[float | None, int], met: Callable[[float], bool]) -> Goal:
    value, n = figure
    standing = Standing.UNKNOWN if value is None else Standing.MET if met(value) else Standing.MISSED
    return Goal(name, unit, target, value, n, standing)

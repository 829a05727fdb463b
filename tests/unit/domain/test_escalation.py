"""The escalation matrix: mistakes are refused with their place, steps fall due as the SLA's own clock runs."""

import copy
import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from smarttriage.domain.errors import ConfigurationError
from smarttriage.domain.escalation import EscalationMatrix
from smarttriage.domain.incident import Incident, IncidentStatus
from smarttriage.domain.priority import PriorityPolicy

KB = Path(__file__).resolve().parents[3] / "kb"
POLICY = PriorityPolicy.from_mapping(tomllib.loads((KB / "priority.toml").read_text(encoding="utf-8")))
SHIPPED = tomllib.loads((KB / "escalation.toml").read_text(encoding="utf-8"))
MATRIX = EscalationMatrix.from_mapping(SHIPPED, POLICY)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday


def incident(priority: str | None = "P1", **values: Any) -> Incident:
    return Incident("i1", "default", "vpn", "down", NOON, NOON, NOON, priority=priority, **values)


def due(one: Incident, *, minutes: float) -> list[str]:
    return [found.step.id for found in MATRIX.steps_of(one, POLICY, now=NOON + timedelta(minutes=minutes)) if found.is_due]


@pytest.mark.parametrize(
    ("minutes", "newest"), [(119, "p1-tell-users"), (120, "sla-50"), (180, "sla-75-tell"), (239, "sla-75-tell"), (240, "sla-100")]
)
def test_steps_of_a_critical_incident_fall_due_at_50_75_and_100_percent_of_its_four_hours(minutes: int, newest: str) -> None:
    assert due(incident(), minutes=minutes)[-1] == newest


def test_clock_of_a_medium_incident_stands_still_over_night() -> None:
    # 75 % of three business days of eight hours are 18 hours: Monday 12:00 + 5 h, Tuesday 8 h, Wednesday 5 h.
    (step,) = [one for one in MATRIX.steps_of(incident("P3"), POLICY, now=NOON) if one.step.id == "sla-75"]
    assert step.due_at == datetime(2026, 3, 4, 14, tzinfo=UTC)


def test_step_says_why_it_is_due() -> None:
    (step,) = [one for one in MATRIX.steps_of(incident(), POLICY, now=NOON) if one.step.id == "sla-75"]
    assert step.because == "75% of the 4:00:00 (round_the_clock) that P1 allows"


def test_candidate_for_a_major_incident_goes_to_its_manager_and_names_the_criteria() -> None:
    many = incident("P3", affected_users=tuple(f"u{n}" for n in range(20)))
    assert MATRIX.major_criteria(many) == ("many-users",)
    (step,) = [one for one in MATRIX.steps_of(many, POLICY, now=NOON) if one.step.major_only]
    assert step.because.endswith("candidate for a major incident by many-users")
    assert not [one for one in MATRIX.steps_of(incident("P3"), POLICY, now=NOON) if one.step.major_only]


def test_same_step_has_the_same_event_id_however_often_it_is_asked_and_another_when_the_clock_changes() -> None:
    first, later = (MATRIX.steps_of(incident(), POLICY, now=NOON + timedelta(hours=n)) for n in (0, 9))
    assert [one.event_id for one in first] == [one.event_id for one in later]
    assert len({one.event_id for one in first}) == len(first)
    lowered = MATRIX.steps_of(incident("P2"), POLICY, now=NOON)
    assert {one.event_id for one in lowered}.isdisjoint(one.event_id for one in first)


def test_nothing_is_due_once_it_is_resolved_or_while_its_priority_is_unknown() -> None:
    assert due(replace(incident(), status=IncidentStatus.RESOLVED), minutes=999) == []
    assert due(incident(None), minutes=999) == []


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("at_share", 75, r"steps\[0\]\.at_share: is 75; write a share"),
        ("kind", "sideways", r'steps\[0\]\.kind: is "sideways"; write one of functional'),
        ("priorities", ["P9"], r"steps\[0\]\.priorities: is \['P9'\]; write some of P1"),
        ("id", "sla-75", r'steps\[\d\]\.id: "sla-75" is used twice'),
        ("too", "x", r"steps\[0\]\.too: unknown key"),
        ("to", "", r"steps\[0\]\.to: is ''; write a non-empty"),
    ],
)
def test_mistake_in_the_matrix_is_refused_with_its_place(key: str, value: object, message: str) -> None:
    broken = copy.deepcopy(SHIPPED)
    broken["steps"][0][key] = value
    with pytest.raises(ConfigurationError, match=message):
        EscalationMatrix.from_mapping(broken, POLICY)


def test_criterion_that_every_incident_fulfils_is_refused() -> None:
    broken = {**SHIPPED, "major_incident": [{"id": "all", "priorities": ["P1"]}]}
    with pytest.raises(ConfigurationError, match="both missing"):
        EscalationMatrix.from_mapping(broken, POLICY)

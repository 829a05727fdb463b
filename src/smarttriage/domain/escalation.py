"""Escalation: a matrix as data, and which of its steps are due as the clock of an incident runs."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from smarttriage.domain.configuration import Section
from smarttriage.domain.incident import Incident
from smarttriage.domain.priority import PriorityPolicy

_LONGEST_SHARE = 5.0  # of the allowed time; a step beyond it has been mistyped (50 for 0.5)
_EVENT_DIGITS = 24


class EscalationKind(StrEnum):
    """What a step does. Stable codes."""

    FUNCTIONAL = "functional"
    HIERARCHICAL = "hierarchical"
    COMMUNICATION = "communication"


@dataclass(frozen=True, slots=True)
class MajorCriterion:
    """What makes an incident a candidate for a major one: the priority, and at least so many users and services hit."""

    id: str
    priorities: tuple[str, ...]
    min_users: int
    min_services: int

    def fits(self, incident: Incident) -> bool:
        """Return whether the incident fulfils it."""
        enough = len(incident.affected_users) >= self.min_users and len(incident.affected_services) >= self.min_services
        return incident.priority in self.priorities and enough


@dataclass(frozen=True, slots=True)
class EscalationStep:
    """One duty: who is to do what once a share of the allowed time has passed."""

    id: str
    kind: EscalationKind
    priorities: tuple[str, ...]
    at_share: float
    to: str
    action: str
    major_only: bool


@dataclass(frozen=True, slots=True)
class StepOfIncident:
    """A step as it stands for one incident.

    Attributes:
        event_id: The same for the same step of the same incident and clock, however often it is asked; receivers tell repeats by it.
        incident_id: The incident.
        step: The duty.
        due_at: When it falls due, UTC.
        is_due: Whether that is past.
        because: Why it applies, in words.
    """

    event_id: str
    incident_id: str
    step: EscalationStep
    due_at: datetime
    is_due: bool
    because: str


@dataclass(frozen=True, slots=True)
class EscalationEvent:
    """A step that fell due, as it was told: kept for good, exactly once under its event id.

    Attributes:
        event_id: That of the step (see `StepOfIncident`).
        tenant: Whose incident it is.
        incident_id: The incident.
        step: Id of the duty in the matrix.
        kind: What the duty does.
        to: Who is to do it.
        action: What they are to do.
        because: Why it applied, in words.
        due_at: When it fell due, UTC.
        emitted_at: When it was written down, UTC.
        seq: Position in the feed, 0 before it is stored.
    """

    event_id: str
    tenant: str
    incident_id: str
    step: str
    kind: EscalationKind
    to: str
    action: str
    because: str
    due_at: datetime
    emitted_at: datetime
    seq: int = 0


@dataclass(frozen=True, slots=True)
class EscalationMatrix:
    """The steps and the criteria for major incidents."""

    steps: tuple[EscalationStep, ...]
    major: tuple[MajorCriterion, ...]

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any], policy: PriorityPolicy, file: str = "escalation.toml") -> "EscalationMatrix":
        """Return the checked matrix of a parsed file. Raises ConfigurationError naming file, key and way out."""
        top = Section(values, file)
        top.only(["version", "major_incident", "steps"])
        top.text("version")
        seen: set[str] = set()
        major = tuple(_criterion(one, policy, seen) for one in top.tables("major_incident"))
        steps = tuple(_step(one, policy, seen) for one in top.tables("steps"))
        if not steps:
            top.fail("steps", "has no step; add [[steps]] with id, kind, priorities, at_share, to and action")
        return cls(steps, major)

    def major_criteria(self, incident: Incident) -> tuple[str, ...]:
        """Return the ids of the criteria that make the incident a candidate for a major one."""
        return tuple(one.id for one in self.major if one.fits(incident))

    def steps_of(
        self, incident: Incident, policy: PriorityPolicy, *, now: datetime, declared: str | None = None
    ) -> list[StepOfIncident]:
        """Return the steps of an open incident in the order in which they fall due; none without a priority or once it is resolved.

        `declared` is the cluster that holds it and was promoted to a major incident; it brings the `major_only` steps as criteria do.
        """
        if not incident.is_open or incident.priority not in policy.targets:
            return []
        why = _why_major(self.major_criteria(incident), declared)
        own = [one for one in self.steps if incident.priority in one.priorities and (why or not one.major_only)]
        steps = [_of_incident(one, incident, policy, why, now) for one in own]
        return sorted(steps, key=lambda one: (one.due_at, one.step.id))


def _of_incident(
    step: EscalationStep, incident: Incident, policy: PriorityPolicy, why_major: str, now: datetime
) -> StepOfIncident:
    target = policy.targets[incident.priority or ""]
    due_at = policy.due_at(target.priority, incident.reported_at, share=step.at_share)
    why = f"{step.at_share:.0%} of the {timedelta(minutes=target.due_minutes)} ({target.clock}) that {target.priority} allows"
    if step.major_only:
        why += f"; {why_major}"
    clock = f"{incident.tenant}\x1f{incident.id}\x1f{step.id}\x1f{due_at.isoformat()}"
    event_id = "esc_" + hashlib.sha256(clock.encode()).hexdigest()[:_EVENT_DIGITS]
    return StepOfIncident(event_id, incident.id, step, due_at, due_at <= now, why)


def _why_major(criteria: tuple[str, ...], declared: str | None) -> str:
    """Return what makes it a major incident or a candidate for one, "" where nothing does."""
    parts = [f"candidate for a major incident by {', '.join(criteria)}"] if criteria else []
    parts += [f"part of {declared}, which was declared a major incident"] if declared else []
    return "; ".join(parts)


def _criterion(section: Section, policy: PriorityPolicy, seen: set[str]) -> MajorCriterion:
    section.only(["id", "priorities", "min_users", "min_services"])
    least = {name: _at_least(section, name) for name in ("min_users", "min_services")}
    if not any(least.values()):
        section.fail("min_users", "and min_services are both missing; give one, or every incident would be a major one")
    return MajorCriterion(_id(section, seen), _priorities(section, policy), **least)


def _step(section: Section, policy: PriorityPolicy, seen: set[str]) -> EscalationStep:
    section.only(["id", "kind", "priorities", "at_share", "to", "action", "major_only"])
    kind = section.text("kind")
    if kind not in list(EscalationKind):
        section.fail("kind", f'is "{kind}"; write one of {", ".join(EscalationKind)}')
    share = section.values.get("at_share")
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= _LONGEST_SHARE:
        section.fail("at_share", f"is {share!r}; write a share of the allowed time, for example 0.75")
    return EscalationStep(
        _id(section, seen),
        EscalationKind(kind),
        _priorities(section, policy),
        float(share),
        section.text("to"),
        section.text("action"),
        section.flag("major_only", default=False),
    )


def _id(section: Section, seen: set[str]) -> str:
    name = section.text("id")
    if name in seen:
        section.fail("id", f'"{name}" is used twice; give each step and criterion its own')
    seen.add(name)
    return name


def _priorities(section: Section, policy: PriorityPolicy) -> tuple[str, ...]:
    names = section.texts("priorities")
    unknown = [name for name in names if name not in policy.targets]
    if unknown or not names:
        section.fail("priorities", f"is {list(names)}; write some of {', '.join(policy.targets)}, which priority.toml names")
    return names


def _at_least(section: Section, name: str) -> int:
    value = section.values.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        section.fail(name, f"is {value!r}; write a whole number")
    return value

"""What the key figures need to know, out of rows of an export and out of stored incidents. No field names a person."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, tzinfo

from smarttriage.domain.errors import InvalidInput
from smarttriage.domain.instants import TimeReader, reader_for
from smarttriage.domain.kpi import IncidentFacts
from smarttriage.domain.priority import PriorityPolicy, SlaClock, SlaTarget

FACT_FIELDS = tuple(field.name for field in fields(IncidentFacts))
INSTANTS = ("opened_at", "detected_at", "resolved_at", "due_at")
_COUNTS = ("n_reopened", "n_reassigned")
_ANSWERS = ("met_sla", "used_article", "reopened_soon", "had_suggestion")
_REQUIRED = ("id", "opened_at")
_YES, _NO = frozenset({"true", "yes", "y", "1"}), frozenset({"false", "no", "n", "0"})


def parse_fact_map(pairs: Sequence[str]) -> dict[str, str]:
    """Return our field -> their column from "field=column" pairs; a field that is not named is read from the column of its name.

    Raises:
        InvalidInput: A pair names no field of ours.
    """
    mapping = {name: name for name in FACT_FIELDS}
    for pair in pairs:
        ours, separator, theirs = pair.partition("=")
        if not separator or not theirs or ours not in FACT_FIELDS:
            message = f'--map "{pair}": write our field, =, their column; our fields are {", ".join(FACT_FIELDS)}'
            raise InvalidInput(message, field="map")
        mapping[ours] = theirs
    return mapping


def facts_of_rows(
    rows: Sequence[Mapping[str, str | None]],
    mapping: Mapping[str, str],
    *,
    policy: PriorityPolicy,
    now: datetime,
    zone: tzinfo = UTC,
) -> Iterator[IncidentFacts]:
    """Yield the facts of the rows of an export.

    Raises:
        InvalidInput: A needed column is missing, or a value cannot be read; the message names row and column.
    """
    for name in _REQUIRED:
        if rows and mapping[name] not in rows[0]:
            known = ", ".join(rows[0])
            raise InvalidInput(f'there is no column "{mapping[name]}" for {name}; the file has {known}; give --map', field="map")
    readers = {name: reader_for((row.get(mapping[name]) or "" for row in rows), zone=zone) for name in INSTANTS}
    for number, row in enumerate(rows, 1):
        values = {ours: text for ours, theirs in mapping.items() if (text := (row.get(theirs) or "").strip())}
        yield with_sla(_facts(values, readers, number), policy, now=now)


def with_sla(facts: IncidentFacts, policy: PriorityPolicy, *, now: datetime) -> IncidentFacts:
    """Return the facts with due date and verdict where the record has none; the policy's calendar decides.

    An open incident that is not due yet has no verdict: it may still go either way.
    """
    target = _target(facts.priority, policy)
    due = facts.due_at or (_due(facts.opened_at, target, policy) if target else None)
    met = facts.met_sla
    if met is None and due is not None:
        end = facts.resolved_at or now
        met = False if end > due else (True if facts.resolved_at else None)
    return facts if (due, met) == (facts.due_at, facts.met_sla) else replace(facts, due_at=due, met_sla=met)


def _due(opened_at: datetime, target: SlaTarget, policy: PriorityPolicy) -> datetime:
    allowed = timedelta(minutes=target.due_minutes)
    return policy.calendar.add(opened_at, allowed) if target.clock is SlaClock.BUSINESS_HOURS else opened_at + allowed


def _target(priority: str | None, policy: PriorityPolicy) -> SlaTarget | None:
    return policy.targets.get(priority_code(priority)) if priority else None


def priority_code(priority: str) -> str:
    """Return "P1" of "P1", "1" and "1 - Critical", as desks write it; other names stay as they are."""
    first = priority.strip().split(" ")[0]
    return f"P{first}" if first.isdigit() else first.upper()


def _facts(values: Mapping[str, str], readers: Mapping[str, TimeReader], number: int) -> IncidentFacts:
    absent = [name for name in _REQUIRED if name not in values]
    if absent:
        raise InvalidInput(f"row {number}: {absent[0]} is empty; fill it in or leave the row out", field=absent[0])
    return IncidentFacts(**{name: _value(name, text, readers, number) for name, text in values.items()})  # type: ignore[arg-type]


def _value(name: str, text: str, readers: Mapping[str, TimeReader], number: int) -> object:
    try:
        if name in INSTANTS:
            return readers[name].read(text)
        if name in _COUNTS:
            return _count(text)
        return _answer(text) if name in _ANSWERS else text
    except InvalidInput as error:
        raise InvalidInput(f"row {number}: {name}: {error.message}", field=name) from None


def _count(text: str) -> int:
    if not text.isdecimal():
        raise InvalidInput(f'"{text[:40]}" is no count; write 0, 1, 2 ...')
    return int(text)


def _answer(text: str) -> bool:
    if text.lower() not in _YES | _NO:
        raise InvalidInput(f'"{text[:40]}" is neither yes nor no; write true or false')
    return text.lower() in _YES

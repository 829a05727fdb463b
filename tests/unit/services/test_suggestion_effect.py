"""What suggestions save: matched incidents only, an interval, and nothing said of too few."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from smarttriage.domain.kpi import IncidentFacts
from smarttriage.services.suggestion_effect import MIN_PAIRS, effect_text, suggestion_effect

MAY = datetime(2026, 5, 3, 12, tzinfo=UTC)


def resolved(number: int, *, hours: float, suggested: bool, **values: object) -> IncidentFacts:
    opened = values.pop("opened_at", MAY + timedelta(minutes=number))
    assert isinstance(opened, datetime)
    more = {"category": "network", "priority": "P3", "group": "desk", "n_reopened": 0, "n_reassigned": 0, **values}
    ended = opened + timedelta(hours=hours)
    return IncidentFacts(f"inc-{number}", opened, resolved_at=ended, had_suggestion=suggested, **more)  # type: ignore[arg-type]


def desk(n_pairs: int, *, faster: float, seed: int = 1) -> list[IncidentFacts]:
    """Return pairs of like incidents, of which those with a suggestion take `faster` hours less; a third of the others is reassigned."""
    chance = random.Random(seed)
    record = []
    for n in range(n_pairs):
        hours = 10 + chance.gauss(0, 2)
        record.append(resolved(2 * n, hours=hours - faster + chance.gauss(0, 1), suggested=True))
        record.append(resolved(2 * n + 1, hours=hours, suggested=False, n_reassigned=int(chance.random() < 1 / 3)))
    return record


def test_hours_saved_lie_in_their_interval_and_first_contact_is_higher() -> None:
    found = suggestion_effect(desk(400, faster=3))
    assert found.n_pairs == 400
    assert found.saved_hours is not None
    assert found.saved_hours.low < 3 < found.saved_hours.high
    assert found.saved_hours.high - found.saved_hours.low < 0.5
    assert found.deflected is not None
    assert found.deflected.low < 1 / 3 < found.deflected.high
    assert "h sooner in the median of 400 matched pairs" in effect_text(found)


def test_interval_without_an_effect_holds_zero_nineteen_times_in_twenty() -> None:
    found = [suggestion_effect(desk(60, faster=0, seed=seed)).saved_hours for seed in range(100)]
    held = sum(one is not None and one.low <= 0 <= one.high for one in found)
    assert 89 <= held <= 100


def test_too_few_pairs_say_nothing_but_how_many_there_are() -> None:
    found = suggestion_effect(desk(MIN_PAIRS - 1, faster=3))
    assert (found.n_pairs, found.saved_hours, found.deflected) == (MIN_PAIRS - 1, None, None)
    assert f"too few to say what they save; {MIN_PAIRS} are needed" in effect_text(found)


@pytest.mark.parametrize(
    "other", [{"category": "mail"}, {"priority": "P1"}, {"group": "x"}, {"opened_at": MAY - timedelta(days=9)}]
)
def test_an_incident_of_another_kind_or_month_is_no_partner(other: dict[str, object]) -> None:
    record = [resolved(n, hours=2, suggested=True) for n in range(50)]
    record += [resolved(100 + n, hours=200, suggested=False, **other) for n in range(50)]
    assert suggestion_effect(record).n_pairs == 0


def test_unknown_counts_leave_first_contact_open() -> None:
    record = [resolved(n, hours=1 + n % 2, suggested=bool(n % 2), n_reassigned=None) for n in range(100)]
    found = suggestion_effect(record)
    assert (found.n_pairs, found.n_deflection_pairs, found.deflected) == (50, 0, None)

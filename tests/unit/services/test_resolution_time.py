"""Time to resolve: the interval holds its coverage, groups are told apart, the risk grows with the clock."""

import random

import pytest

from smarttriage.domain.errors import InvalidInput
from smarttriage.services.resolution_time import Arrival, ResolutionTime

MEDIAN = {"network": 2.0, "desk": 20.0}


def drawn(n: int, *, seed: int) -> tuple[list[Arrival], list[float]]:
    chance = random.Random(seed)
    groups = [chance.choice(sorted(MEDIAN)) for _ in range(n)]
    arrivals = [Arrival({"group": group}, chance.randrange(24), chance.randrange(7), chance.randrange(50)) for group in groups]
    return arrivals, [MEDIAN[group] * chance.lognormvariate(0, 0.5) for group in groups]


@pytest.fixture(scope="module")
def model() -> ResolutionTime:
    return ResolutionTime.fit(*drawn(800, seed=1), *drawn(500, seed=2))


def test_interval_holds_what_it_promises_on_unseen_incidents(model: ResolutionTime) -> None:
    arrivals, hours = drawn(1000, seed=3)
    inside = sum(low <= hour <= high for (low, high), hour in zip(model.intervals(arrivals), hours, strict=True))
    assert 0.86 <= inside / 1000 <= 0.94


def test_slow_group_is_predicted_slow_and_risky(model: ResolutionTime) -> None:
    both = [Arrival({"group": group}, 10, 1, 20) for group in ("network", "desk")]
    quick, slow = model.hours(both)
    assert quick == pytest.approx(2.0, rel=0.25)
    assert slow == pytest.approx(20.0, rel=0.25)
    low, high = model.risks(both, allowed_hours=[8.0, 8.0])
    assert low < 0.05
    assert high > 0.9


def test_risk_grows_while_the_incident_stays_open(model: ResolutionTime) -> None:
    one = [Arrival({"group": "network"}, 10, 1, 20)]
    risks = [model.risks(one, allowed_hours=[4.0], open_for_hours=gone)[0] for gone in (0.0, 2.0, 3.5, 4.0)]
    assert risks == sorted(risks)
    assert risks[0] < 0.2
    assert risks[-1] == 1.0


def test_too_few_incidents_are_refused() -> None:
    with pytest.raises(InvalidInput, match="3 rows to fit"):
        ResolutionTime.fit(*drawn(3, seed=1), *drawn(100, seed=2))

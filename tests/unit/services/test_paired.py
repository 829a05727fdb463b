"""Bounds on the difference of two accuracies, against published figures and by simulation."""

import numpy as np
import pytest

from smarttriage.services.paired import Discordance


def score_by_search(difference: float, n: int, gained: int, lost: int) -> float:
    """The same statistic with the restricted likelihood maximised by looking everywhere."""
    losing = np.linspace(max(0.0, -difference), 1, 400_001)[1:-1]
    losing = losing[(losing + difference > 0) & (2 * losing + difference < 1)]
    likelihood = (
        gained * np.log(losing + difference) + lost * np.log(losing) + (n - gained - lost) * np.log(1 - 2 * losing - difference)
    )
    best = losing[likelihood.argmax()]
    return float((gained - lost - n * difference) / np.sqrt(n * (2 * best + difference - difference**2)))


@pytest.mark.parametrize(("n", "gained", "lost"), [(160, 40, 20), (44, 2, 5), (500, 3, 1)])
def test_bounds_are_where_the_score_statistic_meets_the_quantile(n: int, gained: int, lost: int) -> None:
    lower, upper = Discordance(n, gained, lost).bounds(0.975)
    assert score_by_search(lower, n, gained, lost) == pytest.approx(1.96, abs=0.002)
    assert score_by_search(upper, n, gained, lost) == pytest.approx(-1.96, abs=0.002)


def test_models_that_always_agree_are_as_close_as_the_rows_allow() -> None:
    lower, upper = Discordance(200, 0, 0).bounds(0.95)
    assert lower == pytest.approx(-upper)
    assert lower == pytest.approx(-(1.6449**2) / (200 + 1.6449**2), abs=1e-4)


def test_a_model_at_the_margin_passes_as_seldom_as_promised() -> None:
    rng = np.random.default_rng(0)
    n, margin = 400, 0.05
    draws = rng.multinomial(n, [0.05, 0.10, 0.85], size=4_000)  # gained .05, lost .10: exactly .05 worse
    passed = [Discordance(n, int(gained), int(lost)).bounds(0.95)[0] > -margin for gained, lost, _ in draws]
    assert 0.035 < np.mean(passed) < 0.065


def test_an_equally_good_model_passes_on_the_rows_said_to_be_needed() -> None:
    rng = np.random.default_rng(1)
    n = Discordance(1_000, 40, 40).rows_needed(0.03, confidence=0.95, power=0.8)
    draws = rng.multinomial(n, [0.04, 0.04, 0.92], size=2_000)
    passed = [Discordance(n, int(gained), int(lost)).bounds(0.95)[0] > -0.03 for gained, lost, _ in draws]
    assert 0.76 < np.mean(passed) < 0.84


def test_losses_only_are_as_unlikely_as_coins() -> None:
    assert Discordance(100, 0, 5).p_lost() == pytest.approx(1 / 32)
    assert Discordance(100, 5, 0).p_lost() == pytest.approx(1.0)
    assert Discordance(100, 0, 0).p_lost() == pytest.approx(1.0)


def test_counts_come_from_what_each_model_had_right() -> None:
    current, candidate = np.array([True, True, False, False]), np.array([True, False, True, True])
    pairs = Discordance.of(current, candidate)
    assert (pairs.gained, pairs.lost, pairs.difference) == (2, 1, 0.25)

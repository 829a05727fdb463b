"""The interval is exact: the tail behind each bound has the probability that was asked for."""

import time
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smarttriage.domain.interval import clopper_pearson


def at_least(right: int, n: int, share: float) -> float:
    return sum(comb(n, k) * share**k * (1 - share) ** (n - k) for k in range(right, n + 1))


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.sampled_from([0.8, 0.95]))
def test_each_bound_leaves_half_of_the_doubt(counted: tuple[int, int], confidence: float) -> None:
    right, n = counted
    lower, upper = clopper_pearson(right, n, confidence=confidence)
    tail = (1 - confidence) / 2
    assert 0 <= lower <= right / n <= upper <= 1
    assert lower == 0 if right == 0 else at_least(right, n, lower) == pytest.approx(tail, rel=1e-6)
    assert upper == 1 if right == n else 1 - at_least(right + 1, n, upper) == pytest.approx(tail, rel=1e-6)


def test_nothing_counted_says_nothing() -> None:
    assert clopper_pearson(0, 0) == (0.0, 1.0)


def test_large_counts_stay_exact() -> None:
    # scipy.stats.binomtest(4500, 5000).proportion_ci()
    assert clopper_pearson(4_500, 5_000) == pytest.approx((0.8913495826950084, 0.9081801229121069), abs=1e-9)


def test_interval_of_a_hundred_thousand_is_exact_and_costs_milliseconds() -> None:
    started = time.perf_counter()
    # The two binomial tails, added up term by term.
    assert clopper_pearson(60_600, 100_000) == pytest.approx((0.602963426817888, 0.6090304239047535), abs=1e-9)
    assert time.perf_counter() - started < 0.2

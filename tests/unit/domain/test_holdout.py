"""The draw is random over suggestions and fixed for each."""

import pytest

from smarttriage.domain.holdout import is_held_out

KEYS = [f"sug_{n:06}" for n in range(20_000)]


@pytest.mark.parametrize("share", [0.01, 0.05, 0.5])
def test_the_wanted_share_is_held_out(share: float) -> None:
    n = sum(is_held_out(key, share) for key in KEYS)
    # Five standard deviations of a binomial.
    assert abs(n - share * len(KEYS)) < 5 * (len(KEYS) * share * (1 - share)) ** 0.5


def test_nothing_and_everything_are_shares_too() -> None:
    assert not any(is_held_out(key, 0.0) for key in KEYS)
    assert all(is_held_out(key, 1.0) for key in KEYS)


def test_the_same_suggestion_is_drawn_the_same_and_a_larger_share_keeps_it() -> None:
    drawn = [key for key in KEYS if is_held_out(key, 0.05)]
    assert drawn == [key for key in KEYS if is_held_out(key, 0.05)]
    assert all(is_held_out(key, 0.2) for key in drawn)

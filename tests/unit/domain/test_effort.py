import pytest

from smarttriage.domain.effort import Effort


def test_right_fields_save_and_wrong_ones_cost() -> None:
    assert Effort(1.5, 4.0).minutes_saved(10, 8) == 8 * 1.5 - 2 * 4.0
    assert Effort(1.0, 2.0).minutes_saved(3, 1) == -3


def test_at_the_break_even_precision_nothing_is_won() -> None:
    effort = Effort(1.0, 3.0)
    assert effort.minutes_saved(100, 100 * effort.break_even) == pytest.approx(0)
    assert Effort(0.0, 0.0).break_even == 0


def test_the_assumption_says_itself() -> None:
    assert str(Effort(1.0, 2.5)) == "1 min saved per field filled in right, 2.5 min lost per field filled in wrong"

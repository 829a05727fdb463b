"""An incident lacks an article where neither it nor those like it come near one."""

import numpy as np
import pytest

from smarttriage.services.lacking import N_LIKE, LackModel, like_averaged

LACKS = LackModel()
CLEAR, NEAR_MISS = (0.8, 0.3), (0.45, 0.03)


def pointing(*angles: float) -> np.ndarray:
    return np.array([[np.cos(angle), np.sin(angle)] for angle in angles], dtype=np.float32)


def test_an_article_that_stands_out_answers_and_one_among_many_does_not() -> None:
    found = np.array([CLEAR, NEAR_MISS])
    assert list(LACKS(found, pointing(0.0, np.pi))) == [False, True]


def test_without_any_article_every_incident_lacks_one() -> None:
    assert LACKS(np.zeros((3, 2)), pointing(0.0, 0.1, 0.2)).all()


def test_one_lucky_find_among_many_alike_is_no_answer() -> None:
    lucky = np.array([(0.75, 0.15), *[NEAR_MISS] * N_LIKE])
    alike = pointing(*[0.01 * n for n in range(N_LIKE + 1)])
    apart = pointing(0.0, *[np.pi] * N_LIKE)
    assert not LACKS(lucky, apart)[0]
    assert LACKS(lucky, alike)[0]


def test_incidents_that_are_not_alike_are_judged_alone() -> None:
    found = np.array([CLEAR, NEAR_MISS])
    assert like_averaged(found, pointing(0.0, np.pi / 2)) == pytest.approx(found)


@pytest.mark.parametrize("n", [0, 1])
def test_none_or_one_incident_has_nobody_beside_it(n: int) -> None:
    assert LACKS(np.array([NEAR_MISS])[:n].reshape(n, 2), pointing(0.0)[:n]).tolist() == [True][:n]

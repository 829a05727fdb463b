"""Twins and wrong drawers, without a store."""

import numpy as np
import pytest

from smarttriage.services.hygiene import twins, wrong_drawer
from smarttriage.testing.factories import an_article

SAME = np.array([[1.0, 0.0], [1.0, 0.0]], dtype=np.float32)


@pytest.mark.parametrize(
    ("left", "right", "n"),
    [
        ("Fix NDR error 550 5.7.12", "Fix NDR error 550 5.7.136", 0),
        ("Error 0x8004de85 or 0x8004de8a", "Error 0x8004DE8A in OneDrive", 1),
        ("Error 0x8004de85", "Sign-in fails", 1),
        ("Office 2016 does not start", "Office 2019 does not start", 1),
        ("Install KB5003671", "Install KB5003672", 0),
    ],
)
def test_articles_of_one_mould_about_different_error_codes_are_no_twins(left: str, right: str, n: int) -> None:
    articles = [an_article(id="a", title=left), an_article(id="b", title=right)]
    assert len(twins(articles, SAME)) == n


def test_every_pair_is_compared_once_and_the_nearest_come_first() -> None:
    near = np.array([[1.0, 0.0], [0.999, 0.0447], [0.98, 0.199]], dtype=np.float32)
    articles = [an_article(id=name) for name in "abc"]
    assert [(pair.keep, pair.merge) for pair in twins(articles, near)] == [("a", "b"), ("b", "c"), ("a", "c")]
    assert twins([], np.zeros((0, 1), dtype=np.float32)) == []


def test_a_drawer_is_wrong_only_if_most_incidents_surely_say_another() -> None:
    article = an_article(category="hardware")
    assert wrong_drawer(article, {"network": 5}) is None
    assert wrong_drawer(article, {"network": 30, "hardware": 25}) is None
    assert wrong_drawer(article, {"hardware": 50, "network": 5}) is None
    found = wrong_drawer(article, {"network": 20, "hardware": 5})
    assert found is not None
    assert (found.proposed, found.n, found.n_proposed) == ("network", 25, 20)
    assert wrong_drawer(an_article(category=None), {"network": 6}) is not None

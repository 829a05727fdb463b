"""Grouping depends on what there is, not on the order in which it came."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from smarttriage.ports import Vectors
from smarttriage.services.grouping import Centres, grouped, most_typical_first


def _at(degrees: float) -> Vectors:
    return np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], dtype=np.float32)


def _sets(groups: list[list[str]]) -> set[frozenset[str]]:
    return {frozenset(group) for group in groups}


def test_what_is_near_is_one_group_and_what_is_far_is_another() -> None:
    vectors = {"a": _at(0), "b": _at(10), "c": _at(90), "d": _at(100)}
    assert _sets(grouped(vectors, [], level=0.9)) == {frozenset("ab"), frozenset("cd")}
    assert _sets(grouped(vectors, [], level=0.9999)) == {frozenset(each) for each in "abcd"}
    assert grouped({}, [], level=0.5) == []


def test_a_chain_is_not_followed_from_end_to_end() -> None:
    vectors = {str(n): _at(20 * n) for n in range(6)}
    assert max(len(group) for group in grouped(vectors, [], level=0.9)) == 2


def test_a_settled_group_stays_whole() -> None:
    vectors = {"a": _at(0), "b": _at(80), "c": _at(40)}
    assert frozenset("ab") in _sets(grouped(vectors, [["a", "b"]], level=0.95))


@given(st.lists(st.integers(0, 359), min_size=1, max_size=12, unique=True), st.randoms())
def test_the_order_of_arrival_does_not_matter(degrees: list[int], random: object) -> None:
    ids = [f"{each:03}" for each in degrees]
    shuffled = list(ids)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    here, there = ({id_: _at(float(id_)) for id_ in order} for order in (ids, shuffled))
    assert _sets(grouped(here, [], level=0.8)) == _sets(grouped(there, [], level=0.8))


def test_centres_find_the_near_groups_after_changes_and_removals() -> None:
    centres = Centres()
    assert centres.near(_at(0), at_least=0.0, k=3) == []
    for n in range(100):
        centres.put(f"g{n:02}", 3 * _at(3.6 * n))
    assert centres.near(_at(0), at_least=0.99, k=2) == ["g00", "g01"]
    centres.remove("g00")
    centres.remove("never there")
    centres.put("g50", _at(0))
    assert centres.near(_at(0), at_least=0.99, k=1) == ["g50"]


def test_the_most_typical_is_the_one_in_the_middle() -> None:
    assert most_typical_first(["a", "b", "c"], {"a": _at(0), "b": _at(20), "c": _at(50)})[0] == "b"

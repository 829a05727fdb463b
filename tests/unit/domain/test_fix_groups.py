"""Groups keep their names over a new grouping, and splits and merges are written down."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from smarttriage.domain.fix_groups import Regrouped, regrouped
from smarttriage.domain.observation import GroupEventKind
from smarttriage.testing.factories import NOON

PARTITIONS = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 3))


def _regrouped(old: dict[str, str], *new: str) -> Regrouped:
    return regrouped(old, [set(each) for each in new], at=NOON, new_id=lambda ids: "new-" + "".join(sorted(ids)))


def _kinds(result: Regrouped) -> list[tuple[str, str, str | None, str | None]]:
    return [(event.group_id, str(event.kind), event.observation_id, event.other_id) for event in result.events]


def test_a_newcomer_joins_and_the_name_stays() -> None:
    result = _regrouped({"one": "ab"}, "abc")
    assert result.members == {"one": frozenset("abc")}
    assert _kinds(result) == [("one", "joined", "c", None)]


def test_of_a_split_the_larger_part_keeps_the_name_and_the_other_says_where_it_came_from() -> None:
    result = _regrouped({"one": "abc"}, "ab", "c")
    assert result.members == {"one": frozenset("ab"), "new-c": frozenset("c")}
    assert ("new-c", "split", None, "one") in _kinds(result)
    assert ("one", "left", "c", None) in _kinds(result)


def test_of_a_merge_the_larger_group_keeps_the_name_and_the_other_says_where_it_went() -> None:
    result = _regrouped({"one": "a", "two": "bc"}, "abc")
    assert result.members == {"two": frozenset("abc")}
    assert result.merged == {"one": "two"}
    assert _kinds(result) == [("two", "joined", "a", "one"), ("one", "merged", None, "two")]


def test_of_equal_parts_the_older_name_stays() -> None:
    assert set(_regrouped({"old": "a", "young": "b"}, "ab").members) == {"old"}


def test_the_same_grouping_again_changes_nothing() -> None:
    assert _regrouped({"one": "ab", "two": "c"}, "c", "ab").events == ()


@given(PARTITIONS, PARTITIONS)
def test_every_member_has_one_group_and_every_old_name_stays_or_says_what_became_of_it(
    before: dict[str, int], after: dict[str, int]
) -> None:
    old = {f"g{n}": "".join(sorted(key for key in before if before[key] == n)) for n in set(before.values())}
    new = ["".join(key for key in after if after[key] == n) for n in set(after.values())]
    result = _regrouped(old, *new)
    counts = Counter(member for group in result.members.values() for member in group)
    assert set(counts) == set(after)
    assert set(counts.values()) <= {1}
    assert set(old) <= set(result.members) | set(result.merged)
    gone = {event.group_id for event in result.events if event.kind is GroupEventKind.MERGED}
    assert gone == set(result.merged)

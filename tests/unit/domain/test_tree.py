"""Paths are taken apart into levels, and targets are put in order."""

import pytest

from smarttriage.domain.errors import InvalidInput
from smarttriage.domain.tree import TreeColumn, ancestors, parents_first, parse_parents, parse_tree_column


def test_a_path_gives_the_whole_path_down_to_each_level() -> None:
    column = TreeColumn("path")
    assert column.labels("Hardware > Printer >Paper jam") == (
        "Hardware",
        "Hardware > Printer",
        "Hardware > Printer > Paper jam",
    )
    assert column.labels(None) == column.labels("  ") == ()


def test_an_empty_level_ends_a_path() -> None:
    assert TreeColumn("path", separator="::").labels("Mail:: ::Full") == ("Mail",)


def test_levels_take_the_names_that_were_given_or_count_on_from_the_column() -> None:
    named = parse_tree_column("path=category, item", " > ")
    assert named.named(5).targets == ("category", "item")
    assert named.parents == {"item": "category"}
    assert parse_tree_column("path", "/").named(3).targets == ("path_1", "path_2", "path_3")


def test_a_row_gets_a_value_for_each_level_and_deeper_ones_are_left_out() -> None:
    column = TreeColumn("path", ("a", "b"))
    assert column.expanded({"path": "x > y > z", "id": "1"}) == {"path": "x > y > z", "id": "1", "a": "x", "b": "x > y"}
    assert column.expanded({"path": "x"})["b"] is None


def test_a_target_has_one_parent() -> None:
    assert parse_parents(["item=sub", " sub = top "]) == {"item": "sub", "sub": "top"}
    with pytest.raises(InvalidInput, match="'item' is put below 'sub' and below 'top'"):
        parse_parents(["item=sub", "item=top"])


def test_parents_come_before_their_children_at_any_depth() -> None:
    order = parents_first({"d": "c", "c": "b", "b": "a", "a": None, "other": None})
    assert [order.index(name) for name in "abcd"] == sorted(order.index(name) for name in "abcd")
    assert ancestors("d", {"d": "c", "c": "b", "b": "a", "a": None}) == ["c", "b", "a"]


def test_a_circle_is_told_from_a_missing_parent() -> None:
    with pytest.raises(InvalidInput, match="'b' below 'c' below 'b' go round in a circle"):
        parents_first({"a": "b", "b": "c", "c": "b"})
    with pytest.raises(InvalidInput, match="'a' is below 'z', which is not trained"):
        parents_first({"a": "z"})

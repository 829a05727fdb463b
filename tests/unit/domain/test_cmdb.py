"""Dependencies: how far a failure reaches, whatever circles there are, and what it means."""

from dataclasses import replace
from typing import Any

import pytest

from smarttriage.domain.cmdb import MAX_DEPTH, MAX_REACHED, Criticality, Graph, Item, ItemKind, Severity, consequence
from smarttriage.domain.errors import InvalidInput
from smarttriage.testing.store_cmdb_contract import an_item


def a_ci(item_id: str, *depends_on: str, **more: Any) -> Item:
    return replace(an_item(item_id, depends_on=depends_on), criticality=None, **more)


def a_service(item_id: str, *depends_on: str, criticality: Criticality | None = None) -> Item:
    return replace(a_ci(item_id, *depends_on), kind=ItemKind.SERVICE, criticality=criticality)


def anything(_: Item) -> bool:
    return True


def test_a_circle_is_walked_once() -> None:
    graph = Graph([a_ci("a", "b"), a_ci("b", "c"), a_ci("c", "a")])
    assert [each.item.id for each in graph.dependents("a", anything).items] == ["c", "b"]
    assert [(each.item.id, each.distance) for each in graph.dependencies("a", anything).items] == [("b", 1), ("c", 2)]


def test_a_walk_ends_at_its_bounds_and_says_so() -> None:
    chain = Graph([a_ci(f"n{n}", f"n{n + 1}") for n in range(50)])
    deep = chain.dependencies("n0", anything)
    assert (len(deep.items), deep.truncated) == (MAX_DEPTH, True)
    wide = Graph([a_ci("san"), *(a_ci(f"vm{n}", "san") for n in range(MAX_REACHED + 5))]).dependents("san", anything)
    assert (len(wide.items), wide.truncated) == (MAX_REACHED, True)


def test_nothing_is_walked_through_that_may_not_be_seen_or_is_retired() -> None:
    for hidden in (a_ci("vm", "san", audiences=frozenset({"hr"})), a_ci("vm", "san", retired=True)):
        graph = Graph([a_ci("san"), hidden, a_service("erp", "vm")])
        assert graph.dependents("san", lambda item: "everyone" in item.audiences).items == ()


def test_the_most_critical_thing_that_a_server_carries_decides() -> None:
    server = a_ci("srv")
    three = [a_service(f"s{n}", "srv") for n in range(2)]
    told = consequence(server, Graph([server, *three]).dependents("srv", anything))
    assert told.severity is Severity.NOTHING_SAID
    three.append(a_service("s2", "srv"))
    assert consequence(server, Graph([server, *three]).dependents("srv", anything)).severity is Severity.SERIOUS
    three.append(a_service("erp", "srv", criticality=Criticality.CRITICAL))
    told = consequence(server, Graph([server, *three]).dependents("srv", anything))
    assert told.severity is Severity.GREATEST
    assert told.because == "CI SRV has failed; it carries 4 services: ERP (critical), S0, S1 and 1 more."


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"name": " "}, "name is empty"),
        ({"depends_on": ("srv-1",)}, "srv-1 depends on itself"),
        ({"host_patterns": ("*",)}, 'host pattern "\\*": begin with at least 3'),
    ],
)
def test_an_item_that_cannot_be_is_refused_with_the_way_out(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        an_item(**wrong)

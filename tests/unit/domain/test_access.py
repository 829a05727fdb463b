"""Nobody sees a record by accident."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smarttriage.domain.access import EVERYONE, Principal, Scope, index_labels
from smarttriage.domain.errors import PermissionDenied

GROUPS = st.frozensets(st.text(max_size=4), max_size=4)
TENANTS = st.text(max_size=4)


def principal(*audiences: str, tenant: str = "acme", scopes: frozenset[Scope] = frozenset()) -> Principal:
    return Principal("k1", tenant, frozenset(audiences), scopes)


def test_caller_of_the_tenant_and_an_audience_sees_the_record() -> None:
    assert principal("hr", EVERYONE).sees("acme", {"hr"})


def test_record_without_audience_is_seen_by_nobody() -> None:
    assert not principal(EVERYONE, "hr").sees("acme", frozenset())
    assert index_labels("acme", []) == frozenset()


def test_caller_without_audience_sees_nothing() -> None:
    assert not principal().sees("acme", {EVERYONE})
    assert principal().labels == frozenset()


def test_caller_without_audience_does_not_see_a_record_without_audience() -> None:
    assert not principal().sees("acme", frozenset())


def test_other_tenant_is_never_seen() -> None:
    assert not principal(EVERYONE).sees("globex", {EVERYONE})


def test_everyone_is_an_audience_like_any_other() -> None:
    assert not principal(EVERYONE).sees("acme", {"hr"})
    assert not principal("hr").sees("acme", {EVERYONE})


@given(mine=GROUPS, theirs=GROUPS, tenant=TENANTS, other=TENANTS)
def test_index_labels_say_the_same_as_sees(mine: frozenset[str], theirs: frozenset[str], tenant: str, other: str) -> None:
    caller = principal(*mine, tenant=tenant)
    assert caller.sees(other, theirs) == (not caller.labels.isdisjoint(index_labels(other, theirs)))


def test_names_with_a_separator_inside_do_not_make_two_tenants_one() -> None:
    assert index_labels("a\x1fb", ["c"]).isdisjoint(index_labels("a", ["b\x1fc"]))


def test_scope_that_is_missing_is_named_with_the_key_and_what_it_has() -> None:
    with pytest.raises(PermissionDenied, match='scope "write"; key k1 has suggest; use a key that has it'):
        principal(scopes=frozenset({Scope.SUGGEST})).require(Scope.WRITE)
    with pytest.raises(PermissionDenied, match="key k1 has none"):
        principal().require(Scope.SUGGEST)


@pytest.mark.parametrize("scope", list(Scope))
def test_administrator_may_do_everything(scope: Scope) -> None:
    principal(scopes=frozenset({Scope.ADMIN})).require(scope)


@pytest.mark.parametrize("scope", [Scope.SUGGEST, Scope.WRITE, Scope.REVIEW])
def test_scope_that_is_there_is_enough_and_is_not_admin(scope: Scope) -> None:
    caller = principal(scopes=frozenset({scope}))
    caller.require(scope)
    with pytest.raises(PermissionDenied):
        caller.require(Scope.ADMIN)

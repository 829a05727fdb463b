"""Surroundings of items are worked out once for each audience, and again before a newer CMDB is served."""

from dataclasses import replace

from smarttriage.domain.cmdb import Criticality, Item, ItemChange, ItemKind, Severity
from smarttriage.domain.item_names import NO_WORDS
from smarttriage.services.cmdb import HUB, CmdbView
from smarttriage.testing.factories import NOON, a_principal

ME = a_principal()


def item(id_: str, *needs: str, kind: ItemKind = ItemKind.CI, **more: object) -> Item:
    return replace(Item(id_, ME.tenant, kind, id_.upper(), NOON, NOON, depends_on=needs), **more)  # type: ignore[arg-type]


def view(*items: Item, changed: tuple[str, ...] = ()) -> CmdbView:
    changes = [ItemChange(f"chg_{id_}", ME.tenant, id_, NOON, "patched") for id_ in changed]
    return CmdbView.of(items, changes, seq=1, words=NO_WORDS)


CHAIN = (
    item("portal", "web", kind=ItemKind.SERVICE, criticality=Criticality.CRITICAL),
    item("web", "server"),
    item("server", "rack"),
    item("rack", "power"),
    item("power"),
)


def test_near_is_two_steps_and_services_are_counted_to_the_end() -> None:
    found = view(*CHAIN).closure("rack", ME)
    assert (found.needs, found.needed_by) == (frozenset({"power"}), frozenset({"server", "web"}))
    assert [service.id for service in found.services] == ["portal"]
    assert found.consequence.severity is Severity.GREATEST


def test_changes_are_looked_for_on_the_item_and_on_what_it_needs() -> None:
    assert view(*CHAIN, changed=("portal", "power", "rack")).closure("server", ME).changed == ("rack", "power")


def test_nobody_is_told_of_what_they_may_not_see_by_what_others_asked() -> None:
    secret = view(item("vault", "host", kind=ItemKind.SERVICE, audiences=frozenset({"board"})), item("host"))
    board = replace(ME, audiences=ME.audiences | {"board"})
    assert secret.closure("host", board).needed_by == {"vault"}
    assert secret.closure("host", ME).needed_by == frozenset()
    assert secret.closure("host", replace(board, tenant="another")).needed_by == frozenset()


def test_hubs_that_were_asked_for_are_ready_when_a_newer_view_is_served() -> None:
    hub = [item("hub"), *(item(f"s{n}", "hub") for n in range(HUB)), item("lone")]
    before, after = view(*hub), view(*hub, item("late", "hub"))
    before.closure("hub", ME)
    before.closure("lone", ME)
    after.prepare(before)
    assert [asked[0] for asked in after._closures] == ["hub"]
    assert "late" in after.closure("hub", ME).needed_by


def test_a_hub_that_is_gone_is_not_prepared() -> None:
    before = view(item("hub"), *(item(f"s{n}", "hub") for n in range(HUB)))
    before.closure("hub", ME)
    after = view(item("other"))
    after.prepare(before)
    assert not after._closures

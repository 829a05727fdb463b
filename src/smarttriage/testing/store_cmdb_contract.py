"""What every store promises of the CMDB."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from smarttriage.domain.cmdb import Criticality, Item, ItemChange, ItemKind
from smarttriage.domain.errors import VersionMismatch
from smarttriage.ports import Store
from smarttriage.testing.factories import NOON, a_principal


def an_item(item_id: str = "srv-1", **overrides: Any) -> Item:
    """Return a server with everything said of it."""
    base = Item(
        id=item_id,
        tenant="default",
        kind=ItemKind.CI,
        name=item_id.upper(),
        created_at=NOON,
        updated_at=NOON,
        type="server",
        aliases=("old name",),
        host_patterns=("srv-##",),
        criticality=Criticality.HIGH,
        owner_group="Data Centre",
    )
    return replace(base, **overrides)


class CmdbContract:
    """Items by tenant and id, versions, audiences, relations, changes."""

    def test_an_item_comes_back_as_it_was_with_what_it_needs(self, store: Store) -> None:
        """A cycle is stored as any other relation; another tenant's item of the same id is another item."""
        server, service = an_item(depends_on=("erp",)), an_item("erp", kind=ItemKind.SERVICE, depends_on=("srv-1",))
        with store.begin(write=True) as records:
            records.put_items([server, service, an_item(tenant="other", name="theirs")], key_id="k")
        with store.begin() as records:
            assert records.item("srv-1", a_principal()) == server
            assert records.items_by_id(["erp", "none"], "default") == {"erp": service}
            assert records.all_items("default") == [service, server]
            assert records.item("srv-1", a_principal(audiences=frozenset({"hr"}))) is None
            assert [change.kind for change in records.changes(0, limit=9)] == ["cmdb_item"] * 3

    def test_an_item_is_replaced_by_its_next_version_only(self, store: Store) -> None:
        """Relations of the version before are gone; the counter of the tenant grows."""
        with store.begin(write=True) as records:
            records.put_items([an_item(depends_on=("a", "b"))], key_id=None)
        with store.begin() as records:
            seq = records.cmdb_seq("default")
        changed = an_item(name="new", depends_on=("c",), version=2, retired=True)
        with store.begin(write=True) as records:
            records.put_items([changed], key_id=None)
        for version in (1, 2, 4):
            with pytest.raises(VersionMismatch, match="srv-1 is at version 2"), store.begin(write=True) as records:
                records.put_items([replace(changed, version=version)], key_id=None)
        with store.begin() as records:
            assert records.item("srv-1", a_principal()) == changed
            assert records.cmdb_seq("default") > seq
            assert records.cmdb_seq("other") == 0

    def test_pages_of_items_hold_what_may_be_seen_and_nothing_else(self, store: Store) -> None:
        """A page is full although items between them are hidden."""
        items = [an_item(f"ci-{n}", audiences=frozenset({"hr" if n % 2 else "everyone"})) for n in range(9)]
        with store.begin(write=True) as records:
            records.put_items([*items, an_item("zz", kind=ItemKind.SERVICE)], key_id=None)
        with store.begin() as records:
            first = records.items(a_principal(), kind=None, limit=3, cursor=None)
            rest = records.items(a_principal(), kind=None, limit=9, cursor=first.next_cursor)
            services = records.items(a_principal(), kind=ItemKind.SERVICE, limit=9, cursor=None)
        assert [item.id for item in first.items] == ["ci-0", "ci-2", "ci-4"]
        assert [item.id for item in rest.items] == ["ci-6", "ci-8", "zz"]
        assert rest.next_cursor is None
        assert [item.id for item in services.items] == ["zz"]

    def test_changes_come_newest_first_and_are_written_once(self, store: Store) -> None:
        """One that is there as it is counts for nothing; one that differs is replaced."""
        made = [ItemChange(f"chg-{n}", "default", "srv-1", NOON + timedelta(hours=n), "patched") for n in range(3)]
        with store.begin(write=True) as records:
            records.put_items([an_item()], key_id=None)
            assert records.put_item_changes(made, key_id=None) == 3
            assert records.put_item_changes([*made[:2], replace(made[2], what="rolled back")], key_id=None) == 1
        with store.begin() as records:
            assert [each.what for each in records.item_changes("default", limit=2)] == ["rolled back", "patched"]
            bounded = records.item_changes("default", item_id="srv-1", since=made[1].at, before=made[2].at)
            assert list(bounded) == [made[1]]
            assert records.item_changes("other") == []
            assert records.item_change("chg-1", a_principal()) == made[1]
            assert records.item_change("chg-1", a_principal(audiences=frozenset({"hr"}))) is None

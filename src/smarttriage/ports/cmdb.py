"""What the store keeps of services, configuration items and the changes made to them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from smarttriage.domain.access import Principal
from smarttriage.domain.cmdb import Item, ItemChange, ItemKind

if TYPE_CHECKING:
    from smarttriage.ports.store import Page


class CmdbRecords(Protocol):
    """The part of `Records` that is about the CMDB. Whoever may see an item may see the changes made to it."""

    def put_items(self, items: Sequence[Item], *, key_id: str | None) -> None:
        """Add or replace, each by tenant and id. Raises VersionMismatch unless a version is the stored one plus 1, or 1 for none."""
        ...

    def item(self, item_id: str, principal: Principal) -> Item | None:
        """Return the item."""
        ...

    def items(self, principal: Principal, *, kind: ItemKind | None, limit: int, cursor: str | None) -> "Page":
        """Return a page of `Item`, by id."""
        ...

    def items_by_id(self, ids: Collection[str], tenant: str) -> Mapping[str, Item]:
        """Return those of `ids` that the tenant has, whoever asks (for imports and for checking relations)."""
        ...

    def all_items(self, tenant: str) -> Sequence[Item]:
        """Return every item of the tenant, whoever asks, by id (for finding names in texts)."""
        ...

    def put_item_changes(self, changes: Sequence[ItemChange], *, key_id: str | None) -> int:
        """Add or replace, each by tenant and id; return how many are new or differ from what was there."""
        ...

    def item_change(self, change_id: str, principal: Principal) -> ItemChange | None:
        """Return the change."""
        ...

    def item_changes(
        self,
        tenant: str,
        *,
        item_id: str | None = None,
        since: datetime | None = None,
        before: datetime | None = None,
        limit: int | None = None,
    ) -> Sequence[ItemChange]:
        """Return the tenant's changes, whoever asks, newest first, ties by id; `before` itself is left out."""
        ...

    def cmdb_seq(self, tenant: str) -> int:
        """Return a number that grows with every change of the tenant's items and changes."""
        ...

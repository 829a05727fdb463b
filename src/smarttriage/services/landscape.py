"""What clusters ask of a CMDB: which items an incident is about, what hangs together, and what was changed."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from smarttriage.domain.access import Principal
from smarttriage.domain.cmdb import Graph, Item, ItemChange
from smarttriage.domain.incident import Incident


class Landscape(Protocol):
    """A tenant's services and configuration items at one moment."""

    @property
    def graph(self) -> Graph:
        """Items and their dependencies."""
        ...

    def items_of(self, incident: Incident, principal: Principal) -> frozenset[str]:
        """Return the ids of the items that the incident names, in its fields or its text, as far as the principal may see them."""
        ...

    def changed(self, item_id: str, *, before: datetime) -> list[ItemChange]:
        """Return the latest changes to the item before an instant, newest first."""
        ...


class Nowhere:
    """A landscape without items."""

    graph = Graph(())

    def items_of(self, incident: Incident, principal: Principal) -> frozenset[str]:
        """Return nothing."""
        return frozenset()

    def changed(self, item_id: str, *, before: datetime) -> list[ItemChange]:
        """Return nothing."""
        return []


NOWHERE = Nowhere()


def visible_to(principal: Principal) -> Callable[[Item], bool]:
    """Return what tells the items that the principal may see."""
    return lambda item: principal.sees(item.tenant, item.audiences)

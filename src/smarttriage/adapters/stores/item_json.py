"""Items of the CMDB in the JSON of a suggestion."""

from datetime import UTC, datetime
from typing import Any

from smarttriage.domain.cmdb import ItemFinding, RecentChange


def item_body(finding: ItemFinding) -> list[Any]:
    """Return the item as JSON has it."""
    changes = [[one.id, one.item_id, one.at.astimezone(UTC).isoformat(), one.what] for one in finding.recent_changes]
    plain = [finding.id, finding.kind, finding.name, finding.how, finding.criticality, finding.owner_group]
    return [*plain, finding.services, finding.n_services, changes]


def item_of_body(stored: list[Any]) -> ItemFinding:
    """Return the item that `item_body` wrote."""
    id_, kind, name, how, criticality, owner_group, services, n_services, changes = stored
    read = [RecentChange(id_, item_id, datetime.fromisoformat(at), what) for id_, item_id, at, what in changes]
    return ItemFinding(id_, kind, name, how, criticality, owner_group, tuple(services), n_services, tuple(read))

"""Services, configuration items, their dependencies and changes, and which of them keep failing."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from smarttriage.api import documented
from smarttriage.api.answers import Answer, answer, etag
from smarttriage.api.calls import Call, Editor, IfMatch, Reader, reading, version_of
from smarttriage.api.cmdb_schemas import (
    ImpactOut,
    ItemChangeOut,
    ItemChangePut,
    ItemChangeQuery,
    ItemChangesOut,
    ItemOut,
    ItemPut,
    ItemQuery,
    ItemRecordsOut,
    ItemsOut,
    RecurringQuery,
)
from smarttriage.api.strict_json import StrictRoute
from smarttriage.domain.access import Scope
from smarttriage.domain.cmdb import Item, ItemChange, Reach, consequence
from smarttriage.services.cmdb_records import ItemRecord

router = APIRouter(route_class=StrictRoute, tags=["cmdb"])
# Items move impact and routing of what others report: whoever reviews knowledge may write them.
ItemEditor = Annotated[Call, Depends(reading(Scope.REVIEW))]


@router.get("/v1/cmdb/items", summary="List services and CIs", responses=documented.answers(ItemsOut, *documented.READ))
def list_items(call: Reader, query: Annotated[ItemQuery, Query()]) -> Response:
    """Return a page of what the key may see, by id."""
    page = call.services.cmdb.items(call.principal, kind=query.kind, limit=query.limit, cursor=query.cursor)
    return answer({"items": [_item(item) for item in page.items], "next_cursor": page.next_cursor}).response


@router.get(
    "/v1/cmdb/items/{item_id}",
    summary="Read a service or CI",
    responses=documented.answers(ItemOut, *documented.READ_ONE, headers=("ETag",)),
)
def read_item(call: Reader, item_id: str) -> Response:
    """Return the item and its ETag."""
    return _present(call.services.cmdb.item(call.principal, item_id)).response


@router.put(
    "/v1/cmdb/items/{item_id}",
    summary="Write a service or CI",
    responses=documented.answers(ItemOut, *documented.EDIT_ONE, headers=("ETag",)),
)
def write_item(call: ItemEditor, item_id: str, body: ItemPut, if_match: IfMatch = None) -> Response:
    """Store the item under the customer's own id; a repeat changes nothing. Suggestions know of it within a second."""
    services, now, version = call.services, call.services.clock(), version_of(if_match)
    values: dict[str, Any] = body.model_dump(exclude={"audiences"})
    values |= {name: tuple(dict.fromkeys(values[name])) for name in ("aliases", "host_patterns", "depends_on")}
    audiences = frozenset(body.audiences or call.principal.audiences)
    item = Item(id=item_id, tenant=call.principal.tenant, created_at=now, updated_at=now, audiences=audiences, **values)

    def work() -> Answer:
        stored, is_new = services.cmdb.put(call.principal, item, version=version)
        return _present(stored, 201 if is_new else 200)

    return call.commit(work)


@router.get(
    "/v1/cmdb/items/{item_id}/impact",
    summary="Read what fails with an item",
    responses=documented.answers(ImpactOut, *documented.READ_ONE),
)
def read_impact(call: Reader, item_id: str) -> Response:
    """Return what depends on the item, what it depends on, and what its failure means; walks are bounded."""
    found = call.services.cmdb.impact(call.principal, item_id)
    told = consequence(found.item, found.dependents)
    return answer(
        {
            "id": found.item.id,
            "name": found.item.name,
            "services": [service.name for service in found.dependents.services],
            "severity": told.severity,
            "because": told.because,
            "dependents": _reach(found.dependents),
            "dependencies": _reach(found.dependencies),
        }
    ).response


@router.get(
    "/v1/cmdb/items/{item_id}/changes",
    summary="List the changes of an item",
    responses=documented.answers(ItemChangesOut, *documented.READ_ONE),
)
def list_changes(call: Reader, item_id: str, query: Annotated[ItemChangeQuery, Query()]) -> Response:
    """Return what was changed on it, newest first."""
    changes = call.services.cmdb.changes(call.principal, item_id, limit=query.limit)
    return answer({"items": [_change(change) for change in changes]}).response


@router.put(
    "/v1/cmdb/changes/{change_id}",
    summary="Record a change of an item",
    responses=documented.answers(ItemChangeOut, *documented.WRITE),
)
def write_change(call: Editor, change_id: str, body: ItemChangePut) -> Response:
    """Store the change under the customer's own id; a repeat changes nothing."""
    change = ItemChange(change_id, call.principal.tenant, body.item_id, body.at, body.what)
    return call.commit(lambda: answer(_change(call.services.cmdb.put_change(call.principal, change)[0])))


@router.get(
    "/v1/insights/recurring",
    summary="List items that keep failing",
    responses=documented.answers(ItemRecordsOut, *documented.READ),
    tags=["insights"],
)
def list_recurring(call: Reader, query: Annotated[RecurringQuery, Query()]) -> Response:
    """Return how often incidents named each service and CI, in their text or as the platform said, the most often named first."""
    found = call.services.cmdb.failing(call.principal, reported_from=query.reported_from, reported_before=query.reported_before)
    return answer({"n": len(found), "items": [_record(record) for record in found[: query.limit]]}).response


def _item(item: Item) -> dict[str, Any]:
    return {
        "id": item.id,
        "kind": item.kind,
        "name": item.name,
        "type": item.type,
        "aliases": item.aliases,
        "host_patterns": item.host_patterns,
        "criticality": item.criticality,
        "owner_group": item.owner_group,
        "depends_on": item.depends_on,
        "retired": item.retired,
        "audiences": sorted(item.audiences),
        "version": item.version,
        "created_at": item.created_at,
        "updated_at": item.updated_at,
    }


def _reach(reach: Reach) -> dict[str, Any]:
    items = [
        {name: getattr(each.item, name) for name in ("id", "kind", "name", "criticality", "owner_group")}
        | {"distance": each.distance, "through": each.through}
        for each in reach.items
    ]
    return {"items": items, "truncated": reach.truncated}


def _change(change: ItemChange) -> dict[str, Any]:
    return {"id": change.id, "item_id": change.item_id, "at": change.at, "what": change.what}


def _record(record: ItemRecord) -> dict[str, Any]:
    between = record.mean_between
    own = {name: getattr(record.item, name) for name in ("id", "kind", "name", "owner_group")}
    counts = {name: getattr(record, name) for name in ("n_incidents", "n_open", "n_weeks", "first_at", "last_at")}
    return {
        **own,
        **counts,
        "mean_hours_between": None if between is None else round(between.total_seconds() / 3600, 2),
        "n_after_change": record.n_after_change,
        "recurring": record.recurring,
        "incident_ids": record.incident_ids,
    }


def _present(item: Item, status: int = 200) -> Answer:
    return answer(_item(item), status, ETag=etag(item.version))

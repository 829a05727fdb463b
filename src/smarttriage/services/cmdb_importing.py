"""Bulk import of the CMDB: items in any order, cycles and all; a repeat writes nothing; bad rows say what to do."""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any

from smarttriage.domain.access import Principal
from smarttriage.domain.cmdb import Criticality, Item, ItemChange, ItemKind
from smarttriage.domain.errors import InvalidInput, SmartTriageError
from smarttriage.ports import Clock, Store
from smarttriage.services.import_rows import Row
from smarttriage.services.importing import ImportReport

ITEM_COLUMNS = (
    "id",
    "kind",
    "name",
    "type",
    "aliases",
    "host_patterns",
    "criticality",
    "owner_group",
    "depends_on",
    "retired",
    "audiences",
)
CHANGE_COLUMNS = ("id", "item_id", "at", "what")
_LISTS = ("aliases", "host_patterns", "depends_on")
_BATCH = 500
_YES, _NO = ("true", "yes", "1"), ("false", "no", "0")


@dataclass(slots=True)
class CmdbReport(ImportReport):
    """What an import did; `relations_left_out` has (place, reason) for each relation to an item that is nowhere."""

    relations_left_out: list[tuple[str, str]] = field(default_factory=list)


class CmdbImport:
    """Writes items and changes in batches, each one transaction; the whole file is read first, for its relations."""

    def __init__(self, *, store: Store, clock: Clock, principal: Principal) -> None:
        self._store = store
        self._clock = clock
        self._principal = principal

    def items(self, rows: Iterable[Row], *, progress: Callable[[ImportReport], None]) -> CmdbReport:
        """Import items by id. What the file has no column for stays as it is stored."""
        report = CmdbReport()
        read = _by_id(rows, ITEM_COLUMNS, report)
        with self._store.begin() as records:
            stored = {item.id: item for item in records.all_items(self._principal.tenant)}
        wanted = self._wanted(read, stored, report)
        known = stored.keys() | {item.id for _, item in wanted}
        ready = [_with_known(place, item, known, report) for place, item in wanted]
        for start in range(0, len(ready), _BATCH):
            self._write(ready[start : start + _BATCH], stored, report)
            progress(report)
        return report

    def changes(self, rows: Iterable[Row], *, progress: Callable[[ImportReport], None]) -> CmdbReport:
        """Import changes by id; each must name an item that is stored."""
        report = CmdbReport()
        read = _by_id(rows, CHANGE_COLUMNS, report)
        with self._store.begin() as records:
            known = {item.id for item in records.all_items(self._principal.tenant)}
            present = {change.id for change in records.item_changes(self._principal.tenant)}
        wanted = []
        for place, values in read:
            try:
                wanted.append(_change(values, self._principal.tenant, known))
            except SmartTriageError as error:
                report.skipped.append((place, error.message))
        for start in range(0, len(wanted), _BATCH):
            batch = wanted[start : start + _BATCH]
            with self._store.begin(write=True) as records:
                n_written = records.put_item_changes(batch, key_id=self._principal.key_id)
            n_new = sum(change.id not in present for change in batch)
            report.added += n_new
            report.updated += n_written - n_new
            report.present += len(batch) - n_written
            progress(report)
        return report

    def _wanted(
        self, read: Sequence[tuple[str, Mapping[str, Any]]], stored: Mapping[str, Item], report: CmdbReport
    ) -> list[tuple[str, Item]]:
        found = []
        for place, values in read:
            try:
                found.append((place, self._item(values, stored)))
            except SmartTriageError as error:
                report.skipped.append((place, error.message))
        return found

    def _item(self, values: Mapping[str, Any], stored: Mapping[str, Item]) -> Item:
        now, given = self._clock(), _fields(values)
        before = stored.get(str(values["id"]).strip())
        if before is not None:
            return replace(before, **given, updated_at=now, version=before.version + 1)
        if not given.get("name"):
            raise InvalidInput("name is empty; give the item one", field="name")
        base: dict[str, Any] = {"kind": ItemKind.CI, "audiences": self._principal.audiences, "created_at": now, "updated_at": now}
        return Item(**(base | {"id": str(values["id"]).strip(), "tenant": self._principal.tenant} | given))

    def _write(self, items: Sequence[Item], stored: Mapping[str, Item], report: CmdbReport) -> None:
        fresh = [item for item in items if item.id not in stored]
        changed = [item for item in items if item.id in stored and not item.says_the_same(stored[item.id])]
        with self._store.begin(write=True) as records:
            records.put_items([*fresh, *changed], key_id=self._principal.key_id)
        report.added += len(fresh)
        report.updated += len(changed)
        report.present += len(items) - len(fresh) - len(changed)


def _by_id(rows: Iterable[Row], columns: Sequence[str], report: CmdbReport) -> list[tuple[str, Mapping[str, Any]]]:
    """Return (place, values) of the rows with an id, each id once. Raises InvalidInput for a column that nobody knows."""
    found: list[tuple[str, Mapping[str, Any]]] = []
    places: dict[str, str] = {}
    for row in rows:
        _check_columns(row, columns)
        id_ = str(row.values.get("id") or "").strip()
        if row.problem is not None:
            report.skipped.append((row.place, row.problem))
        elif not id_:
            report.skipped.append((row.place, "id is empty; give every row one that stays the same from import to import"))
        elif id_ in places:
            report.skipped.append((row.place, f'id "{id_}" stands at {places[id_]} already; keep one of the two rows'))
        else:
            places[id_] = row.place
            found.append((row.place, row.values))
    return found


def _check_columns(row: Row, columns: Sequence[str]) -> None:
    unknown = [name for name in row.values if name not in columns]
    if not unknown or row.problem is not None:
        return
    near = get_close_matches(unknown[0].casefold(), columns, n=1)
    meant = f'; did you mean "{near[0]}"?' if near else ""
    raise InvalidInput(
        f'{row.place}: there is no field "{unknown[0]}"{meant} Known are {", ".join(columns)}; '
        "rename the column, or name the ones to read with --map our_field=their_column",
        field=unknown[0],
    )


def _fields(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the item's fields that the row has a column for. Raises InvalidInput naming field, value and way out."""
    found: dict[str, Any] = {name: _list(values[name]) for name in _LISTS if name in values}
    found |= {name: _text(values[name]) for name in ("type", "owner_group") if name in values}
    if _text(values.get("name")):
        found["name"] = _text(values["name"])
    if _text(values.get("kind")):
        found["kind"] = ItemKind(_one_of("kind", values["kind"], list(ItemKind)))
    if "criticality" in values:
        said = _text(values["criticality"])
        found["criticality"] = Criticality(_one_of("criticality", said, list(Criticality))) if said else None
    if _text(values.get("retired")):
        found["retired"] = _one_of("retired", values["retired"], [*_YES, *_NO]) in _YES
    if _list(values.get("audiences")):
        found["audiences"] = frozenset(_list(values["audiences"]))
    if "depends_on" in found:
        found["depends_on"] = tuple(sorted(set(found["depends_on"])))
    return found


def _with_known(place: str, item: Item, known: Collection[str], report: CmdbReport) -> Item:
    """Return the item with its relations to items that there are; the others are reported."""
    for id_ in item.depends_on:
        if id_ not in known:
            reason = f'depends_on names "{id_}", which is neither in the file nor stored; add its row and import again'
            report.relations_left_out.append((place, reason))
    return replace(item, depends_on=tuple(id_ for id_ in item.depends_on if id_ in known))


def _change(values: Mapping[str, Any], tenant: str, known: Collection[str]) -> ItemChange:
    item_id = _text(values.get("item_id")) or ""
    if item_id not in known:
        raise InvalidInput(f'item_id is "{item_id}", which is no item; import the items first', field="item_id")
    at = _text(values.get("at")) or ""
    try:
        instant = datetime.fromisoformat(at)
    except ValueError:
        raise InvalidInput(f'at is "{at}"; write ISO 8601, for example 2026-11-23T08:30:00+00:00', field="at") from None
    instant = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    return ItemChange(str(values["id"]).strip(), tenant, item_id, instant, _text(values.get("what")) or "")


def _one_of(name: str, value: Any, permitted: Sequence[str]) -> str:
    text = (_text(value) or "").casefold()
    if text not in permitted:
        raise InvalidInput(f'{name} is "{value}"; use one of {", ".join(permitted)}', field=name)
    return text


def _text(value: Any) -> str | None:
    text = "" if value is None else str(value).replace("\x00", "").strip()
    return text or None


def _list(value: Any) -> tuple[str, ...]:
    """Return a list as JSON or a table has it: a real one, one written as JSON, or texts between semicolons."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except ValueError:
            raise InvalidInput(f"{value[:80]} is no JSON list; close it, or write the texts between semicolons") from None
    parts = value if isinstance(value, list | tuple) else (_text(value) or "").split(";")
    return tuple(dict.fromkeys(text for part in parts if (text := _text(part))))

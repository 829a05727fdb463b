"""The incidents of a transaction."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    and_,
    bindparam,
    delete,
    exists,
    false,
    insert,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from smarttriage.adapters.stores.cursors import checked_limit, decode_cursor, encode_cursor, instant_in_cursor, page
from smarttriage.adapters.stores.driver_statement import DriverStatement
from smarttriage.adapters.stores.history import HistoryRecords
from smarttriage.adapters.stores.incident_rows import incident_of, incident_row
from smarttriage.adapters.stores.lesson_json import counted_json
from smarttriage.adapters.stores.schema import incident as table
from smarttriage.adapters.stores.schema import incident_audience
from smarttriage.adapters.stores.transaction import chunks
from smarttriage.domain.access import Principal
from smarttriage.domain.errors import Conflict, NotFound, VersionMismatch
from smarttriage.domain.incident import Counted, Incident
from smarttriage.ports import IncidentFilter, Page

_IDS: BindParameter[str] = bindparam("ids", expanding=True)
_SOURCE: dict[str, BindParameter[str]] = {name: bindparam(name) for name in ("tenant", "source_system", "source_id")}

_ADD = insert(table)
_ADD_AUDIENCES = insert(incident_audience)
_DROP_AUDIENCES = delete(incident_audience).where(incident_audience.c.incident_id == bindparam("id"))
_UPDATE = update(table).where(
    table.c.id == bindparam("stored_id"),
    table.c.tenant == bindparam("stored_tenant"),
    table.c.version == bindparam("stored_version"),
)
_PUT_COUNTED = update(table).where(table.c.id == bindparam("stored_id")).values(counted=bindparam("what_counts"))
_VERSION = select(table.c.version).where(table.c.id == bindparam("id"), table.c.tenant == bindparam("tenant"))
_TAKEN = select(table.c.id).where(table.c.id == bindparam("id"))
_BY_SOURCE = select(table).where(*(table.c[name] == value for name, value in _SOURCE.items()))
_ALL = select(table).order_by(table.c.id)
_SOME = _ALL.where(table.c.id.in_(_IDS))
# Written once: putting a statement together costs more than running it.
# The plus keeps SQLite from walking through all incidents of the tenant as soon as nine are asked for (their ids are the key).
_SOME_VISIBLE = DriverStatement(
    select(table).where(
        table.c.id.in_(_IDS),
        literal_column("+incident.tenant") == bindparam("tenant"),
        exists().where(
            incident_audience.c.incident_id == table.c.id,
            incident_audience.c.audience.in_(bindparam("audiences", expanding=True)),
        ),
    )
)
_NEWEST_FIRST = select(table).order_by(table.c.reported_at.desc(), table.c.id)


class IncidentRecords(HistoryRecords):
    """Incidents by id, by source and by page; what is written stands in the change log as well."""

    def incident(self, incident_id: str, principal: Principal) -> Incident | None:
        """Return the incident."""
        return self.incidents_by_id([incident_id], principal).get(incident_id)

    def incident_by_source(self, tenant: str, source_system: str, source_id: str) -> Incident | None:
        """Return the incident that came from there, whoever asks."""
        row = self._reads.execute(
            _BY_SOURCE, {"tenant": tenant, "source_system": source_system, "source_id": source_id}
        ).one_or_none()
        return None if row is None else incident_of(row)

    def incidents(self, principal: Principal, where: IncidentFilter, *, limit: int, cursor: str | None) -> Page:
        """Return a page of `Incident`, newest `reported_at` first, ties by id."""
        conditions = [visible_to(principal), *narrowed(where)]
        if cursor is not None:
            conditions.append(_behind(cursor))
        rows = self._reads.execute(_NEWEST_FIRST.where(*conditions).limit(checked_limit(limit) + 1))
        return page([incident_of(row) for row in rows], limit, lambda last: encode_cursor(last.reported_at.isoformat(), last.id))

    def incidents_by_id(self, ids: Collection[str], principal: Principal) -> Mapping[str, Incident]:
        """Return those of `ids` that the principal may see."""
        seen_by = {"tenant": principal.tenant, "audiences": sorted(principal.audiences)}
        rows = (row for part in chunks(ids) for row in _SOME_VISIBLE.rows(self._reads, {"ids": part, **seen_by}))
        return {incident.id: incident for incident in map(incident_of, rows)}

    def indexable_incidents(self, ids: Collection[str] | None = None) -> Iterator[Incident]:
        """Yield incidents of every tenant (all, or those of `ids`), by id."""
        if ids is None:
            yield from map(incident_of, self._reads.execute(_ALL, execution_options={"yield_per": 1_000}))
            return
        for part in chunks(ids):
            yield from map(incident_of, self._reads.execute(_SOME, {"ids": part}))

    def add_incidents(self, incidents: Sequence[Incident], *, key_id: str | None) -> None:
        """Store them. Raises Conflict naming the first whose id or source is there already; then none of them is stored."""
        if not incidents:
            return
        try:
            with self._writes.begin_nested():
                self._writes.execute(_ADD, [incident_row(incident) for incident in incidents])
        except IntegrityError as error:
            raise self._incident_conflict(incidents) from error
        self._add_incident_audiences(incidents)
        self._begin_counting(incidents)
        self._log("incident", [(incident.id, incident.tenant) for incident in incidents], key_id)

    def update_incident(self, incident: Incident, *, key_id: str | None) -> None:
        """Store the next version. Raises VersionMismatch unless it follows the stored one, NotFound for an unknown id."""
        before = self._stand(incident)
        stored = {"stored_id": incident.id, "stored_tenant": incident.tenant, "stored_version": incident.version - 1}
        try:
            with self._writes.begin_nested():
                n_updated = self._writes.execute(_UPDATE, incident_row(incident) | stored).rowcount
        except IntegrityError as error:
            raise _same_source(incident) from error
        if n_updated == 0:
            raise self._incident_mismatch(incident)
        self._writes.execute(_DROP_AUDIENCES, {"id": incident.id})
        self._add_incident_audiences([incident])
        self._record_change(before, incident, key_id)
        self._log("incident", [(incident.id, incident.tenant)], key_id)

    def put_counted(self, incident: Incident, counted: Counted | None, *, key_id: str | None) -> None:
        """Say what counts of an incident; the record itself, and its version, stay as they are."""
        self._writes.execute(_PUT_COUNTED, {"stored_id": incident.id, "what_counts": counted_json(counted)})
        self._log("incident", [(incident.id, incident.tenant)], key_id)

    def _add_incident_audiences(self, incidents: Sequence[Incident]) -> None:
        rows = [{"incident_id": each.id, "audience": audience} for each in incidents for audience in sorted(each.audiences)]
        if rows:
            self._writes.execute(_ADD_AUDIENCES, rows)

    def _incident_conflict(self, incidents: Sequence[Incident]) -> Conflict:
        """Return the error for the first one that stands in the way, in the store or earlier in the same call."""
        ids: set[str] = set()
        sources: set[tuple[str, str | None, str]] = set()
        for each in incidents:
            if each.id in ids or self._reads.execute(_TAKEN, {"id": each.id}).first():
                return Conflict(f'incident "{each.id}" is there already; update it, or choose another id.', field="id")
            ids.add(each.id)
            if each.source_id is None or each.source_system is None:
                continue
            source = (each.tenant, each.source_system, each.source_id)
            if source in sources or self.incident_by_source(each.tenant, each.source_system, each.source_id):
                return _same_source(each)
            sources.add(source)
        return Conflict("one of the incidents is there already; read them again before the next try.")

    def _incident_mismatch(self, incident: Incident) -> NotFound | VersionMismatch:
        version = self._reads.execute(_VERSION, {"id": incident.id, "tenant": incident.tenant}).scalar()
        if version is None:
            return NotFound(f'there is no incident "{incident.id}".')
        return VersionMismatch(
            f'incident "{incident.id}" is at version {version}, the change was made on version {incident.version - 1}; '
            "read it again and repeat the change."
        )


def _same_source(incident: Incident) -> Conflict:
    return Conflict(
        f'an incident from "{incident.source_system}" with id "{incident.source_id}" is there already; update that one.',
        field="source_id",
    )


def visible_to(principal: Principal) -> ColumnElement[bool]:
    """Return the condition that the principal may see the incident."""
    if not principal.audiences:
        return false()
    shared = exists().where(
        incident_audience.c.incident_id == table.c.id, incident_audience.c.audience.in_(sorted(principal.audiences))
    )
    return and_(table.c.tenant == principal.tenant, shared)


def narrowed(where: IncidentFilter) -> list[ColumnElement[bool]]:
    """Return the conditions of the filter."""
    equal = ("status", "category", "priority", "support_group", "source_system", "source_id")
    conditions = [table.c[name] == getattr(where, name) for name in equal if getattr(where, name) is not None]
    if where.reported_from is not None:
        conditions.append(table.c.reported_at >= where.reported_from)
    if where.reported_before is not None:
        conditions.append(table.c.reported_at < where.reported_before)
    return conditions


def _behind(cursor: str) -> ColumnElement[bool]:
    written, last_id = decode_cursor(cursor, 2)
    reported_at = instant_in_cursor(written, cursor)
    return or_(table.c.reported_at < reported_at, and_(table.c.reported_at == reported_at, table.c.id > last_id))

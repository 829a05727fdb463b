"""Incidents: stored, read, listed, changed, resolved."""

from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from smarttriage.api import documented, wire
from smarttriage.api.answers import Answer, answer, etag
from smarttriage.api.calls import Call, Editor, IfMatch, Reader, Writer, not_longer, version_of
from smarttriage.api.labels import decisions_of, labels_of
from smarttriage.api.record_schemas import IncidentOut, IncidentsOut, OutcomeOut
from smarttriage.api.schemas import IncidentCreate, IncidentDetails, IncidentPatch, IncidentQuery, ResolutionCreate
from smarttriage.api.strict_json import StrictRoute
from smarttriage.domain.errors import InvalidInput
from smarttriage.domain.incident import Incident, IncidentStatus
from smarttriage.ports import IncidentFilter

router = APIRouter(route_class=StrictRoute, tags=["incidents"])
_FIELDS = (
    *("title", "description", "status", "priority", "support_group", "detected_at", "reported_at", "reporter", "affected_users"),
    *("affected_services", "configuration_items", "symptoms", "initial_impact", "logged_by", "language"),
)


@router.post(
    "/v1/incidents",
    status_code=201,
    summary="Store an incident",
    responses=documented.answers(IncidentOut, *documented.WRITE, status=201, headers=("ETag", "Location")),
)
def create_incident(call: Writer, body: IncidentCreate) -> Response:
    """Store a new incident. Labels that come with it count as decided by a person, unless `suggestion_id` filled them in."""
    _check_lengths(call, body)
    if (body.source_system is None) != (body.source_id is None):
        missing = "source_id" if body.source_id is None else "source_system"
        raise InvalidInput("source_system and source_id belong together; send both or none", field=missing)
    now = call.services.clock()
    incident = Incident(
        id="",
        tenant=call.principal.tenant,
        created_at=now,
        updated_at=now,
        labels=labels_of(body),
        audiences=frozenset(body.audiences or call.principal.audiences),
        source_system=body.source_system,
        source_id=body.source_id,
        **{**_values(body, _FIELDS), "status": IncidentStatus(body.status), "reported_at": body.reported_at or now},
    )
    return call.commit(
        lambda: _created(call.services.incidents.create(call.principal, incident, suggestion_id=body.suggestion_id))
    )


@router.get(
    "/v1/incidents",
    summary="List incidents, newest report first",
    responses=documented.answers(IncidentsOut, *documented.READ),
)
def list_incidents(call: Reader, query: Annotated[IncidentQuery, Query()]) -> Response:
    """Return a page of the incidents that the key may see."""
    where = IncidentFilter(**{name: getattr(query, name) for name in IncidentFilter.__slots__})
    page = call.services.incidents.list(call.principal, where, limit=query.limit, cursor=query.cursor)
    return answer(wire.incidents(page)).response


@router.get(
    "/v1/incidents/{incident_id}",
    summary="Read an incident",
    responses=documented.answers(IncidentOut, *documented.READ_ONE, headers=("ETag",)),
)
def read_incident(call: Reader, incident_id: str) -> Response:
    """Return the incident and its ETag."""
    return _present(call.services.incidents.get(call.principal, incident_id)).response


@router.patch(
    "/v1/incidents/{incident_id}",
    summary="Change an incident",
    responses=documented.answers(IncidentOut, *documented.EDIT_ONE, headers=("ETag",)),
)
def edit_incident(call: Editor, incident_id: str, body: IncidentPatch, if_match: IfMatch = None) -> Response:
    """Change what the body names; null takes a value back. Labels count as decided by a person."""
    _check_lengths(call, body)
    version = version_of(if_match)
    return call.commit(
        lambda: _present(
            call.services.incidents.edit(call.principal, incident_id, _changes(body), decisions_of(body), version=version)
        )
    )


@router.post(
    "/v1/incidents/{incident_id}/resolution",
    summary="Resolve an incident",
    responses=documented.answers(OutcomeOut, *documented.WRITE_ONE, headers=("ETag",)),
)
def resolve_incident(call: Writer, incident_id: str, body: ResolutionCreate) -> Response:
    """Store how it was resolved; link the article that was used, or draft one if the note says something that none says yet."""
    not_longer("text", body.text, call.services.limits.max_description_chars)

    def work() -> Answer:
        outcome = call.services.learning.resolve(
            call.principal,
            incident_id,
            text=body.text,
            article_id=body.article_id,
            resolved_by=body.resolved_by,
            resolved_at=body.resolved_at,
            labels=decisions_of(body),
        )
        return answer(wire.outcome(outcome), 200, ETag=etag(outcome.incident.version))

    return call.commit(work)


def _changes(body: IncidentPatch) -> dict[str, Any]:
    changes = _values(body, [name for name in _FIELDS if name in body.model_fields_set])
    if "audiences" in body.model_fields_set:
        if body.audiences is None:
            raise InvalidInput("audiences cannot be null; name at least one", field="audiences")
        changes["audiences"] = frozenset(body.audiences)
    return changes


def _values(body: IncidentDetails, names: Iterable[str]) -> dict[str, Any]:
    """Return the domain's values of the named fields: its lists are tuples."""
    values = {name: getattr(body, name) for name in names}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}


def _check_lengths(call: Call, body: IncidentDetails) -> None:
    not_longer("title", body.title, call.services.limits.max_title_chars)
    not_longer("description", body.description, call.services.limits.max_description_chars)


def _present(incident: Incident, status: int = 200, **headers: str) -> Answer:
    return answer(wire.incident(incident), status, ETag=etag(incident.version), **headers)


def _created(incident: Incident) -> Answer:
    return _present(incident, 201, Location=f"/v1/incidents/{incident.id}")

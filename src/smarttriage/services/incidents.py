"""Incidents as records: stored, read, listed, changed."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from smarttriage.domain.access import Principal, Scope
from smarttriage.domain.errors import Conflict, InvalidInput, NotFound, VersionMismatch
from smarttriage.domain.incident import TARGETS, Incident, IncidentStatus, LabelOrigin, Labels
from smarttriage.domain.priority import PriorityPolicy
from smarttriage.domain.taxonomy import Taxonomy
from smarttriage.ports import Clock, IncidentFilter, Page, Records, Store
from smarttriage.services.decisions import decide, left_standing
from smarttriage.services.live import Live
from smarttriage.services.outcomes import OutcomeTaker
from smarttriage.services.teaching import Taught, write_down


class IncidentService:
    """Writes and reads incidents."""

    def __init__(self, *, store: Store, clock: Clock, new_id: Callable[[str], str], live: Live) -> None:
        self._store = store
        self._clock = clock
        self._new_id = new_id
        self._live = live
        self._outcomes = OutcomeTaker(clock=clock, new_id=new_id)

    def create(self, principal: Principal, incident: Incident, *, suggestion_id: str | None = None) -> Incident:
        """Store a new incident under a new id; return it.

        Labels that come with it count as decided by a person, except those that only repeat what `suggestion_id` filled in.
        Raises InvalidInput for an incident without text or with a label that the taxonomy does not have, Conflict if the
        source system's id is there already, NotFound for the suggestion.
        """
        principal.require(Scope.WRITE)
        now = self._clock()
        stored = replace(
            incident,
            id=self._new_id("inc"),
            tenant=principal.tenant,
            created_at=now,
            updated_at=now,
            logged_by=incident.logged_by or principal.key_id,
        )
        stored = self.checked(stored)
        labels = {target: stored.labels.get(target) for target in decided(stored.labels)}
        with self._store.begin(write=True) as records:
            suggestion = records.suggestion(suggestion_id, principal) if suggestion_id else None
            if suggestion_id is not None and suggestion is None:
                raise NotFound(f"there is no suggestion {suggestion_id}", field="suggestion_id")
            stored = with_labels(stored, labels, decide(records, principal, suggestion, labels, at=now))
            stored = write_down(records, principal, None, stored, Taught(labels), at=now)
            if suggestion is not None:
                records.link_suggestion(suggestion.id, stored.id)
        return stored

    def get(self, principal: Principal, incident_id: str) -> Incident:
        """Return the incident. Raises NotFound."""
        with self._store.begin() as records:
            return found(records, principal, incident_id)

    def list(self, principal: Principal, where: IncidentFilter, *, limit: int, cursor: str | None) -> Page:
        """Return a page, newest report first."""
        with self._store.begin() as records:
            return records.incidents(principal, where, limit=limit, cursor=cursor)

    def edit(
        self,
        principal: Principal,
        incident_id: str,
        changes: Mapping[str, object],
        labels: Mapping[str, str | None],
        *,
        version: int | None,
    ) -> Incident:
        """Return the incident with `changes`; None takes a label back.

        Labels are decisions of a person, except those that only repeat what the incident's suggestion filled in.

        Raises VersionMismatch if `version` is given and is not the stored one; Conflict for resolving without a resolution.
        """
        principal.require(Scope.WRITE)
        with self._store.begin(write=True) as records:
            present = found(records, principal, incident_id)
            same_version(present, version)
            origins = label_origins(records, principal, incident_id, labels, at=self._clock())
            edited = with_labels(replace(present, **changes), labels, origins)  # type: ignore[arg-type]
            if not edited.is_open and edited.resolution is None and edited.status is IncidentStatus.RESOLVED:
                raise Conflict(
                    f"incident {incident_id} has no resolution; POST /v1/incidents/{incident_id}/resolution resolves it",
                    field="status",
                )
            if present.is_open and not edited.is_open:
                left_standing(records, principal, incident_id, at=self._clock())
            if edited.is_open and not present.is_open:
                self._outcomes.reopened(records, principal, present)
            return write_down(records, principal, present, self.checked(edited), Taught(labels), at=self._clock())

    def checked(self, incident: Incident) -> Incident:
        """Return the incident with its priority and group derived where they can be. Raises InvalidInput naming the field."""
        models = self._live.state.models
        if not incident.text.strip():
            raise InvalidInput("title and description are both empty; one of them must say what is wrong", field="description")
        check_labels(incident.labels, models.taxonomy, models.policy)
        group, _ = models.taxonomy.route(incident.labels.category, incident.labels.sub_category)
        return replace(
            incident,
            priority=priority_of(incident.labels, models.policy) or incident.priority,
            support_group=incident.support_group or group,
        )


def decided(labels: Labels) -> frozenset[str]:
    """Return the targets that have a label."""
    return frozenset(target for target in (*TARGETS, *labels.custom) if labels.get(target) is not None)


def with_labels(
    incident: Incident, labels: Mapping[str, str | None], origins: Mapping[str, LabelOrigin] | None = None
) -> Incident:
    """Return the incident with labels that came to stand as `origins` say, by default recorded; None takes one back.

    A label that somebody decided before is not made less of by being left standing later.
    """
    came = {
        target: (origins or {}).get(target, LabelOrigin.RECORDED)
        for target, value in labels.items()
        if value is not None and not (target in incident.reviewed and incident.labels.get(target) == value)
    }
    standard = {target: value for target, value in labels.items() if target in TARGETS}
    custom = {**incident.labels.custom, **{target: value for target, value in labels.items() if target not in TARGETS}}
    changed = replace(
        incident.labels, **standard, custom={target: value for target, value in custom.items() if value is not None}
    )
    taken_back = {target for target, value in labels.items() if value is None}
    said = {target for target, origin in came.items() if origin is not LabelOrigin.LEFT_STANDING}
    return replace(
        incident,
        labels=changed,
        reviewed=(incident.reviewed - came.keys() - taken_back) | said,
        label_origins={
            target: origin for target, origin in {**incident.label_origins, **came}.items() if target not in taken_back
        },
    )


def label_origins(
    records: Records, principal: Principal, incident_id: str, labels: Mapping[str, str | None], *, at: datetime
) -> dict[str, LabelOrigin]:
    """Return how labels that are written to the incident come to stand, in view of its newest suggestion."""
    suggestion = records.suggestion_of_incident(incident_id, principal) if labels else None
    return decide(records, principal, suggestion, labels, at=at)


def check_labels(labels: Labels, taxonomy: Taxonomy, policy: PriorityPolicy) -> None:
    """Raise InvalidInput naming the first label that the taxonomy or the scales do not have."""
    scales = {"impact": policy.matrix.impacts, "urgency": policy.matrix.urgencies}
    for target in TARGETS:
        value, known = labels.get(target), scales.get(target) or taxonomy.names(target)
        if value is not None and known is not None and value not in known:
            raise InvalidInput(f'{target} "{value}" is not known here; use one of {", ".join(known)}', field=target)
    parent = taxonomy.parents.get(labels.sub_category or "")
    if parent is not None and labels.category is not None and parent != labels.category:
        raise InvalidInput(
            f'sub_category "{labels.sub_category}" is of {parent}, not of {labels.category}; change one of them',
            field="sub_category",
        )


def priority_of(labels: Labels, policy: PriorityPolicy) -> str | None:
    """Return the matrix's priority, None while impact or urgency is unknown."""
    if labels.impact is None or labels.urgency is None:
        return None
    return policy.matrix.priority(labels.impact, labels.urgency)


def found(records: Records, principal: Principal, incident_id: str) -> Incident:
    """Return the incident. Raises NotFound where there is none that the principal may see."""
    incident = records.incident(incident_id, principal)
    if incident is None:
        raise NotFound(f"there is no incident {incident_id}", field="incident_id")
    return incident


def same_version(incident: Incident, version: int | None) -> None:
    """Raise VersionMismatch if the caller read another version."""
    if version is not None and version != incident.version:
        raise VersionMismatch(
            f"incident {incident.id} is at version {incident.version}, not {version}; read it again and repeat the change"
        )

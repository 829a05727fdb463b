"""What one resolved incident says of a fix, and the groups of those that say the same fix."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from smarttriage.domain.incident import Incident, Resolution


@dataclass(frozen=True, slots=True)
class Observation:
    """A resolved incident as it was told: what was seen, and what was done. Texts stand as their authors wrote them.

    Attributes:
        id: Made from the incident's id: an incident has one observation at most.
        tenant: Whose it is.
        audiences: Who may see the incident.
        incident_id: Where it comes from.
        title: The incident's title.
        symptom: The incident's description.
        fix: The resolution.
        resolved_at: When it was resolved, UTC.
        language: ISO 639-1 code, None if not known.
        category: What the incident turned out to be.
        sub_category: The same, closer.
        services: Which services were hit.
        items: Which configuration items were named.
        people: Names that the record gives; they are masked wherever the text is quoted.
        article_id: The article that was used.
        drafted_article_id: The draft that was made when it was resolved.
        is_history: Whether it was resolved before it was stored here, as imported records are.
        group_id: The fix that it is of, None until it was compared.
    """

    id: str
    tenant: str
    audiences: frozenset[str]
    incident_id: str
    title: str
    symptom: str
    fix: str
    resolved_at: datetime
    language: str | None = None
    category: str | None = None
    sub_category: str | None = None
    services: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    article_id: str | None = None
    drafted_article_id: str | None = None
    is_history: bool = False
    group_id: str | None = None


@dataclass(frozen=True, slots=True)
class FixGroup:
    """Observations of the same fix. Its id stays while its members come and go.

    Attributes:
        id: Stable.
        tenant: Whose it is.
        audiences: Who may see its members; observations of other audiences are never mixed in.
        created_at: When it was first seen, UTC.
        updated_at: When its members last changed, UTC.
        article_id: The article that tells the fix, None while there is none.
        merged_into: The group that took its members, None while it has some.
    """

    id: str
    tenant: str
    audiences: frozenset[str]
    created_at: datetime
    updated_at: datetime
    article_id: str | None = None
    merged_into: str | None = None


class GroupEventKind(StrEnum):
    """What happened to a group. Stable codes."""

    FORMED = "formed"
    JOINED = "joined"
    LEFT = "left"
    SPLIT = "split"
    MERGED = "merged"


@dataclass(frozen=True, slots=True)
class GroupEvent:
    """One line of a group's history.

    Attributes:
        group_id: Which group.
        kind: What happened to it.
        at: When, UTC.
        observation_id: Which member came or went.
        other_id: The group that it was split from, or that it was merged into.
    """

    group_id: str
    kind: GroupEventKind
    at: datetime
    observation_id: str | None = None
    other_id: str | None = None


def observation_of(incident: Incident) -> Observation | None:
    """Return what a resolved incident says, None while it is open or has no resolution."""
    if incident.is_open or incident.resolution is None:
        return None
    return observed(incident, incident.resolution)


def observed(incident: Incident, resolution: Resolution) -> Observation:
    """Return what an incident says with that resolution."""
    people = (incident.reporter, incident.logged_by, resolution.resolved_by, *incident.affected_users)
    return Observation(
        id="obs_" + sha256(f"{incident.tenant}\x1f{incident.id}".encode("utf-8", "surrogatepass")).hexdigest()[:24],
        tenant=incident.tenant,
        audiences=incident.audiences,
        incident_id=incident.id,
        title=incident.title,
        symptom=incident.description,
        fix=resolution.text,
        resolved_at=resolution.resolved_at,
        language=incident.language,
        category=incident.labels.category,
        sub_category=incident.labels.sub_category,
        services=incident.affected_services,
        items=incident.configuration_items,
        people=tuple(dict.fromkeys(person for person in people if person)),
        article_id=resolution.article_id,
        drafted_article_id=resolution.drafted_article_id,
        is_history=resolution.resolved_at < incident.created_at,
    )

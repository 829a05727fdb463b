"""Similar incidents as they are shown: one for each problem, what fixed it, and which open ones may be the very same event."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TypeAlias

from smarttriage.domain.incident import Incident
from smarttriage.domain.matches import IncidentMatch, Relation
from smarttriage.domain.near_text import gist, near_identical
from smarttriage.services.notes import assess
from smarttriage.services.retrieval import SearchResult

Neighbour: TypeAlias = tuple[SearchResult, Incident]


@dataclass(frozen=True, slots=True)
class RelationBounds:
    """When an open incident is more than alike.

    Attributes:
        duplicate: Cosine from which an open one may be a duplicate.
        duplicate_within: How far apart the two were reported at most.
        outage: Cosine from which an open one may belong to the same outage.
        outage_within: How far apart the reports of an outage are at most.
        outage_reports: How many reports make an outage, the one asked about included.
    """

    duplicate: float = 0.9
    duplicate_within: timedelta = timedelta(hours=24)
    outage: float = 0.6
    outage_within: timedelta = timedelta(hours=1)
    outage_reports: int = 4


BOUNDS = RelationBounds()


def similar(
    neighbours: Sequence[Neighbour], k: int, *, at: datetime, bounds: RelationBounds = BOUNDS
) -> tuple[IncidentMatch, ...]:
    """Return at most k neighbours, best first, one for each cluster of near-duplicates.

    Args:
        neighbours: Best first.
        k: How many at most.
        at: When the incident asked about was reported.
        bounds: When an open one is flagged.
    """
    relations = related(neighbours, at=at, bounds=bounds)
    shown = [(_representative(cluster), cluster) for cluster in clusters(neighbours)]
    shown.sort(key=lambda each: (-each[0][0].score, each[0][1].id))
    return tuple(_match(chosen, cluster, relations) for chosen, cluster in shown[:k])


def related(neighbours: Sequence[Neighbour], *, at: datetime, bounds: RelationBounds = BOUNDS) -> dict[str, Relation]:
    """Return the open neighbours that may be the same event: id -> how."""
    still_open = [
        (result.dense or 0.0, abs(incident.reported_at - at), incident.id) for result, incident in neighbours if incident.is_open
    ]
    outage = [id_ for near, apart, id_ in still_open if near >= bounds.outage and apart <= bounds.outage_within]
    if len(outage) + 1 < bounds.outage_reports:
        outage = []
    found = {
        id_: Relation.POSSIBLE_DUPLICATE
        for near, apart, id_ in still_open
        if near >= bounds.duplicate and apart <= bounds.duplicate_within
    }
    return found | dict.fromkeys(outage, Relation.SAME_OUTAGE)


def clusters(neighbours: Sequence[Neighbour]) -> list[list[Neighbour]]:
    """Return the neighbours by near-duplicate cluster, each in the order given; a neighbour joins the first one it is like."""
    found: list[tuple[frozenset[str], list[Neighbour]]] = []
    for neighbour in neighbours:
        words = gist(neighbour[1].title, neighbour[1].description)
        for first, members in found:
            if near_identical(first, words):
                members.append(neighbour)
                break
        else:
            found.append((words, [neighbour]))
    return [members for _, members in found]


def _representative(cluster: Sequence[Neighbour]) -> Neighbour:
    """Return the first that says what was done, else the first open one, else the first."""
    if len(cluster) == 1:
        return cluster[0]
    for wanted in (_is_instructive, _is_open):
        for neighbour in cluster:
            if wanted(neighbour[1]):
                return neighbour
    return cluster[0]


def _is_instructive(incident: Incident) -> bool:
    return not incident.is_open and incident.resolution is not None and _says_what_was_done(incident.resolution.text)


def _is_open(incident: Incident) -> bool:
    return incident.is_open


@lru_cache(maxsize=4_096)
def _says_what_was_done(note: str) -> bool:
    """Return whether a colleague could do it again; floods are closed with the same few notes."""
    return assess(note).actionable


def _match(chosen: Neighbour, cluster: Sequence[Neighbour], relations: dict[str, Relation]) -> IncidentMatch:
    result, incident = chosen
    resolution = incident.resolution
    marked = [(relations[other.id], other.id) for _, other in cluster if other.id in relations] if relations else []
    # An outage says more than a duplicate: somebody should look at all of them together.
    relation = next(
        (each for each in (Relation.SAME_OUTAGE, Relation.POSSIBLE_DUPLICATE) if any(each is m for m, _ in marked)), None
    )
    return IncidentMatch(
        incident.id,
        incident.heading,
        str(incident.status),
        round(result.score, 4),
        resolution.text if resolution else None,
        relation,
        tuple(id_ for each, id_ in marked if each is relation),
        len(cluster) - 1,
        resolution.article_id if resolution else None,
        relevant=result.relevant,
    )

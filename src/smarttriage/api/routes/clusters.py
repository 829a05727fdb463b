"""Clusters of incidents: what arrives together, what is a duplicate, what comes again; and what people make of it."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from smarttriage.api import documented
from smarttriage.api.answers import Answer, answer, etag
from smarttriage.api.calls import IfMatch, Reader, Reviewer, Writer, version_of
from smarttriage.api.cluster_schemas import ClusterOut, ClusterQuery, ClustersOut, DecisionCreate, MergeCreate, SplitCreate
from smarttriage.api.strict_json import StrictRoute
from smarttriage.domain.incident import Incident
from smarttriage.domain.streams import Cluster, Membership, Proposal
from smarttriage.services.cluster_evidence import ClusterEvidence, Named
from smarttriage.services.clusters import ClusterView

router = APIRouter(route_class=StrictRoute, tags=["clusters"])
# A storm may have thousands of reports; nobody reads more of them here, and each can be read by itself.
_LISTED = 500
_CHANGED = documented.answers(ClusterOut, *documented.EDIT_ONE, headers=("ETag",))


@router.get("/v1/clusters", summary="List clusters of incidents", responses=documented.answers(ClustersOut, *documented.READ))
def list_clusters(call: Reader, query: Annotated[ClusterQuery, Query()]) -> Response:
    """Return a page of the clusters that the key may see, with what is proposed about each."""
    page, proposals, sizes = call.services.clusters.list(
        call.principal, kind=query.kind, state=query.state, limit=query.limit, cursor=query.cursor
    )
    items = [_summary(one, proposals[one.id], sizes[one.id]) for one in page.items]
    return answer({"items": items, "next_cursor": page.next_cursor}).response


@router.get(
    "/v1/clusters/{cluster_id}",
    summary="Read a cluster and its evidence",
    responses=documented.answers(ClusterOut, *documented.READ_ONE, headers=("ETag",)),
)
def read_cluster(call: Reader, cluster_id: str) -> Response:
    """Return who reports, since when, which services, what changed, and who was in it when."""
    return _present(call.services.clusters.get(call.principal, cluster_id)).response


@router.post("/v1/clusters/{cluster_id}/promote", summary="Declare what a cluster is", responses=_CHANGED)
def promote_cluster(call: Reviewer, cluster_id: str, body: DecisionCreate, if_match: IfMatch = None) -> Response:
    """Declare a major incident or a known problem: it is suggested before any similar incident until it is resolved."""
    version, clusters = version_of(if_match), call.services.clusters
    return call.commit(lambda: _present(clusters.promote(call.principal, cluster_id, kind=body.kind, version=version)))


@router.post("/v1/clusters/{cluster_id}/dismiss", summary="Say that a cluster is nothing", responses=_CHANGED)
def dismiss_cluster(call: Writer, cluster_id: str, body: DecisionCreate, if_match: IfMatch = None) -> Response:
    """Decline what is proposed; it is not proposed again of this cluster."""
    version, clusters = version_of(if_match), call.services.clusters
    return call.commit(lambda: _present(clusters.dismiss(call.principal, cluster_id, kind=body.kind, version=version)))


@router.post("/v1/clusters/{cluster_id}/merge", summary="Merge a cluster into another", responses=_CHANGED)
def merge_cluster(call: Writer, cluster_id: str, body: MergeCreate, if_match: IfMatch = None) -> Response:
    """Move all members; no incident is changed, and the history tells who was where. Returns the cluster that took over."""
    version, clusters = version_of(if_match), call.services.clusters
    return call.commit(lambda: _present(clusters.merge(call.principal, cluster_id, body.into, version=version)))


@router.post("/v1/clusters/{cluster_id}/split", summary="Split members off a cluster", responses=_CHANGED)
def split_cluster(call: Writer, cluster_id: str, body: SplitCreate, if_match: IfMatch = None) -> Response:
    """Give some members a cluster of their own. Returns the new one."""
    version, clusters = version_of(if_match), call.services.clusters
    return call.commit(lambda: _present(clusters.split(call.principal, cluster_id, body.incident_ids, version=version)))


@router.post("/v1/clusters/{cluster_id}/resolve", summary="Say that a cluster is over", responses=_CHANGED)
def resolve_cluster(call: Writer, cluster_id: str, if_match: IfMatch = None) -> Response:
    """End it: it takes in nothing more and is suggested no longer. Its incidents stay as they are."""
    version, clusters = version_of(if_match), call.services.clusters
    return call.commit(lambda: _present(clusters.resolve(call.principal, cluster_id, version=version)))


def _present(view: ClusterView) -> Answer:
    shown = {
        **_summary(view.cluster, view.proposals, len(view.members)),
        "evidence": _evidence(view.evidence),
        "members": [_member(each, view.incidents[each.incident_id]) for each in view.members[-_LISTED:]],
        "history": [_member(each, view.incidents[each.incident_id]) for each in view.history[-_LISTED:]],
    }
    return answer(shown, ETag=etag(view.cluster.version))


def _summary(one: Cluster, proposals: Sequence[Proposal], n_members: int) -> dict[str, Any]:
    own = ("id", "kind", "state", "title", "began_at", "updated_at", "resolved_at", "merged_into", "version")
    return {
        **{name: getattr(one, name) for name in own},
        "n_members": n_members,
        "proposals": [_proposal(each) for each in proposals],
    }


def _proposal(one: Proposal) -> dict[str, Any]:
    own = ("id", "kind", "rule", "state", "made_at", "figures", "decided_at", "decided_by")
    return {name: getattr(one, name) for name in own}


def _member(each: Membership, incident: Incident) -> dict[str, Any]:
    own = {name: getattr(each, name) for name in ("incident_id", "since", "because", "score", "added_by", "until", "ended_by")}
    return own | {name: getattr(incident, name) for name in ("title", "status", "reported_at")}


def _evidence(found: ClusterEvidence) -> dict[str, Any]:
    work = ("kind", "id", "title", "at", "shared")
    return {
        **{name: getattr(found, name) for name in ("since", "last_at", "n_reports", "n_open", "carried", "words")},
        **{name: [_named(one) for one in getattr(found, name)] for name in ("reporters", "places", "priorities")},
        "changed": [{name: getattr(one, name) for name in work} for one in found.changed],
    }


def _named(one: Named) -> dict[str, Any]:
    return {"name": one.name, "n": one.n}

"""What is going on at the moment: open major incidents and known problems, beside a text that is asked about."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from smarttriage.domain.access import Principal
from smarttriage.domain.matches import OngoingMatch
from smarttriage.domain.streams import Cluster, Proposal
from smarttriage.ports import Encoder, Store, Vectors
from smarttriage.services.indexing import embed

# The members that stand for a cluster: the first ones, before everybody writes "me too".
N_STANDING = 64
# One answer names so many at most.
N_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Ongoing:
    """A fixed state: clusters, how many reports each has, and the (n, dim) means of their reports' vectors. Immutable."""

    clusters: Sequence[tuple[Cluster, Proposal, int]] = ()
    vectors: Vectors = field(default_factory=lambda: np.zeros((0, 0), dtype=np.float32))
    encoder_id: str = ""
    least: float = 1.0

    def matches(self, principal: Principal, vector: Vectors, encoder_id: str) -> tuple[OngoingMatch, ...]:
        """Return what the text may be part of and the principal may see, nearest first; `vector` is (dim,)."""
        if not self.clusters or encoder_id != self.encoder_id:
            return ()
        near = (self.vectors @ vector).tolist()
        found = [
            OngoingMatch(cluster.id, proposal.kind, cluster.title, cluster.began_at, n, round(score, 4))
            for (cluster, proposal, n), score in zip(self.clusters, near, strict=True)
            if score >= self.least and principal.sees(cluster.tenant, cluster.audiences)
        ]
        return tuple(sorted(found, key=lambda match: (-match.score, match.cluster_id))[:N_SHOWN])


NOTHING_ONGOING = Ongoing()


class Board:
    """Holds what is ongoing; readers take the reference once per request, the pass replaces it whole."""

    def __init__(self) -> None:
        self.present = NOTHING_ONGOING

    def publish(self, ongoing: Ongoing) -> None:
        """Show this from now on."""
        self.present = ongoing


def read_ongoing(store: Store, encoder: Encoder, present: Sequence[tuple[Cluster, Proposal]], *, least: float) -> Ongoing:
    """Return the clusters with the means of their members' vectors; one without a member that has a text is left out."""
    kept: list[tuple[Cluster, Proposal, int]] = []
    vectors: list[Vectors] = []
    for cluster, proposal in present:
        with store.begin() as records:
            members = [each.incident_id for each in records.memberships(cluster.id) if each.until is None]
            texts = [one.text for one in records.indexable_incidents(members[:N_STANDING]) if one.text.strip()]
        if texts:
            mean = embed(texts, encoder=encoder, store=store).mean(axis=0)
            vectors.append(mean / np.linalg.norm(mean))
            kept.append((cluster, proposal, len(members)))
    return Ongoing(kept, np.stack(vectors), encoder.encoder_id, least) if kept else NOTHING_ONGOING

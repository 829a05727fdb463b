"""The background pass over arriving incidents: follows the change log, stores what belongs together and what it may be."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from smarttriage.domain.incident import Incident
from smarttriage.domain.stream_rules import Action, StreamPolicy
from smarttriage.domain.streams import Cluster, ClusterKind, ClusterState, Membership, Proposal, ProposalState, proposal_id
from smarttriage.ports import Clock, Encoder, Records, Store
from smarttriage.services.indexing import embed
from smarttriage.services.landscape import NOWHERE, Landscape
from smarttriage.services.ongoing import Ongoing, read_ongoing
from smarttriage.services.stream_detector import Join, StreamDetector
from smarttriage.services.stream_window import CAPACITY, Report

# A fact of the store: the last change whose consequences are stored.
POSITION = "clusters:position"
BATCH = 128
# How many changes without consequences may be gone through again after a stop, so that not each of them costs a write.
_KEEP_EVERY = 512
DETECTOR = "detector"


@dataclass(slots=True)
class _Plan:
    """What a batch of changes leads to."""

    joins: list[Join] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.joins or self.moved or self.ended)


class ClusterPass:
    """Goes behind the indexes through the change log, so that every text has its vector already.

    Everything follows from the log: after a stop or a kill the next pass goes on behind the last stored position, and what it
    goes through again gives the same clusters under the same ids. A first pass begins at the end of the log; what was there
    before is the background against which it measures.
    """

    def __init__(
        self,
        *,
        store: Store,
        policy: StreamPolicy,
        behind: Callable[[], tuple[int, Encoder]],
        clock: Clock,
        publish: Callable[[Ongoing], None],
        cmdb: Callable[[str], Landscape] = lambda _tenant: NOWHERE,
        capacity: int = CAPACITY,
    ) -> None:
        """Take `behind`, which says up to which change there are vectors, and whose; who is told of what is ongoing; each tenant's CMDB."""
        self._store = store
        self._policy = policy
        self._behind = behind
        self._clock = clock
        self._publish = publish
        self._cmdb = cmdb
        self._capacity = capacity
        self._detector: StreamDetector | None = None
        self._encoder_id = ""
        self._position = self._stored = 0
        self._told: object = None

    def step(self) -> None:
        """Go through what is new, then say what is ongoing."""
        bound, encoder = self._behind()
        while self._batch(bound, encoder):
            pass
        self._tell(encoder)

    def _batch(self, bound: int, encoder: Encoder) -> bool:
        """Go through the next changes; return whether there may be more."""
        with self._store.begin() as records:
            fact = records.fact(POSITION)
        stored = int(fact) if fact is not None else self._begin(bound)
        if self._detector is None or encoder.encoder_id != self._encoder_id or stored > self._position:
            self._load(stored, encoder)
        with self._store.begin() as records:
            changes = [each for each in records.changes(self._position, limit=BATCH) if each.seq <= bound]
            edited = next((place for place, each in enumerate(changes) if each.kind == "cluster"), len(changes))
            changes = changes[:edited] or changes[:1]
            ids = list(dict.fromkeys(each.record_id for each in changes if each.kind == "incident"))
            incidents = {one.id: one for one in records.indexable_incidents(ids)} if ids else {}
            known = records.memberships_of(ids)
            kinds = {one.id: one.kind for one in records.clusters_by_id({each.cluster_id for each in known}).values()}
        if not changes:
            return False
        if changes[0].kind == "cluster":  # a person changed clusters: what stands in memory is no longer so
            self._detector = None
            return self._keep(_Plan(), changes[-1].seq)
        of = {one: {kinds[each.cluster_id]: each.cluster_id for each in known if each.incident_id == one} for one in ids}
        return self._keep(self._planned([incidents[one] for one in ids if one in incidents], of, encoder), changes[-1].seq)

    def _begin(self, bound: int) -> int:
        with self._store.begin(write=True) as records:
            if records.fact(POSITION) is None:
                records.put_fact(POSITION, str(bound))
            return int(records.fact(POSITION) or 0)

    def _planned(self, incidents: Sequence[Incident], of: dict[str, dict[ClusterKind, str]], encoder: Encoder) -> _Plan:
        plan, detector = _Plan(), self._detector
        written = [one for one in incidents if one.text.strip()]
        if not written or detector is None:
            return plan
        vectors = embed([one.text for one in written], encoder=encoder, store=self._store)
        for incident, vector in zip(written, vectors, strict=True):
            report = Report.of(incident, self._cmdb(incident.tenant))
            if of[incident.id] and not detector.knows(incident.id):
                detector.remember(report, vector, of[incident.id])
            if not detector.knows(incident.id):
                plan.joins += detector.arrive(report, vector)
            elif not detector.update(report):
                plan.moved.append(incident.id)
            elif not report.is_open:
                plan.ended.append(incident.id)
        return plan

    def _keep(self, plan: _Plan, position: int) -> bool:
        """Store what the batch led to, all or nothing; where another process was faster, its state is taken up instead."""
        if plan or self._detector is None or position - self._stored >= _KEEP_EVERY:
            with self._store.begin(write=True) as records:
                if int(records.fact(POSITION) or 0) != self._stored:
                    self._detector = None
                    return True
                closed = _apply(records, plan, self._clock())
                records.put_fact(POSITION, str(position))
            self._stored = position
            if self._detector is not None:
                for cluster in closed:
                    self._detector.close(cluster)
        self._position = position
        return True

    def _load(self, position: int, encoder: Encoder) -> None:
        """Take up the state that the store has at that position."""
        detector = StreamDetector(policy=self._policy, dim=encoder.dim, capacity=self._capacity)
        with self._store.begin() as records:
            to_come = _changed_behind(records, position)
            past = [one for one in records.arrivals(limit=self._capacity) if one.id not in to_come and one.text.strip()][::-1]
            memberships = records.memberships_of([one.id for one in past])
            clusters = records.clusters_by_id({each.cluster_id for each in memberships})
            proposals = records.proposals(list(clusters))
        of: dict[str, dict[ClusterKind, str]] = {}
        for each in memberships:
            of.setdefault(each.incident_id, {})[clusters[each.cluster_id].kind] = each.cluster_id
        for cluster in clusters.values():
            if cluster.state is not ClusterState.OPEN:
                detector.close(cluster.id)
        for proposal in proposals:
            detector.said(proposal.cluster_id, proposal.kind)
        if past:
            vectors = embed([one.text for one in past], encoder=encoder, store=self._store)
            for incident, vector in zip(past, vectors, strict=True):
                detector.remember(Report.of(incident, self._cmdb(incident.tenant)), vector, of.get(incident.id, {}))
        self._detector, self._encoder_id, self._position, self._stored = detector, encoder.encoder_id, position, position

    def _tell(self, encoder: Encoder) -> None:
        with self._store.begin() as records:
            present = records.ongoing()
        key = (encoder.encoder_id, [(cluster.id, cluster.version, proposal.id) for cluster, proposal in present])
        if key != self._told:
            self._publish(read_ongoing(self._store, encoder, present, least=self._policy.linking.cosine))
            self._told = key


def _changed_behind(records: Records, position: int) -> set[str]:
    found: set[str] = set()
    while changes := records.changes(position, limit=1_000):
        found |= {each.record_id for each in changes if each.kind == "incident"}
        position = changes[-1].seq
    return found


def _apply(records: Records, plan: _Plan, now: datetime) -> list[str]:
    """Store the consequences; return the clusters that ended."""
    for join in plan.joins:
        _store_join(records, join, now)
    for each in records.memberships_of(plan.moved):
        records.end_memberships(each.cluster_id, [each.incident_id], at=now, by=DETECTOR)
    touched = records.clusters_by_id({each.cluster_id for each in records.memberships_of(plan.ended)})
    closed = []
    for cluster in touched.values():
        # A recurring problem is not over because nobody suffers from it at the moment.
        if (
            cluster.kind is not ClusterKind.RECURRING
            and cluster.state is ClusterState.OPEN
            and not records.n_open_members(cluster.id)
        ):
            over = replace(cluster, state=ClusterState.RESOLVED, resolved_at=now, updated_at=now, version=cluster.version + 1)
            records.update_cluster(over, key_id=None)
            closed.append(cluster.id)
    return closed


def _store_join(records: Records, join: Join, now: datetime) -> None:
    first = join.first
    if join.founded:
        records.add_clusters([Cluster(join.cluster_id, first.tenant, first.audiences, join.kind, first.title, first.at, now)])
    else:
        cluster = records.clusters_by_id([join.cluster_id])[join.cluster_id]
        records.update_cluster(replace(cluster, updated_at=now, version=cluster.version + 1), key_id=None)
    records.add_memberships(
        [Membership(join.cluster_id, one, now, join.because, DETECTOR, join.score) for one in join.incident_ids]
    )
    if (rule := join.rule) is not None:
        decided = rule.action is Action.PROMOTE
        state = ProposalState.PROMOTED if decided else ProposalState.PROPOSED
        by = (now, f"rule:{rule.id}") if decided else (None, None)
        made = Proposal(
            proposal_id(join.cluster_id, rule.kind), join.cluster_id, rule.kind, rule.id, state, now, join.facts.figures, *by
        )
        records.add_proposals([made])


class ClusterFollower:
    """A thread that lets the pass follow within a moment."""

    def __init__(self, *, steps: ClusterPass, on_error: Callable[[Exception], None]) -> None:
        self._pass = steps
        self._on_error = on_error
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cluster-follower", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """End after the present step."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._pass.step()
            except Exception as error:
                self._on_error(error)
            self._stopping.wait(POLL_S)


# A storm is to be seen within minutes; a second more or less does not matter, the desk's answers do.
POLL_S = 1.0

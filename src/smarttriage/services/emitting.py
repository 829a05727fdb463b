"""The background pass that tells each duty once when it falls due, and keeps what it told."""

import heapq
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime

from smarttriage.domain.escalation import EscalationEvent, EscalationMatrix, StepOfIncident
from smarttriage.domain.incident import Incident
from smarttriage.domain.priority import PriorityPolicy
from smarttriage.domain.streams import ProposalKind
from smarttriage.ports import Clock, Records, Store
from smarttriage.services.escalating import declared_major

# A duty told a second late does no harm; SLAs count in minutes.
POLL_S = 1.0
PAGE = 500
# Events in one transaction: short enough that no request waits for it.
AT_ONCE = 100


class EscalationPass:
    """Keeps in memory when the next steps of each open incident fall due, and stores an event for each that has.

    What was told stands in the store under an id that is computed from incident, step and deadline. After a stop or a kill the
    schedule is made anew from the open incidents: what fell due meanwhile is told then, what was told before is not told again,
    and of two processes that tell the same step one finds it told. Between two steps only changed incidents are read again.
    """

    def __init__(
        self,
        *,
        store: Store,
        matrix: EscalationMatrix,
        policy: Callable[[], PriorityPolicy],
        clock: Clock,
        on_event: Callable[[EscalationEvent], None],
        skip_sources: Collection[str] = (),
    ) -> None:
        """Take what it works on, who is told of each new event after it is stored, and whose incidents (the seed's) are nobody's duty."""
        self._store = store
        self._matrix = matrix
        self._policy = policy
        self._clock = clock
        self._on_event = on_event
        self._skip_sources = frozenset(skip_sources)
        self._scheduled_by: PriorityPolicy | None = None
        self._seq = 0
        self._standing: object = None
        self._declared: dict[str, str] = {}
        self._turn = 0
        self._turns: dict[str, int] = {}
        self._waiting: list[tuple[datetime, str, int, StepOfIncident]] = []

    def step(self) -> int:
        """Take up what changed and tell what is due; return how many events are new."""
        try:
            if self._policy() is not self._scheduled_by:
                self._load()
            self._follow()
            n_new = 0
            while due := self._due():
                n_new += self._tell(due)
        except BaseException:
            self._scheduled_by = None  # what was taken from the schedule may not be stored
            raise
        return n_new

    def _load(self) -> None:
        """Schedule every open incident anew."""
        self._waiting.clear()
        self._turns.clear()
        with self._store.begin() as records:
            self._seq = records.last_seq()
            self._declared = declared_major(records)
        self._scheduled_by = self._policy()
        after = ""
        while True:
            with self._store.begin() as records:
                page = records.open_incidents(after, limit=PAGE)
            self._schedule(page)
            if len(page) < PAGE:
                return
            after = page[-1].id

    def _follow(self) -> None:
        """Schedule anew what changed since the last step, and what became part of a major incident."""
        while True:
            with self._store.begin() as records:
                changes = records.changes(self._seq, limit=PAGE)
                ids = {each.record_id for each in changes if each.kind == "incident"}
            self._take_up(ids)
            if changes:
                self._seq = changes[-1].seq
            if len(changes) < PAGE:
                break
        with self._store.begin() as records:
            # The detector promotes and adds members without an entry in the change log; the version of the cluster tells.
            standing = [(one.id, one.version, each.kind) for one, each in records.ongoing() if each.kind is ProposalKind.MAJOR]
            if standing == self._standing:
                return
            declared = declared_major(records)
        before, self._declared, self._standing = self._declared, declared, standing
        self._take_up({one for one in before.keys() | declared.keys() if before.get(one) != declared.get(one)})

    def _take_up(self, ids: Collection[str]) -> None:
        if ids:
            with self._store.begin() as records:
                incidents = list(records.indexable_incidents(ids))
            self._schedule(incidents)

    def _schedule(self, incidents: Iterable[Incident]) -> None:
        """Replace the schedule of these incidents; what an earlier turn left in the heap is passed over by its number."""
        policy, now = self._policy(), self._clock()
        for one in incidents:
            is_ours = one.source_system not in self._skip_sources
            steps = self._matrix.steps_of(one, policy, now=now, declared=self._declared.get(one.id)) if is_ours else []
            self._turn += 1
            self._turns.pop(one.id, None)
            if steps:
                self._turns[one.id] = self._turn
            for step in steps:
                heapq.heappush(self._waiting, (step.due_at, step.event_id, self._turn, step))

    def _due(self) -> list[StepOfIncident]:
        """Return the next steps that are due, at most `AT_ONCE`."""
        now = self._clock()
        found: list[StepOfIncident] = []
        while self._waiting and self._waiting[0][0] <= now and len(found) < AT_ONCE:
            _, _, turn, step = heapq.heappop(self._waiting)
            if self._turns.get(step.incident_id) == turn:
                found.append(step)
        return found

    def _tell(self, due: Sequence[StepOfIncident]) -> int:
        """Store the events that are new and still called for, all or nothing; return how many those are."""
        ids = [one.event_id for one in due]
        with self._store.begin() as records:
            if len(records.told_escalations(ids)) == len(ids):
                return 0  # as after every start, when the whole schedule is gone through again
        with self._store.begin(write=True) as records:
            told = records.told_escalations(ids)
            events = [one for one in self._called_for(records, due) if one.event_id not in told]
            records.add_escalations(events)
        for event in events:
            self._on_event(event)
        return len(events)

    def _called_for(self, records: Records, due: Sequence[StepOfIncident]) -> Iterator[EscalationEvent]:
        """Yield the events of those steps that the incidents, as they stand in this transaction, still bring."""
        wanted, now, policy = {one.event_id for one in due}, self._clock(), self._policy()
        incidents = records.indexable_incidents({one.incident_id for one in due})
        standing = [
            (incident.tenant, step)
            for incident in incidents
            for step in self._matrix.steps_of(incident, policy, now=now, declared=self._declared.get(incident.id))
            if step.event_id in wanted
        ]
        for tenant, one in sorted(standing, key=lambda each: (each[1].due_at, each[1].event_id)):
            duty = one.step
            yield EscalationEvent(
                event_id=one.event_id,
                tenant=tenant,
                incident_id=one.incident_id,
                step=duty.id,
                kind=duty.kind,
                to=duty.to,
                action=duty.action,
                because=one.because,
                due_at=one.due_at,
                emitted_at=now,
            )


class EscalationFollower:
    """A thread that lets the pass follow the clock."""

    def __init__(self, *, steps: EscalationPass, on_error: Callable[[Exception], None]) -> None:
        self._pass = steps
        self._on_error = on_error
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="escalation", daemon=True)

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

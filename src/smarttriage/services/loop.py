"""The knowledge loop: follows the change log, groups resolved incidents by their fix, and keeps one draft for each fix up to date."""

import itertools
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from smarttriage.domain.draft import ArticleDraft
from smarttriage.domain.incident import Incident
from smarttriage.domain.observation import FixGroup, Observation, observation_of
from smarttriage.ports import Clock, Records, Store, Vectors
from smarttriage.services.fix_neighbourhood import Circle, Neighbourhood
from smarttriage.services.grouping import Centres, most_typical_first
from smarttriage.services.indexing import embed
from smarttriage.services.learning import with_resolution
from smarttriage.services.live import Live
from smarttriage.services.notes import assess
from smarttriage.services.proposing import Proposer

SEQ_FACT = "knowledge_loop_seq"
# Since when groups are to be proposed anew, because articles that they were compared with were undone; empty: none are.
ANEW_FACT = "knowledge_loop_anew_since"
# Changes in one pass: one short transaction, and little to do again after a kill.
BATCH = 64
# Mean cosine of incidents with their resolutions from which they tell of the same fix: of the levels that benchmarks/loop.py replays on
# articles that it does not report on, the least at which at most one article in fifty mixes fixes.
SAME_GROUP = 0.75


@dataclass(frozen=True, slots=True)
class _Read:
    """What a pass found behind the last one."""

    before: int
    seq: int
    arrived: Sequence[Observation]
    renewed: Sequence[Observation]
    gone: Sequence[Observation]
    stale: frozenset[str]
    anew: str


class KnowledgeLoop:
    """One pass at a time. Everything that it decides is committed with its position in the change log, in one transaction.

    A pass that was killed left nothing and is repeated; of two processes that make the same pass, one finds it made. In memory are
    only the mean directions of the groups, which are read again whenever they may be wrong.
    """

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        live: Live,
        level: float = SAME_GROUP,
        skip_sources: Collection[str] = (),
        proposer: Proposer | None = None,
    ) -> None:
        """Take what it works on; incidents of `skip_sources` (the seed, whose articles are written) are not observed."""
        self._store = store
        self._clock = clock
        self._live = live
        self._level = level
        self._skip_sources = frozenset(skip_sources)
        self._proposer = proposer or Proposer(live=live)
        self._centres: dict[Circle, Centres] | None = None
        self._seq = -1
        self._encoder_id = ""
        self._turn = threading.Lock()

    def catch_up(self) -> int:
        """Work until nothing is left; return in how many passes."""
        n_passes = 0
        while self.step():
            n_passes += 1
        return n_passes

    def step(self) -> bool:
        """Make one pass; return whether there was anything to do."""
        with self._turn:
            with self._store.begin() as records:
                read = self._read(records)
            if read is None:
                return False
            if not (read.arrived or read.renewed or read.gone or read.stale):
                self._commit(read, None, ())
                return True
            try:
                around = self._regrouped(read)
                self._commit(read, around, self._drafts(around, read.stale))
            except BaseException:
                self._centres = None  # they may hold what was not stored
                raise
            return True

    def _read(self, records: Records) -> _Read | None:
        before = int(records.fact(SEQ_FACT) or 0)
        changes = records.changes(before, limit=BATCH)
        if not changes:
            return None
        incident_ids = {change.record_id for change in changes if change.kind == "incident"}
        article_ids = {change.record_id for change in changes if change.kind == "article"}
        known = records.observations(incident_ids)
        arrived, renewed, gone = [], [], []
        for incident in records.indexable_incidents(incident_ids) if incident_ids else ():
            present, wanted = known.get(incident.id), self._observed(incident)
            if wanted is None or present is None or _told(wanted) != _told(present):
                gone += [present] if present else []
                arrived += [wanted] if wanted else []
            elif replace(wanted, group_id=present.group_id) != present:
                renewed.append(replace(wanted, group_id=present.group_id))
        stale = {draft.group_id for draft in records.open_drafts(article_ids=article_ids)}
        anew = records.fact(ANEW_FACT) or ""
        if anew:
            stale.update(records.fix_groups_since(datetime.fromisoformat(anew)))
        return _Read(before, changes[-1].seq, arrived, renewed, gone, frozenset(stale), anew)

    def _observed(self, incident: Incident) -> Observation | None:
        if incident.source_system in self._skip_sources:
            return None
        observation = observation_of(incident.counting_for())
        return observation if observation is not None and assess(observation.fix).actionable else None

    def _regrouped(self, read: _Read) -> Neighbourhood:
        """Return the neighbourhood of what came and went, grouped anew."""
        around = Neighbourhood(
            at=self._clock(),
            level=self._level,
            centres=self._centres_at(read.before),
            read=self._members,
            embed=self._embed,
            find=self._groups,
        )
        for each in read.gone:
            around.leave(each)
        for each in read.renewed:
            around.renew(each)
        around.encode(list(read.arrived))
        for each in sorted(read.arrived, key=lambda each: (each.resolved_at, each.id)):
            around.arrive(each)
        around.load(sorted(read.stale))
        return around

    def _members(self, group_ids: Iterable[str]) -> list[Observation]:
        with self._store.begin() as records:
            return list(records.grouped_observations(list(group_ids)))

    def _groups(self, group_ids: Iterable[str]) -> Mapping[str, FixGroup]:
        with self._store.begin() as records:
            return records.fix_groups(list(group_ids))

    def _drafts(self, around: Neighbourhood, stale: Collection[str]) -> list[ArticleDraft]:
        """Return the drafts that are new or different now, of the groups that changed."""
        made = []
        with self._store.begin() as records:
            for group_id in sorted(around.changed | set(stale)):
                own = around.members[group_id]
                typical = [own[id_] for id_ in most_typical_first(list(own), around.vectors)] if own else []
                vector = around.vectors[typical[0].id] if typical else None
                made += self._proposer.drafts(records, around.groups[group_id], typical, vector, at=around.at)
        return made

    def _commit(self, read: _Read, around: Neighbourhood | None, drafts: Sequence[ArticleDraft]) -> None:
        """Store all of the pass, unless another process made it meanwhile."""
        with self._store.begin(write=True) as records:
            if int(records.fact(SEQ_FACT) or 0) != read.before:
                self._centres = None
                return
            if around is not None:
                records.remove_observations([each.id for each in read.gone])
                records.put_fix_groups(_with_articles(records, [around.groups[id_] for id_ in sorted(around.changed)]))
                records.put_observations([each for id_ in sorted(around.changed) for each in around.members[id_].values()])
                records.add_group_events(around.events)
                records.put_drafts(drafts)
            records.put_fact(SEQ_FACT, str(read.seq))
            if read.anew and records.fact(ANEW_FACT) == read.anew:
                records.put_fact(ANEW_FACT, "")
        self._seq = read.seq

    def _centres_at(self, seq: int) -> dict[Circle, Centres]:
        """Return the mean directions of all groups as they stood at that position, read anew unless this process made the last pass."""
        encoder_id = self._live.state.search_encoder.encoder_id
        if self._centres is None or self._seq != seq or self._encoder_id != encoder_id:
            self._centres, self._encoder_id = self._loaded(), encoder_id
        return self._centres

    def _loaded(self) -> dict[Circle, Centres]:
        totals: dict[tuple[Circle, str], Vectors] = {}
        with self._store.begin() as records:
            stored = iter(records.grouped_observations())
            while part := list(itertools.islice(stored, BATCH)):
                for each, vector in zip(part, self._embed(part), strict=True):
                    key = ((each.tenant, each.audiences), str(each.group_id))
                    totals[key] = totals[key] + vector if key in totals else vector.astype(np.float64)
        centres: dict[Circle, Centres] = {}
        for (circle, group_id), total in totals.items():
            centres.setdefault(circle, Centres()).put(group_id, total)
        return centres

    def _embed(self, observations: list[Observation]) -> Vectors:
        texts = [with_resolution(each.title, each.symptom, each.fix) for each in observations]
        return embed(texts, encoder=self._live.state.search_encoder, store=self._store)


def propose_anew(records: Records, since: datetime) -> None:
    """Let the next pass propose anew what groups say that changed since then."""
    present = records.fact(ANEW_FACT)
    records.put_fact(ANEW_FACT, min(present or since.isoformat(), since.isoformat(), key=datetime.fromisoformat))


def _told(observation: Observation) -> tuple[object, ...]:
    """Return what an observation is compared by; where it changes, the observation is another."""
    return (observation.title, observation.symptom, observation.fix, observation.audiences)


def _with_articles(records: Records, groups: Sequence[FixGroup]) -> list[FixGroup]:
    """Return the groups with the articles that reviewers gave them while the pass ran."""
    stored = records.fix_groups([group.id for group in groups])
    return [replace(each, article_id=stored[each.id].article_id) if each.id in stored else each for each in groups]


class LoopRunner:
    """A thread that makes passes while there is work and looks for more a few times a minute."""

    def __init__(self, *, loop: KnowledgeLoop, on_error: Callable[[Exception], None], poll_s: float = 5.0) -> None:
        self._loop = loop
        self._on_error = on_error
        self._poll_s = poll_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="knowledge-loop", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the present pass."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            busy = False
            try:
                busy = self._loop.step()
            except Exception as error:
                self._on_error(error)
            # Requests go first: even a long backlog leaves every other moment to them.
            self._stopping.wait(0.05 if busy else self._poll_s)

"""Knowledge gaps: what people had to solve without an article, ranked by what that costs, each ready to become a draft."""

import statistics
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from smarttriage.domain.access import Principal
from smarttriage.domain.article import Article
from smarttriage.domain.cleaning import cleaned
from smarttriage.domain.errors import InvalidInput, NotFound
from smarttriage.domain.gaps import Gap, Helped, SampledIncident, digest_of, helped, pareto
from smarttriage.domain.glossary import Gloss
from smarttriage.domain.incident import Incident
from smarttriage.domain.outcome import OutcomeKind
from smarttriage.domain.personal_data import masked
from smarttriage.ports import Clock, IncidentFilter, Store, Vectors
from smarttriage.services.indexing import content_hash
from smarttriage.services.knowledge import KnowledgeService
from smarttriage.services.lacking import LackModel, Numbers
from smarttriage.services.live import Live, State
from smarttriage.services.notes import assess
from smarttriage.services.retrieval import TENTH, margin
from smarttriage.services.topics import common_words, sample, topics, words_of

_PAGE = 500
# The newest of a report: 2,000 take about two seconds, most of it for asking the articles about incidents that nobody asked about.
MAX_INCIDENTS = 2_000
N_SAMPLE = 5
_SYMPTOM_CHARS = 400
LACK = LackModel()


@dataclass(frozen=True, slots=True)
class Missed:
    """An incident that was resolved by what an article says which was not suggested for it."""

    incident_id: str
    title: str
    article_id: str


@dataclass(frozen=True, slots=True)
class GapReport:
    """What the knowledge base lacks.

    Attributes:
        n: Incidents that were looked at, the newest of the period.
        n_unread: Those of them that the indexes have not read yet.
        helped: How many of the others articles helped with, or not.
        gaps: Topics without a working article, the costliest first.
        missed: Opportunities that were missed, newest incident first.
    """

    n: int
    n_unread: int
    helped: Mapping[Helped, int]
    gaps: Sequence[Gap]
    missed: Sequence[Missed]


@dataclass(frozen=True, slots=True)
class GapService:
    """Reads incidents and what was said of articles for them; writes nothing but the draft that somebody asks for."""

    store: Store
    live: Live
    clock: Clock

    def report(
        self, principal: Principal, *, reported_from: datetime | None = None, reported_before: datetime | None = None
    ) -> GapReport:
        """Return the gaps among the newest incidents of the period that the principal may see."""
        state = self.live.state
        incidents = self._newest(principal, IncidentFilter(reported_from=reported_from, reported_before=reported_before))
        ids = [incident.id for incident in incidents]
        hashes = {incident.id: content_hash(incident.text) for incident in incidents}
        with self.store.begin() as records:
            shown = records.suggested_articles(ids, principal)
            said = records.outcomes_of_incidents(ids, principal)
            known = records.vectors(state.search_encoder.encoder_id, set(hashes.values()))
        read = [incident for incident in incidents if hashes[incident.id] in known]
        vectors = [known[hashes[incident.id]] for incident in read]
        verdicts = [helped(each, shown.get(each.id), said.get(each.id, ())) for each in read]
        unasked = [place for place, each in enumerate(read) if verdicts[place] is Helped.NOT_SAID and each.id not in shown]
        for place in _lacking(state, principal, [(read[place], vectors[place]) for place in unasked]):
            verdicts[unasked[place]] = Helped.NO_ARTICLE
        lacking = [place for place, verdict in enumerate(verdicts) if verdict in (Helped.NO_ARTICLE, Helped.ONLY_FAILED)]
        missed = [
            Missed(each.id, each.heading, outcome.article_id)
            for each in incidents
            for outcome in said.get(each.id, ())
            if outcome.kind is OutcomeKind.MISSED
        ]
        overall = _median_hours(read)
        gaps = _ranked(
            [read[place] for place in lacking],
            [vectors[place] for place in lacking],
            failed=frozenset(read[place].id for place in lacking if verdicts[place] is Helped.ONLY_FAILED),
            overall=overall,
            gloss=state.models.gloss,
        )
        by_id = {incident.id: (incident, vector) for incident, vector in zip(read, vectors, strict=True)}
        answered = [replace(gap, found_now=_found(state, principal, *by_id[gap.sample[0].id])) for gap in gaps]
        return GapReport(len(incidents), len(incidents) - len(read), dict(Counter(verdicts)), answered, missed)

    def draft(
        self, principal: Principal, incident_ids: Sequence[str], *, title: str | None, knowledge: KnowledgeService
    ) -> Article:
        """Store a draft that quotes what the incidents say, each sentence with its incident; return it.

        Raises NotFound for an incident, InvalidInput where no audience may see all of them, Conflict if this draft was made before.
        """
        with self.store.begin() as records:
            found = records.incidents_by_id(incident_ids, principal)
        for incident_id in incident_ids:
            if incident_id not in found:
                raise NotFound(f"there is no incident {incident_id}", field="incident_ids")
        incidents = [found[incident_id] for incident_id in dict.fromkeys(incident_ids)]
        audiences = frozenset.intersection(*(incident.audiences for incident in incidents))
        if not audiences:
            raise InvalidInput(
                "no audience may see all of these incidents; draft from those of one audience", field="incident_ids"
            )
        return knowledge.create(principal, drafted(incidents, title=title, audiences=audiences, now=self.clock()))

    def _newest(self, principal: Principal, where: IncidentFilter) -> list[Incident]:
        found: list[Incident] = []
        cursor: str | None = None
        while len(found) < MAX_INCIDENTS:
            with self.store.begin() as records:
                page = records.incidents(principal, where, limit=_PAGE, cursor=cursor)
            found += page.items
            cursor = page.next_cursor
            if cursor is None:
                break
        return found[:MAX_INCIDENTS]


def drafted(incidents: Sequence[Incident], *, title: str | None, audiences: frozenset[str], now: datetime) -> Article:
    """Return a draft whose every line is a quotation, personal data masked; resolutions that say nothing are left out."""
    first = incidents[0]
    symptoms = [f"- {_quoted(each.description or each.title)[:_SYMPTOM_CHARS]} ({each.id})" for each in incidents]
    resolved = [(each.id, each.resolution.text) for each in incidents if each.resolution is not None]
    steps = [f"- {_quoted(text)} ({incident_id})" for incident_id, text in resolved if assess(text).actionable]
    remedy = "\n".join(steps) or "None of these incidents says what was done; write down what helped."
    categories = Counter(each.labels.category for each in incidents if each.labels.category)
    return Article(
        id=f"kb_gap_{digest_of([first.tenant, *(each.id for each in incidents)])}",
        tenant=first.tenant,
        audiences=audiences,
        title=title or _quoted(first.title or first.description)[:120],
        body="## Symptoms\n" + "\n".join(symptoms) + "\n\n## Resolution\n" + remedy + "\n",
        category=categories.most_common(1)[0][0] if categories else None,
        language=first.language or "en",
        source_incidents=tuple(each.id for each in incidents),
        created_at=now,
        updated_at=now,
    )


def _quoted(text: str) -> str:
    return " ".join(masked(cleaned(text)).split())


def _lacking(state: State, principal: Principal, incidents: Sequence[tuple[Incident, Vectors]]) -> list[int]:
    """Return the places of the incidents that find no article which may answer them."""
    if not incidents:
        return []
    lacks = LACK(best_articles(state, principal, incidents), np.stack([vector for _, vector in incidents]))
    return [int(place) for place in np.flatnonzero(lacks)]


def best_articles(state: State, principal: Principal, incidents: Sequence[tuple[Incident, Vectors]]) -> Numbers:
    """Return (n, 2) the score of the best article of each incident, and how far it stands above the tenth; zeros for none."""
    search, allowed = state.catalogue.articles, principal.labels
    found = []
    for incident, vector in incidents:
        dense = search.nearest(vector, TENTH, allowed=allowed)
        ranked = search.fused(dense, search.worded(incident.text, TENTH, allowed=allowed))
        found.append((ranked[0].score, margin(ranked)) if ranked else (0.0, 0.0))
    return np.array(found)


def _found(state: State, principal: Principal, incident: Incident, vector: Vectors) -> str | None:
    results = state.catalogue.articles.search(incident.text, vector, 1, allowed=principal.labels)
    return results[0].id if results else None


def _median_hours(incidents: Sequence[Incident]) -> float | None:
    hours = [
        (each.resolution.resolved_at - each.reported_at).total_seconds() / 3600
        for each in incidents
        if each.resolution is not None
    ]
    return statistics.median([each for each in hours if each >= 0]) if any(each >= 0 for each in hours) else None


def _ranked(
    incidents: Sequence[Incident],
    vectors: Sequence[Vectors],
    *,
    failed: frozenset[str],
    overall: float | None,
    gloss: Callable[[str], Gloss | None],
) -> list[Gap]:
    """Return the topics of the incidents, the costliest first. Where no handling time is known, every incident costs the same.

    A topic is named by English words where `gloss` knows them: the small words of another language are rare here, and would name it.
    """
    if not incidents:
        return []
    # Oldest first: later incidents join the topics that earlier ones began.
    order = sorted(range(len(incidents)), key=lambda place: (incidents[place].reported_at, incidents[place].id))
    incidents, stacked = [incidents[place] for place in order], np.stack([vectors[place] for place in order])
    texts = [english.text if (english := gloss(incident.text)) else incident.text for incident in incidents]
    frequency = Counter(word for text in texts for word in words_of(text))
    gaps = []
    for rows in topics(stacked):
        members = [incidents[row] for row in rows]
        hours = _median_hours(members)
        hours = overall if hours is None else hours
        categories = Counter(each.labels.category for each in members if each.labels.category)
        gap = Gap(
            id=f"gap_{digest_of(each.id for each in members)}",
            words=common_words(texts, rows, frequency),
            category=categories.most_common(1)[0][0] if categories else None,
            n=len(members),
            n_only_failed=sum(each.id in failed for each in members),
            median_hours=None if hours is None else round(hours, 3),
            cost=round(len(members) * (1.0 if hours is None else hours), 3),
            share=0.0,
            cumulative=0.0,
            vital=False,
            first_at=members[0].reported_at,
            last_at=members[-1].reported_at,
            sample=tuple(SampledIncident(incidents[row].id, incidents[row].heading) for row in sample(stacked, rows, N_SAMPLE)),
            incident_ids=tuple(each.id for each in members),
            found_now=None,
        )
        gaps.append(gap)
    gaps.sort(key=lambda gap: (-gap.cost, -gap.n, gap.id))
    rows_of = pareto([gap.cost for gap in gaps])
    return [
        replace(gap, share=round(share, 4), cumulative=round(cumulative, 4), vital=vital)
        for gap, (share, cumulative, vital) in zip(gaps, rows_of, strict=True)
    ]

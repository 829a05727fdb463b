"""What a text finds: articles and past incidents, by its words and by its vector."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TypeAlias

import numpy as np

from smarttriage.domain.access import Principal, own_label
from smarttriage.domain.glossary import Gloss
from smarttriage.domain.incident import Incident, Labels
from smarttriage.domain.incident_parts import further_passages
from smarttriage.domain.matches import ArticleMatch, IncidentMatch, SearchCollection
from smarttriage.domain.rules import Circumstances
from smarttriage.domain.text import shared_words, telling_words
from smarttriage.ports import Encoder, Store, Vectors
from smarttriage.services.catalogue import Catalogue
from smarttriage.services.evidence import N_WEIGHED, weighed, worth
from smarttriage.services.retrieval import Ranking, SearchResult
from smarttriage.services.similar import similar

N_NEIGHBOURS = 10
# Translated words that a reason names.
N_TRANSLATED = 5
DEFAULT_MATCHES = 5
# How far the ranking is followed where the first neighbours are all the same; it is made of the 50 nearest anyway.
N_CANDIDATES = 40
Neighbours: TypeAlias = Sequence[tuple[SearchResult, Incident]]


@dataclass(frozen=True, slots=True)
class IncidentText:
    """What a platform sends for a suggestion.

    Attributes:
        title: May be empty.
        description: May be empty.
        known: Labels that a person decided already; they are kept, not predicted.
        reported_at: Start of the SLA clock; None: now.
        incident_id: The stored incident it belongs to, if any; that one is no match for itself.
        k: How many articles and similar incidents at most.
        circumstances: What is known beside the text; only rules read it.
    """

    title: str
    description: str
    known: Labels = field(default_factory=Labels)
    reported_at: datetime | None = None
    incident_id: str | None = None
    k: int = DEFAULT_MATCHES
    circumstances: Circumstances = field(default_factory=Circumstances)

    def knowing(self, values: Mapping[str, str]) -> "IncidentText":
        """Return the request with more labels known: target -> label."""
        return replace(self, known=self.known.with_values(values))


@dataclass(frozen=True, slots=True)
class Worded:
    """What the words of a text find in both collections, before its vector is known.

    Attributes:
        incidents: Past incidents; None where they were not asked.
        articles: Articles, by the text's words and, where it was translated, the English ones; None where they were not asked.
        telling: The words that reasons may name.
        gloss: The text in English, where it is in another language.
        english: The (1, dim) encoding of that.
        further: The (n, dim) encodings of what stands further back in a long text.
    """

    incidents: Ranking | None
    articles: Ranking | None
    telling: Sequence[str]
    gloss: Gloss | None = None
    english: Vectors | None = None
    further: Vectors | None = None

    def beside(self, vector: Vectors) -> Vectors:
        """Return the (dim,) vector of a text, or (n, dim) with those of its passages where it is long."""
        return vector if self.further is None else np.vstack([vector, self.further])


@dataclass(frozen=True, slots=True)
class Nearest:
    """The past incidents near a text.

    Attributes:
        neighbours: The nearest, best first, whatever they say; these vote.
        further: Those behind them that were read because several of the nearest are one and the same.
    """

    neighbours: Neighbours
    further: Neighbours = ()

    def similar(self, k: int, *, at: datetime) -> tuple[IncidentMatch, ...]:
        """Return at most k as they are shown, one for each problem, beside an incident reported `at`."""
        return similar([*self.neighbours, *self.further], k, at=at)


@dataclass(frozen=True, slots=True)
class Question:
    """One request against one state of the indexes.

    Attributes:
        principal: Who asks; nothing else is found than this one may see.
        catalogue: What is searched.
        request: What was sent.
        text: Its model text.
        everything: Whether what a suggestion would hold back is wanted as well.
    """

    principal: Principal
    catalogue: Catalogue
    request: IncidentText
    text: str
    everything: bool = False

    def worded(
        self,
        gloss: Gloss | None = None,
        encoder: Encoder | None = None,
        collections: Collection[SearchCollection] = frozenset(SearchCollection),
    ) -> Worded:
        """Return what the words find; it needs no vector, so it can run while the text is being encoded.

        A text in another language also asks the articles in English, by the words and the encoding of its `gloss`; a long one
        asks by the passages that the encoding of the whole does not reach.
        """
        english = encoder.encode([gloss.text]) if gloss and encoder else None
        passages = further_passages(self.request.title, self.text) if encoder else ()
        asked = f"{self.text}\n{gloss.text}" if gloss else self.text
        incidents, articles, allowed = self.catalogue.incidents, self.catalogue.articles, self.principal.labels
        return Worded(
            incidents.worded(self.text, self._n_neighbours, allowed=allowed, without=self._itself)
            if SearchCollection.INCIDENTS in collections
            else None,
            articles.worded(asked, self.request.k, allowed=allowed) if SearchCollection.ARTICLES in collections else None,
            telling_words(self.text),
            gloss,
            english,
            encoder.encode(passages) if encoder and passages else None,
        )

    def neighbours(self, vector: Vectors, worded: Worded, store: Store) -> Nearest:
        """Return the nearest incidents as the store has them now; the incident itself is not its neighbour.

        `vector` is the (dim,) encoding of the text.
        """
        found = self.catalogue.incidents.search(
            self.text,
            worded.beside(vector),
            max(N_CANDIDATES, self.request.k),
            allowed=self.principal.labels,
            without=self._itself,
            worded=worded.incidents,
            everything=self.everything,
        )
        if not self.principal.is_trusted:
            found = self._with_own(found, vector)
        nearest = found[: self._n_neighbours]
        further = behind(nearest, found[self._n_neighbours :], self.request.k)
        with store.begin() as records:
            stored = records.incidents_by_id([result.id for result in (*nearest, *further)], self.principal)
        stored = {id_: incident.counting_for(self.principal.key_id) for id_, incident in stored.items()}
        return Nearest(_as_stored(nearest, stored), _as_stored(further, stored))

    def _with_own(self, found: Sequence[SearchResult], vector: Vectors) -> list[SearchResult]:
        """Return what was found with what counts for this key alone, best first."""
        allowed = {own_label(self.principal.tenant, self.principal.key_id)}
        own = self.catalogue.waiting.search(
            self.text, vector, N_CANDIDATES, allowed=allowed, without=self._itself, everything=self.everything
        )
        return sorted([*found, *own], key=lambda result: (-result.score, result.id))[: max(N_CANDIDATES, self.request.k)]

    def articles(self, vector: Vectors, worded: Worded, *, today: date) -> tuple[ArticleMatch, ...]:
        """Return the articles at or above the floor, best first, each with its best passage and why it was found.

        Those that failed often enough or are no longer valid stand further down than their text would put them.
        """
        sought = worded.beside(vector)
        sought = sought if worded.english is None else np.vstack([sought, worded.english])
        k, entries = self.request.k, self.catalogue.entries
        found = self.catalogue.articles.search(
            self.text,
            sought,
            max(k, N_WEIGHED),
            allowed=self.principal.labels,
            worded=worded.articles,
            everything=self.everything,
        )
        matches = []
        for result in weighed(found, entries, k, today=today):
            entry = entries[result.id]
            passage = entry.passage(result.part).text
            why = because(worded.telling, result, f"{entry.title}\n{passage}\n{' '.join(entry.keywords)}", worded.gloss)
            why = f"{why}; {entry.evidence.said}" if entry.evidence.said else why
            shown = worth(entry, today=today)
            chance = None if result.chance is None else round(result.chance, 2)
            score = round(result.score, 4)
            matches.append(ArticleMatch(result.id, entry.title, score, passage, why, shown, chance, result.relevant))
        return tuple(matches)

    @property
    def _n_neighbours(self) -> int:
        return max(N_NEIGHBOURS, self.request.k)

    @property
    def _itself(self) -> frozenset[str]:
        return frozenset([self.request.incident_id] if self.request.incident_id else [])


def because(words: Sequence[str], result: SearchResult, found: str, gloss: Gloss | None = None) -> str:
    """Return why an article was found: how near in meaning, the caller's words that it has too, and what was translated for it."""
    words = shared_words(words, found)
    parts = [f"meaning {result.dense:.2f}"] if result.dense is not None else []
    if words:
        parts.append(f"shares {', '.join(words)}")
    if gloss and (translated := [f"{own} -> {english}" for own, english in gloss.pairs if shared_words(english.split(), found)]):
        parts.append(f"translated {', '.join(translated[:N_TRANSLATED])}")
    return "; ".join(parts)


def behind(nearest: Sequence[SearchResult], rest: Sequence[SearchResult], k: int) -> list[SearchResult]:
    """Return those of the rest that are needed for k different ones; the same text has the same score and is passed over."""
    further: list[SearchResult] = []
    scores = {round(result.score, 3) for result in nearest}
    for result in rest:
        if len(scores) >= k:
            break
        if (score := round(result.score, 3)) not in scores:
            scores.add(score)
            further.append(result)
    return further


def _as_stored(found: Sequence[SearchResult], stored: Mapping[str, Incident]) -> Neighbours:
    return [(result, stored[result.id]) for result in found if result.id in stored]

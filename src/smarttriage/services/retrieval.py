"""Hybrid search over one collection: dense and lexical candidates, one ranking, and a floor below which nothing is said."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from smarttriage.domain.article import is_title
from smarttriage.domain.fusion import NO_HANDICAPS, Candidate, Owners, Scored, best_of_each, convex
from smarttriage.ports import Hit, LexicalSearcher, Vectors, VectorSearcher

# Parts (passages, incidents) taken from each side, and the share of the cosine in the fused score: one pair for every collection.
# benchmarks/retrieval.py chooses both on the train queries of kb_msoffice, runbooks_alerts and gitbugs_duplicates that the encoder was not
# trained on.
DEPTH = 50
DENSE_WEIGHT = 0.9
# What the score of an article loses for each factor e of searched texts: the best of many cosines is high by chance, so a long article
# would stand before a short one that says as much. Chosen by benchmarks/retrieval.py on the same queries.
HANDICAP = 0.02
# When nothing is suggested; benchmarks/silence.py prints what follows, from train queries as they are and with their articles
# taken away. A score says little by itself, because a pasted error message scores higher with any article than three words do with
# the right one; how far the best record stands above the tenth says more, and carries over better from one knowledge base to the next.
# The median score that unrelated questions (runbooks_alerts, gitbugs_duplicates) reach among the kb_msoffice articles.
FLOOR = 0.37
# Below this chance nothing is suggested: the largest step of 0.02 at which silence is right 8 times in 10 on the train queries of each
# of kb_msoffice and stackfaq_webapps, where half of the questions have no article.
LEAST_CHANCE = 0.12
# 95 % of unrelated questions stay below this score: the floor where nothing need stand out, because records may be many of a kind.
FLOOR_WITHOUT_CHANCE = 0.52
TENTH = 10


@dataclass(frozen=True, slots=True)
class ChanceModel:
    """A logistic model of the chance that the best record is right, where half of all questions have no right record.

    Attributes:
        intercept: Its log odds at score and margin 0.
        of_score: Weight of the best record's fused score.
        of_margin: Weight of how far that stands above the tenth record.
    """

    intercept: float = -4.46
    of_score: float = 2.21
    of_margin: float = 13.0

    def __call__(self, candidates: Sequence[Candidate]) -> float:
        """Return the chance, 0..1; 0 where there is no candidate."""
        if not candidates:
            return 0.0
        odds = self.intercept + self.of_score * candidates[0].score + self.of_margin * margin(candidates)
        return 1 / (1 + math.exp(-odds))


def margin(candidates: Sequence[Candidate]) -> float:
    """Return how far the best stands above the tenth, which counts as 0 where there is none."""
    return candidates[0].score - (candidates[TENTH - 1].score if len(candidates) >= TENTH else 0.0)


@dataclass(frozen=True, slots=True)
class FusionSettings:
    """How a collection is searched.

    Attributes:
        dense_weight: Share of the cosine in the fused score, 0..1.
        handicap: What a record's score loses for each factor e of parts it has.
        depth: Parts taken from each side.
        floor: Least fused score of a result.
        least_chance: Chance of the best result to be right below which nothing is returned; 0 asks for none.
        chance: Says how likely the best result is right.
    """

    dense_weight: float = DENSE_WEIGHT
    handicap: float = HANDICAP
    depth: int = DEPTH
    floor: float = FLOOR
    least_chance: float = LEAST_CHANCE
    chance: ChanceModel = field(default_factory=ChanceModel)


# Articles answer one question each; incidents come in floods, where the tenth is as near as the first.
ARTICLES = FusionSettings()
INCIDENTS = FusionSettings(floor=FLOOR_WITHOUT_CHANCE, least_chance=0.0)
# The same of the small encoder, whose cosines are on a scale of their own: `SMARTTRIAGE_ENCODER=fast python benchmarks/silence.py`.
ARTICLES_FAST = FusionSettings(floor=0.44, least_chance=0.14, chance=ChanceModel(-5.38, 3.59, 13.2))
INCIDENTS_FAST = FusionSettings(floor=0.55, least_chance=0.0)
# Everything is ranked, nothing held back: for measuring.
EVERYTHING = FusionSettings(floor=0.0, least_chance=0.0)


@dataclass(frozen=True, slots=True)
class SearchResult:
    """One found record.

    Attributes:
        id: The record, for passages their article.
        score: Fused score, 0..1.
        dense: Cosine; None if only the lexical side found it.
        lexical: BM25; None if only the dense side found it.
        part: The best passage of the record; the record itself where it has none, or where its title alone was found.
        chance: How likely it is right, for the best of a ranking; None for the others.
        relevant: Whether it reaches the floor and the best of the ranking is likely enough to be right.
    """

    id: str
    score: float
    dense: float | None
    lexical: float | None
    part: str
    chance: float | None = None
    relevant: bool = True


@dataclass(frozen=True, slots=True)
class Ranking:
    """One side's answer: records by their best part, which passage is the best where there are some, and the least score of a list that was cut (else 0)."""

    records: Scored
    parts: Mapping[str, str]
    least: float


def lexical_text(title: str, text: str) -> str:
    """Return what the lexical side reads of a text that already begins with its title: the title once more.

    A word of the title then counts twice. benchmarks/retrieval.py prints what that is worth ("title once"): .01-.04 nDCG@10 of
    the lexical side on each set; the hybrid gains little from it (kb_msoffice .005, gitbugs_duplicates loses .004 on train).
    """
    return f"{title}\n{text}" if title else text


@dataclass(frozen=True, slots=True)
class HybridSearch:
    """A fixed state of one collection. Immutable; safe to search from many threads.

    Attributes:
        vectors: Dense side.
        texts: Lexical side, over the same records.
        owners: Part id -> record id where records are indexed by parts; a part that is not named is its own record.
        settings: Fusion and floor.
        sizes: Record id -> how many parts it has; 1 where it is not named.
    """

    vectors: VectorSearcher
    texts: LexicalSearcher
    owners: Owners = field(default_factory=dict[str, str])
    settings: FusionSettings = ARTICLES
    sizes: Mapping[str, int] = field(default_factory=dict[str, int])

    def search(
        self,
        text: str,
        vector: Vectors,
        k: int,
        *,
        allowed: Collection[str],
        without: Collection[str] = (),
        worded: Ranking | None = None,
        everything: bool = False,
    ) -> list[SearchResult]:
        """Return at most k visible and relevant records, best first, ties by id.

        Args:
            text: What is asked.
            vector: Its (dim,) encoding, or (n, dim) of several readings of it (as written, in English): the nearest counts.
            k: Results wanted.
            allowed: Labels of the caller.
            without: Records left out before anything is compared: the incident that asks would be the measure of all others.
            worded: What `worded` gave for the same question, if it was asked while the text was still being encoded.
            everything: Whether to return records that are not relevant as well, behind the others.
        """
        dense = self.nearest(vector, k, allowed=allowed, without=without)
        lexical = worded or self.worded(text, k, allowed=allowed, without=without)
        ranked = self.fused(dense, lexical, at_most=max(k, TENTH))
        n_relevant = len(relevant(ranked, self.settings))
        kept = (ranked if everything else ranked[:n_relevant])[: max(k, 0)]
        parts = {**lexical.parts, **dense.parts}
        found = [
            _result(candidate, parts.get(candidate.id, candidate.id), relevant=place < n_relevant)
            for place, candidate in enumerate(kept)
        ]
        return [replace(found[0], chance=self.settings.chance(ranked)), *found[1:]] if found else []

    def nearest(self, vector: Vectors, k: int, *, allowed: Collection[str], without: Collection[str] = ()) -> Ranking:
        """Return at least k visible records by cosine, if there are k; `vector` is (dim,), or (n, dim): the nearest row counts."""
        rows = np.ascontiguousarray(np.atleast_2d(vector))
        return self._ranking(lambda depth: _merged(self.vectors.search(rows, depth, allowed=allowed), depth), k, without)

    def worded(self, text: str, k: int, *, allowed: Collection[str], without: Collection[str] = ()) -> Ranking:
        """Return at least k visible records by BM25, if k share a word with the text."""
        return self._ranking(lambda depth: self.texts.search([text], depth, allowed=allowed)[0], k, without)

    def fused(self, dense: Ranking, lexical: Ranking, *, at_most: int | None = None) -> list[Candidate]:
        """Return the records of both sides in one order, all or the best of them."""
        return convex(
            dense.records,
            lexical.records,
            dense_weight=self.settings.dense_weight,
            dense_least=dense.least,
            lexical_least=lexical.least,
            handicaps=self._handicaps(dense, lexical) if self.sizes else NO_HANDICAPS,
            at_most=at_most,
        )

    def _handicaps(self, *sides: Ranking) -> dict[str, float]:
        found = {record for side in sides for record, _ in side.records}
        return {record: self.settings.handicap * math.log(self.sizes[record]) for record in found & self.sizes.keys()}

    def _ranking(self, side: Callable[[int], list[Hit]], k: int, without: Collection[str]) -> Ranking:
        """Return the records of the `depth` best parts; deeper where long records fill the list before k of them are found."""
        depth = max(self.settings.depth, k) + len(without)
        while True:
            hits = side(depth)
            shown = [hit for hit in hits if self.owners.get(hit.id, hit.id) not in without] if without else hits
            # Hits stand in order, so that without parts there is nothing to choose and nothing to sort.
            records = best_of_each(shown, self.owners)[0] if self.owners else shown
            cut = len(hits) == depth
            if len(records) >= k or not cut:
                _, parts = best_of_each([hit for hit in shown if not is_title(hit.id)] if self.owners else [], self.owners)
                return Ranking(records, parts, hits[-1].score if cut else 0.0)
            depth *= 4


def relevant(candidates: Sequence[Candidate], settings: FusionSettings) -> list[Candidate]:
    """Return the first candidates, those at or above the floor; none if the best of them is too unlikely to be right."""
    if settings.chance(candidates) < settings.least_chance:
        return []
    return [candidate for candidate in candidates if candidate.score >= settings.floor]


def _merged(found: Sequence[list[Hit]], depth: int) -> list[Hit]:
    """Return the `depth` best of several lists, each id with its best score."""
    if len(found) == 1:
        return found[0]
    best: dict[str, Hit] = {}
    for hit in (hit for hits in found for hit in hits):
        if hit.id not in best or hit.score > best[hit.id].score:
            best[hit.id] = hit
    return sorted(best.values(), key=lambda hit: (-hit.score, hit.id))[:depth]


def _result(candidate: Candidate, part: str, *, relevant: bool) -> SearchResult:
    return SearchResult(candidate.id, candidate.score, candidate.dense, candidate.lexical, part, relevant=relevant)

"""What is wrong with a knowledge base as a whole: twins, dead links, articles nobody is shown, wrong drawers, those to look at."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

import numpy as np

from smarttriage.domain.access import Principal, index_labels
from smarttriage.domain.article import Article, passage_text, passages
from smarttriage.domain.article_evidence import NOTHING, ArticleEvidence, is_expired
from smarttriage.domain.interval import clopper_pearson
from smarttriage.domain.links import BrokenLink, anchors_of, broken_links
from smarttriage.domain.near_text import near_identical, word_set
from smarttriage.ports import Clock, Records, Store, Vectors
from smarttriage.services.evidence import read_evidence
from smarttriage.services.indexing import content_hash
from smarttriage.services.live import Live
from smarttriage.services.shown import ShownCounter

# Cosine of two articles' mean passages from which they are proposed for merging. Chosen by benchmarks/hygiene.py.
TWIN = 0.925
_BLOCK = 512
# 0x8004de85, 5.7.124, 80048163, KB5003671: articles of one mould, each about another of these, are no twins.
_ERROR_CODE = re.compile(r"\b(?:0x[0-9a-f]{3,}|\d+(?:\.\d+){2,}|[a-z]*\d{5,})\b")
# An article is new for so long: that nobody was shown it says nothing yet.
UNUSED_AFTER = timedelta(days=30)
# Nobody said for so long that it works: a year is the review cycle that most knowledge bases set themselves.
UNCONFIRMED_AFTER = timedelta(days=365)


class Attention(StrEnum):
    """Why somebody should look at an article. Stable codes."""

    FAILING = "failing"
    CONTRADICTED = "contradicted"
    EXPIRED = "expired"
    UNCONFIRMED = "unconfirmed"


@dataclass(frozen=True, slots=True)
class Twins:
    """Two articles that say nearly the same: which to keep, which to merge into it, and why they are taken for the same.

    Attributes:
        keep: The one that worked for more people; of two that did for as many, the one suggested more often, then the older.
        merge: The other.
        cosine: How near their meanings are.
        same_words: Whether they are nearly the same words, too.
    """

    keep: str
    merge: str
    cosine: float
    same_words: bool


@dataclass(frozen=True, slots=True)
class ArticleLinks:
    """An article and its links that cannot work."""

    article_id: str
    links: tuple[BrokenLink, ...]


@dataclass(frozen=True, slots=True)
class WrongDrawer:
    """An article whose category is not that of the incidents that it solves.

    Attributes:
        article_id: Which one.
        category: Its own, None if it has none.
        proposed: That of most incidents.
        n: Incidents solved with it.
        n_proposed: Those of the proposed category; their share is above one half for sure (95 %, Clopper-Pearson).
    """

    article_id: str
    category: str | None
    proposed: str
    n: int
    n_proposed: int


@dataclass(frozen=True, slots=True)
class ToLookAt:
    """An article that somebody should look at, and who keeps it."""

    article_id: str
    owner: str | None
    reasons: tuple[Attention, ...]


@dataclass(frozen=True, slots=True)
class Hygiene:
    """Everything that was found, by article id."""

    titles: Mapping[str, str]
    twins: Sequence[Twins]
    links: Sequence[ArticleLinks]
    never_suggested: Sequence[str]
    drawers: Sequence[WrongDrawer]
    attention: Sequence[ToLookAt]


@dataclass(frozen=True, slots=True)
class HygieneService:
    """Looks through the published articles that the principal may see. Opens no link."""

    store: Store
    live: Live
    clock: Clock

    def report(self, principal: Principal) -> Hygiene:
        """Return what is wrong; the suggestions made since the last time are counted first."""
        ShownCounter(store=self.store, clock=self.clock).catch_up()
        encoder_id, now = self.live.state.search_encoder.encoder_id, self.clock()
        with self.store.begin() as records:
            articles = [each for each in records.indexable_articles() if _visible(each, principal)]
            ids = [article.id for article in articles]
            shown, solved = records.shown(ids), records.solved_categories(principal)
            said = read_evidence(records, ids)
            known, vectors = _vectors(records, articles, encoder_id)
        anchors = {article.id: anchors_of(article.body) for article in articles}
        links = [ArticleLinks(each.id, tuple(broken_links(each.body, anchors=anchors))) for each in articles]
        attention = [
            ToLookAt(each.id, each.owner, _reasons(each, said.get(each.id, NOTHING), now.date(), now - UNCONFIRMED_AFTER))
            for each in articles
        ]
        return Hygiene(
            titles={article.id: article.title for article in articles},
            twins=_kept(twins(known, vectors), said, shown),
            links=[each for each in links if each.links],
            never_suggested=[each.id for each in articles if each.id not in shown and each.updated_at <= now - UNUSED_AFTER],
            drawers=[found for each in articles if (found := wrong_drawer(each, solved.get(each.id, {}))) is not None],
            attention=[each for each in attention if each.reasons],
        )


def twins(articles: Sequence[Article], vectors: Vectors, *, least: float = TWIN) -> list[Twins]:
    """Return the pairs that say nearly the same, nearest first; `vectors` is (len(articles), dim), rows of norm 1."""
    words = [word_set(article.body) for article in articles]
    found = []
    for start in range(0, len(articles), _BLOCK):
        near = vectors[start : start + _BLOCK] @ vectors.T
        for left, right in zip(*np.nonzero(near >= least), strict=True):
            first, second = start + int(left), int(right)
            if first < second and _comparable(articles[first], articles[second]):
                same = near_identical(words[first], words[second])
                found.append(Twins(articles[first].id, articles[second].id, round(float(near[left, right]), 4), same))
    return sorted(found, key=lambda pair: (-pair.cosine, pair.keep, pair.merge))


def _comparable(left: Article, right: Article) -> bool:
    """Return whether two articles may be the same: of one language, and not each about an error code of its own."""
    codes = [frozenset(_ERROR_CODE.findall(article.title.lower())) for article in (left, right)]
    return left.language == right.language and not (all(codes) and codes[0].isdisjoint(codes[1]))


def wrong_drawer(article: Article, solved: Mapping[str, int]) -> WrongDrawer | None:
    """Return the category that the incidents say, where it is another than the article's and surely that of most."""
    n = sum(solved.values())
    if not n:
        return None
    proposed = max(sorted(solved), key=lambda category: solved[category])
    low, _ = clopper_pearson(solved[proposed], n)
    if proposed == article.category or low <= 0.5:
        return None
    return WrongDrawer(article.id, article.category, proposed, n, solved[proposed])


def _visible(article: Article, principal: Principal) -> bool:
    return bool(index_labels(article.tenant, article.audiences) & principal.labels)


def _vectors(records: Records, articles: Sequence[Article], encoder_id: str) -> tuple[list[Article], Vectors]:
    """Return the articles that the index has read, and the (n, dim) means of their passages, of norm 1."""
    hashes = {
        article.id: [content_hash(passage_text(article.title, passage.text)) for passage in passages(article.id, article.body)]
        for article in articles
    }
    known = records.vectors(encoder_id, {digest for digests in hashes.values() for digest in digests})
    read = [article for article in articles if all(digest in known for digest in hashes[article.id])]
    if not read:
        return [], np.zeros((0, 1), dtype=np.float32)
    means = np.stack([np.mean([known[digest] for digest in hashes[article.id]], axis=0) for article in read])
    return read, (means / np.linalg.norm(means, axis=1, keepdims=True)).astype(np.float32)


def _kept(pairs: Sequence[Twins], said: Mapping[str, ArticleEvidence], shown: Mapping[str, int]) -> list[Twins]:
    """Return the pairs with the better one first; ids sort by age."""

    def rank(article_id: str) -> tuple[int, int, str]:
        return -said.get(article_id, NOTHING).worked, -shown.get(article_id, 0), article_id

    ordered = ((sorted((pair.keep, pair.merge), key=rank), pair) for pair in pairs)
    return [replace(pair, keep=keep, merge=merge) for (keep, merge), pair in ordered]


def _reasons(article: Article, said: ArticleEvidence, today: date, confirmed_since: datetime) -> tuple[Attention, ...]:
    reasons = {
        Attention.FAILING: said.weight < 1,
        Attention.CONTRADICTED: said.n_contradicted > 0,
        Attention.EXPIRED: is_expired(article.valid_until, today),
        Attention.UNCONFIRMED: max(said.confirmed_at or article.updated_at, article.updated_at) < confirmed_since,
    }
    return tuple(reason for reason, holds in reasons.items() if holds)

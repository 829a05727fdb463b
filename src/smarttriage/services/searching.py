"""Articles and past incidents for words of one's own: what an agent does who wants others than were suggested."""

import threading
import time
from collections.abc import Collection
from dataclasses import dataclass

from smarttriage.domain.access import Principal, Scope
from smarttriage.domain.errors import InvalidInput
from smarttriage.domain.matches import ArticleMatch, IncidentMatch, SearchCollection
from smarttriage.domain.text import model_text
from smarttriage.ports import Clock, Store
from smarttriage.services.live import Live
from smarttriage.services.matching import DEFAULT_MATCHES, IncidentText, Question


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found.

    Attributes:
        articles: Best first; None where articles were not asked.
        incidents: Best first, one for each problem; None where incidents were not asked.
        encoder_id: Whose vectors were compared.
        index_seq: Position in the change log that the indexes held.
        encode_ms: Time to read the text.
        total_ms: Time of everything.
    """

    articles: tuple[ArticleMatch, ...] | None
    incidents: tuple[IncidentMatch, ...] | None
    encoder_id: str
    index_seq: int
    encode_ms: float
    total_ms: float


class SearchService:
    """Finds what a suggestion would find, and behind it what a suggestion would hold back; nothing is classified or stored."""

    def __init__(self, *, live: Live, store: Store, clock: Clock, turns: threading.Semaphore) -> None:
        self._live = live
        self._store = store
        self._clock = clock
        self._turns = turns

    def search(
        self,
        principal: Principal,
        text: str,
        *,
        k: int = DEFAULT_MATCHES,
        collections: Collection[SearchCollection] = frozenset(SearchCollection),
    ) -> Found:
        """Return at most k of each of the collections that the principal may see.

        Raises:
            PermissionDenied: The principal lacks the scope `suggest`.
            InvalidInput: There is no text.
        """
        principal.require(Scope.SUGGEST)
        if not text.strip():
            raise InvalidInput("text is empty; write what is looked for", field="text")
        started = time.perf_counter()
        state, now = self._live.state, self._clock()
        # A greeting is left out of a report; of a search for a greeting nothing would be left.
        asked = model_text("", text) or text.strip()
        question = Question(principal, state.catalogue, IncidentText("", text, k=k), asked, everything=True)
        encoder = state.search_encoder
        with self._turns:
            before = time.perf_counter()
            vector = encoder.encode([asked])[0]
            encoded = time.perf_counter()
            worded = question.worded(state.models.gloss(asked), encoder, collections)
            articles = incidents = None
            if SearchCollection.ARTICLES in collections:
                articles = question.articles(vector, worded, today=now.date())
            if SearchCollection.INCIDENTS in collections:
                incidents = question.neighbours(vector, worded, self._store).similar(k, at=now)
        ended = time.perf_counter()
        return Found(articles, incidents, encoder.encoder_id, state.catalogue.seq, _ms(encoded - before), _ms(ended - started))


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)

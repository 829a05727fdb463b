"""The reference lexical index: BM25 as written in the paper, over every text, nothing clever. Tests and small collections.

Robertson & Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), with the non-negative IDF
ln(1 + (N - n + 0.5) / (n + 0.5)) that Lucene and tantivy use.
"""

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from smarttriage.adapters.lexical.analysis import terms
from smarttriage.adapters.lexical.texts import K1, MAX_QUERY_TERMS, B, Labels, checked_texts, load_texts, save_texts
from smarttriage.ports import Hit

Row = tuple[Counter[str], Labels]


class ExactLexicalSearcher:
    """A fixed state: id -> (term frequencies, labels)."""

    def __init__(self, rows: Mapping[str, Row]) -> None:
        self._rows = rows
        self._frequency = Counter(term for counts, _ in rows.values() for term in counts)
        self._lengths = {id_: counts.total() for id_, (counts, _) in rows.items()}
        self._mean_length = sum(self._lengths.values()) / max(len(rows), 1)

    def __len__(self) -> int:
        """Number of texts."""
        return len(self._rows)

    def search(self, queries: Sequence[str], k: int, *, allowed: Collection[str]) -> list[list[Hit]]:
        """Return for each query text at most k visible hits, best first, ties by id."""
        permitted = frozenset(allowed)
        visible = [(id_, counts) for id_, (counts, labels) in self._rows.items() if labels & permitted]
        return [self._search(query, max(k, 0), visible) for query in queries]

    def _search(self, query: str, k: int, visible: Sequence[tuple[str, Counter[str]]]) -> list[Hit]:
        known = [term for term in dict.fromkeys(terms(query)) if term in self._frequency]
        words = sorted(known, key=lambda term: self._frequency[term])[:MAX_QUERY_TERMS]
        scored = [(sum(self._weight(word, id_, counts[word]) for word in words), id_) for id_, counts in visible]
        hits = sorted((hit for hit in scored if hit[0] > 0), key=lambda hit: (-hit[0], hit[1]))
        return [Hit(id_, score) for score, id_ in hits[:k]]

    def _weight(self, word: str, id_: str, n_occurrences: int) -> float:
        n_texts = self._frequency[word]
        idf = math.log(1 + (len(self) - n_texts + 0.5) / (n_texts + 0.5))
        length = self._lengths[id_] / self._mean_length
        return idf * n_occurrences * (K1 + 1) / (n_occurrences + K1 * (1 - B + B * length))


class ExactLexicalIndex:
    """A lexical index that is searched by scoring everything."""

    def __init__(self) -> None:
        self._searcher = ExactLexicalSearcher({})

    def __len__(self) -> int:
        """Number of texts."""
        return len(self._searcher)

    def add(self, ids: Sequence[str], texts: Sequence[str], labels: Sequence[Collection[str]]) -> None:
        """Add or replace by id."""
        added = {id_: (Counter(terms(text)), each) for id_, (text, each) in checked_texts(ids, texts, labels).items()}
        self._searcher = ExactLexicalSearcher({**self._searcher._rows, **added})

    def remove(self, ids: Collection[str]) -> int:
        """Remove what is there; return how many were."""
        gone = set(ids)
        kept = {id_: row for id_, row in self._searcher._rows.items() if id_ not in gone}
        n_removed = len(self) - len(kept)
        self._searcher = ExactLexicalSearcher(kept)
        return n_removed

    def compact(self) -> None:
        """Do nothing: scores are made of what is there."""

    def snapshot(self) -> ExactLexicalSearcher:
        """Return the present state."""
        return self._searcher

    def search(self, queries: Sequence[str], k: int, *, allowed: Collection[str]) -> list[list[Hit]]:
        """Search the present state."""
        return self._searcher.search(queries, k, allowed=allowed)

    def save(self, folder: Path, *, seq: int) -> None:
        """Write the index atomically with its checksum and `seq`."""
        rows = self._searcher._rows.items()
        save_texts(folder, seq=seq, rows=((id_, " ".join(counts.elements()), each) for id_, (counts, each) in rows))

    def load(self, folder: Path) -> int:
        """Replace the content by a saved one; return its seq."""
        seq, rows = load_texts(folder)
        self._searcher = ExactLexicalSearcher({id_: (Counter(text.split()), each) for id_, text, each in rows})
        return seq

"""The serving lexical index: tantivy in memory, BM25, filtered inside the query.

In memory, because a commit to disk waits for the disk (80-300 ms, against 3-30 ms) and the store is the truth anyway; saving
writes the analysed texts, and 20,000 of them are read back in about a second. Term statistics are those of the whole index,
as in every search engine with a filter: texts that a caller may not see are never scored, counted or returned to it, but
they do have a share in how rare a word is taken to be.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TypeAlias

import tantivy
from tantivy import Occur, Query

from smarttriage.adapters.lexical.analysis import terms
from smarttriage.adapters.lexical.texts import MAX_QUERY_TERMS, AnalysedText, Labels, checked_texts, load_texts, save_texts
from smarttriage.ports import Hit

# tantivy's least heap for one writer thread; a batch that outgrows it becomes a segment of its own.
HEAP_BYTES = 15_000_000
# Room for ties behind the k-th hit before a wider search is needed.
TIE_MARGIN = 8
# Terms whose number of texts and clause are remembered until the index changes.
REMEMBERED_TERMS = 20_000
Clause: TypeAlias = tuple[Occur, tantivy.Query]
# In how many texts a term is, and the clause that those match.
Known: TypeAlias = tuple[int, Clause]
# The columns. The row number leads from a hit to its id without reading the stored document.
ID, TEXT, LABEL, ROW = "id", "text", "label", "row"


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field(ID, stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field(TEXT, stored=True, tokenizer_name="whitespace", index_option="freq")
    builder.add_text_field(LABEL, stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_unsigned_field(ROW, indexed=True, fast=True)
    return builder.build()


@dataclass(frozen=True, slots=True)
class TantivySearcher:
    """A fixed state: tantivy's own point-in-time searcher, the ids by row number, the label sets in use and what is known of a term."""

    searcher: tantivy.Searcher
    schema: tantivy.Schema
    ids: Sequence[str]
    label_sets: frozenset[Labels]
    known: Callable[[str], Known]

    def __len__(self) -> int:
        """Number of texts."""
        return int(self.searcher.num_docs)

    def search(self, queries: Sequence[str], k: int, *, allowed: Collection[str]) -> list[list[Hit]]:
        """Return for each query text at most k visible hits, best first, ties by id."""
        permitted = frozenset(allowed)
        if k <= 0 or not any(permitted & each for each in self.label_sets):
            return [[] for _ in queries]
        visible = self._filter(permitted)
        return [self._search(query, k, visible) for query in queries]

    def _filter(self, permitted: Labels) -> tantivy.Query | None:
        """Return the clause that only visible texts match; None if every text is visible."""
        if all(permitted & each for each in self.label_sets):
            return None
        labels = sorted(permitted & frozenset().union(*self.label_sets))
        either = [(Occur.Should, Query.term_query(self.schema, LABEL, label, "basic")) for label in labels]
        return Query.const_score_query(Query.boolean_query(either), 0.0)

    def _search(self, text: str, k: int, visible: tantivy.Query | None) -> list[Hit]:
        clauses = self._rarest(text)
        if not clauses:
            return []
        query = Query.boolean_query(clauses)
        if visible is not None:
            query = Query.boolean_query([(Occur.Must, query), (Occur.Must, visible)])
        width = k + TIE_MARGIN
        found = self.searcher.search(query, width, count=False).hits
        while len(found) == width and found[k - 1][0] == found[-1][0]:
            width *= 2
            found = self.searcher.search(query, width, count=False).hits
        rows = self.searcher.fast_field_values(ROW, [address for _, address in found])
        order = sorted([(-score, self.ids[row]) for (score, _), row in zip(found, rows, strict=True)])
        return [Hit(id_, -negative) for negative, id_ in order[:k]]

    def _rarest(self, text: str) -> list[Clause]:
        """Return the clauses of a query's distinct known terms, the rarest where there are more than fit."""
        known = [found for term in dict.fromkeys(terms(text)) if (found := self.known(term))[0]]
        if len(known) > MAX_QUERY_TERMS:
            known = sorted(known, key=lambda each: each[0])[:MAX_QUERY_TERMS]
        return [clause for _, clause in known]


def _known(searcher: tantivy.Searcher, schema: tantivy.Schema, term: str) -> Known:
    return searcher.doc_freq(TEXT, term), (Occur.Should, Query.term_query(schema, TEXT, term, "freq"))


class TantivyIndex:
    """A lexical index in memory. One writer at a time, any number of readers."""

    def __init__(self) -> None:
        self._schema = _schema()
        self._empty()

    def __len__(self) -> int:
        """Number of texts."""
        return len(self._rows)

    def snapshot(self) -> TantivySearcher:
        """Return the present state."""
        return self._searcher

    def search(self, queries: Sequence[str], k: int, *, allowed: Collection[str]) -> list[list[Hit]]:
        """Search the present state."""
        return self._searcher.search(queries, k, allowed=allowed)

    def add(self, ids: Sequence[str], texts: Sequence[str], labels: Sequence[Collection[str]]) -> None:
        """Add or replace by id."""
        added = checked_texts(ids, texts, labels)
        self._add((id_, " ".join(terms(text)), each) for id_, (text, each) in added.items())

    def remove(self, ids: Collection[str]) -> int:
        """Remove what is there; return how many were."""
        gone = [id_ for id_ in set(ids) if self._forget(id_)]
        if gone:
            self._publish()
        return len(gone)

    def compact(self) -> None:
        """Write the texts anew if some were removed: until its segments are merged, tantivy weighs words by those too."""
        if len(self._ids) == len(self._rows):
            return
        written = TantivyIndex()
        written._add(self._content())
        self.__dict__.update(written.__dict__)

    def save(self, folder: Path, *, seq: int) -> None:
        """Write the index atomically with its checksum and `seq`."""
        save_texts(folder, seq=seq, rows=self._content())

    def load(self, folder: Path) -> int:
        """Replace the content by a saved one; return its seq. The former content is searched until the last text is read."""
        seq, rows = load_texts(folder)
        loaded = TantivyIndex()
        loaded._add(rows)
        self.__dict__.update(loaded.__dict__)
        return seq

    def _empty(self) -> None:
        self._index = tantivy.Index(self._schema)
        self._writer = self._index.writer(heap_size=HEAP_BYTES, num_threads=1)
        self._rows: dict[str, tuple[int, Labels]] = {}
        self._ids: list[str] = []
        self._label_sets: Counter[Labels] = Counter()
        self._publish()

    def _add(self, rows: Iterable[AnalysedText]) -> None:
        for id_, text, labels in rows:
            self._forget(id_)
            row = len(self._ids)
            document = tantivy.Document()
            document.add_text(ID, id_)
            document.add_text(TEXT, text)
            for label in sorted(labels):
                document.add_text(LABEL, label)
            document.add_unsigned(ROW, row)
            self._writer.add_document(document)
            self._ids.append(id_)
            self._rows[id_] = row, labels
            self._label_sets[labels] += 1
        self._publish()

    def _forget(self, id_: str) -> bool:
        """Mark the text as deleted, if there is one."""
        if (found := self._rows.pop(id_, None)) is None:
            return False
        row, labels = found
        self._writer.delete_documents_by_query(Query.term_query(self._schema, ROW, row))
        self._label_sets[labels] -= 1
        if not self._label_sets[labels]:
            del self._label_sets[labels]
        return True

    def _publish(self) -> None:
        self._writer.commit()
        self._index.reload()
        searcher = self._index.searcher()
        known = lru_cache(maxsize=REMEMBERED_TERMS)(partial(_known, searcher, self._schema))
        self._searcher = TantivySearcher(searcher, self._schema, self._ids, frozenset(self._label_sets), known)

    def _content(self) -> Iterator[AnalysedText]:
        searcher = self._searcher.searcher
        for id_, (row, labels) in self._rows.items():
            query = Query.term_query(self._schema, ROW, row)
            ((_, address),) = searcher.search(query, 1, count=False).hits
            yield id_, searcher.doc(address)[TEXT][0], labels

"""Keeps the searchable catalogue equal to the store: follows the change log, encodes only texts it has not seen, publishes whole."""

import hashlib
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from smarttriage.domain.access import index_labels
from smarttriage.domain.article import Article, SearchedText, passages
from smarttriage.domain.article_evidence import NOTHING, ArticleEvidence
from smarttriage.domain.errors import IndexMismatch
from smarttriage.domain.fusion import Owners
from smarttriage.domain.incident import Incident
from smarttriage.domain.incident_parts import INCIDENT_OF_PART, N_PARTS, part_id
from smarttriage.ports import Encoder, Store, Vectors
from smarttriage.services.catalogue import ArticleEntry, Catalogue
from smarttriage.services.collections import Collection, Document, incident_documents
from smarttriage.services.evidence import read_evidence
from smarttriage.services.retrieval import ARTICLES, INCIDENTS, FusionSettings, HybridSearch

BATCH = 512
# Gets how many records are done and how many there are; returns whether to go on.
Progress = Callable[[int, int], bool]


class IndexingService:
    """Owns the changing indexes. One thread at a time changes them; requests only ever see published catalogues."""

    def __init__(
        self,
        *,
        store: Store,
        encoder: Encoder,
        new_collection: Callable[[str], Collection],
        article_search: FusionSettings = ARTICLES,
        incident_search: FusionSettings = INCIDENTS,
    ) -> None:
        self._store = store
        self._encoder = encoder
        self._new_collection = new_collection
        self._articles = new_collection("articles")
        self._incidents = new_collection("incidents")
        self._waiting = new_collection("waiting")
        self._article_search = article_search
        self._incident_search = incident_search
        self._entries: dict[str, ArticleEntry] = {}
        # What follows from the entries, kept because a state is published with every change.
        self._owners: dict[str, str] = {}
        self._sizes: dict[str, int] = {}
        self._seq = 0
        self._lock = threading.RLock()

    @property
    def seq(self) -> int:
        """Position in the change log that the indexes hold."""
        return self._seq

    def catalogue(self) -> Catalogue:
        """Return the present state as an immutable value."""
        with self._lock:
            return Catalogue(
                articles=_hybrid(self._articles, dict(self._owners), self._article_search, dict(self._sizes)),
                entries=dict(self._entries),
                incidents=_hybrid(self._incidents, _incident_owners(self._incidents), self._incident_search),
                waiting=_hybrid(self._waiting, _incident_owners(self._waiting), self._incident_search),
                seq=self._seq,
                encoder=self._encoder,
            )

    def catch_up(self) -> bool:
        """Apply the changes behind `seq`, a batch at a time; return whether there were any."""
        changed = False
        with self._lock:
            while True:
                with self._store.begin() as records:
                    changes = records.changes(self._seq, limit=BATCH)
                    ids = {
                        kind: {change.record_id for change in changes if change.kind == kind}
                        for kind in ("incident", "article", "outcome")
                    }
                    incidents = list(records.indexable_incidents(ids["incident"])) if ids["incident"] else []
                    articles = list(records.indexable_articles(ids["article"])) if ids["article"] else []
                    evidence = read_evidence(records, ids["article"] | ids["outcome"])
                if not changes:
                    return changed
                self._put_incidents(incidents)
                self._remove_articles(ids["article"])
                self._put_articles(articles, evidence)
                self._weigh(ids["outcome"] - ids["article"], evidence)
                if any(change.kind == "undo" for change in changes):
                    for collection in self._collections:
                        collection.texts.compact()
                self._seq = changes[-1].seq
                changed = True

    def open(self, folder: Path) -> None:
        """Take up the saved indexes if they are sound and of this store, else build them from the store; then catch up."""
        with self._lock:
            try:
                seqs = {self._collection_load(collection, folder) for collection in self._collections}
                self._seq = seqs.pop() if len(seqs) == 1 else -1
            except IndexMismatch:
                self._seq = -1
            with self._store.begin() as records:
                last = records.last_seq()
                articles = list(records.indexable_articles())
                evidence = read_evidence(records)
            if not 0 <= self._seq <= last or not self._is_whole(articles):
                self._rebuild()
            elif self._seq < last:
                # What was saved may hold passages that an article no longer has, and nothing says which.
                self._articles = self._new_collection("articles")
                self._put_articles(articles, evidence)
            else:
                for article in articles:
                    self._hold(_entry(article, evidence))
            self.catch_up()

    def build(self, go_on: Progress) -> bool:
        """Fill fresh indexes from the store and catch up; return whether that was done to the end.

        Vectors are committed a batch at a time, so a build that was stopped or killed finds them when it is begun again.
        """
        with self._lock:
            whole = self._rebuild(go_on)
            if whole:
                self.catch_up()
            return whole

    def save(self, folder: Path) -> None:
        """Write all indexes for the next start."""
        with self._lock:
            for collection in self._collections:
                collection.vectors.save(folder / collection.name / "vectors", seq=self._seq)
                collection.texts.save(folder / collection.name / "texts", seq=self._seq)

    @property
    def _collections(self) -> tuple[Collection, Collection, Collection]:
        return self._articles, self._incidents, self._waiting

    def _is_whole(self, articles: Sequence[Article]) -> bool:
        """Return whether both halves of each collection hold as much as they should: a crash between two saves must not show."""
        halves_agree = all(len(each.vectors) >= len(each.texts) for each in self._collections)
        return halves_agree and (self._seq > 0 or not articles)

    def _rebuild(self, go_on: Progress = lambda _done, _total: True) -> bool:
        """Fill fresh indexes from the store; return whether all is in them."""
        with self._store.begin() as records:
            self._seq = records.last_seq()
            incidents = list(records.indexable_incidents())
            articles = list(records.indexable_articles())
            evidence = read_evidence(records)
        self._entries, self._owners, self._sizes = {}, {}, {}
        self._articles = self._new_collection("articles")
        self._incidents = self._new_collection("incidents")
        self._waiting = self._new_collection("waiting")
        total = len(incidents) + len(articles)
        for start in range(0, len(incidents), BATCH):
            self._put_incidents(incidents[start : start + BATCH])
            if not go_on(min(start + BATCH, len(incidents)), total):
                return False
        self._put_articles(articles, evidence)
        return go_on(total, total)

    def _collection_load(self, collection: Collection, folder: Path) -> int:
        seq = collection.vectors.load(folder / collection.name / "vectors")
        return seq if collection.texts.load(folder / collection.name / "texts") == seq else -1

    def _put_incidents(self, incidents: Sequence[Incident]) -> None:
        documents = [document for incident in incidents for document in _documents(incident)]
        hidden = {incident.id for incident in incidents if incident.is_hidden}
        for collection, is_waiting in ((self._incidents, False), (self._waiting, True)):
            shown = [each for each in documents if (INCIDENT_OF_PART.get(each.id, each.id) in hidden) is is_waiting]
            written = [each for each in shown if each.text.strip() and each.labels]
            collection.remove({document.id for document in documents} - {document.id for document in written})
            if len(collection.vectors) > len(collection.texts):
                # An edited report may have become shorter.
                collection.vectors.remove([part_id(each.id, position) for each in incidents for position in range(1, N_PARTS)])
            self._put(collection, written)

    def _remove_articles(self, ids: Iterable[str]) -> None:
        for article_id in ids:
            entry = self._entries.pop(article_id, None)
            if entry is not None:
                gone = [part.id for part in entry.searched]
                self._articles.remove(gone)
                del self._sizes[article_id]
                for part in gone:
                    del self._owners[part]

    def _weigh(self, ids: Iterable[str], evidence: Mapping[str, ArticleEvidence]) -> None:
        for article_id in ids:
            if article_id in self._entries:
                self._entries[article_id] = replace(self._entries[article_id], evidence=evidence.get(article_id, NOTHING))

    def _put_articles(self, articles: Sequence[Article], evidence: Mapping[str, ArticleEvidence]) -> None:
        documents = []
        for article in articles:
            entry = _entry(article, evidence)
            searched = self._hold(entry)
            labels = index_labels(article.tenant, article.audiences)
            documents += [Document(part.id, article.title, part.text, labels, is_worded=not part.is_title) for part in searched]
        for start in range(0, len(documents), BATCH):
            self._put(self._articles, documents[start : start + BATCH])

    def _hold(self, entry: ArticleEntry) -> list[SearchedText]:
        """Take up an article that is not held; return what is searched of it."""
        searched = entry.searched
        self._entries[entry.id] = entry
        self._sizes[entry.id] = len(searched)
        self._owners.update(dict.fromkeys([part.id for part in searched], entry.id))
        return searched

    def _put(self, collection: Collection, documents: Sequence[Document]) -> None:
        if documents:
            vectors = embed([document.text for document in documents], encoder=self._encoder, store=self._store)
            collection.put(documents, vectors)


def _documents(incident: Incident) -> list[Document]:
    """Return an incident as it counts for those who find it, without labels where nobody does, and the passages of a long one."""
    held = incident.counted
    shown = incident.counting_for(held.known_to if held is not None and incident.is_hidden else None)
    return incident_documents(incident.id, shown.title, shown.text, incident.index_labels)


def _incident_owners(collection: Collection) -> Owners:
    """Return whose the parts are; nobody's where every incident is one part, which is cheaper to rank."""
    return INCIDENT_OF_PART if len(collection.vectors) > len(collection.texts) else {}


def _hybrid(
    collection: Collection, owners: Owners, settings: FusionSettings, sizes: Mapping[str, int] | None = None
) -> HybridSearch:
    return HybridSearch(collection.vectors.snapshot(), collection.texts.snapshot(), owners, settings, sizes or {})


def content_hash(text: str) -> str:
    """Return the SHA-256 of the text: a text is encoded once, whatever record it stands in."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def embed(texts: Sequence[str], *, encoder: Encoder, store: Store) -> Vectors:
    """Return (len(texts), dim) vectors; texts that the store has no vector of are encoded and their vectors kept."""
    hashes = [content_hash(text) for text in texts]
    with store.begin() as records:
        known = dict(records.vectors(encoder.encoder_id, set(hashes)))
    missing = {digest: text for digest, text in zip(hashes, texts, strict=True) if digest not in known}
    if missing:
        # Longest first: texts are encoded side by side, and the last ones then are short for both cores.
        missing = dict(sorted(missing.items(), key=lambda each: len(each[1]), reverse=True))
        rows = dict(zip(missing, encoder.encode(list(missing.values())), strict=True))
        with store.begin(write=True) as records:
            records.add_vectors(encoder.encoder_id, rows)
        known.update(rows)
    return np.stack([known[digest] for digest in hashes])


def _entry(article: Article, evidence: Mapping[str, ArticleEvidence]) -> ArticleEntry:
    parts = {passage.id: passage for passage in passages(article.id, article.body)}
    said = evidence.get(article.id, NOTHING)
    return ArticleEntry(article.id, article.title, article.category, article.keywords, parts, article.valid_until, said)

"""One kind of record in two indexes, by meaning and by words, and what an index holds of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from smarttriage.domain.incident_parts import further_passages, part_id
from smarttriage.ports import LexicalIndex, VectorIndex, Vectors
from smarttriage.services.retrieval import lexical_text


@dataclass(frozen=True, slots=True)
class Document:
    """What an index holds of a record: an incident, a passage of a long one, a passage of an article, or its title alone.

    Attributes:
        id: Its own.
        title: Of the record.
        text: What is encoded, the title first.
        labels: Who may see it.
        is_worded: Whether its words are searched; those of a title or a further passage stand in another text already.
    """

    id: str
    title: str
    text: str
    labels: frozenset[str]
    is_worded: bool = True


def incident_documents(incident_id: str, title: str, text: str, labels: frozenset[str]) -> list[Document]:
    """Return an incident by its model text, which begins with the title, and the passages of a long one."""
    further = enumerate(further_passages(title, text), 1)
    return [
        Document(incident_id, title, text, labels),
        *(Document(part_id(incident_id, position), title, passage, labels, is_worded=False) for position, passage in further),
    ]


@dataclass(frozen=True, slots=True)
class Collection:
    """The two indexes over one kind of record; titles of articles and passages of long incidents are in the one by meaning only."""

    name: str
    vectors: VectorIndex
    texts: LexicalIndex

    def put(self, documents: Sequence[Document], vectors: Vectors) -> None:
        """Add or replace."""
        self.vectors.add([each.id for each in documents], vectors, [each.labels for each in documents])
        worded = [each for each in documents if each.is_worded]
        words = [lexical_text(each.title, each.text) for each in worded]
        self.texts.add([each.id for each in worded], words, [each.labels for each in worded])

    def remove(self, ids: Iterable[str]) -> None:
        """Remove from both."""
        gone = list(ids)
        self.vectors.remove(gone)
        self.texts.remove(gone)

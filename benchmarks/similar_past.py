"""Past incidents to be searched as the service searches them, kept in memory instead of a database."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from smarttriage.adapters.indexes.faiss import FaissIndex
from smarttriage.adapters.lexical.tantivy import TantivyIndex
from smarttriage.domain.incident import Incident
from smarttriage.ports import Vectors
from smarttriage.services.matching import IncidentText, Nearest, Question
from smarttriage.services.retrieval import INCIDENTS, HybridSearch
from smarttriage.services.retrieval_evaluation import ALLOWED

BATCH = 4_096


class Kept:
    """A store that holds the incidents by id and nothing else."""

    def __init__(self, incidents: Mapping[str, Incident]) -> None:
        self._incidents = incidents

    @contextmanager
    def begin(self) -> Iterator["Kept"]:
        yield self

    def incidents_by_id(self, ids: Sequence[str], _principal: object) -> Mapping[str, Incident]:
        return {id_: self._incidents[id_] for id_ in ids}


def catalogue_of(incidents: Sequence[Incident], vectors: Vectors) -> Any:
    """Return what a question searches: these incidents, and no article."""
    dense, lexical = FaissIndex(encoder_id="any", dim=vectors.shape[1]), TantivyIndex()
    dense.add([each.id for each in incidents], vectors, [ALLOWED] * len(incidents))
    for start in range(0, len(incidents), BATCH):
        part = incidents[start : start + BATCH]
        lexical.add([each.id for each in part], [each.text for each in part], [ALLOWED] * len(part))
    nothing = HybridSearch(FaissIndex(encoder_id="any", dim=vectors.shape[1]).snapshot(), TantivyIndex().snapshot())
    store = Kept({each.id: each for each in incidents})
    return SimpleNamespace(
        incidents=HybridSearch(dense.snapshot(), lexical.snapshot(), settings=INCIDENTS),
        articles=nothing,
        entries={},
        store=store,
    )


def asked_of(catalogue: Any, text: str, vector: Vectors) -> Nearest:
    """Return what the service reads beside a text: both sides of the search, the floor, and further where scores are equal."""
    question = Question(
        SimpleNamespace(labels=ALLOWED, is_trusted=True, key_id="benchmark"), catalogue, IncidentText("", text), text
    )
    return question.neighbours(vector, question.worded(), catalogue.store)

"""The indexes of an installation."""

from smarttriage.adapters.indexes.faiss import FaissIndex
from smarttriage.adapters.lexical.tantivy import TantivyIndex
from smarttriage.ports import Encoder, Store
from smarttriage.services.collections import Collection
from smarttriage.services.indexing import IndexingService
from smarttriage.services.retrieval import ARTICLES, ARTICLES_FAST, INCIDENTS, INCIDENTS_FAST, FusionSettings

INDEX_FOLDER = "indexes"
# Encoder, its hash left out -> how articles and incidents are searched by it; any other is taken for the one that ships as `quality`.
_SEARCHES = {"minilm-l3-it-int8": (ARTICLES_FAST, INCIDENTS_FAST)}


def searches_of(encoder: Encoder) -> tuple[FusionSettings, FusionSettings]:
    """Return how articles and how incidents are searched by the vectors of an encoder."""
    return _SEARCHES.get(encoder.encoder_id.rsplit("-", 1)[0], (ARTICLES, INCIDENTS))


def new_indexing(*, store: Store, encoder: Encoder) -> IndexingService:
    """Return the indexing service over empty indexes of the default kinds."""

    def new_collection(name: str) -> Collection:
        return Collection(name, FaissIndex(encoder_id=encoder.encoder_id, dim=encoder.dim), TantivyIndex())

    of_articles, of_incidents = searches_of(encoder)
    return IndexingService(
        store=store, encoder=encoder, new_collection=new_collection, article_search=of_articles, incident_search=of_incidents
    )

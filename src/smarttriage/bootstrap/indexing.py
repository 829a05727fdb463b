"""The indexes of an installation."""

from smarttriage.adapters.indexes.faiss import FaissIndex
from smarttriage.adapters.lexical.tantivy import TantivyIndex
from smarttriage.ports import Encoder, Store
from smarttriage.services.collections import Collection
from smarttriage.services.indexing import IndexingService

INDEX_FOLDER = "indexes"


def new_indexing(*, store: Store, encoder: Encoder) -> IndexingService:
    """Return the indexing service over empty indexes of the default kinds."""

    def new_collection(name: str) -> Collection:
        return Collection(name, FaissIndex(encoder_id=encoder.encoder_id, dim=encoder.dim), TantivyIndex())

    return IndexingService(store=store, encoder=encoder, new_collection=new_collection)

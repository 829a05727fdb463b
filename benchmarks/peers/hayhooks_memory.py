"""haystack's in-memory store and sentence-transformers embedder, served by hayhooks.

python hayhooks_memory.py PORT CORPUS.jsonl FOLDER WEIGHTS
"""

import json
import os
import sys
import time
from pathlib import Path

port, corpus, folder, weights = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
WRAPPER = """
from hayhooks import BasePipelineWrapper
from haystack import Pipeline
from haystack_integrations.components.embedders.sentence_transformers import SentenceTransformersTextEmbedder
from haystack.components.retrievers.in_memory import InMemoryEmbeddingRetriever
from haystack.document_stores.in_memory import InMemoryDocumentStore


class PipelineWrapper(BasePipelineWrapper):
    def setup(self) -> None:
        store = InMemoryDocumentStore.load_from_disk({store!r})
        self.pipeline = Pipeline()
        self.pipeline.add_component("embedder", SentenceTransformersTextEmbedder(model={weights!r}, progress_bar=False))
        self.pipeline.add_component("retriever", InMemoryEmbeddingRetriever(store, top_k=10))
        self.pipeline.connect("embedder.embedding", "retriever.query_embedding")

    def run_api(self, text: str) -> list[dict]:
        found = self.pipeline.run({{"embedder": {{"text": text}}}})["retriever"]["documents"]
        return [{{"id": one.meta["id"], "text": one.content, "score": one.score}} for one in found]
"""
if not (folder / "build.json").exists():
    from haystack import Document
    from haystack.document_stores.in_memory import InMemoryDocumentStore
    from sentence_transformers import SentenceTransformer

    rows = [json.loads(line) for line in corpus.open(encoding="utf-8")]
    (folder / "pipelines" / "search").mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    store = InMemoryDocumentStore(embedding_similarity_function="cosine")
    vectors = SentenceTransformer(weights, device="cpu").encode([row["text"] for row in rows], show_progress_bar=False)
    store.write_documents(
        [
            Document(content=row["text"], meta={"id": row["id"]}, embedding=vector.tolist())
            for row, vector in zip(rows, vectors, strict=True)
        ]
    )
    store.save_to_disk(str(folder / "store.json"))
    (folder / "build.json").write_text(json.dumps(time.perf_counter() - started))
    wrapper = WRAPPER.format(store=str(folder / "store.json"), weights=weights)
    (folder / "pipelines" / "search" / "pipeline_wrapper.py").write_text(wrapper)
os.execv(
    str(Path(sys.executable).parent / "hayhooks"),
    ["hayhooks", "run", "--host", "127.0.0.1", "--port", str(port), "--pipelines-dir", str(folder / "pipelines")],
)

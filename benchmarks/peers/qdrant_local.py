"""qdrant-client in its local mode behind FastAPI, embedding with sentence-transformers.

python qdrant_local.py PORT CORPUS.jsonl FOLDER WEIGHTS
"""

import json
import sys
import time
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from qdrant_client import QdrantClient, models
from sentence_transformers import SentenceTransformer

port, corpus, folder, weights = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
model = SentenceTransformer(weights, device="cpu")
client = QdrantClient(path=str(folder / "store"))
if not (folder / "build.json").exists():
    rows = [json.loads(line) for line in corpus.open(encoding="utf-8")]
    started = time.perf_counter()
    client.create_collection("docs", vectors_config=models.VectorParams(size=384, distance=models.Distance.COSINE))
    vectors = model.encode([row["text"] for row in rows], show_progress_bar=False)
    client.upload_collection("docs", vectors=vectors, payload=rows, ids=range(len(rows)))
    (folder / "build.json").write_text(json.dumps(time.perf_counter() - started))
app = FastAPI()


class Query(BaseModel):
    """What is asked."""

    text: str


@app.post("/search")
def search(query: Query) -> list[dict[str, object]]:
    """Return the ten nearest."""
    found = client.query_points("docs", query=model.encode(query.text, show_progress_bar=False).tolist(), limit=10).points
    return [{"id": point.payload["id"], "text": point.payload["text"], "score": point.score} for point in found]


uvicorn.run(app, port=port, log_level="error")

"""sentence-transformers behind FastAPI as people write it: encode, semantic_search over a tensor.

python st_fastapi.py PORT CORPUS.jsonl FOLDER WEIGHTS
"""

import json
import sys
import time
from pathlib import Path

import torch
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from sentence_transformers import SentenceTransformer, util

port, corpus, folder, weights = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
rows = [json.loads(line) for line in corpus.open(encoding="utf-8")]
model = SentenceTransformer(weights, device="cpu")
if not (folder / "vectors.pt").exists():
    started = time.perf_counter()
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(
        model.encode([row["text"] for row in rows], convert_to_tensor=True, show_progress_bar=False), folder / "vectors.pt"
    )
    (folder / "build.json").write_text(json.dumps(time.perf_counter() - started))
vectors = torch.load(folder / "vectors.pt")
app = FastAPI()


class Query(BaseModel):
    """What is asked."""

    text: str


@app.post("/search")
def search(query: Query) -> list[dict[str, object]]:
    """Return the ten nearest."""
    hits = util.semantic_search(model.encode(query.text, convert_to_tensor=True, show_progress_bar=False), vectors, top_k=10)[0]
    return [{"id": rows[hit["corpus_id"]]["id"], "text": rows[hit["corpus_id"]]["text"], "score": hit["score"]} for hit in hits]


uvicorn.run(app, port=port, log_level="error")

"""The least one can do: FastAPI, the int8 encoder, a flat FAISS index, texts in memory. No store, no keys, no classes.

python bare.py PORT CORPUS.jsonl FOLDER ENCODER
"""

import json
import sys
import time
from pathlib import Path

import faiss
import numpy as np
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

from smarttriage.adapters.encoders.onnx import OnnxEncoder

port, corpus, folder = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
rows = [json.loads(line) for line in corpus.open(encoding="utf-8")]
encoder = OnnxEncoder.open(Path(sys.argv[4]), n_threads=2)
faiss.omp_set_num_threads(1)
if not (folder / "vectors.npy").exists():
    started = time.perf_counter()
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "vectors.npy", encoder.encode([row["text"] for row in rows]))
    (folder / "build.json").write_text(json.dumps(time.perf_counter() - started))
index = faiss.IndexFlatIP(encoder.dim)
index.add(np.load(folder / "vectors.npy"))
app = FastAPI()


class Query(BaseModel):
    """What is asked."""

    text: str


@app.post("/search")
def search(query: Query) -> list[dict[str, object]]:
    """Return the ten nearest."""
    scores, found = index.search(encoder.encode([query.text]), 10)
    return [
        {"id": rows[row]["id"], "text": rows[row]["text"], "score": float(score)}
        for score, row in zip(scores[0], found[0], strict=True)
    ]


uvicorn.run(app, port=port, log_level="error")

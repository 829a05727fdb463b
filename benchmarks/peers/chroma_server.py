"""chroma's server; what is stored comes embedded by smarttriage's int8 encoder, as do the queries of the client.

python chroma_server.py PORT CORPUS.jsonl FOLDER VECTORS.npy
"""

import json
import os
import sys
import time
from pathlib import Path

import chromadb
import numpy as np

port, corpus, folder, vectors = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), np.load(sys.argv[4])
if not (folder / "build.json").exists():
    rows = [json.loads(line) for line in corpus.open(encoding="utf-8")]
    started = time.perf_counter()
    collection = chromadb.PersistentClient(str(folder / "store")).create_collection(
        "docs", metadata={"hnsw:space": "cosine"}, embedding_function=None
    )
    for start in range(0, len(rows), 1_000):
        part = rows[start : start + 1_000]
        collection.add(
            ids=[row["id"] for row in part], embeddings=vectors[start : start + 1_000], documents=[row["text"] for row in part]
        )
    (folder / "build.json").write_text(json.dumps(time.perf_counter() - started))
os.execv(
    str(Path(sys.executable).parent / "chroma"),
    ["chroma", "run", "--path", str(folder / "store"), "--host", "127.0.0.1", "--port", str(port)],
)

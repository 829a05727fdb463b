"""txtai's own API over an index that txtai built.

python txtai_api.py PORT CORPUS.jsonl FOLDER WEIGHTS
"""

import json
import os
import sys
import time
from pathlib import Path

import uvicorn

port, corpus, folder, weights = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
if not (folder / "build.json").exists():
    from txtai import Embeddings

    rows = [json.loads(line) for line in corpus.open(encoding="utf-8")]
    folder.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    embeddings = Embeddings(path=weights, content=True)
    embeddings.index([(row["id"], row["text"], None) for row in rows])
    embeddings.save(str(folder / "index"))
    (folder / "build.json").write_text(json.dumps(time.perf_counter() - started))
(folder / "config.yml").write_text(
    f"path: {folder / 'index'}\nwritable: false\nembeddings:\n  path: {weights}\n  content: true\n"
)
os.environ["CONFIG"] = str(folder / "config.yml")
uvicorn.run("txtai.api:app", port=port, log_level="error")

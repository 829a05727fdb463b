"""Encode the seed knowledge base and the seed incidents once, so that a fresh data folder is ready in seconds.

Run after any change of kb/articles, kb/incidents.jsonl or the shipped encoder:

    python training/embed_seed.py

Writes kb/seed_vectors.safetensors: float16 rows (a cosine moves by less than 0.001) under the SHA-256 of their texts, and the
encoder's id. A text that is not among them is encoded when the data folder is prepared, so a stale file costs time, not truth;
tests/data/test_seed_vectors.py refuses a stale one all the same.
"""

import json
import sys

import numpy as np
from safetensors.numpy import save_file

from smarttriage.adapters.articles import read_articles
from smarttriage.bootstrap import parts
from smarttriage.bootstrap.importing import SEED_VECTORS, seed_rows
from smarttriage.bootstrap.resources import shipped
from smarttriage.domain.article import passages, searched_texts
from smarttriage.domain.text import model_text
from smarttriage.services.indexing import content_hash


def seed_texts() -> list[str]:
    """Return every text that an index of the seed holds, each once, in a fixed order."""
    kb = shipped("kb")
    articles = [row.values for row in read_articles(kb / "articles")]
    pieces = ((a["id"], a["title"].strip(), passages(a["id"], a["body"].strip())) for a in articles)
    texts = [each.text for piece in pieces for each in searched_texts(*piece)]
    texts += [
        model_text(row.values["title"].strip(), row.values["description"].strip()) for row in seed_rows(kb / "incidents.jsonl")
    ]
    return [text for text in dict.fromkeys(texts) if text.strip()]


def main() -> None:
    """Encode and write."""
    texts, encoder = seed_texts(), parts.encoder(n_threads=2)
    vectors = encoder.encode(texts).astype(np.float16)
    hashes = json.dumps([content_hash(text) for text in texts])
    path = shipped("kb") / SEED_VECTORS
    save_file({"vectors": vectors}, str(path), metadata={"encoder_id": encoder.encoder_id, "hashes": hashes})
    sys.stderr.write(f"{path}: {len(texts)} texts, {path.stat().st_size} bytes\n")


if __name__ == "__main__":
    main()

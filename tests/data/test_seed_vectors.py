"""The shipped vectors must be those of the shipped seed and encoder: a stale file would slow down the first start unseen."""

import json

import numpy as np
from safetensors import safe_open
from training.embed_seed import seed_texts

from smarttriage.bootstrap import parts
from smarttriage.bootstrap.importing import SEED_VECTORS
from smarttriage.bootstrap.resources import shipped
from smarttriage.services.indexing import content_hash

# A core with other instructions rounds here and there another way before int8, which moves some texts by a few thousandths of the
# cosine. A vector of another text, or of another encoder, lies far below.
ELSEWHERE_COSINE = 0.99


def test_every_seed_text_has_its_vector_and_nothing_else_is_there() -> None:
    with safe_open(str(shipped("kb") / SEED_VECTORS), framework="numpy") as file:
        metadata = file.metadata()
    assert metadata["encoder_id"] == parts.encoder().encoder_id, "run python training/embed_seed.py"
    assert set(json.loads(metadata["hashes"])) == {content_hash(text) for text in seed_texts()}, (
        "run python training/embed_seed.py"
    )


def test_the_shipped_vectors_are_what_the_encoder_says() -> None:
    encoder, texts = parts.encoder(), seed_texts()
    with safe_open(str(shipped("kb") / SEED_VECTORS), framework="numpy") as file:
        row = {digest: position for position, digest in enumerate(json.loads(file.metadata()["hashes"]))}
        vectors = file.get_tensor("vectors").astype(np.float32)
    for text in texts[:: len(texts) // 12]:
        shipped_vector = vectors[row[content_hash(text)]]
        cosine = float(encoder.encode([text])[0] @ shipped_vector / np.linalg.norm(shipped_vector))
        assert cosine >= ELSEWHERE_COSINE

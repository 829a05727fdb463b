"""The manifest of an exported encoder folder: what the files are, where they came from and the hash that names them."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smarttriage.domain.errors import EncoderError

MANIFEST = "manifest.json"
MODEL = "model.onnx"
TOKENIZER = "tokenizer.json"
WAY_OUT = "reinstall the package (pip install --force-reinstall smarttriage) or export it again with training/export_encoder.py"


@dataclass(frozen=True, slots=True)
class EncoderManifest:
    """What an encoder folder promises.

    Attributes:
        id: Name and content hash; see `content_id`.
        name: The model's name without the hash.
        dim: Length of one vector.
        max_tokens: Tokens read of one text, special tokens included.
        max_chars: Characters of one text given to the tokenizer.
        files: File name -> sha256.
    """

    id: str
    name: str
    dim: int
    max_tokens: int
    max_chars: int
    files: dict[str, str]


def sha256_of(path: Path) -> str:
    """Return the file's sha256 in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def content_id(name: str, files: dict[str, str], max_tokens: int, max_chars: int) -> str:
    """Return `name` and 12 hex digits over everything that decides a vector: weights, tokenizer and both cuts."""
    decisive = json.dumps([files[MODEL], files[TOKENIZER], max_tokens, max_chars])
    return f"{name}-{hashlib.sha256(decisive.encode()).hexdigest()[:12]}"


def open_manifest(folder: Path) -> EncoderManifest:
    """Return the folder's manifest after checking every file against it.

    Raises:
        EncoderError: The manifest or a file is missing, altered or incomplete; the message names it and the way out.
    """
    path = folder / MANIFEST
    try:
        manifest = _parse(json.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        raise EncoderError(f"No encoder in {folder}: {path} is missing; {WAY_OUT}.") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise EncoderError(f"{path} is not an encoder manifest ({error!r}); {WAY_OUT}.") from error
    for name, expected in manifest.files.items():
        _check(folder / name, expected)
    if manifest.id != content_id(manifest.name, manifest.files, manifest.max_tokens, manifest.max_chars):
        raise EncoderError(f"{path}: id {manifest.id!r} does not follow from the files it lists; {WAY_OUT}.")
    return manifest


def size_of(folder: Path) -> str | None:
    """Return the size that the folder's encoder is shipped as; None where it is none of the shipped ones or its manifest cannot be read."""
    try:
        size = json.loads((folder / MANIFEST).read_text("utf-8"))["size"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return size if isinstance(size, str) else None


def _parse(content: dict[str, Any]) -> EncoderManifest:
    files = {str(name): str(digest) for name, digest in content["files"].items()}
    if missing := {MODEL, TOKENIZER} - files.keys():
        raise KeyError(f"files lacks {sorted(missing)}")
    if any(Path(name).name != name for name in files):
        raise ValueError("files may only name files of the folder itself")
    return EncoderManifest(
        id=str(content["id"]),
        name=str(content["name"]),
        dim=int(content["dim"]),
        max_tokens=int(content["max_tokens"]),
        max_chars=int(content["max_chars"]),
        files=files,
    )


def _check(path: Path, expected: str) -> None:
    if not path.is_file():
        raise EncoderError(f"Encoder file {path} is missing; {WAY_OUT}.")
    if (found := sha256_of(path)) != expected:
        raise EncoderError(f"Encoder file {path} is altered: sha256 {found[:12]}… instead of {expected[:12]}…; {WAY_OUT}.")

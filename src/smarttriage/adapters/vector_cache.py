"""Vectors on disk by encoder and text, so that a second training on the same texts encodes nothing."""

import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from smarttriage.domain.errors import EncoderError
from smarttriage.ports import Vectors


class FileVectorCache:
    """One safetensors file per encoder in a folder. For one process at a time; the last writer wins."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, dict[bytes, Vectors]] = {}

    def get(self, encoder_id: str, texts: Sequence[str]) -> list[Vectors | None]:
        """Return for each text its vector, None where it is not known."""
        known = self._open(encoder_id)
        return [known.get(_digest(text)) for text in texts]

    def put(self, encoder_id: str, texts: Sequence[str], vectors: Vectors) -> None:
        """Keep the vectors and write the file anew, atomically."""
        known = self._open(encoder_id)
        known.update(zip(map(_digest, texts), vectors, strict=True))
        self._folder.mkdir(parents=True, exist_ok=True)
        digests = np.frombuffer(b"".join(known), dtype=np.uint8).reshape(len(known), -1)
        with tempfile.NamedTemporaryFile(dir=self._folder, suffix=".tmp", delete=False) as stream:
            scratch = Path(stream.name)
        save_file({"digests": digests, "vectors": np.stack(list(known.values()))}, scratch)
        scratch.replace(self._path(encoder_id))

    def _open(self, encoder_id: str) -> dict[bytes, Vectors]:
        if encoder_id not in self._known:
            path = self._path(encoder_id)
            try:
                arrays = load_file(path) if path.is_file() else None
                rows = zip(arrays["digests"], arrays["vectors"], strict=True) if arrays else ()
                self._known[encoder_id] = {digest.tobytes(): vector for digest, vector in rows}
            except (SafetensorError, KeyError, ValueError) as error:
                raise EncoderError(f"The vector cache {path} is damaged ({error}); delete it, it is made again.") from error
        return self._known[encoder_id]

    def _path(self, encoder_id: str) -> Path:
        return self._folder / f"{encoder_id}.safetensors"


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()

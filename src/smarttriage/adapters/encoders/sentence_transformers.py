"""Any sentence-transformers model, from a local folder or a hub name. Needs the `train` extra (torch)."""

import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from smarttriage.adapters.encoders.text import tokenizable
from smarttriage.domain.errors import EncoderError
from smarttriage.domain.text import MAX_CHARS
from smarttriage.ports import Vectors


class SentenceTransformerEncoder:
    """Text to vectors by torch, one text at a time so that a row never depends on its neighbours."""

    def __init__(self, *, model: Any, name: str, max_chars: int = MAX_CHARS) -> None:
        self._model = model
        self._max_chars = max_chars
        self._dim = int(model.get_embedding_dimension())
        self._id = f"{name}-{_content_hash(model, max_chars)}"
        # The tokenizer keeps its truncation and padding settings as state and refuses a second borrower.
        self._lock = threading.Lock()

    @classmethod
    def open(cls, name_or_folder: str | Path, *, device: str = "cpu", max_chars: int = MAX_CHARS) -> "SentenceTransformerEncoder":
        """Return the encoder of a local folder or, where the hub can be reached, of a hub name.

        Raises:
            EncoderError: torch is not installed, or there is no such model.
        """
        try:
            from sentence_transformers import SentenceTransformer  # noqa: PLC0415 - torch takes seconds to import
        except ImportError as error:
            message = f"The encoder {name_or_folder} needs torch and sentence-transformers: pip install smarttriage[train]."
            raise EncoderError(message) from error
        try:
            model = SentenceTransformer(str(name_or_folder), device=device)
        except (OSError, ValueError) as error:
            message = (
                f"No sentence-transformers model at {name_or_folder} ({error}); give a local folder or a reachable hub name."
            )
            raise EncoderError(message) from error
        return cls(model=model, name=Path(name_or_folder).name, max_chars=max_chars)

    @property
    def encoder_id(self) -> str:
        """Name and hash over weights, tokenizer and both cuts."""
        return self._id

    @property
    def dim(self) -> int:
        """Length of one vector."""
        return self._dim

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return (len(texts), dim) float32, rows of L2 norm 1."""
        vectors = np.empty((len(texts), self._dim), dtype=np.float32)
        for row, text in enumerate(texts):
            readable = tokenizable(text, self._max_chars)
            with self._lock:
                vectors[row] = self._model.encode([readable], normalize_embeddings=True, show_progress_bar=False)[0]
        return vectors


def _content_hash(model: Any, max_chars: int) -> str:
    vocabulary = sorted(model.tokenizer.get_vocab().items())
    digest = hashlib.sha256(f"{model.max_seq_length} {max_chars} {vocabulary}".encode())
    for key, tensor in sorted(model.state_dict().items()):
        digest.update(key.encode())
        digest.update(tensor.detach().cpu().contiguous().float().numpy().tobytes())
    return digest.hexdigest()[:12]

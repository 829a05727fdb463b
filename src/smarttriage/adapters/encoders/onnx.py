"""The serving encoder: ONNX Runtime on an exported folder (see training/export_encoder.py). No torch."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from smarttriage.adapters.encoders.manifest import MODEL, TOKENIZER, WAY_OUT, EncoderManifest, open_manifest
from smarttriage.adapters.encoders.text import tokenizable
from smarttriage.domain.errors import EncoderError
from smarttriage.ports import Vectors


class OnnxEncoder:
    """Text to vectors by an int8 ONNX model, one text per run.

    An int8 vector depends on its batch-mates and padding costs more than batching gains, so texts never share a run: a text
    has one vector, alone or among 36,000. One thread per run: a request owns one core; `n_threads` runs texts side by side.
    """

    def __init__(
        self, *, manifest: EncoderManifest, tokenizer: Tokenizer, session: onnxruntime.InferenceSession, n_threads: int = 1
    ) -> None:
        self._manifest = manifest
        self._tokenizer = tokenizer
        self._session = session
        self._n_threads = n_threads

    @classmethod
    def open(cls, folder: Path, *, n_threads: int = 1) -> "OnnxEncoder":
        """Return the encoder of an exported folder, every file checked against the manifest.

        Args:
            folder: The folder with manifest.json.
            n_threads: How many texts of one `encode` call run side by side; the rows are the same for any number.

        Raises:
            EncoderError: A file is missing, altered or not loadable.
        """
        manifest = open_manifest(folder)
        try:
            tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
            session = onnxruntime.InferenceSession(str(folder / MODEL), _one_thread(), providers=["CPUExecutionProvider"])
        except Exception as error:  # both libraries raise their own kinds, some of them bare Exception
            raise EncoderError(f"The encoder in {folder} cannot be loaded ({error}); {WAY_OUT}.") from error
        tokenizer.no_padding()
        tokenizer.enable_truncation(manifest.max_tokens)
        return cls(manifest=manifest, tokenizer=tokenizer, session=session, n_threads=n_threads)

    @property
    def encoder_id(self) -> str:
        """Name and content hash."""
        return self._manifest.id

    @property
    def dim(self) -> int:
        """Length of one vector."""
        return self._manifest.dim

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return (len(texts), dim) float32, rows of L2 norm 1."""
        vectors = np.empty((len(texts), self.dim), dtype=np.float32)
        if self._n_threads == 1 or len(texts) < 2:
            for row, text in enumerate(texts):
                vectors[row] = self._encode_one(text)
            return vectors
        with ThreadPoolExecutor(self._n_threads) as pool:
            for row, vector in enumerate(pool.map(self._encode_one, texts)):
                vectors[row] = vector
        return vectors

    def _encode_one(self, text: str) -> Vectors:
        encoding = self._tokenizer.encode(tokenizable(text, self._manifest.max_chars))
        ids = np.array([encoding.ids], dtype=np.int64)
        output = self._session.run(None, feed(self._session, ids))[0]
        vector: Vectors = output[0]
        return vector


def feed(session: onnxruntime.InferenceSession, ids: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
    """Return what a graph is run with: (1, n) token ids and, where it was exported for batches of several texts, the mask of all of them."""
    return {"input_ids": ids} if len(session.get_inputs()) == 1 else {"input_ids": ids, "attention_mask": np.ones_like(ids)}


def _one_thread() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return options

"""Single adapters, each made from Settings."""

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from smarttriage.adapters.encoders.manifest import MANIFEST, size_of
from smarttriage.adapters.encoders.onnx import OnnxEncoder
from smarttriage.adapters.stores.sql import SqlStore
from smarttriage.bootstrap.resources import shipped
from smarttriage.config import EncoderSize, Settings
from smarttriage.domain.errors import ConfigurationError

STORE_FILE = "smarttriage.db"


def clock() -> datetime:
    """Return the present instant, UTC-aware."""
    return datetime.now(UTC)


def new_id(prefix: str) -> str:
    """Return an id that sorts by the time it was made (milliseconds), so that indexes grow at one end."""
    return f"{prefix}_{time.time_ns() // 1_000_000:012x}{secrets.token_hex(8)}"


def encoder(*, n_threads: int = 1, size: EncoderSize | None = None) -> OnnxEncoder:
    """Return the shipped encoder of a size, by default the configured one. Raises EncoderError or ConfigurationError; there is no fallback."""
    return OnnxEncoder.open(encoder_folder(size), n_threads=n_threads)


def encoder_folder(size: EncoderSize | None = None) -> Path:
    """Return where the shipped encoder of a size lies, by default the configured one. Raises ConfigurationError."""
    wanted, root = size or Settings().encoder, shipped("models") / "encoders"
    folders = [manifest.parent for manifest in sorted(root.glob(f"*/{MANIFEST}")) if size_of(manifest.parent) == wanted]
    if len(folders) != 1:
        raise ConfigurationError(
            f'{root} must hold exactly one encoder of the size "{wanted}", it holds {len(folders)}; install smarttriage again'
        )
    return folders[0]


def store(settings: Settings) -> SqlStore:
    """Return the store of the data folder, made and migrated as needed."""
    _writable(settings.data_dir)
    return SqlStore.open(settings.data_dir / STORE_FILE, clock=clock)


def _writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"{folder}: cannot be made ({error.strerror}); give another --data-dir", field="data_dir"
        ) from None


Say = Callable[[str], None]

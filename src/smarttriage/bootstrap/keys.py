"""The key that an installation starts with."""

import secrets
from pathlib import Path

from smarttriage.bootstrap.parts import clock
from smarttriage.config import Settings
from smarttriage.ports import Store
from smarttriage.services.keys import KeyService, key_text

LOCAL_KEY_FILE = "local-key"


def ensure_admin_key(settings: Settings, store: Store) -> str:
    """Return the administrator's key of tenant `default`: the one of SMARTTRIAGE_BOOTSTRAP_KEY, else one made for this data folder.

    The store keeps only its SHA-256; the made one stands in `<data folder>/local-key`, readable by its owner alone, so that
    `make run` can print it again.
    """
    if settings.bootstrap_key is not None:
        text, label = settings.bootstrap_key.get_secret_value(), "SMARTTRIAGE_BOOTSTRAP_KEY"
    else:
        text, label = _local_key(settings.data_dir / LOCAL_KEY_FILE), LOCAL_KEY_FILE
    KeyService(store=store, clock=clock).ensure_administrator(text, label=label)
    return text


def _local_key(path: Path) -> str:
    if path.is_file():
        return path.read_text(encoding="utf-8").strip()
    key = key_text(secrets.token_hex(4), secrets.token_urlsafe(24))
    path.touch(mode=0o600)
    path.write_text(key + "\n", encoding="utf-8")
    return key

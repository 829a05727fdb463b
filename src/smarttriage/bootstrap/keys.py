"""The key that a fresh installation starts with."""

import hashlib
import secrets
from pathlib import Path

from smarttriage.bootstrap.parts import clock
from smarttriage.config import Settings
from smarttriage.domain.access import DEFAULT_TENANT, EVERYONE, Scope
from smarttriage.ports import ApiKey, Store

LOCAL_KEY_FILE = "local-key"


def ensure_admin_key(settings: Settings, store: Store) -> str:
    """Return the administrator's key of tenant `default`: the one of SMARTTRIAGE_BOOTSTRAP_KEY, else one made for this data folder.

    The store keeps only its SHA-256; the made one stands in `<data folder>/local-key`, readable by its owner alone, so that
    `make run` can print it again.
    """
    if settings.bootstrap_key is not None:
        presented = settings.bootstrap_key.get_secret_value()
    else:
        presented = _local_key(settings.data_dir / LOCAL_KEY_FILE)
    key_id, secret_sha256 = identify(presented)
    with store.begin() as records:
        stored = records.api_key(key_id)
    if stored is None or stored.revoked_at is not None:
        key = ApiKey(
            id=key_id,
            secret_sha256=secret_sha256,
            tenant=DEFAULT_TENANT,
            audiences=frozenset({EVERYONE}),
            scopes=frozenset({Scope.ADMIN}),
            label="bootstrap",
            created_at=clock(),
        )
        with store.begin(write=True) as records:
            records.put_api_key(key)
    return presented


def identify(presented: str) -> tuple[str, str]:
    """Return (key id, SHA-256 of the whole key) of a presented key; a key of another form is known by its hash alone."""
    digest = hashlib.sha256(presented.encode()).hexdigest()
    parts = presented.split("_", 2)
    return (parts[1] if len(parts) == 3 and parts[0] == "st" else digest[:16]), digest


def _local_key(path: Path) -> str:
    if path.is_file():
        return path.read_text(encoding="utf-8").strip()
    key = f"st_{secrets.token_hex(4)}_{secrets.token_urlsafe(24)}"
    path.touch(mode=0o600)
    path.write_text(key + "\n", encoding="utf-8")
    return key

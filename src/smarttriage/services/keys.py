"""API keys: made, listed, revoked, and checked against what a caller presents."""

import hashlib
import hmac
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from smarttriage.domain.access import DEFAULT_TENANT, EVERYONE, Principal, Scope
from smarttriage.domain.errors import Conflict, InvalidInput, NotFound, Unauthenticated
from smarttriage.ports import ApiKey, Clock, Records, Store

_PREFIX = "st"
_ID_HEX = 16
# What an unknown key is compared with, so that it costs what a wrong secret costs.
_NO_DIGEST = "0" * 64


@dataclass(frozen=True, slots=True)
class KeyIdentity:
    """What the store knows of a key's text: where to look it up, and the digest to compare."""

    id: str
    sha256: str


def key_text(key_id: str, secret: str) -> str:
    """Return the text that a caller presents. The id must not contain an underscore."""
    return f"{_PREFIX}_{key_id}_{secret}"


def key_identity(presented: bytes) -> KeyIdentity:
    """Return the identity of a key's text; text of another form than `st_<id>_<secret>` is found by its own digest."""
    digest = hashlib.sha256(presented).hexdigest()
    prefix, _, rest = presented.decode("utf-8", "replace").partition("_")
    key_id, _, secret = rest.partition("_")
    if prefix == _PREFIX and key_id and secret:
        return KeyIdentity(key_id, digest)
    return KeyIdentity(digest[:_ID_HEX], digest)


class KeyService:
    """Writes and checks API keys. Their text is never stored, only its SHA-256."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def authenticate(self, presented: bytes) -> Principal:
        """Return who presents this text. Raises Unauthenticated for an unknown, wrong or revoked key alike."""
        identity = key_identity(presented)
        with self._store.begin() as records:
            key = records.api_key(identity.id)
        same = hmac.compare_digest(identity.sha256, key.secret_sha256 if key else _NO_DIGEST)
        if key is None or not same or key.revoked_at is not None:
            raise Unauthenticated("the API key is not known or was revoked; send Authorization: Bearer <key>")
        return Principal(key.id, key.tenant, key.audiences, key.scopes, key.trusted)

    def ensure_administrator(self, text: str, *, label: str, tenant: str = DEFAULT_TENANT) -> ApiKey:
        """Store the key of this text with every scope, whether or not it was there or revoked; return it.

        Raises InvalidInput for an empty text.
        """
        presented = text.strip().encode("utf-8", "surrogateescape")
        if not presented:
            raise InvalidInput(
                "the administrator's key is empty; give it a text, or leave the setting out", field="bootstrap_key"
            )
        identity = key_identity(presented)
        key = ApiKey(
            id=identity.id,
            secret_sha256=identity.sha256,
            tenant=tenant,
            audiences=frozenset({EVERYONE}),
            scopes=frozenset(Scope),
            label=label,
            created_at=self._clock(),
            trusted=True,
        )
        with self._store.begin(write=True) as records:
            present = records.api_key(key.id)
            if present is not None and replace(present, created_at=key.created_at) == key:
                return present
            records.put_api_key(key)
        return key

    def create(
        self,
        principal: Principal,
        text: str,
        *,
        label: str,
        scopes: Collection[Scope],
        audiences: Collection[str],
        trusted: bool = False,
    ) -> ApiKey:
        """Store a key of the caller's tenant for the text of `key_text`; return it.

        What a key teaches that is not trusted waits in quarantine, and it speaks as one person whatever names it gives.
        """
        principal.require(Scope.ADMIN)
        identity = key_identity(text.encode())
        key = ApiKey(
            id=identity.id,
            secret_sha256=identity.sha256,
            tenant=principal.tenant,
            audiences=frozenset(audiences),
            scopes=frozenset(scopes),
            label=label,
            created_at=self._clock(),
            trusted=trusted,
        )
        with self._store.begin(write=True) as records:
            if records.api_key(key.id) is not None:
                raise Conflict(f"key {key.id} is there already; take another id", field="id")
            records.put_api_key(key)
        return key

    def list(self, principal: Principal) -> Sequence[ApiKey]:
        """Return the keys of the caller's tenant, revoked ones too."""
        principal.require(Scope.ADMIN)
        with self._store.begin() as records:
            return records.api_keys(principal.tenant)

    def trust(self, principal: Principal, key_id: str, *, trusted: bool) -> ApiKey:
        """Return the key as it is believed from now on; what waits in quarantine goes on waiting. Raises NotFound."""
        principal.require(Scope.ADMIN)
        with self._store.begin(write=True) as records:
            key = replace(_of_tenant(records, principal, key_id), trusted=trusted)
            records.put_api_key(key)
        return key

    def revoke(self, principal: Principal, key_id: str) -> ApiKey:
        """Return the key, from now on refused. Raises NotFound, and Conflict for the caller's own key."""
        principal.require(Scope.ADMIN)
        if key_id == principal.key_id:
            raise Conflict(f"key {key_id} cannot revoke itself; use another administrator's key", field="key_id")
        with self._store.begin(write=True) as records:
            key = _of_tenant(records, principal, key_id)
            if key.revoked_at is not None:
                return key
            revoked = replace(key, revoked_at=self._clock())
            records.put_api_key(revoked)
        return revoked


def _of_tenant(records: Records, principal: Principal, key_id: str) -> ApiKey:
    key = records.api_key(key_id)
    if key is None or key.tenant != principal.tenant:
        raise NotFound(f"there is no key {key_id}", field="key_id")
    return key

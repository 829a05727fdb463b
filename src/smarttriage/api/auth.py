"""Who is calling: the API key of the Authorization header, verified, and remembered for a moment."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from fastapi.security import HTTPBearer
from starlette.concurrency import run_in_threadpool

from smarttriage.domain.access import Principal
from smarttriage.domain.errors import Unauthenticated

BEARER = HTTPBearer(auto_error=False, scheme_name="ApiKey", description="`Authorization: Bearer st_<id>_<secret>`")
_MAX_REMEMBERED = 1_024
_MAX_KEY_BYTES = 4_096


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and the text that proved it."""

    principal: Principal
    presented: bytes


class KeyRing:
    """Verifies keys. A verified one is believed for `revocation_s`, so that most requests need no look at the store."""

    def __init__(
        self, *, authenticate: Callable[[bytes], Principal], revocation_s: float, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._authenticate = authenticate
        self._revocation_s = revocation_s
        self._now = now
        self._believed: dict[bytes, tuple[Principal, float]] = {}

    async def caller(self, authorization: str | None) -> Caller:
        """Return the caller. Raises Unauthenticated."""
        presented = _presented(authorization)
        digest = sha256(presented).digest()
        principal, until = self._believed.get(digest, (None, 0.0))
        if principal is None or self._now() >= until:
            self._believed.pop(digest, None)
            asked_at = self._now()
            principal = await run_in_threadpool(self._authenticate, presented)
            self._believe(digest, principal, asked_at + self._revocation_s)
        return Caller(principal, presented)

    def forget(self) -> None:
        """Believe nobody unseen; a revocation in this process holds from the next request on."""
        self._believed.clear()

    def _believe(self, digest: bytes, principal: Principal, until: float) -> None:
        if len(self._believed) >= _MAX_REMEMBERED:
            self._believed.clear()
        self._believed[digest] = (principal, until)


def _presented(authorization: str | None) -> bytes:
    scheme, _, text = (authorization or "").partition(" ")
    # Header values arrive as Latin-1; the bytes are what the caller sent, whatever they encode.
    presented = text.strip().encode("latin-1", "replace")
    if scheme.lower() != "bearer" or not presented or len(presented) > _MAX_KEY_BYTES:
        raise Unauthenticated("no API key was sent; send Authorization: Bearer <key>")
    return presented

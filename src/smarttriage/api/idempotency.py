"""The same POST twice does its work once.

The claim of an Idempotency-Key, the work and the stored answer are one transaction (`UnitStore.unit`): the claim is the first
thing that is written once the service begins to write, the answer the last before the commit. So a crash leaves either all
three or none, the key is never blocked, and no work is done twice. Two requests at once with one key: the store's unique
constraint lets the second claim wait for the first transaction; it then finds the answer, its own work is rolled back and the
first answer is sent again. Only successes are kept; a refused request has changed nothing and may be mended under its key.
A claim without an answer can only be the work of another writer of the same store; it is answered with 409 and Retry-After.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from smarttriage.api.answers import Answer
from smarttriage.api.errors import StillUnderWay
from smarttriage.domain.access import Principal
from smarttriage.domain.errors import IdempotencyMismatch
from smarttriage.ports import Clock, Records, StoredAnswer
from smarttriage.services.unit_of_work import UnitStore


class _AnsweredAlready(BaseException):
    """Rolls the unit back: somebody else had the key first. Not an `Exception`, so that no service can take it for its own."""

    def __init__(self, stored: StoredAnswer) -> None:
        super().__init__()
        self.stored = stored


@dataclass(frozen=True, slots=True)
class Claim:
    """An Idempotency-Key of a caller and what its request was.

    Attributes:
        tenant: Tenant of the caller.
        key: The caller's id and the key: two callers of a tenant never see each other's answers.
        fingerprint: SHA-256 of method, path and body.
    """

    tenant: str
    key: str
    fingerprint: str

    @classmethod
    def of(cls, principal: Principal, key: str, *, method: str, path: str, body: bytes) -> "Claim":
        """Return the claim of a request."""
        digest = sha256(f"{method}\n{path}\n".encode("utf-8", "surrogatepass"))
        digest.update(body)
        return cls(principal.tenant, f"{principal.key_id}/{key}", digest.hexdigest())

    def answered(self, stored: StoredAnswer) -> Answer:
        """Return the first answer. Raises IdempotencyMismatch for another request, StillUnderWay before there is one."""
        if stored.fingerprint != self.fingerprint:
            raise IdempotencyMismatch(
                "this Idempotency-Key was used with another request; take a fresh one for each request", field="Idempotency-Key"
            )
        if stored.status is None:
            raise StillUnderWay(
                "the first request with this Idempotency-Key is still under way; try again", field="Idempotency-Key"
            )
        return Answer(stored.body, stored.status, {**stored.headers, "Idempotency-Replayed": "true"})


def once(claim: Claim, work: Callable[[], Answer], *, store: UnitStore, clock: Clock) -> Answer:
    """Return the answer of `work`, or the stored one if the key has been answered already."""
    with store.begin() as records:
        known = records.stored_answer(claim.tenant, claim.key)
    if known is not None:
        return claim.answered(known)

    try:
        with store.unit(first=lambda records: _take(records, claim, clock())) as unit:
            made = work()
            kept = StoredAnswer(claim.fingerprint, made.status, made.body, made.headers)
            unit.records().answer(claim.tenant, claim.key, kept)
    except _AnsweredAlready as early:
        return claim.answered(early.stored)
    return made


def _take(records: Records, claim: Claim, at: datetime) -> None:
    stored = records.claim(claim.tenant, claim.key, claim.fingerprint, at=at)
    if stored is not None:
        raise _AnsweredAlready(stored)

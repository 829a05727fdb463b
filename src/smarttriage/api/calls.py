"""One authorised request, as routes see it. `reading` and `writing` make the dependencies that the routes ask for."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request, Response, Security
from fastapi.security import HTTPAuthorizationCredentials

from smarttriage.api.answers import Answer
from smarttriage.api.auth import BEARER, Caller, KeyRing
from smarttriage.api.errors import TooLarge
from smarttriage.api.idempotency import Claim, once
from smarttriage.api.metrics import Metrics
from smarttriage.domain.access import Principal, Scope
from smarttriage.domain.errors import InvalidInput, PermissionDenied, VersionMismatch
from smarttriage.services.installation import Services

_ETAG = re.compile(r'"?(\d{1,9})"?')
Bearer = Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)]
IfMatch = Annotated[
    str | None,
    Header(description="ETag of the version that the change was made on; another version answers 412.", max_length=100),
]
IdempotencyKey = Annotated[
    str | None,
    Header(
        description="Any text of your own, fresh for each request: a repeat with the same body gets the first answer again, "
        "for seven days.",
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
    ),
]


@dataclass(frozen=True, slots=True)
class App:
    """What one application's requests share."""

    services: Services
    keys: KeyRing
    metrics: Metrics


@dataclass(frozen=True, slots=True)
class Call:
    """An authorised request."""

    app: App
    caller: Caller
    idempotency_key: str | None
    method: str
    path: str
    body: bytes

    @property
    def services(self) -> Services:
        """The services behind the routes."""
        return self.app.services

    @property
    def principal(self) -> Principal:
        """Who asks."""
        return self.caller.principal

    def once(self, work: Callable[[], Answer]) -> Answer:
        """Return the answer of `work`, done once for an Idempotency-Key however often the request comes."""
        if self.idempotency_key is None:
            return work()
        claim = Claim.of(self.principal, self.idempotency_key, method=self.method, path=self.path, body=self.body)
        return once(claim, work, store=self.services.store, clock=self.services.clock)

    def commit(self, work: Callable[[], Answer]) -> Response:
        """Return what `once` answers, with the index follower woken."""
        made = self.once(work)
        self.services.notify()
        return made.response


def reading(scope: Scope | None = None) -> Callable[..., Awaitable[Call]]:
    """Return the dependency of a route that changes nothing; without a scope, any key that has one will do."""

    async def call(request: Request, _bearer: Bearer) -> Call:
        return await _call(request, scope, None)

    return call


def writing(scope: Scope) -> Callable[..., Awaitable[Call]]:
    """Return the dependency of a POST route."""

    async def call(request: Request, _bearer: Bearer, idempotency_key: IdempotencyKey = None) -> Call:
        return await _call(request, scope, idempotency_key)

    return call


Reader = Annotated[Call, Depends(reading())]
Suggester = Annotated[Call, Depends(writing(Scope.SUGGEST))]
SuggestionReader = Annotated[Call, Depends(reading(Scope.SUGGEST))]
Editor = Annotated[Call, Depends(reading(Scope.WRITE))]
Writer = Annotated[Call, Depends(writing(Scope.WRITE))]
Reviewer = Annotated[Call, Depends(writing(Scope.REVIEW))]
Administrator = Annotated[Call, Depends(writing(Scope.ADMIN))]
AdministratorReader = Annotated[Call, Depends(reading(Scope.ADMIN))]
AdministratorEditor = Annotated[Call, Depends(reading(Scope.ADMIN))]


async def _call(request: Request, scope: Scope | None, idempotency_key: str | None) -> Call:
    app: App = request.app.state.shared
    caller: Caller = request.state.caller
    if scope is not None:
        caller.principal.require(scope)
    elif not caller.principal.scopes:
        raise PermissionDenied(f"key {caller.principal.key_id} has no scope; ask an administrator for one")
    return Call(app, caller, idempotency_key, request.method, request.url.path, await request.body())


def version_of(if_match: str | None) -> int | None:
    """Return the version that the caller read, None if any will do. Raises VersionMismatch for a tag that is none of ours."""
    if if_match is None or if_match.strip() == "*":
        return None
    if "," in if_match:
        raise InvalidInput("several ETags were sent; send the one of the version that you read", field="If-Match")
    match = _ETAG.fullmatch(if_match.strip())
    if match is None:
        raise VersionMismatch("this ETag is of no version; read the record again and repeat the change", field="If-Match")
    return int(match[1])


def not_longer(field: str, text: str | None, limit: int) -> None:
    """Raise TooLarge naming the field."""
    if text is not None and len(text) > limit:
        raise TooLarge(f"{field} has {len(text)} characters; at most {limit} are taken", field=field)

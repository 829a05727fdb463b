"""The door: bodies that are too large and requests that are too many are turned away before anything is parsed."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from smarttriage.api.errors import TooLarge, problem_of
from smarttriage.domain.errors import InvalidInput, Overloaded, SmartTriageError
from smarttriage.services.installation import Limits

# Whoever watches the service must get an answer when it is busiest.
_UNLIMITED = frozenset({"/livez", "/readyz", "/metrics"})


class LimitsMiddleware:
    """Reads bodies up to the limit, also chunked ones that announce no length, and lets so many requests in at once."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app = app
        self._limits = limits
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 413 or 503."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            body = await _body(scope, receive, self._limits.max_body_bytes)
            if body is None:
                return
            if scope["path"] not in _UNLIMITED and self._under_way >= self._limits.max_concurrent:
                raise Overloaded(f"{self._under_way} requests are under way", retry_after_s=1)
        except SmartTriageError as error:
            await problem_of(error)(scope, receive, send)
            return
        # A body that was read whole counts from here on, so that slow senders do not take the places of others.
        self._under_way += 1
        try:
            await self._app(scope, _replayed(body, receive), send)
        finally:
            self._under_way -= 1


async def _body(scope: Scope, receive: Receive, limit: int) -> bytes | None:
    """Return the whole body, None if the caller hung up. Raises TooLarge as soon as the limit is passed."""
    _check_announced(scope, limit)
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        parts.append(part)
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def _check_announced(scope: Scope, limit: int) -> None:
    for name, value in scope["headers"]:
        if name == b"content-length":
            if not value.isdigit():
                raise InvalidInput("Content-Length is no number", field="Content-Length")
            # A number of that many digits is too large whatever it is.
            if len(value) > 18 or int(value) > limit:
                raise _too_large(limit)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"the body is larger than {limit} bytes; send less at once", field="body")


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that hands out the body once and then what the server says, such as that the caller hung up."""
    handed_out = False

    async def replay() -> Message:
        nonlocal handed_out
        if handed_out:
            return await receive()
        handed_out = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay

"""The outermost layer: request ids, security headers, the access log, the request metrics, and the answer to our own defects."""

import re
import time
import traceback
import uuid

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from smarttriage.api.errors import unexpected
from smarttriage.api.metrics import Metrics

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_SECURITY = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
]
# Answers hold incidents; no proxy and no browser keeps them.
_NO_STORE = [(b"cache-control", b"no-store")]


class EdgeMiddleware:
    """Wraps every request. It logs who asked for what and how it ended, never a word of an incident."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics
        self._log = structlog.get_logger("smarttriage.api")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = _request_id(scope)
        extra = [*_SECURITY, *_NO_STORE, (b"x-request-id", request_id.encode())]
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *extra]
            await send(message)

        scope.setdefault("state", {})
        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            await self._app(scope, receive, send_with_headers)
        except Exception as error:
            self._failed(scope, error)
            if status:
                raise
            await unexpected()(scope, receive, send_with_headers)
        finally:
            self._finished(scope, status, time.perf_counter() - started)
            structlog.contextvars.unbind_contextvars("request_id")

    def _failed(self, scope: Scope, error: BaseException) -> None:
        # Messages of libraries may quote parameters, which are people's texts: only kinds and places are logged.
        chain = []
        link: BaseException | None = error
        while link is not None:
            chain.append(type(link).__name__)
            link = link.__cause__ or link.__context__
        self._log.error("request failed", error=chain, where=_places(error), route=_route(scope))

    def _finished(self, scope: Scope, status: int, seconds: float) -> None:
        route, state = _route(scope), scope["state"]
        self._metrics.request(method=_method(scope), route=route, status=status, seconds=seconds)
        failure = state.get("failure")
        if failure is not None:
            self._failed(scope, failure)
        caller = state.get("caller")
        self._log.info(
            "request",
            method=_method(scope),
            route=route,
            status=status,
            ms=round(seconds * 1000, 2),
            key_id=caller.principal.key_id if caller else None,
            tenant=caller.principal.tenant if caller else None,
        )


def _places(error: BaseException) -> list[str]:
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            return str(value, "ascii")
    return uuid.uuid4().hex


def _route(scope: Scope) -> str:
    """Return the route's template: paths hold ids, and there must be few values of a metric's label."""
    return getattr(scope.get("route"), "path", "unmatched")


def _method(scope: Scope) -> str:
    return scope["method"] if scope["method"] in ("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS") else "other"

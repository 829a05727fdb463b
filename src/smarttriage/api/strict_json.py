"""Request bodies: JSON as RFC 8259 has it, and nothing that only Python would take for JSON."""

import json
import math
from collections.abc import Callable, Coroutine
from email.message import Message
from functools import lru_cache
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic_core import from_json

from smarttriage.api.errors import MalformedJson, UnsupportedMediaType

# Deeper nesting than this is an attack on a parser; no request of this API is deeper than 4.
MAX_DEPTH = 32


class _StrictRequest(Request):
    async def json(self) -> Any:
        """Return the body as the route has parsed it: an error inside this method would be taken for any other by FastAPI."""
        return self.state.json


class StrictRoute(APIRoute):
    """A route that knows its caller before it reads the body, and then reads that strictly."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler with the strict request in place of the usual one."""
        inner = super().get_route_handler()
        reads_body = self.body_field is not None

        async def handler(request: Request) -> Response:
            strict = _StrictRequest(request.scope, request.receive)
            # Nothing of a stranger's body is parsed.
            strict.state.caller = await strict.app.state.shared.keys.caller(strict.headers.get("authorization"))
            body = await strict.body() if reads_body else b""
            if body:
                _require_json(strict.headers.get("content-type"))
                strict.state.json = parsed(body)
            return await inner(strict)

        return handler


def parsed(body: bytes) -> Any:
    """Return the parsed body. Raises MalformedJson with the field, where it can be told, or the place."""
    try:
        value = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise _explained(body, str(error)) from None
    _check_depth(value)
    return value


def _require_json(content_type: str | None) -> None:
    kind, charset = _media_type(content_type or "application/octet-stream")
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise UnsupportedMediaType(f'the body is said to be "{kind}"; send Content-Type: application/json', field="Content-Type")
    if charset.lower() not in ("utf-8", "utf8", "us-ascii"):
        raise UnsupportedMediaType(f'the body is said to be in "{charset}"; JSON is sent in UTF-8', field="Content-Type")


@lru_cache(maxsize=16)
def _media_type(content_type: str) -> tuple[str, str]:
    """Return the media type and the charset of the header; nearly all callers send the same one."""
    message = Message()
    message["content-type"] = content_type
    return message.get_content_type(), str(message.get_param("charset", "utf-8"))


def _check_depth(value: Any) -> None:
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise MalformedJson(f"the body is nested deeper than {MAX_DEPTH} levels", field="body")
        nested = (part for part in level if isinstance(part, dict | list))
        level = [child for part in nested for child in (part.values() if isinstance(part, dict) else part)]


def _explained(body: bytes, reason: str) -> MalformedJson:
    """Return the error for a body that was refused; Python's lenient parser finds the field that is at fault."""
    if "recursion" in reason:
        return MalformedJson(f"the body is nested deeper than {MAX_DEPTH} levels", field="body")
    try:
        field = _culprit(json.loads(body))
    except (ValueError, RecursionError):
        field = None
    place = reason.partition(" at line ")[2]
    if field is None:
        return MalformedJson(f"the body is not JSON in UTF-8: {reason}", field="body")
    return MalformedJson(f"{field} is NaN, infinite or half a surrogate pair (line {place}); JSON has no such value", field=field)


def _culprit(value: Any, path: str = "") -> str | None:
    """Return the path of the first number or text that JSON cannot hold."""
    if isinstance(value, float):
        return (path or "body") if not math.isfinite(value) else None
    if isinstance(value, str):
        return (path or "body") if any(0xD800 <= ord(character) <= 0xDFFF for character in value) else None
    if not isinstance(value, dict | list):
        return None
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, child in items:
        if isinstance(key, str) and _culprit(key):
            return path or "body"
        found = _culprit(child, f"{path}.{key}" if path else str(key))
        if found:
            return found
    return None

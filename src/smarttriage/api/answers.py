"""An answer before it is sent: status, bytes and headers, so that it can be stored for a repeated request."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import Response
from pydantic_core import to_json

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, the body's JSON and the headers that belong to it."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def response(self) -> Response:
        """What is sent."""
        return Response(self.body, self.status, dict(self.headers), JSON)


def answer(content: Any, status: int = 200, **headers: str) -> Answer:
    """Return the answer of plain data (dicts, lists, strings, numbers, instants, enums). Pydantic's Rust writer is the fast one."""
    return Answer(to_json(content), status, headers)


def etag(version: int) -> str:
    """Return the ETag of a record's version."""
    return f'"{version}"'

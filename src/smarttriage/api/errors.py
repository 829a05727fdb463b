"""Errors on the wire: RFC 9457 problem+json. Here, and only here, an error gets its HTTP status."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic_core import to_json
from starlette.exceptions import HTTPException

from smarttriage.domain import errors as family
from smarttriage.domain.errors import SmartTriageError

PROBLEM = "application/problem+json"
_TYPE = "urn:smarttriage:error:"
# Validation errors are for people; a thousand of them in one answer help nobody.
_MAX_ERRORS = 20
# A key of the caller's that is repeated in an error is cut to this length.
_MAX_ECHO = 100
_TOO_LONG = frozenset({"string_too_long", "too_long"})


class TooLarge(SmartTriageError):
    """The request, or a field of it, is larger than the installation permits."""

    code = "too_large"


class MalformedJson(SmartTriageError):
    """The body is not JSON as RFC 8259 has it."""

    code = "malformed_json"


class UnsupportedMediaType(SmartTriageError):
    """The body is said to be something else than JSON in UTF-8."""

    code = "unsupported_media_type"


class StillUnderWay(SmartTriageError):
    """The first request with this Idempotency-Key has no answer yet."""

    code = "idempotency_key_in_use"


STATUS: Mapping[type[SmartTriageError], int] = {
    family.InvalidInput: 422,
    family.NotFound: 404,
    family.Conflict: 409,
    family.VersionMismatch: 412,
    family.IdempotencyMismatch: 422,
    family.Unauthenticated: 401,
    family.PermissionDenied: 403,
    family.Overloaded: 503,
    family.StoreError: 503,
    family.GateRefused: 409,
    TooLarge: 413,
    MalformedJson: 400,
    UnsupportedMediaType: 415,
    StillUnderWay: 409,
}
_HEADERS: Mapping[int, Mapping[str, str]] = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "1"}}
_HTTP_CODES = {404: "not_found", 405: "method_not_allowed"}


def problem(
    *,
    status: int,
    code: str,
    detail: str,
    field: str | None = None,
    errors: Sequence[Mapping[str, Any]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return the problem document."""
    body = {
        "type": _TYPE + code,
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "field": field,
        "errors": list(errors) or ([{"field": field, "code": code, "detail": detail}] if field else []),
    }
    return Response(to_json(body), status, {**_HEADERS.get(status, {}), **(headers or {})}, PROBLEM)


def problem_of(error: SmartTriageError) -> Response:
    """Return the problem of an error of the family; one that the caller did not cause keeps its details to itself."""
    status = STATUS.get(type(error), 500)
    if isinstance(error, family.Overloaded):
        detail = f"too many requests are under way; try again after {error.retry_after_s} s"
        return problem(status=status, code=error.code, detail=detail, headers={"Retry-After": str(error.retry_after_s)})
    if status >= 500:
        return problem(status=status, code=error.code, detail="the service cannot do this now; its log says why")
    headers = {"Retry-After": "1"} if isinstance(error, StillUnderWay) else None
    return problem(status=status, code=error.code, detail=error.message, field=error.field, headers=headers)


def unexpected() -> Response:
    """Return the answer to a defect of ours."""
    return problem(status=500, code="internal_error", detail="the service has failed; its log has this request's id")


def install(app: FastAPI) -> None:
    """Let every error leave the app as a problem document."""
    app.add_exception_handler(SmartTriageError, _family)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)


async def _family(request: Request, error: Exception) -> Response:
    assert isinstance(error, SmartTriageError)
    if STATUS.get(type(error), 500) >= 500:
        request.state.failure = error
    return problem_of(error)


async def _http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = _HTTP_CODES.get(error.status_code, "invalid_request")
    detail = "there is nothing at this path; /docs lists what there is" if error.status_code == 404 else error.detail
    return problem(status=error.status_code, code=code, detail=detail, headers=error.headers)


async def _validation(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    listed = [_listed(item) for item in found[:_MAX_ERRORS]]
    first = listed[0]
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    too_long = all(item["type"] in _TOO_LONG for item in found)
    return problem(
        status=413 if too_long else 422,
        code=TooLarge.code if too_long else family.InvalidInput.code,
        detail=f"{first['field']}: {first['detail']}{more}",
        field=first["field"],
        errors=listed,
    )


def _listed(item: Mapping[str, Any]) -> dict[str, str]:
    """Return one finding of Pydantic without the value itself, which may be anything."""
    where = [str(part)[:_MAX_ECHO] for part in item["loc"]]
    field = ".".join(where[1:]) or "body"
    if item["type"] == "extra_forbidden":
        return {"field": field, "code": "unknown_key", "detail": f'"{where[-1]}" is not known here; /docs lists what is'}
    if item["type"] == "missing" and len(where) == 1:
        return {"field": field, "code": "missing", "detail": "a JSON object is needed"}
    return {"field": field, "code": str(item["type"]), "detail": str(item["msg"])}

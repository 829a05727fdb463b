"""Parts of the OpenAPI document that many routes share."""

from typing import Any

from smarttriage.api.answer_schemas import ProblemOut
from smarttriage.api.errors import PROBLEM

Responses = dict[int | str, dict[str, Any]]
_MEANING = {
    400: "The body is not JSON.",
    401: "No API key, or one that is not known.",
    403: "The key lacks the scope.",
    404: "There is no such record for this key.",
    409: "The record's present state does not allow it, or the Idempotency-Key is in use.",
    412: "The record has changed since it was read.",
    413: "The request or a field is too large.",
    415: "The body is said to be no JSON.",
    422: "A field is wrong, or the Idempotency-Key was used with another request.",
    503: "Too many requests are under way; Retry-After says when to come again.",
}
READ = (401, 403, 422, 503)
READ_ONE = (*READ, 404)
WRITE = (400, *READ, 409, 413, 415)
WRITE_ONE = (*WRITE, 404)
EDIT_ONE = (*WRITE_ONE, 412)


def answers(model: type[Any], *problems: int, status: int = 200, headers: tuple[str, ...] = ()) -> Responses:
    """Return the documented answers of a route."""
    schema = {"$ref": f"#/components/schemas/{ProblemOut.__name__}"}
    made: Responses = {
        code: {"description": _MEANING[code], "content": {PROBLEM: {"schema": schema}}} for code in sorted(set(problems))
    }
    documented = {name: {"schema": {"type": "string"}} for name in headers}
    return {status: {"model": model, "headers": documented} if documented else {"model": model}, **made}

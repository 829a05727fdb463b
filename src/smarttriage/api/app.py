"""The application: routes, middleware and error answers around the services."""

from typing import Any

from fastapi import FastAPI

from smarttriage import __version__
from smarttriage.api import errors
from smarttriage.api.answer_schemas import ProblemOut
from smarttriage.api.auth import KeyRing
from smarttriage.api.calls import App
from smarttriage.api.edge import EdgeMiddleware
from smarttriage.api.limits import LimitsMiddleware
from smarttriage.api.metrics import Metrics
from smarttriage.api.routes import (
    admin,
    articles,
    clusters,
    cmdb,
    drafts,
    escalations,
    feedback,
    field_precision,
    fields,
    health,
    incidents,
    insights,
    models,
    quarantine,
    search,
    suggestions,
    undo,
)
from smarttriage.services.installation import Services
from smarttriage.services.keys import KeyService

_DESCRIPTION = """Incident in, suggestion out; resolution back, and the knowledge base grows.

Every path below `/v1` needs an API key. Every POST takes an `Idempotency-Key`. Records carry an `ETag`; send it back as
`If-Match` with an edit. Errors are problem documents (RFC 9457) with a stable `code`, and name the `field` at fault."""


def create_app(services: Services) -> FastAPI:
    """Return the ASGI application over the services."""
    app = FastAPI(
        title="smarttriage",
        version=__version__,
        description=_DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    metrics = Metrics(live=services.live, store=services.store, signals=services.lifecycle.signals)
    authenticate = KeyService(store=services.store, clock=services.clock).authenticate
    keys = KeyRing(authenticate=authenticate, revocation_s=services.limits.revocation_s)
    app.state.shared = App(services, keys, metrics)
    errors.install(app)
    for module in (
        suggestions,
        search,
        incidents,
        feedback,
        articles,
        drafts,
        quarantine,
        admin,
        undo,
        fields,
        field_precision,
        health,
        models,
        insights,
        escalations,
        clusters,
        cmdb,
    ):
        app.include_router(module.router)
    app.include_router(health.guarded)
    # The last one added is the outermost: everything that leaves passes the edge.
    app.add_middleware(LimitsMiddleware, limits=services.limits)
    app.add_middleware(EdgeMiddleware, metrics=metrics)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    """Return the document with the one schema of problems in place of FastAPI's own for validation errors."""
    if app.openapi_schema is None:
        document = FastAPI.openapi(app)
        schemas = document["components"]["schemas"]
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        schema = ProblemOut.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(schema.pop("$defs", {}))
        schemas[ProblemOut.__name__] = schema
        app.openapi_schema = document
    return app.openapi_schema

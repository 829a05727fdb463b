"""Liveness, readiness, metrics, the taxonomy, and the documentation page."""

from importlib.resources import files

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from smarttriage.api import documented, wire
from smarttriage.api.answers import answer
from smarttriage.api.calls import App, Reader
from smarttriage.api.record_schemas import HealthOut
from smarttriage.api.strict_json import StrictRoute
from smarttriage.api.taxonomy_schemas import TaxonomyOut
from smarttriage.domain.errors import NotFound, SmartTriageError

router = APIRouter(tags=["operation"])
guarded = APIRouter(route_class=StrictRoute, tags=["operation"])
_STATIC = {"docs.html": "text/html; charset=utf-8", "docs.css": "text/css", "docs.js": "text/javascript"}


@router.get("/livez", summary="Is the process alive?", responses=documented.answers(HealthOut))
def livez() -> Response:
    """Answer 200 as long as the process answers at all."""
    return answer({"status": "alive", "reasons": []}).response


@router.get(
    "/readyz", summary="May the process be sent requests?", responses={**documented.answers(HealthOut), 503: {"model": HealthOut}}
)
def readyz(request: Request) -> Response:
    """Answer 503 with the reasons while it may not."""
    reasons = _reasons(request.app.state.shared)
    return answer({"status": "not_ready" if reasons else "ready", "reasons": reasons}, 503 if reasons else 200).response


@router.get("/metrics", summary="Metrics for Prometheus", response_class=Response)
def metrics(request: Request) -> Response:
    """Return the metrics in Prometheus' text format."""
    shared: App = request.app.state.shared
    return Response(shared.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


@guarded.get("/v1/taxonomy", summary="Every label there is", responses=documented.answers(TaxonomyOut, *documented.READ))
def read_taxonomy(call: Reader) -> Response:
    """Return kinds, categories, levels, the matrix, the targets of each priority, and what each field's mode is."""
    return answer(wire.taxonomy(call.services.live.state.models)).response


@router.get("/", include_in_schema=False)
def root() -> Response:
    """Send browsers to the documentation."""
    return RedirectResponse("/docs")


@router.get("/docs", include_in_schema=False)
def docs() -> Response:
    """Return the documentation page."""
    return _static("docs.html")


@router.get("/static/{name}", include_in_schema=False)
def static(name: str) -> Response:
    """Return a file of the documentation page."""
    return _static(name)


def _reasons(shared: App) -> list[str]:
    reasons = [] if shared.services.ready() else ["models and indexes are not loaded yet"]
    try:
        with shared.services.store.begin() as records:
            records.last_seq()
    except SmartTriageError as error:
        reasons.append(f"the store does not answer ({error.code})")
    return reasons


def _static(name: str) -> Response:
    if name not in _STATIC:
        raise NotFound("there is no such file", field="name")
    return Response((files("smarttriage.api") / "static" / name).read_bytes(), media_type=_STATIC[name])

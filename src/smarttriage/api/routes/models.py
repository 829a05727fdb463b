"""Model versions: what serves, what listens beside it, whether anything has drifted, and the way back."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Response

from smarttriage.api import documented
from smarttriage.api.answers import Answer, answer
from smarttriage.api.calls import Administrator, AdministratorReader
from smarttriage.api.model_schemas import DriftOut, ModelsOut, PromotionOut, RollbackIn, ShadowIn, ShadowOut, VersionOut
from smarttriage.api.strict_json import StrictRoute
from smarttriage.domain.shadow import ShadowCount
from smarttriage.ports import PromotionEntry

router = APIRouter(route_class=StrictRoute, tags=["administration"])


@router.get("/v1/models", summary="List the model versions", responses=documented.answers(ModelsOut, *documented.READ))
def list_models(call: AdministratorReader) -> Response:
    """Return every version, what serves, what listens, how both compare on the tenant's suggestions, and the history."""
    found = call.services.lifecycle.overview(call.principal)
    shown = {
        "champion": found.champion,
        "challenger": found.challenger,
        "promoted": found.promoted,
        "versions": [{name: manifest.get(name) for name in VersionOut.model_fields} for manifest in found.versions],
        "comparison": [_compared(count) for count in found.counts],
        "n_left_out": found.n_left_out,
        "history": [_entry(entry) for entry in found.history],
    }
    return answer(shown).response


@router.post("/v1/models/shadow", summary="Let a version listen", responses=documented.answers(ShadowOut, *documented.WRITE))
def set_shadow(call: Administrator, body: ShadowIn) -> Response:
    """Let a version answer beside the champion from the next suggestion on. Its answers are stored, never shown."""

    def work() -> Answer:
        lifecycle = call.services.lifecycle
        lifecycle.challenge(call.principal, body.version)
        return answer({"champion": call.services.live.state.models.classifier.version, "challenger": body.version})

    return call.once(work).response


@router.post("/v1/models/rollback", summary="Go back a version", responses=documented.answers(PromotionOut, *documented.WRITE))
def roll_back(call: Administrator, body: RollbackIn) -> Response:
    """Serve the version that was current before, from the next request on; other processes follow within seconds."""
    return call.once(lambda: answer(_entry(call.services.lifecycle.roll_back(call.principal, body.reason)))).response


@router.get("/v1/models/drift", summary="Has anything drifted?", responses=documented.answers(DriftOut, *documented.READ))
def read_drift(call: AdministratorReader) -> Response:
    """Return how far texts, predicted labels and confidences have moved from the training's, and whether labels go wrong
    more often than the stated confidence allows."""
    signals = call.services.lifecycle.drift(call.principal)
    return answer({"alarm": any(signal.alarm for signal in signals), "signals": [asdict(signal) for signal in signals]}).response


def _compared(count: ShadowCount) -> dict[str, Any]:
    judged = count.n_judged
    return {
        "target": count.target,
        "n": count.n,
        "agreement": round(count.n_agreed / count.n, 4),
        "n_judged": judged,
        "champion_accuracy": round(count.n_champion_right / judged, 4) if judged else None,
        "challenger_accuracy": round(count.n_challenger_right / judged, 4) if judged else None,
    }


def _entry(entry: PromotionEntry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in PromotionOut.model_fields}

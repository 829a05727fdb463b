"""What administrators do: keys, and taking up a newly trained model."""

import base64
import hmac
import json
import secrets

from fastapi import APIRouter, Response

from smarttriage.api import documented, suggestion_wire, wire
from smarttriage.api.answers import Answer, answer
from smarttriage.api.calls import Administrator, AdministratorReader
from smarttriage.api.record_schemas import KeyOut, KeysOut, NewKeyOut, ReloadOut
from smarttriage.api.schemas import Body, KeyCreate
from smarttriage.api.strict_json import StrictRoute
from smarttriage.domain.errors import BundleError, ConfigurationError, Conflict, EncoderError, IndexMismatch
from smarttriage.domain.suggestion import Provenance
from smarttriage.services.keys import KeyService, key_text

router = APIRouter(route_class=StrictRoute, tags=["administration"])
_KEY_ID_BYTES, _SALT_BYTES = 8, 24


class KeyTrust(Body):
    """Whether a key is believed from now on."""

    trusted: bool


@router.post(
    "/v1/admin/reload",
    summary="Load models and taxonomy anew",
    responses=documented.answers(ReloadOut, *documented.WRITE),
)
def reload(call: Administrator) -> Response:
    """Swap in what stands on disk now. What cannot be loaded changes nothing: the present models keep serving."""

    def work() -> Answer:
        try:
            call.services.reload()
        except (BundleError, ConfigurationError, EncoderError, IndexMismatch) as error:
            raise Conflict(f"nothing was reloaded, the present models keep serving: {error.message}") from error
        state = call.services.live.state
        models = state.models
        origin = Provenance(models.classifier.version, models.encoder.encoder_id, state.catalogue.seq, models.taxonomy.version)
        return answer({"provenance": suggestion_wire.provenance(origin)})

    return call.once(work).response


@router.post(
    "/v1/admin/keys",
    status_code=201,
    summary="Make an API key",
    responses=documented.answers(NewKeyOut, *documented.WRITE, status=201),
)
def create_key(call: Administrator, body: KeyCreate) -> Response:
    """Make a key of the caller's own tenant. Its text is in this answer and nowhere else.

    The secret is derived from the caller's own key and a random salt, so that a repeat under an Idempotency-Key can show it
    again although only the salt is stored.
    """
    audiences = body.audiences or call.principal.audiences

    def work() -> Answer:
        key_id, salt = secrets.token_hex(_KEY_ID_BYTES), secrets.token_urlsafe(_SALT_BYTES)
        text = key_text(key_id, _secret(call.caller.presented, salt))
        made = _keys(call).create(
            call.principal, text, label=body.label, scopes=body.scopes, audiences=audiences, trusted=body.trusted
        )
        return answer({**wire.key(made), "key": salt}, 201)

    stored = call.once(work)
    shown = json.loads(stored.body)
    shown["key"] = key_text(shown["id"], _secret(call.caller.presented, shown["key"]))
    return answer(shown, stored.status, **stored.headers).response


@router.get("/v1/admin/keys", summary="List the tenant's keys", responses=documented.answers(KeysOut, *documented.READ))
def list_keys(call: AdministratorReader) -> Response:
    """Return the keys of the caller's tenant, revoked ones too."""
    return answer({"items": [wire.key(key) for key in _keys(call).list(call.principal)]}).response


@router.post(
    "/v1/admin/keys/{key_id}/trust",
    summary="Trust a key, or trust it no longer",
    responses=documented.answers(KeyOut, *documented.WRITE_ONE),
)
def trust_key(call: Administrator, key_id: str, body: KeyTrust) -> Response:
    """Let what the key teaches from now on count at once, or wait in quarantine; what waits there already goes on waiting."""
    made = call.once(lambda: answer(wire.key(_keys(call).trust(call.principal, key_id, trusted=body.trusted))))
    call.app.keys.forget()
    return made.response


@router.post(
    "/v1/admin/keys/{key_id}/revoke",
    summary="Revoke a key",
    responses=documented.answers(KeyOut, *documented.WRITE_ONE),
)
def revoke_key(call: Administrator, key_id: str) -> Response:
    """Refuse the key from now on; other processes of the installation follow within a second."""
    made = call.once(lambda: answer(wire.key(_keys(call).revoke(call.principal, key_id))))
    call.app.keys.forget()
    return made.response


def _keys(call: Administrator) -> KeyService:
    return KeyService(store=call.services.store, clock=call.services.clock)


def _secret(presented: bytes, salt: str) -> str:
    return base64.urlsafe_b64encode(hmac.digest(presented, salt.encode(), "sha256")).decode().rstrip("=")

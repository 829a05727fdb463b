"""API keys, idempotency keys and facts of a transaction."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, delete, select, tuple_, update

from smarttriage.adapters.stores.schema import api_key, fact, idempotency_key
from smarttriage.adapters.stores.transaction import Transaction, json_of_set, set_of, to_json
from smarttriage.adapters.stores.types import InsertIfNew
from smarttriage.domain.access import Scope
from smarttriage.domain.errors import Conflict
from smarttriage.ports import ApiKey, StoredAnswer

_KEY = select(api_key).where(api_key.c.id == bindparam("id"))
_KEYS = select(api_key).where(api_key.c.tenant == bindparam("tenant")).order_by(api_key.c.created_at, api_key.c.id)
_ADD_KEY = InsertIfNew(api_key)
_REPLACE_KEY = update(api_key).where(api_key.c.id == bindparam("stored_id"))

_OF_KEY = (idempotency_key.c.tenant == bindparam("of_tenant"), idempotency_key.c.key == bindparam("of_key"))
_CLAIM = InsertIfNew(idempotency_key)
_CLAIMED = select(idempotency_key).where(*_OF_KEY)
_ANSWER = update(idempotency_key).where(*_OF_KEY)
# A platform repeats a request within minutes; an answer holds people's texts and is not kept longer than it may be asked for.
ANSWERS_KEPT = timedelta(days=7)
_NAMES = (idempotency_key.c.tenant, idempotency_key.c.key)
# A few for each new one: the table stays small without anybody ever waiting for a great clearing.
_FORGET = delete(idempotency_key).where(
    tuple_(*_NAMES).in_(select(*_NAMES).where(idempotency_key.c.claimed_at < bindparam("before")).limit(10))
)

_FACT = select(fact.c.value).where(fact.c.name == bindparam("name"))
_ADD_FACT = InsertIfNew(fact)
_REPLACE_FACT = update(fact).where(fact.c.name == bindparam("stored_name"))


class KeyRecords(Transaction):
    """Who may call, which calls were answered already, and small facts."""

    def api_key(self, key_id: str) -> ApiKey | None:
        """Return the key, revoked ones too."""
        row = self._reads.execute(_KEY, {"id": key_id}).one_or_none()
        return None if row is None else _api_key_of(row)

    def api_keys(self, tenant: str) -> Sequence[ApiKey]:
        """Return the tenant's keys, oldest first."""
        return [_api_key_of(row) for row in self._reads.execute(_KEYS, {"tenant": tenant})]

    def put_api_key(self, key: ApiKey) -> None:
        """Add or replace."""
        row = {
            "id": key.id,
            "secret_sha256": key.secret_sha256,
            "tenant": key.tenant,
            "audiences": json_of_set(key.audiences),
            "scopes": json_of_set(key.scopes),
            "label": key.label,
            "created_at": key.created_at,
            "revoked_at": key.revoked_at,
            "trusted": key.trusted,
        }
        if self._writes.execute(_ADD_KEY, row).rowcount == 0:
            self._writes.execute(_REPLACE_KEY, row | {"stored_id": key.id})

    def claim(self, tenant: str, key: str, fingerprint: str, *, at: datetime) -> StoredAnswer | None:
        """Return None if the key is new and now claimed, else what is stored for it; answers past `ANSWERS_KEPT` are forgotten."""
        self._writes.execute(_FORGET, {"before": at - ANSWERS_KEPT})
        row = {
            "tenant": tenant,
            "key": key,
            "fingerprint": fingerprint,
            "claimed_at": at,
            "status": None,
            "body": b"",
            "headers": "{}",
        }
        if self._writes.execute(_CLAIM, row).rowcount == 1:
            return None
        return self.stored_answer(tenant, key)

    def stored_answer(self, tenant: str, key: str) -> StoredAnswer | None:
        """Return what is stored for the key, claiming nothing."""
        stored = self._reads.execute(_CLAIMED, {"of_tenant": tenant, "of_key": key}).one_or_none()
        if stored is None:
            return None
        return StoredAnswer(stored.fingerprint, stored.status, bytes(stored.body), json.loads(stored.headers))

    def answer(self, tenant: str, key: str, answer: StoredAnswer) -> None:
        """Store the answer of a claimed key. Raises Conflict if nobody claimed it."""
        row = {
            "fingerprint": answer.fingerprint,
            "status": answer.status,
            "body": answer.body,
            "headers": to_json(dict(answer.headers)),
            "of_tenant": tenant,
            "of_key": key,
        }
        if self._writes.execute(_ANSWER, row).rowcount == 0:
            raise Conflict(f'idempotency key "{key}" was not claimed; claim it before the work.')

    def fact(self, name: str) -> str | None:
        """Return a named fact."""
        return self._reads.execute(_FACT, {"name": name}).scalar()

    def put_fact(self, name: str, value: str) -> None:
        """Add or replace a fact."""
        row = {"name": name, "value": value}
        if self._writes.execute(_ADD_FACT, row).rowcount == 0:
            self._writes.execute(_REPLACE_FACT, row | {"stored_name": name})


def _api_key_of(row: Row[Any]) -> ApiKey:
    return ApiKey(
        id=row.id,
        secret_sha256=row.secret_sha256,
        tenant=row.tenant,
        audiences=set_of(row.audiences),
        scopes=frozenset(map(Scope, set_of(row.scopes))),
        label=row.label,
        created_at=row.created_at,
        revoked_at=row.revoked_at,
        trusted=bool(row.trusted),
    )

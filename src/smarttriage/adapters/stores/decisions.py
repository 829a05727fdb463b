"""The decisions of a transaction: what became of predicted fields."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, case, delete, func, insert, select

from smarttriage.adapters.stores.schema import decision as table
from smarttriage.adapters.stores.transaction import Transaction
from smarttriage.domain.access import Principal
from smarttriage.domain.decision import Decision, DecisionCount, Shown
from smarttriage.domain.incident import LabelOrigin

_ADD = insert(table)
_DROP = delete(table).where(table.c.suggestion_id == bindparam("old_suggestion_id"), table.c.field == bindparam("old_field"))
_BY_SUGGESTION = (
    select(table)
    .where(table.c.suggestion_id == bindparam("suggestion_id"), table.c.tenant == bindparam("tenant"))
    .order_by(table.c.field)
)
_RIGHT = case((table.c.value.is_(None), None), (table.c.value == table.c.predicted, 1), else_=0).label("is_right")
_COUNTS = (
    select(table.c.shown, table.c.origin, _RIGHT, func.count().label("n"))
    .where(table.c.tenant == bindparam("tenant"), table.c.field == bindparam("field"))
    .group_by(table.c.shown, table.c.origin, _RIGHT)
)
_COUNTS_SINCE = _COUNTS.where(table.c.decided_at >= bindparam("since"))


class DecisionRecords(Transaction):
    """One decision for each field of a suggestion."""

    def put_decisions(self, decisions: Sequence[Decision]) -> None:
        """Add or replace, each by its suggestion and field."""
        if not decisions:
            return
        self._writes.execute(_DROP, [{"old_suggestion_id": each.suggestion_id, "old_field": each.field} for each in decisions])
        self._writes.execute(_ADD, [{name: getattr(each, name) for name in Decision.__slots__} for each in decisions])

    def decisions(self, suggestion_id: str, principal: Principal) -> Sequence[Decision]:
        """Return what became of a suggestion's fields, by field."""
        rows = self._reads.execute(_BY_SUGGESTION, {"suggestion_id": suggestion_id, "tenant": principal.tenant})
        return [
            Decision(
                suggestion_id=row.suggestion_id,
                tenant=row.tenant,
                field=row.field,
                shown=Shown(row.shown),
                predicted=row.predicted,
                origin=LabelOrigin(row.origin),
                value=row.value,
                decided_at=row.decided_at,
            )
            for row in rows
        ]

    def decision_counts(self, field: str, principal: Principal, *, since: datetime | None = None) -> Sequence[DecisionCount]:
        """Return how the tenant's decisions of a field fell, all or those since then."""
        asked = {"tenant": principal.tenant, "field": field}
        rows = (
            self._reads.execute(_COUNTS, asked) if since is None else self._reads.execute(_COUNTS_SINCE, asked | {"since": since})
        )
        return [
            DecisionCount(Shown(row.shown), LabelOrigin(row.origin), None if row.is_right is None else bool(row.is_right), row.n)
            for row in rows
        ]

"""The challenger's answers of a transaction, and what people's judgements say of both models."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, case, func, insert, literal, select

from smarttriage.adapters.stores.schema import feedback, shadow_answer, suggestion
from smarttriage.adapters.stores.suggestion_json import suggestion_of
from smarttriage.adapters.stores.transaction import Transaction
from smarttriage.domain.feedback import FeedbackAction
from smarttriage.domain.shadow import JudgedField, ShadowAnswer, ShadowCount
from smarttriage.domain.suggestion import Suggestion

_ADD = insert(shadow_answer)
_JUDGING = (FeedbackAction.ACCEPTED.value, FeedbackAction.REPLACED.value)
# The last judgement of a field is the one that holds.
_LAST = (
    select(func.max(feedback.c.seq).label("seq"))
    .where(feedback.c.action.in_(_JUDGING))
    .group_by(feedback.c.suggestion_id, feedback.c.field)
    .subquery()
)
_FINAL = (
    select(feedback.c.suggestion_id, feedback.c.field, feedback.c.value).join(_LAST, feedback.c.seq == _LAST.c.seq).subquery()
)
_BOTH = shadow_answer.outerjoin(
    _FINAL, and_(_FINAL.c.suggestion_id == shadow_answer.c.suggestion_id, _FINAL.c.field == shadow_answer.c.target)
)


def _times(condition: ColumnElement[bool]) -> ColumnElement[Any]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), literal(0))


_COUNTS = (
    select(
        shadow_answer.c.target,
        func.count(),
        _times(shadow_answer.c.champion_label == shadow_answer.c.challenger_label),
        _times(_FINAL.c.value.is_not(None)),
        _times(_FINAL.c.value == shadow_answer.c.champion_label),
        _times(_FINAL.c.value == shadow_answer.c.challenger_label),
    )
    .select_from(_BOTH)
    .where(
        shadow_answer.c.tenant == bindparam("tenant"),
        shadow_answer.c.champion == bindparam("champion"),
        shadow_answer.c.challenger == bindparam("challenger"),
    )
    .group_by(shadow_answer.c.target)
    .order_by(shadow_answer.c.target)
)
_JUDGED = (
    select(
        feedback.c.seq,
        feedback.c.field,
        feedback.c.value,
        *(suggestion.c[name] for name in ("id", "tenant", "created_at", "body", "incident_id")),
    )
    .join(suggestion, suggestion.c.id == feedback.c.suggestion_id)
    .where(feedback.c.seq > bindparam("after"), feedback.c.action.in_(_JUDGING), feedback.c.field.is_not(None))
    .order_by(feedback.c.seq)
    .limit(bindparam("n_rows"))
)


class ShadowRecords(Transaction):
    """Append-only; read in sums."""

    def add_shadow_answers(self, answers: Sequence[ShadowAnswer]) -> None:
        """Store what both models said."""
        if answers:
            self._writes.execute(_ADD, [{name: getattr(each, name) for name in ShadowAnswer.__slots__} for each in answers])

    def shadow_counts(self, tenant: str, *, champion: str, challenger: str) -> Sequence[ShadowCount]:
        """Return the sums for each target of the tenant's suggestions."""
        bound = {"tenant": tenant, "champion": champion, "challenger": challenger}
        return [ShadowCount(*row) for row in self._reads.execute(_COUNTS, bound)]

    def judged_fields(self, after: int, *, limit: int) -> Sequence[JudgedField]:
        """Return the accepted and replaced fields behind `after`, in order, of every tenant."""
        rows = self._reads.execute(_JUDGED, {"after": after, "n_rows": limit})
        return [_judged(row[0], row[1], row[2], suggestion_of(*row[3:])) for row in rows]


def _judged(seq: int, target: str, value: str | None, made: Suggestion) -> JudgedField:
    field = made.field(target)
    best = field.alternatives[0].value if field is not None and field.alternatives else None
    confidence = field.confidence if field is not None else 0.0
    return JudgedField(seq, target, made.provenance.model_version, confidence, wrong=value != best)

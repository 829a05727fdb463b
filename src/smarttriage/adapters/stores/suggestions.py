"""The suggestions of a transaction and what people said of them."""

from collections.abc import Sequence

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from smarttriage.adapters.stores.driver_statement import DriverStatement
from smarttriage.adapters.stores.schema import feedback as feedback_table
from smarttriage.adapters.stores.schema import suggestion as table
from smarttriage.adapters.stores.suggestion_json import suggestion_body, suggestion_of
from smarttriage.adapters.stores.transaction import Transaction
from smarttriage.adapters.stores.types import InsertIfNew
from smarttriage.domain.access import Principal
from smarttriage.domain.errors import Conflict, NotFound
from smarttriage.domain.feedback import Feedback, FeedbackAction
from smarttriage.domain.suggestion import Suggestion

_ADD = DriverStatement(InsertIfNew(table))
_READ = select(table.c.id, table.c.tenant, table.c.created_at, table.c.body, table.c.incident_id).where(
    table.c.tenant == bindparam("tenant")
)
_BY_ID = _READ.where(table.c.id == bindparam("id"))
_OF_INCIDENT = (
    _READ.where(table.c.incident_id == bindparam("incident_id")).order_by(table.c.created_at.desc(), table.c.id.desc()).limit(1)
)
_LINK = update(table).where(table.c.id == bindparam("linked_id")).values(incident_id=bindparam("to_incident"))
_ADD_FEEDBACK = insert(feedback_table)
_TAKEN_FEEDBACK = select(feedback_table.c.seq).where(feedback_table.c.id == bindparam("id"))
_FEEDBACK = (
    select(feedback_table)
    .where(feedback_table.c.suggestion_id == bindparam("suggestion_id"), feedback_table.c.tenant == bindparam("tenant"))
    .order_by(feedback_table.c.created_at, feedback_table.c.seq)
)


class SuggestionRecords(Transaction):
    """Suggestions by id, with their feedback."""

    def add_suggestion(self, suggestion: Suggestion) -> None:
        """Store it by id. Raises Conflict if the id is there already."""
        row = {
            "id": suggestion.id,
            "tenant": suggestion.tenant,
            "created_at": suggestion.created_at,
            "body": suggestion_body(suggestion),
            "incident_id": suggestion.incident_id,
        }
        if _ADD.run(self._writes, row) == 0:
            raise Conflict(f'suggestion "{suggestion.id}" is there already; choose another id.', field="id")

    def suggestion(self, suggestion_id: str, principal: Principal) -> Suggestion | None:
        """Return it if it is of the principal's tenant."""
        row = self._reads.execute(_BY_ID, {"id": suggestion_id, "tenant": principal.tenant}).one_or_none()
        return None if row is None else suggestion_of(*row)

    def suggestion_of_incident(self, incident_id: str, principal: Principal) -> Suggestion | None:
        """Return the newest suggestion that was made for the incident or that it was stored from."""
        row = self._reads.execute(_OF_INCIDENT, {"incident_id": incident_id, "tenant": principal.tenant}).one_or_none()
        return None if row is None else suggestion_of(*row)

    def link_suggestion(self, suggestion_id: str, incident_id: str) -> None:
        """Say that the incident was stored from the suggestion."""
        self._writes.execute(_LINK, {"linked_id": suggestion_id, "to_incident": incident_id})

    def add_feedback(self, feedback: Feedback) -> None:
        """Store one judgement. Raises NotFound for an unknown suggestion, Conflict if the id is there already."""
        row = {name: getattr(feedback, name) for name in Feedback.__slots__}
        try:
            with self._writes.begin_nested():
                self._writes.execute(_ADD_FEEDBACK, row)
        except IntegrityError as error:
            if self._reads.execute(_TAKEN_FEEDBACK, {"id": feedback.id}).first():
                raise Conflict(f'feedback "{feedback.id}" is there already; choose another id.', field="id") from error
            raise NotFound(f'there is no suggestion "{feedback.suggestion_id}".', field="suggestion_id") from error

    def feedback(self, suggestion_id: str, principal: Principal) -> Sequence[Feedback]:
        """Return all judgements of a suggestion, oldest first."""
        rows = self._reads.execute(_FEEDBACK, {"suggestion_id": suggestion_id, "tenant": principal.tenant})
        return [
            Feedback(
                id=row.id,
                tenant=row.tenant,
                suggestion_id=row.suggestion_id,
                action=FeedbackAction(row.action),
                created_at=row.created_at,
                key_id=row.key_id,
                field=row.field,
                value=row.value,
                match_id=row.match_id,
                given_by=row.given_by,
            )
            for row in rows
        ]

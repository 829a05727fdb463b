"""The tables of the course of incidents; `schema` has the others, and the metadata of all."""

from sqlalchemy import Column, ForeignKey, Index, Integer, Table

from smarttriage.adapters.stores.schema import incident, metadata, suggestion
from smarttriage.adapters.stores.types import Instant, PlainText


def _text(name: str, *, key: bool = False, optional: bool = False) -> Column[str]:
    return Column(name, PlainText(name), primary_key=key, nullable=optional)


# Open incidents are few among all; passes walk through them by id.
Index("ix_incident_status_id", incident.c.status, incident.c.id)
# Holds all that key figures ask of suggestions, so that their long bodies are not read.
Index("ix_suggestion_tenant_incident_id_created_at", suggestion.c.tenant, suggestion.c.incident_id, suggestion.c.created_at)

# No row: stored before anything was counted. NULL: not known from the beginning.
incident_count = Table(
    "incident_count",
    metadata,
    Column("incident_id", PlainText("incident_id"), ForeignKey("incident.id"), primary_key=True),
    Column("n_reopened", Integer),
    Column("n_reassigned", Integer),
)

incident_event = Table(
    "incident_event",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("incident_id", PlainText("incident_id"), ForeignKey("incident.id"), nullable=False, index=True),
    _text("tenant"),
    _text("kind"),
    _text("before"),
    _text("after"),
    Column("resolved_at", Instant),
    Column("at", Instant, nullable=False),
    _text("key_id", optional=True),
    sqlite_autoincrement=True,
)
Index("ix_incident_event_tenant_kind", incident_event.c.tenant, incident_event.c.kind)

escalation_event = Table(
    "escalation_event",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("event_id", PlainText("event_id"), nullable=False, unique=True),
    _text("tenant"),
    Column("incident_id", PlainText("incident_id"), ForeignKey("incident.id"), nullable=False),
    _text("step"),
    _text("kind"),
    _text("to"),
    _text("action"),
    _text("because"),
    Column("due_at", Instant, nullable=False),
    Column("emitted_at", Instant, nullable=False),
    sqlite_autoincrement=True,
)

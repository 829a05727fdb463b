"""The tables. `migrations/` creates them; a test holds the two together."""

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    false,
    true,
)

from smarttriage.adapters.stores.types import Instant, PlainText

# Named constraints, so that a later migration can drop them on every database.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _text(name: str, *, key: bool = False, optional: bool = False) -> Column[str]:
    return Column(name, PlainText(name), primary_key=key, nullable=optional)


def _json(name: str) -> Column[str]:
    # JSON is kept as ASCII text: one format on both databases, read only by Python.
    return Column(name, Text, nullable=False)


incident = Table(
    "incident",
    metadata,
    _text("id", key=True),
    _text("tenant"),
    _text("title"),
    _text("description"),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("reported_at", Instant, nullable=False),
    _text("status"),
    # Repeats incident_audience, so that reading a record needs no second query; the table is what filters use.
    _json("audiences"),
    _text("kind", optional=True),
    _text("category", optional=True),
    _text("sub_category", optional=True),
    _text("impact", optional=True),
    _text("urgency", optional=True),
    _json("custom"),
    _json("reviewed"),
    _text("priority", optional=True),
    _text("support_group", optional=True),
    Column("detected_at", Instant),
    _text("reporter", optional=True),
    _json("affected_users"),
    _json("affected_services"),
    _json("configuration_items"),
    _json("symptoms"),
    _text("initial_impact", optional=True),
    _text("source_system", optional=True),
    _text("source_id", optional=True),
    _text("logged_by", optional=True),
    _text("language", optional=True),
    Column("version", Integer, nullable=False),
    _text("resolution_text", optional=True),
    Column("resolved_at", Instant),
    _text("resolved_by", optional=True),
    _text("resolution_article_id", optional=True),
    _text("drafted_article_id", optional=True),
    # Target -> how its label came to stand; the default is for rows from before this was asked.
    Column("label_origins", Text, nullable=False, server_default="{}"),
    # What of it counts for others, as JSON; NULL: all of it. A suggestion reads it with the incident, at no cost of its own.
    Column("counted", Text),
)
Index("ix_incident_tenant_reported_at_id", incident.c.tenant, incident.c.reported_at.desc(), incident.c.id)
Index(
    "uq_incident_source",
    incident.c.tenant,
    incident.c.source_system,
    incident.c.source_id,
    unique=True,
    sqlite_where=incident.c.source_id.is_not(None),
    postgresql_where=incident.c.source_id.is_not(None),
)

incident_audience = Table(
    "incident_audience",
    metadata,
    Column("incident_id", PlainText("incident_id"), ForeignKey("incident.id"), primary_key=True),
    _text("audience", key=True),
    sqlite_with_rowid=False,
)

article = Table(
    "article",
    metadata,
    _text("id", key=True),
    _text("tenant"),
    Column("version", Integer, nullable=False),
    # The version that is suggested at present; NULL if never published or retired since.
    Column("published_version", Integer),
)

article_version = Table(
    "article_version",
    metadata,
    Column("article_id", PlainText("article_id"), ForeignKey("article.id"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    _text("title"),
    _text("body"),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    _text("status"),
    _json("audiences"),
    Column("revision", Integer, nullable=False),
    _text("category", optional=True),
    _text("sub_category", optional=True),
    _json("keywords"),
    _text("language"),
    _text("owner", optional=True),
    Column("valid_until", Date),
    _json("source_incidents"),
    _text("updated_by", optional=True),
    # Taken back with everything that a key taught; kept as history, and what was said of it counts no longer.
    Column("undone_at", Instant),
)

article_audience = Table(
    "article_audience",
    metadata,
    _text("article_id", key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    _text("audience", key=True),
    ForeignKeyConstraint(["article_id", "version"], ["article_version.article_id", "article_version.version"]),
    sqlite_with_rowid=False,
)

suggestion = Table(
    "suggestion",
    metadata,
    _text("id", key=True),
    _text("tenant"),
    Column("created_at", Instant, nullable=False),
    _json("body"),
    # The incident it was made for, or that was stored from it later; the body keeps what was known when it was made.
    Column("incident_id", PlainText("incident_id"), index=True),
)

feedback = Table(
    "feedback",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("id", PlainText("id"), nullable=False, unique=True),
    _text("tenant"),
    Column("suggestion_id", PlainText("suggestion_id"), ForeignKey("suggestion.id"), nullable=False, index=True),
    _text("action"),
    Column("created_at", Instant, nullable=False),
    _text("key_id"),
    _text("field", optional=True),
    _text("value", optional=True),
    _text("match_id", optional=True),
    _text("given_by", optional=True),
    sqlite_autoincrement=True,
)

article_outcome = Table(
    "article_outcome",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("id", PlainText("id"), nullable=False, unique=True),
    _text("tenant"),
    Column("article_id", PlainText("article_id"), ForeignKey("article.id"), nullable=False),
    Column("version", Integer, nullable=False),
    _text("kind"),
    _text("person"),
    Column("created_at", Instant, nullable=False),
    _text("key_id"),
    Column("incident_id", PlainText("incident_id"), index=True),
    _text("suggestion_id", optional=True),
    # Taken back, with everything else that somebody said; kept, so that it can be seen who said what.
    Column("withdrawn_at", Instant),
    # Said by a source that is not trusted, and confirmed by nobody yet.
    Column("quarantined", Boolean(create_constraint=False), nullable=False, server_default=false()),
    sqlite_autoincrement=True,
)
Index("ix_article_outcome_article_id_seq", article_outcome.c.article_id, article_outcome.c.seq)

# How often an article was suggested: counted behind the suggestions (services/shown.py), not with them.
article_shown = Table(
    "article_shown",
    metadata,
    _text("article_id", key=True),
    Column("n", Integer, nullable=False),
)

decision = Table(
    "decision",
    metadata,
    Column("suggestion_id", PlainText("suggestion_id"), ForeignKey("suggestion.id"), primary_key=True),
    _text("field", key=True),
    _text("tenant"),
    _text("shown"),
    _text("predicted"),
    _text("origin"),
    _text("value", optional=True),
    Column("decided_at", Instant, nullable=False),
)
Index("ix_decision_tenant_field", decision.c.tenant, decision.c.field)

shadow_answer = Table(
    "shadow_answer",
    metadata,
    Column("seq", Integer, primary_key=True),
    _text("suggestion_id"),
    _text("tenant"),
    _text("target"),
    _text("champion"),
    _text("challenger"),
    _text("champion_label"),
    _text("challenger_label"),
    Column("champion_confidence", Float, nullable=False),
    Column("challenger_confidence", Float, nullable=False),
    Column("at", Instant, nullable=False),
    sqlite_autoincrement=True,
)
Index("ix_shadow_answer_tenant_challenger", shadow_answer.c.tenant, shadow_answer.c.challenger, shadow_answer.c.champion)

# Append-only: on SQLite a trigger refuses UPDATE and DELETE (see the first migration).
change = Table(
    "change",
    metadata,
    Column("seq", Integer, primary_key=True),
    _text("kind"),
    _text("record_id"),
    _text("tenant"),
    Column("at", Instant, nullable=False),
    _text("key_id", optional=True),
    sqlite_autoincrement=True,
)

vector = Table(
    "vector",
    metadata,
    _text("encoder_id", key=True),
    _text("content_hash", key=True),
    Column("floats", LargeBinary, nullable=False),  # float32, little-endian
)

api_key = Table(
    "api_key",
    metadata,
    _text("id", key=True),
    _text("secret_sha256"),
    Column("tenant", PlainText("tenant"), nullable=False, index=True),
    _json("audiences"),
    _json("scopes"),
    _text("label"),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    # Keys from before trust was asked had it.
    Column("trusted", Boolean(create_constraint=False), nullable=False, server_default=true()),
)

idempotency_key = Table(
    "idempotency_key",
    metadata,
    _text("tenant", key=True),
    _text("key", key=True),
    _text("fingerprint"),
    Column("claimed_at", Instant, nullable=False),
    Column("status", Integer),
    Column("body", LargeBinary, nullable=False),
    _json("headers"),
)

Index("ix_idempotency_key_claimed_at", idempotency_key.c.claimed_at)

fact = Table("fact", metadata, _text("name", key=True), _text("value"))

"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Bring the tables to this revision."""
    _incidents()
    _articles()
    _suggestions()
    _changes()
    _vectors()
    _keys()


def _text(name: str, *, optional: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=optional)


def _number(name: str, *, optional: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=optional, autoincrement=False)


def _sequence() -> sa.Column[int]:
    return sa.Column("seq", sa.Integer(), nullable=False)


def _instant(name: str, *, optional: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=optional)


def _bytes(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), nullable=False)


def _incidents() -> None:
    op.create_table(
        "incident",
        *(_text(name) for name in ("id", "tenant", "title", "description")),
        *(_instant(name) for name in ("created_at", "updated_at", "reported_at")),
        *(_text(name) for name in ("status", "audiences")),
        *(_text(name, optional=True) for name in ("kind", "category", "sub_category", "impact", "urgency")),
        *(_text(name) for name in ("custom", "reviewed")),
        *(_text(name, optional=True) for name in ("priority", "support_group")),
        _instant("detected_at", optional=True),
        _text("reporter", optional=True),
        *(_text(name) for name in ("affected_users", "affected_services", "configuration_items", "symptoms")),
        *(_text(name, optional=True) for name in ("initial_impact", "source_system", "source_id", "logged_by", "language")),
        _number("version"),
        _text("resolution_text", optional=True),
        _instant("resolved_at", optional=True),
        *(_text(name, optional=True) for name in ("resolved_by", "resolution_article_id", "drafted_article_id")),
        sa.PrimaryKeyConstraint("id", name="pk_incident"),
    )
    newest_first: list[str | sa.ColumnElement[object]] = ["tenant", sa.literal_column("reported_at DESC"), "id"]
    op.create_index("ix_incident_tenant_reported_at_id", "incident", newest_first)
    named = sa.text("source_id IS NOT NULL")
    source = ["tenant", "source_system", "source_id"]
    op.create_index("uq_incident_source", "incident", source, unique=True, sqlite_where=named, postgresql_where=named)
    op.create_table(
        "incident_audience",
        _text("incident_id"),
        _text("audience"),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_incident_audience_incident_id"),
        sa.PrimaryKeyConstraint("incident_id", "audience", name="pk_incident_audience"),
        sqlite_with_rowid=False,
    )


def _articles() -> None:
    op.create_table(
        "article",
        _text("id"),
        _text("tenant"),
        _number("version"),
        _number("published_version", optional=True),
        sa.PrimaryKeyConstraint("id", name="pk_article"),
    )
    op.create_table(
        "article_version",
        _text("article_id"),
        _number("version"),
        *(_text(name) for name in ("title", "body")),
        *(_instant(name) for name in ("created_at", "updated_at")),
        *(_text(name) for name in ("status", "audiences")),
        _number("revision"),
        *(_text(name, optional=True) for name in ("category", "sub_category")),
        *(_text(name) for name in ("keywords", "language")),
        _text("owner", optional=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        _text("source_incidents"),
        _text("updated_by", optional=True),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"], name="fk_article_version_article_id"),
        sa.PrimaryKeyConstraint("article_id", "version", name="pk_article_version"),
    )
    op.create_table(
        "article_audience",
        _text("article_id"),
        _number("version"),
        _text("audience"),
        sa.ForeignKeyConstraint(
            ["article_id", "version"],
            ["article_version.article_id", "article_version.version"],
            name="fk_article_audience_article_id_version",
        ),
        sa.PrimaryKeyConstraint("article_id", "version", "audience", name="pk_article_audience"),
        sqlite_with_rowid=False,
    )


def _suggestions() -> None:
    op.create_table(
        "suggestion",
        _text("id"),
        _text("tenant"),
        _instant("created_at"),
        _text("body"),
        sa.PrimaryKeyConstraint("id", name="pk_suggestion"),
    )
    op.create_table(
        "feedback",
        _sequence(),
        *(_text(name) for name in ("id", "tenant", "suggestion_id", "action")),
        _instant("created_at"),
        _text("key_id"),
        *(_text(name, optional=True) for name in ("field", "value", "match_id", "given_by")),
        sa.ForeignKeyConstraint(["suggestion_id"], ["suggestion.id"], name="fk_feedback_suggestion_id"),
        sa.PrimaryKeyConstraint("seq", name="pk_feedback"),
        sa.UniqueConstraint("id", name="uq_feedback_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_feedback_suggestion_id", "feedback", ["suggestion_id"])


def _changes() -> None:
    op.create_table(
        "change",
        _sequence(),
        *(_text(name) for name in ("kind", "record_id", "tenant")),
        _instant("at"),
        _text("key_id", optional=True),
        sa.PrimaryKeyConstraint("seq", name="pk_change"),
        sqlite_autoincrement=True,
    )
    if op.get_context().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER change_refuses_{verb.lower()} BEFORE {verb} ON change "
                "BEGIN SELECT RAISE(ABORT, 'the change log is append-only'); END"
            )


def _vectors() -> None:
    op.create_table(
        "vector",
        _text("encoder_id"),
        _text("content_hash"),
        _bytes("floats"),
        sa.PrimaryKeyConstraint("encoder_id", "content_hash", name="pk_vector"),
    )


def _keys() -> None:
    op.create_table(
        "api_key",
        *(_text(name) for name in ("id", "secret_sha256", "tenant", "audiences", "scopes", "label")),
        _instant("created_at"),
        _instant("revoked_at", optional=True),
        sa.PrimaryKeyConstraint("id", name="pk_api_key"),
    )
    op.create_index("ix_api_key_tenant", "api_key", ["tenant"])
    op.create_table(
        "idempotency_key",
        *(_text(name) for name in ("tenant", "key", "fingerprint")),
        _instant("claimed_at"),
        _number("status", optional=True),
        _bytes("body"),
        _text("headers"),
        sa.PrimaryKeyConstraint("tenant", "key", name="pk_idempotency_key"),
    )
    op.create_table("fact", _text("name"), _text("value"), sa.PrimaryKeyConstraint("name", name="pk_fact"))

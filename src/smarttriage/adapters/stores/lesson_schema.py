"""The table of lessons: who taught what, and whether it counts."""

from sqlalchemy import Column, Index, Integer, Table, Text

from smarttriage.adapters.stores.schema import metadata
from smarttriage.adapters.stores.types import Instant, PlainText

lesson = Table(
    "lesson",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("id", PlainText("id"), nullable=False, unique=True),
    *(Column(name, PlainText(name), nullable=False) for name in ("tenant", "kind", "record_id", "key_id", "person")),
    Column("at", Instant, nullable=False),
    Column("standing", PlainText("standing"), nullable=False),
    Column("decided_at", Instant),
    *(Column(name, PlainText(name)) for name in ("decided_by", "reason")),
    # What was said and what stood before, as JSON: read whole, searched by nothing.
    Column("body", Text, nullable=False),
    sqlite_autoincrement=True,
)
Index("ix_lesson_record_id", lesson.c.record_id)
Index("ix_lesson_tenant_key_id_at", lesson.c.tenant, lesson.c.key_id, lesson.c.at)
Index("ix_lesson_tenant_standing_seq", lesson.c.tenant, lesson.c.standing, lesson.c.seq)
Index("ix_lesson_decided_by_decided_at", lesson.c.decided_by, lesson.c.decided_at)

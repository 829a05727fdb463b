"""What became of articles, in a transaction."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Row, and_, bindparam, exists, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from smarttriage.adapters.stores.schema import article, article_version
from smarttriage.adapters.stores.schema import article_outcome as table
from smarttriage.adapters.stores.transaction import chunks
from smarttriage.adapters.stores.usage import UsageRecords
from smarttriage.domain.access import Principal
from smarttriage.domain.article import ArticleStatus
from smarttriage.domain.errors import Conflict, NotFound
from smarttriage.domain.outcome import UNTRIED, ArticleOutcome, OutcomeKind
from smarttriage.ports.outcomes import EVIDENCE_ACTOR, UNDO_ACTOR

# The last of an article that are read. Evidence fades by .85 a person (domain/article_evidence.py), so that what lies further back
# weighs nothing, unless a handful of people said all of it.
MAX_READ = 300

_IDS: BindParameter[str] = bindparam("ids", expanding=True)
_ADD = insert(table)
_TAKEN = select(table.c.id).where(table.c.id == bindparam("id"))

# What is published now began with a version that somebody published and that does not merely go on from a published one.
_before = article_version.alias("before")
_BEGAN = (
    select(func.max(article_version.c.version))
    .join(article, and_(article.c.id == article_version.c.article_id, article_version.c.version <= article.c.published_version))
    .where(
        article_version.c.article_id == table.c.article_id,
        article_version.c.status == ArticleStatus.PUBLISHED.value,
        func.coalesce(article_version.c.updated_by, "").not_in([EVIDENCE_ACTOR, UNDO_ACTOR]),
        article_version.c.undone_at.is_(None),
        ~exists().where(
            _before.c.article_id == article_version.c.article_id,
            _before.c.version == article_version.c.version - 1,
            _before.c.undone_at.is_(None),
            _before.c.status == ArticleStatus.PUBLISHED.value,
        ),
    )
    .correlate(table)
    .scalar_subquery()
)
_then = article_version.alias("published_then")
_of_it = article_version.alias("of_it")
_PUBLISHED_THEN = (
    select(func.max(_then.c.version))
    .where(
        _then.c.article_id == table.c.article_id,
        _then.c.version <= table.c.version,
        _then.c.status == ArticleStatus.PUBLISHED.value,
    )
    .correlate(table)
    .scalar_subquery()
)
_COUNTING = select(table).where(
    table.c.withdrawn_at.is_(None),
    table.c.quarantined.is_(False),
    table.c.version >= func.coalesce(_BEGAN, 1),
    ~exists().where(
        _of_it.c.article_id == table.c.article_id,
        _of_it.c.version == _PUBLISHED_THEN,
        _of_it.c.undone_at.is_not(None),
    ),
)
_TELLING = _COUNTING.where(table.c.kind.not_in([kind.value for kind in sorted(UNTRIED)]))
_RECENT = _TELLING.where(table.c.article_id == bindparam("article_id")).order_by(table.c.seq.desc()).limit(MAX_READ)
_TOLD_OF = select(table.c.article_id).where(table.c.withdrawn_at.is_(None), table.c.quarantined.is_(False)).distinct()
_counting = _COUNTING.where(table.c.article_id == bindparam("article_id")).subquery()
_COUNTS = select(_counting.c.kind, func.count()).group_by(_counting.c.kind)
_OF_INCIDENTS = (
    select(table)
    .where(
        table.c.incident_id.in_(_IDS),
        table.c.tenant == bindparam("tenant"),
        table.c.withdrawn_at.is_(None),
        table.c.quarantined.is_(False),
    )
    .order_by(table.c.seq)
)
_OF_KEY = and_(
    table.c.tenant == bindparam("of_tenant"),
    table.c.key_id == bindparam("of_key"),
    table.c.created_at >= bindparam("since"),
    table.c.withdrawn_at.is_(None),
)
_TO_WITHDRAW = select(table.c.article_id).where(_OF_KEY).distinct().order_by(table.c.article_id)
_OF_IDS = select(table.c.article_id, table.c.tenant, table.c.key_id).where(table.c.id.in_(_IDS)).distinct()
_COUNT = update(table).where(table.c.id.in_(_IDS)).values(quarantined=False, withdrawn_at=None)
_WAIT = update(table).where(table.c.id.in_(_IDS)).values(quarantined=True, withdrawn_at=None)
_TAKE_BACK = update(table).where(table.c.id.in_(_IDS), table.c.withdrawn_at.is_(None)).values(withdrawn_at=bindparam("at"))
_WITHDRAW = update(table).where(_OF_KEY).values(withdrawn_at=bindparam("at"))


class OutcomeRecords(UsageRecords):
    """Append-only, but for what is withdrawn."""

    def add_outcomes(self, outcomes: Sequence[ArticleOutcome]) -> None:
        """Store them, with a change of the kind "outcome" for each article that was tried."""
        if not outcomes:
            return
        rows = [{name: getattr(each, name) for name in ArticleOutcome.__slots__} for each in outcomes]
        try:
            with self._writes.begin_nested():
                self._writes.execute(_ADD, rows)
        except IntegrityError as error:
            taken = next((each.id for each in outcomes if self._reads.execute(_TAKEN, {"id": each.id}).first()), None)
            if taken is not None:
                raise Conflict(f'outcome "{taken}" is there already; choose another id.', field="id") from error
            raise NotFound("there is no such article to say this of.", field="article_id") from error
        tried = [each for each in outcomes if each.kind not in UNTRIED]
        self._log_outcomes({(each.article_id, each.tenant): each.key_id for each in tried})

    def outcomes(self, article_ids: Collection[str] | None = None) -> Mapping[str, Sequence[ArticleOutcome]]:
        """Return article id -> its last outcomes that count, oldest first."""
        wanted: Iterable[str] = article_ids if article_ids is not None else self._reads.execute(_TOLD_OF).scalars().all()
        if article_ids is not None and len(article_ids) > 1:
            told = _TOLD_OF.where(table.c.article_id.in_(_IDS))
            wanted = [id_ for part in chunks(article_ids) for id_ in self._reads.execute(told, {"ids": part}).scalars()]
        found: dict[str, list[ArticleOutcome]] = defaultdict(list)
        for article_id in wanted:
            rows = self._reads.execute(_RECENT, {"article_id": article_id}).all()
            found[article_id] += [_outcome_of(row) for row in reversed(rows)]
        return found

    def outcome_counts(self, article_id: str) -> Mapping[OutcomeKind, int]:
        """Return how often each outcome was said of the article as it is published now."""
        rows = self._reads.execute(_COUNTS, {"article_id": article_id})
        return {OutcomeKind(kind): n for kind, n in rows}

    def outcomes_of_incident(self, incident_id: str, principal: Principal) -> Sequence[ArticleOutcome]:
        """Return what was said of articles for that incident, oldest first."""
        return self.outcomes_of_incidents([incident_id], principal).get(incident_id, [])

    def outcomes_of_incidents(self, ids: Collection[str], principal: Principal) -> Mapping[str, Sequence[ArticleOutcome]]:
        """Return incident id -> what was said of articles for it, oldest first."""
        found: dict[str, list[ArticleOutcome]] = defaultdict(list)
        for part in chunks(ids):
            for row in self._reads.execute(_OF_INCIDENTS, {"ids": part, "tenant": principal.tenant}):
                found[row.incident_id].append(_outcome_of(row))
        return dict(found)

    def withdraw_outcomes(self, tenant: str, key_id: str, *, since: datetime, at: datetime) -> Sequence[str]:
        """Let what the key said since then count no longer; return the articles that it was about."""
        of_key = {"of_tenant": tenant, "of_key": key_id, "since": since}
        articles = list(self._reads.execute(_TO_WITHDRAW, of_key).scalars())
        if articles:
            self._writes.execute(_WITHDRAW, {**of_key, "at": at})
            self._log_outcomes({(article_id, tenant): key_id for article_id in articles})
        return articles

    def count_outcomes(self, ids: Collection[str]) -> None:
        """Let outcomes count that were in quarantine or taken back."""
        for part in chunks(ids):
            self._writes.execute(_COUNT, {"ids": part})
            self._log_changed(part)

    def quarantine_outcomes(self, ids: Collection[str]) -> None:
        """Let outcomes wait in quarantine again, those that were taken back too."""
        for part in chunks(ids):
            self._writes.execute(_WAIT, {"ids": part})
            self._log_changed(part)

    def take_back_outcomes(self, ids: Collection[str], *, at: datetime) -> None:
        """Let those outcomes count no longer."""
        for part in chunks(ids):
            self._writes.execute(_TAKE_BACK, {"ids": part, "at": at})
            self._log_changed(part)

    def _log_changed(self, ids: list[str]) -> None:
        rows = self._reads.execute(_OF_IDS, {"ids": ids})
        self._log_outcomes({(row.article_id, row.tenant): row.key_id for row in rows})

    def _log_outcomes(self, articles: Mapping[tuple[str, str], str]) -> None:
        for (article_id, tenant), key_id in articles.items():
            self._log("outcome", [(article_id, tenant)], key_id)


def _outcome_of(row: Row[Any]) -> ArticleOutcome:
    stored = {name: getattr(row, name) for name in ArticleOutcome.__slots__}
    return ArticleOutcome(**{**stored, "kind": OutcomeKind(row.kind), "quarantined": bool(row.quarantined)})

"""How articles are used, in a transaction: suggested how often, and for incidents of which categories they were the remedy."""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import BindParameter, bindparam, exists, func, select, update

from smarttriage.adapters.stores.schema import article_shown, incident, incident_audience, suggestion
from smarttriage.adapters.stores.transaction import Transaction, chunks
from smarttriage.adapters.stores.types import InsertIfNew
from smarttriage.domain.access import Principal

_IDS: BindParameter[str] = bindparam("ids", expanding=True)
_SUGGESTED = (
    select(suggestion.c.incident_id, suggestion.c.body)
    .where(suggestion.c.incident_id.in_(_IDS), suggestion.c.tenant == bindparam("tenant"))
    .order_by(suggestion.c.created_at, suggestion.c.id)
)
_BEHIND = (
    select(suggestion.c.id, suggestion.c.created_at, suggestion.c.body)
    .where(suggestion.c.id > bindparam("after"), suggestion.c.created_at < bindparam("before"))
    .order_by(suggestion.c.id)
    .limit(bindparam("n_rows"))
)
_NEW = InsertIfNew(article_shown)
_ADD = (
    update(article_shown)
    .where(article_shown.c.article_id == bindparam("of_article"))
    .values(n=article_shown.c.n + bindparam("n_more"))
)
_SHOWN = select(article_shown.c.article_id, article_shown.c.n).where(article_shown.c.article_id.in_(_IDS))


class UsageRecords(Transaction):
    """What suggestions showed and what resolutions used."""

    def suggested_articles(self, incident_ids: Collection[str], principal: Principal) -> Mapping[str, Sequence[str]]:
        """Return incident id -> the articles of its newest suggestion."""
        newest: dict[str, str] = {}
        for part in chunks(incident_ids):
            rows = self._reads.execute(_SUGGESTED, {"ids": part, "tenant": principal.tenant})
            newest |= {row.incident_id: row.body for row in rows}
        return {incident_id: _articles_of(body) for incident_id, body in newest.items()}

    def suggestions_behind(self, after: str, *, before: datetime, limit: int) -> Sequence[tuple[str, datetime, Sequence[str]]]:
        """Return (id, created_at, article ids) of suggestions with greater ids, by id."""
        rows = self._reads.execute(_BEHIND, {"after": after, "before": before, "n_rows": limit})
        return [(row.id, row.created_at, _articles_of(row.body)) for row in rows]

    def add_shown(self, counts: Mapping[str, int]) -> None:
        """Add to how often each article was suggested."""
        if counts:
            self._writes.execute(_NEW, [{"article_id": article_id, "n": 0} for article_id in counts])
            self._writes.execute(_ADD, [{"of_article": article_id, "n_more": n} for article_id, n in counts.items()])

    def shown(self, article_ids: Collection[str]) -> Mapping[str, int]:
        """Return article id -> how often it was suggested."""
        rows = (row for part in chunks(article_ids) for row in self._reads.execute(_SHOWN, {"ids": part}))
        return {row.article_id: row.n for row in rows}

    def solved_categories(self, principal: Principal) -> Mapping[str, Mapping[str, int]]:
        """Return article id -> category -> how many incidents were resolved with it."""
        visible = exists().where(
            incident_audience.c.incident_id == incident.c.id, incident_audience.c.audience.in_(sorted(principal.audiences))
        )
        used = (
            select(incident.c.resolution_article_id, incident.c.category, func.count())
            .where(incident.c.tenant == principal.tenant, visible)
            .where(incident.c.resolution_article_id.is_not(None), incident.c.category.is_not(None))
            .group_by(incident.c.resolution_article_id, incident.c.category)
        )
        found: dict[str, dict[str, int]] = defaultdict(dict)
        for article_id, category, n in self._reads.execute(used):
            found[article_id][category] = n
        return dict(found)


def _articles_of(body: str) -> tuple[str, ...]:
    """Return the articles of a stored suggestion (see suggestion_json), best first; the rest of it is not needed."""
    return tuple(match[0] for match in json.loads(body)["articles"])

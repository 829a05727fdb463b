"""The part of the store's records that tells what became of articles."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from smarttriage.domain.access import Principal
from smarttriage.domain.outcome import ArticleOutcome, OutcomeKind

# Who writes when evidence sends an article to review or brings it back; such a version starts no new life of the article.
EVIDENCE_ACTOR = "smarttriage:evidence"
# Who writes when an article is brought back to what it was before a key wrote; that goes on with its former life.
UNDO_ACTOR = "smarttriage:undo"


class OutcomeRecords(Protocol):
    """Outcomes of articles, inside one transaction."""

    def add_outcomes(self, outcomes: Sequence[ArticleOutcome]) -> None:
        """Store them, with a change of the kind "outcome" for each article that was tried.

        Raises Conflict for an id that is there already, NotFound for an article that is not.
        """
        ...

    def outcomes(self, article_ids: Collection[str] | None = None) -> Mapping[str, Sequence[ArticleOutcome]]:
        """Return article id -> its last outcomes, oldest first, of every tenant, for evidence only.

        Only those count that were said since what is published now was published (or, never published, all), that were
        not withdrawn and are not in quarantine, and that somebody found out by trying. What was said of a version that was
        undone is left out.
        """
        ...

    def outcome_counts(self, article_id: str) -> Mapping[OutcomeKind, int]:
        """Return how often each outcome was said of the article as it is published now, by anybody and however often."""
        ...

    def outcomes_of_incident(self, incident_id: str, principal: Principal) -> Sequence[ArticleOutcome]:
        """Return what was said of articles for that incident and not withdrawn, oldest first."""
        ...

    def outcomes_of_incidents(self, ids: Collection[str], principal: Principal) -> Mapping[str, Sequence[ArticleOutcome]]:
        """Return incident id -> what `outcomes_of_incident` returns, for those of which something was said."""
        ...

    def suggested_articles(self, incident_ids: Collection[str], principal: Principal) -> Mapping[str, Sequence[str]]:
        """Return incident id -> the articles of its newest suggestion, best first, for those that have one."""
        ...

    def suggestions_behind(self, after: str, *, before: datetime, limit: int) -> Sequence[tuple[str, datetime, Sequence[str]]]:
        """Return (id, created_at, article ids) of suggestions of every tenant with greater ids, made before then, by id."""
        ...

    def add_shown(self, counts: Mapping[str, int]) -> None:
        """Add to how often each article was suggested."""
        ...

    def shown(self, article_ids: Collection[str]) -> Mapping[str, int]:
        """Return article id -> how often it was suggested, as far as that was counted, for those that ever were."""
        ...

    def solved_categories(self, principal: Principal) -> Mapping[str, Mapping[str, int]]:
        """Return article id -> category -> how many incidents that the principal may see were resolved with it."""
        ...

    def count_outcomes(self, ids: Collection[str]) -> None:
        """Let outcomes count that were in quarantine or taken back."""
        ...

    def quarantine_outcomes(self, ids: Collection[str]) -> None:
        """Let outcomes wait in quarantine again, those that were taken back too."""
        ...

    def take_back_outcomes(self, ids: Collection[str], *, at: datetime) -> None:
        """Let those outcomes count no longer."""
        ...

    def withdraw_outcomes(self, tenant: str, key_id: str, *, since: datetime, at: datetime) -> Sequence[str]:
        """Let what the key said since then count no longer; return the articles that it was about."""
        ...

"""Counts how often articles are suggested, behind the suggestions: nobody waits for it, and nothing is counted twice."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from smarttriage.ports import Clock, Store

FACT = "articles_shown_until"
BATCH = 500
# Ids sort by the time they were made; one that was made first may be committed last, but not by so much.
_SETTLED = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class ShownCounter:
    """Adds what was suggested since the last time; the count and how far it reaches are committed together."""

    store: Store
    clock: Clock

    def catch_up(self) -> int:
        """Count what is behind; return how many suggestions that were. A kill loses a batch that the next time counts again."""
        n, before = 0, self.clock() - _SETTLED
        while True:
            with self.store.begin() as records:
                after = records.fact(FACT) or ""
                if not records.suggestions_behind(after, before=before, limit=1):
                    return n
            with self.store.begin(write=True) as records:
                found = records.suggestions_behind(records.fact(FACT) or "", before=before, limit=BATCH)
                if found:
                    records.add_shown(Counter(article for _, _, articles in found for article in articles))
                    records.put_fact(FACT, found[-1][0])
            n += len(found)

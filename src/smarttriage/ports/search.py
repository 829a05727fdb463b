"""Vector and lexical indexes: what is searched, and the fixed states that requests read."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from smarttriage.ports.models import Vectors


class Hit(NamedTuple):
    """One result of a search; a higher score is better and is comparable only within one index.

    A search makes hundreds; a named tuple is made in a third of the time of a frozen dataclass.
    """

    id: str
    score: float


class VectorSearcher(Protocol):
    """A fixed state of a vector index. Safe to search from many threads."""

    def __len__(self) -> int:
        """Number of vectors."""
        ...

    def search(self, queries: Vectors, k: int, *, allowed: Collection[str]) -> list[list[Hit]]:
        """Return for each query row at most k hits, best first, ties by id; the score is the inner product.

        A record is visible if at least one of its labels is in `allowed`; nothing else is scored, counted or returned, and
        k visible records come back whenever there are k. No label, or nothing allowed, means no hit.
        """
        ...


class VectorIndex(VectorSearcher, Protocol):
    """A vector index that can change. One writer at a time; snapshots taken before a change do not see it."""

    @property
    def encoder_id(self) -> str:
        """Whose vectors these are."""
        ...

    def add(self, ids: Sequence[str], vectors: Vectors, labels: Sequence[Collection[str]]) -> None:
        """Add or replace by id. Raises InvalidInput on wrong shape, non-finite values or lengths that differ."""
        ...

    def remove(self, ids: Collection[str]) -> int:
        """Remove what is there; return how many were."""
        ...

    def snapshot(self) -> VectorSearcher:
        """Return the present state, which later changes leave as it is. Cheap."""
        ...

    def save(self, folder: Path, *, seq: int) -> None:
        """Write the index atomically with its checksum, its encoder id and the change-log position it holds."""
        ...

    def load(self, folder: Path) -> int:
        """Replace the content by a saved one; return its seq. Raises IndexMismatch if it is damaged or of another encoder."""
        ...


class LexicalSearcher(Protocol):
    """A fixed state of a lexical (BM25) index. Safe to search from many threads."""

    def __len__(self) -> int:
        """Number of texts."""
        ...

    def search(self, queries: Sequence[str], k: int, *, allowed: Collection[str]) -> list[list[Hit]]:
        """Return for each query text at most k hits, best first; visibility as in `VectorSearcher.search`.

        Any string is a query, none is query syntax; a query without a known word gives no hit.
        """
        ...


class LexicalIndex(LexicalSearcher, Protocol):
    """A lexical index that can change, with the verbs of `VectorIndex` over text."""

    def add(self, ids: Sequence[str], texts: Sequence[str], labels: Sequence[Collection[str]]) -> None:
        """Add or replace by id."""
        ...

    def remove(self, ids: Collection[str]) -> int:
        """Remove what is there; return how many were."""
        ...

    def compact(self) -> None:
        """Forget what was removed in scores too: from here on texts score as if it had never been there."""
        ...

    def snapshot(self) -> LexicalSearcher:
        """Return the present state, which later changes leave as it is."""
        ...

    def save(self, folder: Path, *, seq: int) -> None:
        """Write the index atomically with its checksum and the change-log position it holds."""
        ...

    def load(self, folder: Path) -> int:
        """Replace the content by a saved one; return its seq. Raises IndexMismatch if it is damaged."""
        ...

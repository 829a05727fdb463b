"""What a bundle keeps about the rows it was trained on, and which version came before which."""

from collections.abc import Sequence

import numpy as np

from smarttriage.domain.errors import BundleError, Conflict
from smarttriage.ports import PromotionAction, PromotionEntry
from smarttriage.services.promotion import Fingerprints, fingerprints

ROWS_FILE = "training_rows.u64"
CARD_FILE = "MODEL_CARD.md"
REPORT_FILE = "report.html"
_STORED = np.dtype("<u8")


def rows_file(texts: Sequence[str]) -> bytes:
    """Return the sorted distinct fingerprints of the training rows, 8 bytes each, little-endian."""
    return fingerprints(texts).astype(_STORED).tobytes()


def read_rows_file(content: bytes | None) -> Fingerprints | None:
    """Return the fingerprints; None where the bundle keeps none. Raises BundleError for a file that is cut."""
    if content is None:
        return None
    if len(content) % _STORED.itemsize:
        raise BundleError(f"{ROWS_FILE} holds {len(content)} bytes, no multiple of {_STORED.itemsize}; train the model again.")
    return np.frombuffer(content, dtype=_STORED).astype(np.uint64)


def version_before(history: Sequence[PromotionEntry], current: str | None) -> str | None:
    """Return what was current before `current` came; None: the shipped starter. A rollback takes its promotion off the pile.

    Raises:
        Conflict: The history knows nothing before the current version.
    """
    pile: list[str | None] = []
    for entry in history:
        if entry.action is PromotionAction.ROLLED_BACK:
            while pile and pile[-1] != entry.version:
                pile.pop()
        elif not pile:
            pile += [entry.previous, entry.version]
        elif entry.version != pile[-1]:
            pile.append(entry.version)
    while pile and pile[-1] != current:  # a crash may have left an entry whose version never became current
        pile.pop()
    if len(pile) < 2:
        raise Conflict(f"nothing was promoted before {current or 'the shipped starter'}, so there is nothing to go back to")
    return pile[-2]

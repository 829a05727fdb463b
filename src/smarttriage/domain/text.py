"""The one function that makes model input, for training and serving alike, and the way back to the caller's fields."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from smarttriage.domain.cleaning import cleaned

SEPARATOR = "\n"
# all-MiniLM-L6-v2 reads 256 tokens; English runs at 4-5 characters a token, so 2,000 characters never lose a token that
# the encoder would have read, and 1 MB of text does not cost 4 s of tokenising.
MAX_CHARS = 2_000
# Beyond this a text is not even looked at for what mail programs add: 1 MB would take a tenth of a second.
MAX_READ_CHARS = 4_000
# A suggestion asks for its own text about ten times, once for each thing that reads it.
_cleaned = lru_cache(maxsize=64)(cleaned)


def model_text(title: str, description: str, max_chars: int = MAX_CHARS) -> str:
    """Return title and description joined by a newline, without what mail programs add, cut to `max_chars` characters.

    What mail programs add (headers, history, signature, see `cleaned`), greeting and closing are blanked in place and the end is stripped. The title
    stays at offset 0 and the description starts at `len(title) + 1`, so that spans found in the result map back to the
    caller's fields (see `locate`). An empty title adds nothing.
    """
    joined = f"{title}{SEPARATOR}{description}" if title else description
    return _cleaned(joined[: max(max_chars, MAX_READ_CHARS)])[:max_chars].rstrip()


@dataclass(frozen=True, slots=True)
class Evidence:
    """A span of the caller's own text that a prediction rests on.

    Attributes:
        text: The words as the caller wrote them.
        start: Offset of the first character in `field`.
        end: Offset behind the last character in `field`.
        field: "title" or "description".
        cue: What the span is evidence of (for example "workaround"), or None for a plain word.
        weight: Its contribution to the predicted label; 0 where no model weighed it.
    """

    text: str
    start: int
    end: int
    field: str
    cue: str | None = None
    weight: float = 0.0


def locate(title: str, description: str, start: int, end: int, *, cue: str | None = None, weight: float = 0.0) -> Evidence:
    """Return the span [start, end) of `model_text(title, description)` as evidence in the caller's own field."""
    offset = len(title) + len(SEPARATOR) if title else 0
    if start >= len(title):
        first, last = max(0, start - offset), max(0, end - offset)
        return Evidence(description[first:last], first, last, "description", cue, weight)
    end = min(end, len(title))
    return Evidence(title[start:end], start, end, "title", cue, weight)


# Words that say nothing of a problem; only reasons shown to people use this list, no ranking does.
_COMMON = frozenset(
    [
        "about",
        "after",
        "again",
        "against",
        "also",
        "been",
        "before",
        "being",
        "both",
        "cannot",
        "could",
        "didn",
        "does",
        "doesn",
        "during",
        "each",
        "every",
        "from",
        "have",
        "here",
        "into",
        "just",
        "like",
        "more",
        "most",
        "much",
        "need",
        "only",
        "other",
        "over",
        "please",
        "same",
        "should",
        "since",
        "some",
        "still",
        "such",
        "than",
        "thank",
        "thanks",
        "that",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "those",
        "under",
        "until",
        "very",
        "want",
        "were",
        "what",
        "when",
        "where",
        "which",
        "while",
        "will",
        "with",
        "would",
        "your",
    ]
)


def is_common(word: str) -> bool:
    """Return whether a lower-case word says nothing of a problem."""
    return word in _COMMON


_WORD = re.compile(r"[^\W_][\w./:\\-]*\w|\w")
_MIN_LETTERS = 4


def telling_words(text: str) -> tuple[str, ...]:
    """Return the words of `text` that say something, each once: identifiers with digits first, then the longest, ties as written."""
    found: dict[str, str] = {}
    for word in _WORD.findall(text):
        lower = word.lower()
        if (len(word) >= _MIN_LETTERS and lower not in _COMMON) or _has_digit(word):
            found.setdefault(lower, word)
    return tuple(sorted(found.values(), key=lambda word: (not _has_digit(word), -len(word))))


def _has_digit(word: str) -> bool:
    return not word.isalpha() and any(character.isdigit() for character in word)


def shared_words(words: Sequence[str], other: str, n: int = 5) -> tuple[str, ...]:
    """Return at most the first n of `words` that stand in `other` as whole words, in any case."""
    lowered = other.lower()
    shared: list[str] = []
    for word in words:
        if _stands_in(word.lower(), lowered):
            shared.append(word)
            if len(shared) == n:
                break
    return tuple(shared)


def _stands_in(word: str, text: str) -> bool:
    """Return whether the text has the word with no letter or digit beside it; an expression for each word would cost more to make."""
    at = text.find(word)
    while at >= 0:
        beside = text[max(at - 1, 0) : at] + text[at + len(word) : at + len(word) + 1]
        if not any(character.isalnum() or character == "_" for character in beside):
            return True
        at = text.find(word, at + 1)
    return False

"""The one function that makes model input, for training and serving alike, and the way back to the caller's fields."""

from dataclasses import dataclass

SEPARATOR = "\n"
# all-MiniLM-L6-v2 reads 256 tokens; English runs at 4-5 characters a token, so 2,000 characters never lose a token that
# the encoder would have read, and 1 MB of text does not cost 4 s of tokenising.
MAX_CHARS = 2_000


def model_text(title: str, description: str, max_chars: int = MAX_CHARS) -> str:
    """Return title and description joined by a newline, stripped at the end and cut to `max_chars` characters.

    The title stays at offset 0 and the description starts at `len(title) + 1`, so that spans found in the result map back
    to the caller's fields (see `locate`). An empty title adds nothing.
    """
    joined = f"{title}{SEPARATOR}{description}" if title else description
    return joined[:max_chars].rstrip()


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

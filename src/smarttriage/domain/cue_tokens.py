"""Text to the row of tokens that cue patterns read: folded words, numbers as digits, sentence ends. Linear in the text."""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

NUMBER = "#"
TIME = "@"
STOP = "."
COMMA = ","
COLON = ":"
PERCENT = "%"
# The longest word that a pattern can tell apart; the rest of a longer one is noise (base64, hashes).
MAX_WORD = 40

# Words come first, as most tokens are words; only times ignore case, which would slow the search.
_TOKEN = re.compile(
    r"(?P<word>[^\W\d_]{1,200})"
    r"|(?P<time>\b\d{1,2}(?i:[:h]\d{2}(?!\d)|\.\d{2}(?=\s?(?:uhr|uur|h\b|am\b|pm\b))|\s?(?:uhr|o[’']clock|am|pm|h)\b))"
    r"|(?P<number>\d{1,3}(?:[.,’' ]\d{3}){1,3}(?!\d)|\d{1,9}(?:[.,]\d{1,3})?)"
    r"|(?P<stop>[.!?;]+(?=\s|$)|\n\s{0,9}(?=[^\sa-z]))"
    r"|(?P<percent>%)|(?P<colon>[:=])|(?P<comma>[,()|/–—])"
)
_GROUPED = re.compile(r"[.,’' ](?=\d{3})")
_KINDS = {"stop": STOP, "percent": PERCENT, "colon": COLON, "comma": COMMA}


class Token(NamedTuple):
    """One token: what patterns compare and where it stands in the text.

    Attributes:
        text: Folded word, digits of a number, or one of the marks above.
        start: Offset of the first character.
        end: Offset behind the last character.
        kind: NUMBER, TIME or "" for words and marks.
        value: The number, for kind NUMBER.
    """

    text: str
    start: int
    end: int
    kind: str = ""
    value: int | None = None


@lru_cache(maxsize=50_000)
def fold(word: str) -> str:
    """Return the word without case and accents."""
    decomposed = unicodedata.normalize("NFKD", word.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))[:MAX_WORD]


def tokens(text: str, numbers: Mapping[str, int]) -> list[Token]:
    """Return the tokens of `text`; words found in `numbers` become numbers ("sixty-one" is one token, 61)."""
    found: list[Token] = []
    for match in _TOKEN.finditer(text):
        token = _token(match, numbers)
        if token.kind == NUMBER and found and (merged := _merge(found[-1], token, text)) is not None:
            found[-1] = merged
        else:
            found.append(token)
    return found


def _token(match: re.Match[str], numbers: Mapping[str, int]) -> Token:
    group, (start, end) = match.lastgroup, match.span()
    if group == "word":
        word = fold(match[0])
        value = numbers.get(word)
        return Token(word, start, end) if value is None else Token(str(value), start, end, NUMBER, value)
    if group == "number":
        value = int(re.split(r"[.,]", _GROUPED.sub("", match[0]))[0])
        return Token(str(value), start, end, NUMBER, value)
    if group == "time":
        return Token(TIME, start, end, TIME)
    return Token(_KINDS[str(group)], start, end)


def _merge(left: Token, right: Token, text: str) -> Token | None:
    """Return both as one number ("two hundred", "sixty-one", "2 thousand"), or None if they are two numbers."""
    if left.value is None or right.value is None or right.start - left.end > 1 or text[right.start].isdigit():
        return None
    if right.value in (100, 1000) and 0 < left.value < right.value:
        value = left.value * right.value
    elif left.value in range(20, 100, 10) and right.value < 10 and not text[left.start].isdigit():
        value = left.value + right.value
    else:
        return None
    return Token(str(value), left.start, right.end, NUMBER, value)

"""Keyboard mash, random characters and encoded bytes, told from codes, host names and log lines. Plain character statistics."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from itertools import pairwise

from smarttriage.domain.cue_tokens import fold

# Every bound is chosen on the dev half of benchmarks/data/dont_know.jsonl; nothing that holds one real word is gibberish.
MIN_ODD_SHARE = 0.6
MIN_WORD = 4
KEYBOARD_SHARE = 0.75
UNUSUAL_SHARE = 0.34
ENCODED_LENGTH = 40
MAX_BROKEN = 0.3
_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{40,}={0,2}")
_VOWELS = frozenset("aeiouy")
_MIXED = re.compile(r"(?=\w*\d)(?=\w*[A-Z])(?=\w*[a-z])[A-Za-z0-9]{4,}")
_MIN_MIXED = 5
_REPLACEMENT = "\ufffd"


@dataclass(frozen=True, slots=True)
class Letters:
    """What words look like.

    Attributes:
        rows: Rows of keys as they lie side by side.
        pairs: Letter pairs that words are made of.
        placeholders: Folded phrases of filler text.
        small: Folded small words of known languages; a text with one of them is no gibberish.
    """

    rows: tuple[str, ...]
    pairs: frozenset[str]
    placeholders: tuple[str, ...]
    small: frozenset[str]


def is_gibberish(text: str, letters: Letters) -> bool:
    """Return whether the text holds nothing that reads like a word, a code or a log line."""
    visible = "".join(text.split())
    if not visible:
        return False
    # Nearly every text is printable as a whole, which one look tells.
    readable = visible.isprintable() and _REPLACEMENT not in visible
    if not readable and sum(map(_is_broken, visible)) > MAX_BROKEN * len(visible):
        return True
    folded = fold_all(text)
    if any(folded.startswith(phrase) for phrase in letters.placeholders):
        return True
    tokens = text.split()
    if all(_ENCODED.fullmatch(token) and not token.isalpha() for token in tokens):
        return True
    codes = [token for token in tokens if not token.isalpha()]
    if len(tokens) >= _MIN_MIXED and sum(map(_is_mixed, codes)) >= MIN_ODD_SHARE * len(tokens):
        return not any(word in letters.small for word in folded.split())
    return _only_odd(re.findall(r"[^\W_]+", text), letters)


def fold_all(text: str) -> str:
    """Return the text's words folded, one space between them."""
    return " ".join(fold(word) for word in text.split())


def _only_odd(words: Collection[str], letters: Letters) -> bool:
    """Return whether mash makes up most of the text; a code (digits, capitals) or a small word clears it."""
    # Nearly every text has a small word among its first ones.
    if any((word := fold(original)) in letters.small or not word.isalpha() or original.isupper() for original in words):
        return False
    folded = [fold(word) for word in words]
    odd = [word for word in folded if _is_odd(word, letters)]
    total = sum(map(len, folded))
    plain = [word for word in odd if not _is_run(word, letters.rows) and not _repeats(word)]
    # One unusual word may be a product or a host; keys in a row are no word.
    enough = len(odd) > len(plain) or len(odd) >= 3 or any(len(word) >= 20 for word in odd)
    return enough and sum(map(len, odd)) >= MIN_ODD_SHARE * total


def _is_odd(word: str, letters: Letters) -> bool:
    if len(word) < MIN_WORD:
        return len(word) == MIN_WORD - 1 and not _VOWELS & set(word)
    if _is_run(word, letters.rows) or _repeats(word) or not _VOWELS & set(word):
        return True
    unusual = sum(first + second not in letters.pairs for first, second in pairwise(word))
    return unusual >= UNUSUAL_SHARE * (len(word) - 1)


def _is_run(word: str, rows: Collection[str]) -> bool:
    """Return whether nearly all neighbours in the word are neighbours on a keyboard."""
    if len(word) < MIN_WORD:
        return False
    beside = [
        any(a != b and abs(row.find(a) - row.find(b)) == 1 for row in rows if a in row and b in row) for a, b in pairwise(word)
    ]
    return sum(beside) >= KEYBOARD_SHARE * len(beside) and (len(word) > MIN_WORD or all(beside))


def _repeats(word: str) -> bool:
    """Return whether few different letters make up a long word."""
    return len(word) >= 5 and len(set(word)) <= max(2, len(word) // 4)


def _is_mixed(token: str) -> bool:
    return _MIXED.fullmatch(token) is not None


def _is_broken(character: str) -> bool:
    """Return whether the character, no white space, comes from reading bytes in a wrong way: a replacement, a control character."""
    return character == _REPLACEMENT or not character.isprintable()

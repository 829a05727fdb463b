"""Whether an article is written to be found rather than read: one word over and over, a dump of keywords, the same line again and again."""

import re
from collections import Counter
from collections.abc import Sequence

from smarttriage.domain.text import is_common

# From what half of the real articles of benchmarks/stuffing.py hold: one in 500 of them passes a bound at most.
MOST_OF_ONE_WORD = 0.16
LONGEST_LIST = 24
MOST_OF_ONE_LINE = 0.34
LONGEST_RUN = 68
MOST_KEYWORDS = 40
# Below so many words or lines a share says nothing.
LEAST_WORDS = 40
LEAST_LINES = 8
_WORD = re.compile(r"[^\W\d_]{3,}")
_ANY_WORD = re.compile(r"[^\W\d_]+")
# Words that hold sentences together, beside the frequent ones and those of up to two letters.
_SMALL = 2
_SMALL_WORDS = frozenset(
    [
        "the",
        "and",
        "you",
        "for",
        "not",
        "are",
        "can",
        "but",
        "was",
        "has",
        "had",
        "its",
        "our",
        "all",
        "any",
        "one",
        "der",
        "die",
        "das",
        "und",
        "ist",
        "mit",
        "den",
        "les",
        "des",
        "est",
        "une",
        "pas",
        "que",
        "een",
        "van",
        "het",
        "met",
        "los",
        "las",
        "una",
        "con",
        "por",
        "del",
    ]
)
# Short items between commas or semicolons, without a full stop: no sentence has so many.
_LIST = re.compile(r"(?:[^\s,;.:()]{2,}(?: [^\s,;.:()]+){0,2}[,;]\s*){8,}")
_ITEM = re.compile(r"[,;]")


def signs(title: str, body: str, keywords: Sequence[str] = ()) -> list[str]:
    """Return what makes an article look stuffed, each in words for a reviewer; nothing for one that does not."""
    text = f"{title}\n{body}"
    found = (_one_word(text), _one_line(body), _list(text), _run(text), _keywords(keywords))
    return [sign for sign in found if sign is not None]


def _is_frequent(word: str) -> bool:
    return word in _SMALL_WORDS or is_common(word)


def _one_word(text: str) -> str | None:
    words = [word.lower() for word in _WORD.findall(text)]
    told = Counter(word for word in words if not _is_frequent(word))
    if len(words) < LEAST_WORDS or not told:
        return None
    word, n = told.most_common(1)[0]
    share = n / len(words)
    return f'the word "{word}" is {share:.0%} of the text' if share > MOST_OF_ONE_WORD else None


def _one_line(body: str) -> str | None:
    lines = [line.strip().lower() for line in re.split(r"[\n.!?]+", body) if len(line.split()) >= 3]
    if len(lines) < LEAST_LINES:
        return None
    line, n = Counter(lines).most_common(1)[0]
    return f'"{line[:60]}" stands there {n} times' if n / len(lines) > MOST_OF_ONE_LINE else None


def _list(text: str) -> str | None:
    longest = max((len(_ITEM.findall(match.group())) for match in _LIST.finditer(text)), default=0)
    return f"a list of {longest} words without a sentence" if longest > LONGEST_LIST else None


def _run(text: str) -> str | None:
    longest = run = 0
    for match in _ANY_WORD.finditer(text):
        word = match.group()
        run = 0 if len(word) <= _SMALL or _is_frequent(word.lower()) else run + 1
        longest = max(longest, run)
    return f"{longest} words follow each other without one that makes a sentence" if longest > LONGEST_RUN else None


def _keywords(keywords: Sequence[str]) -> str | None:
    return f"{len(keywords)} keywords" if len(keywords) > MOST_KEYWORDS else None

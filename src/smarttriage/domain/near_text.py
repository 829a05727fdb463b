"""Whether two texts say the same in nearly the same words."""

import re

# Near-duplicates are commonly cut at a Jaccard index of .8 (Lee et al., 2022, "Deduplicating Training Data Makes Language
# Models Better", arXiv:2107.06499, there of 5-grams); short tickets have few 5-grams, so words are compared here.
NEAR = 0.8
_WORD = re.compile(r"\w+")
_DIGITS = re.compile(r"\d+")


def word_set(text: str) -> frozenset[str]:
    """Return the distinct lower-case words with every number masked."""
    return frozenset(_WORD.findall(_DIGITS.sub("0", text.lower())))


def near_identical(left: frozenset[str], right: frozenset[str], least: float = NEAR) -> bool:
    """Return whether the Jaccard index of two word sets reaches `least`; two empty ones say nothing and are not alike."""
    return bool(left) and len(left & right) >= least * len(left | right)

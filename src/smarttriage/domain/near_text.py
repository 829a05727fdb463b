"""Whether two texts say the same in nearly the same words."""

import re

# Near-duplicates are commonly cut at a Jaccard index of .8 (Lee et al., 2022, "Deduplicating Training Data Makes Language
# Models Better", arXiv:2107.06499, there of 5-grams); short tickets have few 5-grams, so words are compared here.
NEAR = 0.8
# Of a text that is only looked at while somebody waits. Mails of one kind differ in their first lines or not at all;
# benchmarks/similar.py prints what the cut costs against whole texts.
GIST_CHARS = 400
_NO_DIGITS = str.maketrans("", "", "0123456789")
_WORD = re.compile(r"\w+")
_DIGITS = re.compile(r"\d+")


def word_set(text: str) -> frozenset[str]:
    """Return the distinct lower-case words with every number masked."""
    return frozenset(_WORD.findall(_DIGITS.sub("0", text.lower())))


def near_identical(left: frozenset[str], right: frozenset[str], least: float = NEAR) -> bool:
    """Return whether the Jaccard index of two word sets reaches `least`; two empty ones say nothing and are not alike."""
    smaller, larger = sorted((len(left), len(right)))
    if not smaller or smaller < least * larger:
        return False
    n_both = len(left & right)
    return n_both >= least * (smaller + larger - n_both)


def gist(title: str, description: str) -> frozenset[str]:
    """Return the distinct lower-case words at the beginning, without digits: `word_set` at a tenth of its cost."""
    return frozenset(f"{title} {description[:GIST_CHARS]}".lower().translate(_NO_DIGITS).split())

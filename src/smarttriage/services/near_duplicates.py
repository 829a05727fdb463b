"""Clusters of texts in nearly the same words, found without comparing every pair."""

import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from itertools import islice

from smarttriage.domain.near_text import NEAR, near_identical, word_set

# A word that very many texts share among their rarest is a template's; looking at the latest of them links the template's
# texts to each other one by one, where looking at all would cost the square of their number.
MAX_LOOKED_AT = 200
# A product such as .8 * 5 may lie a hair above the whole number that it is.
_ROUNDING = 1e-9


def linked(*columns: Sequence[Hashable | None]) -> list[int]:
    """Return a number per row, counted from 0 in the order of first appearance; rows that share a value in any column share it.

    None links nothing; links go on from row to row.
    """
    parents = list(range(len(columns[0])))
    for column in columns:
        firsts: dict[Hashable, int] = {}
        for row, value in enumerate(column):
            if value is not None:
                _join(parents, firsts.setdefault(value, row), row)
    return _numbered(parents)


def cluster_texts(texts: Sequence[str], *, keys: Sequence[str] = (), least: float = NEAR) -> list[int]:
    """Return a cluster number per text, counted from 0 in the order of first appearance; near-duplicates share one.

    Two texts whose word sets have a Jaccard index of at least `least` share a rare word: sorted from rare to common, one
    stands among the first (1 - least) share of each (prefix filter: Chaudhuri, Ganti and Kaushik, 2006, ICDE; Bayardo, Ma and
    Srikant, 2007, WWW). So only texts that share such a word are compared. Clusters are closed under likeness (single
    linkage). A text without words is alike to none.

    Args:
        texts: The texts.
        keys: Where given, one per text; equal keys are near-duplicates without comparison.
        least: Jaccard index from which two texts are near-duplicates.
    """
    sets: dict[frozenset[str], int] = {}
    parents = list(range(len(texts)))
    first_of_key: dict[str, int] = {}
    for place, text in enumerate(texts):
        if not (words := word_set(text)):
            continue
        _join(parents, sets.setdefault(words, place), place)
        if keys:
            _join(parents, first_of_key.setdefault(keys[place], place), place)
    _join_similar(sets, parents, least)
    return _numbered(parents)


def _numbered(parents: list[int]) -> list[int]:
    numbers: dict[int, int] = {}
    return [numbers.setdefault(_root(parents, place), len(numbers)) for place in range(len(parents))]


def _join_similar(sets: dict[frozenset[str], int], parents: list[int], least: float) -> None:
    frequency = Counter(word for words in sets for word in words)
    seen: dict[str, list[frozenset[str]]] = defaultdict(list)
    for words in sorted(sets, key=lambda found: (len(found), sets[found])):
        rare_first = sorted(words, key=lambda word: (frequency[word], word))
        for other in _candidates(seen, rare_first, least):
            place, rival = sets[words], sets[other]
            if _root(parents, place) != _root(parents, rival) and near_identical(words, other, least):
                _join(parents, place, rival)
        # Later sets are no shorter, so a shorter prefix of this one is enough for them to meet it (Xiao et al., 2008, WWW).
        for word in rare_first[: len(words) - math.ceil(2 * least / (1 + least) * len(words) - _ROUNDING) + 1]:
            seen[word].append(words)


def _candidates(seen: dict[str, list[frozenset[str]]], rare_first: Sequence[str], least: float) -> dict[frozenset[str], None]:
    """Return the earlier sets, no longer than this one, that may reach the Jaccard index, in a fixed order."""
    found: dict[frozenset[str], None] = {}
    shortest = math.ceil(least * len(rare_first) - _ROUNDING)
    for word in rare_first[: len(rare_first) - shortest + 1]:
        for other in islice(reversed(seen[word]), MAX_LOOKED_AT) if word in seen else ():
            if len(other) < shortest:
                break  # those before it are shorter still
            found[other] = None
    return found


def _root(parents: list[int], place: int) -> int:
    while parents[place] != place:
        parents[place] = parents[parents[place]]
        place = parents[place]
    return place


def _join(parents: list[int], left: int, right: int) -> None:
    first, second = sorted((_root(parents, left), _root(parents, right)))
    parents[second] = first

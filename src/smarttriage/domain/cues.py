"""Evidence cues: which words of a text say how many are touched and how fast the damage grows. Pure Python, linear time."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import NamedTuple, TypeAlias

from smarttriage.domain.cue_patterns import N_BEGINNING, Row, Word, beginnings, expression, split_first
from smarttriage.domain.cue_tokens import COMMA, NUMBER, STOP, TIME, Token, tokens
from smarttriage.domain.cue_types import NAMED_PEOPLE, Cue, CueType
from smarttriage.domain.evidence_changes import EvidenceChange

_LINKS = frozenset({COMMA, "and", "und", "et", "en", "y", "e"})
_MAX_AFFIX = 20
_Key: TypeAlias = tuple[str, str]
_Table: TypeAlias = Mapping[_Key, Mapping[str, list[Row]]]


class _Start(NamedTuple):
    """A cue that may begin with a token, the expression of what must follow, and how that may begin.

    None: nothing must follow, or it may begin with anything. Most starts are none after a look at the beginning.
    """

    cue: str
    rest: re.Pattern[str] | None
    beginnings: frozenset[str] | None


class Lexicon:
    """Finds cues. Immutable; safe to use from many threads."""

    def __init__(
        self,
        *,
        types: Mapping[str, CueType],
        patterns: Mapping[str, tuple[Row, ...]],
        numbers: Mapping[str, int],
        negation: frozenset[str],
        window: int,
        changes: tuple[EvidenceChange, ...] = (),
    ) -> None:
        self.types = types
        self.changes = changes
        self._numbers = numbers
        self._negation = negation
        self._window = window
        self._table = _table(patterns)
        self._prefixes = _sizes(self._table, "prefix")
        self._suffixes = _sizes(self._table, "suffix")
        self._starts = lru_cache(maxsize=50_000)(self._candidates)
        self._starts_of = cache(self._made)
        # A request asks for the same text once for the features and once for each target's evidence.
        self._recent = lru_cache(maxsize=64)(self._find)

    def find(self, text: str) -> tuple[Cue, ...]:
        """Return the cues of `text` in the order of their start; finds of one type never overlap."""
        return self._recent(text)

    def _find(self, text: str) -> tuple[Cue, ...]:
        row = tokens(text, self._numbers)
        joined, offsets, ends = _joined(row)
        found = list(_named_people(row, text))
        taken: dict[str, int] = {}
        for index, token in enumerate(row):
            behind = offsets[index + 1]
            beginning = joined[behind : behind + N_BEGINNING]
            for name, rest, begins in self._starts(token.text, token.kind):
                if (begins is not None and beginning not in begins) or taken.get(name, -1) >= index:
                    continue
                last = index
                if rest is not None:
                    match = rest.match(joined, behind)
                    if match is None:
                        continue
                    last = ends.get(match.end(), index)
                kind = self.types[name]
                if kind.negatable and self._negated(row, index):
                    continue
                taken[name] = last
                value = _value(row[index : last + 1]) if kind.numbered else None
                found.append(Cue(token.start, row[last].end, name, value))
        return tuple(sorted(found, key=lambda cue: (cue.start, cue.end, cue.cue)))

    def _candidates(self, text: str, kind: str) -> tuple[_Start, ...]:
        keys = [("exact", text)]
        if kind == NUMBER:
            keys.append(("number", NUMBER))
        elif kind == TIME:
            keys.append(("time", TIME))
        else:
            keys.extend(("prefix", text[:size]) for size in self._prefixes if size <= len(text))
            keys.extend(("suffix", text[-size:]) for size in self._suffixes if size <= len(text))
        return tuple(start for key in keys if key in self._table for start in self._starts_of(key))

    def _made(self, key: _Key) -> tuple[_Start, ...]:
        """Return the starts of a first token, made when the first text has it, so that a start does not wait for all of them."""
        return tuple(_start(name, rests) for name, rests in self._table[key].items())

    def _negated(self, row: list[Token], index: int) -> bool:
        for token in reversed(row[max(0, index - self._window) : index]):
            if token.text == STOP:
                return False
            if token.text in self._negation:
                return True
        return False


def _table(patterns: Mapping[str, tuple[Row, ...]]) -> _Table:
    """Return first token -> the cues that may begin with it and what may follow."""
    rests: dict[_Key, dict[str, list[Row]]] = {}
    for name, rows in patterns.items():
        for word, rest in (pair for row in rows for pair in split_first(row)):
            rests.setdefault(_key(word), {}).setdefault(name, []).append(rest)
    return rests


def _start(name: str, rests: Sequence[Row]) -> _Start:
    sources = {expression(rest) for rest in rests}
    if sources == {""}:
        return _Start(name, None, None)
    longest_first = sorted(sources, key=lambda source: (-len(source), source))
    begins = [beginnings(rest) for rest in rests]
    known = [each for each in begins if each is not None]
    either = frozenset[str]().union(*known) if len(known) == len(begins) else None
    return _Start(name, _compiled("|".join(longest_first)), either)


@cache
def _compiled(source: str) -> re.Pattern[str]:
    """Return the expression, compiled; the same may follow several first words."""
    return re.compile(source)


def _key(word: Word) -> _Key:
    return word.kind, word.text[-_MAX_AFFIX:] if word.kind == "suffix" else word.text


def _sizes(table: _Table, kind: str) -> tuple[int, ...]:
    return tuple(sorted({len(text) for found, text in table if found == kind}))


def _joined(row: list[Token]) -> tuple[str, list[int], dict[int, int]]:
    """Return the tokens joined, each followed by a space; where each begins, and the end; and which token ends at an offset."""
    offsets, ends, at = [], {}, 0
    for index, token in enumerate(row):
        offsets.append(at)
        at += len(token.text) + 1
        ends[at] = index
    offsets.append(at)
    return "".join([token.text + " " for token in row]), offsets, ends


def _value(row: list[Token]) -> int | None:
    values = [token.value for token in row if token.value is not None]
    return max(values) if values else None


def _named_people(row: list[Token], text: str) -> Iterator[Cue]:
    """Yield rows of capitalised words joined by commas and one "and": "Sunil, Marva and Bo"."""
    index = 0
    while index < len(row):
        last, count = _names_from(row, index, text)
        if count > 1:
            yield Cue(row[index].start, row[last].end, NAMED_PEOPLE, count)
        index = last + 1


def _names_from(row: list[Token], index: int, text: str) -> tuple[int, int]:
    if not _is_name(row[index], text):
        return index, 0
    last, count, joined = index, 1, False
    while last + 2 < len(row) and row[last + 1].text in _LINKS and _is_name(row[last + 2], text):
        joined = joined or row[last + 1].text != COMMA
        last, count = last + 2, count + 1
    return last, count if joined else 0


def _is_name(token: Token, text: str) -> bool:
    if token.kind or not text[token.start].isupper():
        return False
    word = text[token.start : token.end]
    return len(word) > 1 and word[1:].islower()

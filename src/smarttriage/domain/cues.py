"""Evidence cues: which words of a text say how many are touched and how fast the damage grows. Pure Python, linear time."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from smarttriage.domain.configuration import Section
from smarttriage.domain.cue_patterns import Parser, PatternError, Row, Word, expression, split_first
from smarttriage.domain.cue_tokens import NUMBER, STOP, TIME, Token, fold, tokens

LANGUAGES = ("en", "fr", "de", "nl", "es")
NAMED_PEOPLE = "named_people"
# The order is the order of the classifier's columns; what each means stands in kb/cues.toml.
CUE_TYPES = (
    "only_me",
    "first_person",
    "we",
    "number_of_people",
    "number_of_outsiders",
    "number_of_devices",
    "number_of_sites",
    "team",
    "whole_site",
    "whole_organisation",
    "customers",
    "critical_service",
    "role_carries_group",
    "alert_scope",
    "stopped",
    "cannot",
    "no_workaround",
    "workaround_cheap",
    "nobody_hindered",
    "workaround_costly",
    "slow",
    "intermittent",
    "deadline_today",
    "deadline_this_week",
    "no_date",
    "serious_soon",
    "attack_under_way",
    "attack_blocked",
    "data_exposed",
    "cosmetic",
    "question",
    "request",
    "resolved_already",
    "goes_on",
    "tone_loud",
    "tone_calm",
    NAMED_PEOPLE,
)
_CUE_KEYS = ("about", "speaks_for", "value", "tone", "negated", *LANGUAGES)
_LINKS = frozenset({",", "and", "und", "et", "en", "y", "e"})
_MAX_AFFIX = 20


@dataclass(frozen=True, slots=True)
class Cue:
    """One find: the span [start, end) of the text, the cue type and its number (people, devices), if it has one."""

    start: int
    end: int
    cue: str
    value: int | None = None


@dataclass(frozen=True, slots=True)
class CueType:
    """One entry of the lexicon.

    Attributes:
        name: Its key, for example "number_of_people".
        about: What a find says, in words.
        speaks_for: Pairs of target and level that it is shown as evidence for.
        tone: Whether it is tone (shouting, understatement), which is never evidence.
        numbered: Whether a find carries a number.
        negatable: Whether a negation before it takes it back.
    """

    name: str
    about: str
    speaks_for: tuple[tuple[str, str], ...] = ()
    tone: bool = False
    numbered: bool = False
    negatable: bool = False


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
    ) -> None:
        self.types = types
        self._numbers = numbers
        self._negation = negation
        self._window = window
        self._table = _table(patterns)
        self._prefixes = _sizes(self._table, "prefix")
        self._suffixes = _sizes(self._table, "suffix")
        self._starts = lru_cache(maxsize=50_000)(self._candidates)

    def find(self, text: str) -> tuple[Cue, ...]:
        """Return the cues of `text` in the order of their start; finds of one type never overlap."""
        row = tokens(text, self._numbers)
        joined = "".join([token.text + " " for token in row])
        ends = {}
        at = 0
        offsets = []
        for index, token in enumerate(row):
            offsets.append(at)
            at += len(token.text) + 1
            ends[at] = index
        found: list[Cue] = []
        taken: dict[str, int] = {}
        for index, token in enumerate(row):
            for name, rest in self._starts(token.text, token.kind):
                if taken.get(name, -1) >= index:
                    continue
                last = index
                if rest is not None:
                    match = rest.match(joined, offsets[index] + len(token.text) + 1)
                    if match is None:
                        continue
                    last = ends.get(match.end(), index)
                kind = self.types[name]
                if kind.negatable and self._negated(row, index):
                    continue
                taken[name] = last
                found.append(Cue(token.start, row[last].end, name, _value(row[index : last + 1]) if kind.numbered else None))
        found.extend(_named_people(row, text))
        return tuple(sorted(found, key=lambda cue: (cue.start, cue.end, cue.cue)))

    def _candidates(self, text: str, kind: str) -> tuple[tuple[str, re.Pattern[str] | None], ...]:
        keys = [("exact", text)]
        if kind == NUMBER:
            keys.append(("number", NUMBER))
        elif kind == TIME:
            keys.append(("time", TIME))
        else:
            keys.extend(("prefix", text[:size]) for size in self._prefixes if size <= len(text))
            keys.extend(("suffix", text[-size:]) for size in self._suffixes if size <= len(text))
        return tuple(entry for key in keys for entry in self._table.get(key, ()))

    def _negated(self, row: list[Token], index: int) -> bool:
        for token in reversed(row[max(0, index - self._window) : index]):
            if token.text == STOP:
                return False
            if token.text in self._negation:
                return True
        return False


def parse_lexicon(values: Mapping[str, object], *, file: str = "cues.toml") -> Lexicon:
    """Return the lexicon of a parsed `kb/cues.toml`. Raises ConfigurationError, naming file, key and way out."""
    top = Section(values, file)
    top.only(("lists", "numbers", "negation", "cues"))
    numbers = _numbers(top.table("numbers"))
    lists = top.table("lists")
    entries = {name: lists.texts(name) for name in lists.values}
    parser = _reading(lists, "entries", lambda: Parser(lists=entries, numbers=numbers))
    negation = top.table("negation")
    negation.only(("words", "window"))
    window = negation.values.get("window", 2)
    if not isinstance(window, int) or not 0 <= window <= 9:
        negation.fail("window", f"is {window!r}; write a whole number from 0 to 9")
    types: dict[str, CueType] = {}
    patterns: dict[str, tuple[Row, ...]] = {}
    cues = top.table("cues")
    cues.only(CUE_TYPES[:-1])
    for name in cues.values:
        section = cues.table(name)
        types[name] = _cue_type(name, section)
        patterns[name] = tuple(_patterns(section, parser))
        if not patterns[name]:
            cues.fail(name, f"has no pattern; add at least one under {', '.join(LANGUAGES)}")
    types[NAMED_PEOPLE] = CueType(NAMED_PEOPLE, "several people by name", (("impact", "medium"),), numbered=True)
    words = frozenset(fold(word) for word in negation.texts("words"))
    return Lexicon(types=types, patterns=patterns, numbers=numbers, negation=words, window=window)


def _cue_type(name: str, section: Section) -> CueType:
    section.only(_CUE_KEYS)
    speaks_for = []
    for entry in section.texts("speaks_for"):
        target, colon, level = entry.partition(":")
        if not (target and colon and level):
            section.fail("speaks_for", f'holds "{entry}"; write target and level, for example "impact:high"')
        speaks_for.append((target, level))
    value = section.text("value", "none")
    if value not in ("none", "number"):
        section.fail("value", f'is "{value}"; write "number" or leave it out')
    return CueType(
        name,
        section.text("about"),
        tuple(speaks_for),
        tone=section.flag("tone", default=False),
        numbered=value == "number",
        negatable=section.flag("negated", default=False),
    )


def _patterns(section: Section, parser: Parser) -> Iterator[Row]:
    for language in LANGUAGES:
        for pattern in section.texts(language):
            yield _reading(section, language, lambda pattern=pattern: parser.parse(pattern))  # type: ignore[misc]


def _reading(section: Section, name: str, read):  # type: ignore[no-untyped-def]
    try:
        return read()
    except PatternError as error:
        section.fail(name, str(error))


def _numbers(section: Section) -> Mapping[str, int]:
    numbers: dict[str, int] = {}
    for name in section.values:
        for word, value in section.table(name).values.items():
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                section.fail(f"{name}.{word}", f"is {value!r}; write a whole number")
            numbers[fold(word)] = value
    return numbers


_Table = Mapping[tuple[str, str], tuple[tuple[str, re.Pattern[str] | None], ...]]


def _table(patterns: Mapping[str, tuple[Row, ...]]) -> _Table:
    """Return first token -> the cues that may begin with it and what must follow (None: nothing)."""
    rests: dict[tuple[str, str], dict[str, set[str]]] = {}
    for name, rows in patterns.items():
        for word, rest in (pair for row in rows for pair in split_first(row)):
            rests.setdefault(_key(word), {}).setdefault(name, set()).add(expression(rest))
    compiled = lru_cache(maxsize=None)(re.compile)
    return {
        key: tuple((name, _compile(sources, compiled)) for name, sources in by_cue.items()) for key, by_cue in rests.items()
    }


def _compile(sources: set[str], compiled) -> re.Pattern[str] | None:  # type: ignore[no-untyped-def]
    if sources == {""}:
        return None
    ordered = sorted(sources, key=lambda source: (-len(source), source))
    return compiled("|".join(ordered))


def _key(word: Word) -> tuple[str, str]:
    return word.kind, word.text[-_MAX_AFFIX:] if word.kind == "suffix" else word.text


def _sizes(table: _Table, kind: str) -> tuple[int, ...]:
    return tuple(sorted({len(text) for found, text in table if found == kind}))


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
        joined = joined or row[last + 1].text != ","
        last, count = last + 2, count + 1
    return last, count if joined else 0


def _is_name(token: Token, text: str) -> bool:
    word = text[token.start : token.end]
    return token.kind == "" and len(word) > 1 and word[0].isupper() and word[1:].islower()

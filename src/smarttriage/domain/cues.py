"""Evidence cues: which words of a text say how many are touched and how fast the damage grows. Pure Python, linear time."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from smarttriage.domain.cue_patterns import Row, Word, expression, split_first
from smarttriage.domain.cue_tokens import COMMA, NUMBER, STOP, TIME, Token, tokens

NAMED_PEOPLE = "named_people"
# The order is the order of the classifier's columns; what each means stands in kb/cues.toml.
CUE_TYPES = (
    "only_me",
    "first_person",
    "we",
    "number_of_people",
    "one_named_person",
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
    "today",
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
    "topic_connectivity",
    "topic_wifi",
    "topic_vpn",
    "topic_dns",
    "topic_internet",
    "topic_voice",
    "topic_workstation",
    "topic_printer",
    "topic_mobile",
    "topic_peripheral",
    "topic_server",
    "topic_power",
    "topic_email",
    "topic_collaboration",
    "topic_business_app",
    "topic_database",
    "topic_storage",
    "topic_operating_system",
    "topic_web",
    "topic_password",
    "topic_permissions",
    "topic_account",
    "topic_mfa_sso",
    "topic_phishing",
    "topic_malware",
    "topic_intrusion",
    "topic_data_leak",
    "topic_lost_device",
    NAMED_PEOPLE,
)
_LINKS = frozenset({COMMA, "and", "und", "et", "en", "y", "e"})
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
            for name, rest in self._starts(token.text, token.kind):
                if taken.get(name, -1) >= index:
                    continue
                last = index
                if rest is not None:
                    match = rest.match(joined, offsets[index + 1])
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


_Table = Mapping[tuple[str, str], tuple[tuple[str, re.Pattern[str] | None], ...]]


def _table(patterns: Mapping[str, tuple[Row, ...]]) -> _Table:
    """Return first token -> the cues that may begin with it and what must follow (None: nothing)."""
    rests: dict[tuple[str, str], dict[str, set[str]]] = {}
    for name, rows in patterns.items():
        for word, rest in (pair for row in rows for pair in split_first(row)):
            rests.setdefault(_key(word), {}).setdefault(name, set()).add(expression(rest))
    return {key: tuple((name, _compiled(sources)) for name, sources in by_cue.items()) for key, by_cue in rests.items()}


def _compiled(sources: set[str]) -> re.Pattern[str] | None:
    if sources == {""}:
        return None
    return re.compile("|".join(sorted(sources, key=lambda source: (-len(source), source))))


def _key(word: Word) -> tuple[str, str]:
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

"""Finds names of services and CIs in free text: one pass over the words, a dictionary of first words, host-name patterns.

A name is a name only where nothing around it says otherwise: not inside an e-mail address, a longer host name, a path or a
version; and a name that is also an everyday word ("Teams", "Mercury") only where it is written as a name or something beside
it says so ("the mercury server").
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

_WORD = re.compile(r"[^\W_]+")
# Between the words of one name; anything else only where the name itself has it.
_LOOSE = frozenset(" -_\t\n\u00a0\u2011\u2013")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*")
_HOST_PATTERN = re.compile(r"[a-z0-9][a-z0-9.\-]{2,}(?:[*#][a-z0-9.\-*#]*)?", re.IGNORECASE)
# A host name as it stands in a text, its domain included.
_HOST = re.compile(
    r"(?:(?<=://)|(?<=\\\\)|(?<![\w@./\\-]))[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9-]+)*(?![\w@-])", re.IGNORECASE
)
_DOMAIN = re.compile(r"(?:\.[a-z][a-z0-9-]*)+(?![\w.@-])", re.IGNORECASE)
_CLOSING = ".,;:!?)]}>\"'\u201c\u201d\u2019\u00bb*"
_OPENING = "([{<\"'\u201e\u201c\u00ab*"


@dataclass(frozen=True, slots=True)
class NameMatch:
    """A name in a text: whose it may be, and where; several items may share a name."""

    ids: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Named:
    """What an item is called."""

    id: str
    names: tuple[str, ...]
    host_patterns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NameWords:
    """What tells names from words.

    Attributes:
        common: Everyday words, folded; a name that is one of them needs a sign that it is meant.
        nouns: Those of them that are written with a capital letter anyway, as German nouns are.
        signs: Words, folded, that behind such a name say that a system is meant ("server", "outage").
        before: Words, folded, that say so before it ("Microsoft").
        between: Words, folded, that may stand between a name and its sign ("is").
    """

    common: frozenset[str] = frozenset()
    nouns: frozenset[str] = frozenset()
    signs: frozenset[str] = frozenset()
    before: frozenset[str] = frozenset()
    between: frozenset[str] = frozenset()


NO_WORDS = NameWords()


@dataclass(slots=True)
class _Name:
    """A name as a sequence of words, and what must stand between them."""

    words: tuple[str, ...]
    between: tuple[str, ...]
    written: str
    ids: list[str]
    needs_sign: bool


class ItemNames:
    """The names of one tenant's items. Immutable; safe to use from many threads."""

    def __init__(self, named: Iterable[Named], words: NameWords = NO_WORDS) -> None:
        self._words = words
        # First word -> how long the names are that begin with it; the longest first, so that thousands may share it.
        self._lengths: dict[str, list[int]] = {}
        self._by_words: dict[tuple[str, ...], list[_Name]] = {}
        self._patterns: dict[str, list[tuple[re.Pattern[str], str]]] = {}
        known: dict[tuple[tuple[str, ...], tuple[str, ...]], _Name] = {}
        for each in named:
            for name in each.names:
                self._add(name, each.id, known)
            for pattern in each.host_patterns:
                prefix = re.split(r"[*#]", pattern, maxsplit=1)[0].casefold()
                self._patterns.setdefault(prefix, []).append((_host_pattern(pattern), each.id))
        for lengths in self._lengths.values():
            lengths.sort(reverse=True)
        self._prefixes = sorted({len(prefix) for prefix in self._patterns})

    def find(self, text: str) -> list[NameMatch]:
        """Return the names in the text, in order; of overlapping ones the longest that begins first."""
        if not self._by_words and not self._patterns:
            return []
        reading = _Reading.of(text)
        found: list[NameMatch] = []
        at = 0
        while at < len(reading.words):
            name = self._name_at(reading, at)
            if name is not None:
                found.append(NameMatch(tuple(name.ids), *reading.span(name, at)))
            at += len(name.words) if name else 1
        return _with_hosts(found, self._hosts(reading)) if self._patterns else found

    def _add(self, name: str, item_id: str, known: dict[tuple[tuple[str, ...], tuple[str, ...]], _Name]) -> None:
        pieces = list(_WORD.finditer(name))
        if not pieces or (len(pieces) == 1 and len(pieces[0].group()) == 1):
            return
        words = tuple(piece.group().casefold() for piece in pieces)
        between = tuple(name[a.end() : b.start()].strip() or " " for a, b in pairwise(pieces))
        entry = known.get((words, between))
        if entry is None:
            needs_sign = len(words) == 1 and (words[0] in self._words.common or words[0].isdigit())
            entry = known[words, between] = _Name(words, between, name.strip(), [], needs_sign)
            self._by_words.setdefault(words, []).append(entry)
            lengths = self._lengths.setdefault(words[0], [])
            if len(words) not in lengths:
                lengths.append(len(words))
        if item_id not in entry.ids:
            entry.ids.append(item_id)

    def _name_at(self, reading: "_Reading", at: int) -> _Name | None:
        """Return the longest name that begins at this word."""
        for length in self._lengths.get(reading.words[at][0], ()):
            words = tuple(word for word, _, _ in reading.words[at : at + length])
            for name in self._by_words.get(words, ()):
                if reading.has(name, at, self._words):
                    return name
        return None

    def _hosts(self, reading: "_Reading") -> list[NameMatch]:
        found = []
        for match in _HOST.finditer(reading.text):
            host = match.group().casefold()
            candidates = [each for n in self._prefixes for each in self._patterns.get(host[:n], ())]
            if not candidates or reading.in_mail(match.start(), match.end()):
                continue
            short = host.split(".", 1)[0]
            for pattern, item_id in candidates:
                whole = pattern.fullmatch(host)
                if whole or pattern.fullmatch(short):
                    end = match.end() if whole else match.start() + len(short)
                    found.append(NameMatch((item_id,), match.start(), end))
        return found


@dataclass(frozen=True, slots=True)
class _Reading:
    """A text cut into words (folded, start, end), and where it has e-mail addresses."""

    text: str
    words: Sequence[tuple[str, int, int]]
    mails: Sequence[tuple[int, int]]

    @classmethod
    def of(cls, text: str) -> "_Reading":
        mails = [match.span() for match in _MAIL.finditer(text)] if "@" in text else []
        return cls(text, [(match.group().casefold(), match.start(), match.end()) for match in _WORD.finditer(text)], mails)

    def span(self, name: _Name, at: int) -> tuple[int, int]:
        return self.words[at][1], self.words[at + len(name.words) - 1][2]

    def in_mail(self, start: int, end: int) -> bool:
        return any(start < stop and begin < end for begin, stop in self.mails)

    def has(self, name: _Name, at: int, words: NameWords) -> bool:
        """Return whether the name begins at this word and is meant as one."""
        if not self._spells(name, at):
            return False
        start, end = self.span(name, at)
        if self.in_mail(start, end) or not _stands_alone(self.text, start, end):
            return False
        return not name.needs_sign or self._is_meant(name, at, words)

    def _spells(self, name: _Name, at: int) -> bool:
        if at + len(name.words) > len(self.words):
            return False
        for i, (word, wanted) in enumerate(zip(name.words[1:], name.between, strict=True), at + 1):
            if self.words[i][0] != word or not _joins(self.text[self.words[i - 1][2] : self.words[i][1]], wanted):
                return False
        return True

    def _is_meant(self, name: _Name, at: int, words: NameWords) -> bool:
        """Return whether an everyday word is used as a name: a sign beside it, or written like one inside a sentence."""
        _, start, end = self.words[at]
        if at > 0 and self.words[at - 1][0] in words.before and self._side_by_side(at - 1, at):
            return True
        behind = at + 1
        if behind < len(self.words) and self.words[behind][0] in words.between:
            behind += 1
        if behind < len(self.words) and self.words[behind][0] in words.signs and self._side_by_side(at, behind):
            return True
        return name.words[0] not in words.nouns and _written_as_name(self.text, start, end, name.written)

    def _side_by_side(self, first: int, second: int) -> bool:
        return not any(sign in self.text[self.words[first][2] : self.words[second][1]] for sign in ".!?;:,\n")


def is_host_pattern(pattern: str) -> bool:
    """Return whether it begins with enough fixed characters to be looked up, and has only characters of host names."""
    return _HOST_PATTERN.fullmatch(pattern) is not None


def _host_pattern(pattern: str) -> re.Pattern[str]:
    parts = {"*": r"[a-z0-9-]*", "#": r"\d"}
    return re.compile("".join(parts.get(sign, re.escape(sign)) for sign in pattern.casefold()))


def _joins(gap: str, wanted: str) -> bool:
    """Return whether what stands between two words may stand inside a name: a loose sign for a loose one, else the very same."""
    if wanted[0] in _LOOSE and len(wanted) == 1:
        return gap == "" or (len(gap) == 1 and gap in _LOOSE)
    return gap.strip() == wanted


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Return whether the place is no part of something longer: a host name, a path, a version, another machine's name."""
    first, last = start, end
    while first > 0 and not text[first - 1].isspace():
        first -= 1
    while last < len(text) and not text[last].isspace():
        last += 1
    before, after = text[first:start], text[end:last].rstrip(_CLOSING)
    if not before and not after:
        return True
    host_like = any(sign.isdigit() for sign in text[start:end])
    n_slashes = text.count("/", first, last)
    return _free_before(before, host_like, n_slashes) and _free_after(
        after, host_like, n_slashes, before.endswith(("://", "\\\\"))
    )


def _free_before(before: str, host_like: bool, n_slashes: int) -> bool:
    if not before or before.endswith(("://", "\\\\")):
        return True
    rest, sign = before[:-1], before[-1]
    if "\\" in rest or "@" in before or "/" in rest or sign in "._\\":
        return False
    if sign == "/":
        return n_slashes == 1 and rest.isalpha()
    if sign == "-":
        return not rest or (not host_like and rest.rsplit("-", 1)[-1].lstrip(_OPENING).isalpha())
    return True


def _free_after(after: str, host_like: bool, n_slashes: int, is_host: bool) -> bool:
    if not after:
        return True
    sign, rest = after[0], after[1:]
    if sign == ".":
        # A machine keeps its name in front of its domain; a word in front of one is somebody's web site.
        return host_like and _DOMAIN.match(after) is not None
    if sign == "-":
        return not host_like and rest.replace("-", "").isalpha()
    if sign == "/":
        return is_host or (n_slashes == 1 and rest.isalpha())
    if sign == "\\":
        return is_host
    return sign not in "_@"


def _written_as_name(text: str, start: int, end: int, written: str) -> bool:
    """Return whether the word is spelt as the name is, which is not all lower case, where a plain word would be small."""
    if text[start:end] != written or written.islower():
        return False
    line = text[text.rfind("\n", 0, start) + 1 : (text.find("\n", end) + 1 or len(text) + 1) - 1]
    if line.isupper():
        return False
    before = text[:start].rstrip()
    return bool(before) and before[-1] not in ".!?:;\n\"'(>-*\u201c" and "\n" not in text[len(before) : start]


def _with_hosts(found: Sequence[NameMatch], hosts: Sequence[NameMatch]) -> list[NameMatch]:
    """Return the matches in order; a name that was found exactly goes before a pattern over the same place."""
    merged: dict[tuple[int, int], list[str]] = {}
    for host in hosts:
        if not any(host.start < other.end and other.start < host.end for other in found):
            merged.setdefault((host.start, host.end), []).extend(host.ids)
    by_pattern = [NameMatch(tuple(dict.fromkeys(ids)), start, end) for (start, end), ids in merged.items()]
    return sorted([*found, *by_pattern], key=lambda match: match.start)

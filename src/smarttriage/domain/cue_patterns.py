"""The small pattern language of `kb/cues.toml`: rows of words with lists, gaps, numbers and bounded repetition only.

A pattern is split into its possible first tokens and the rest. A text's token selects the patterns that can begin there by
dictionary, and only their rests are matched, by a regular expression without unbounded repetition over tokens; so the time is
linear in the text.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from string import digits

from smarttriage.domain.cue_tokens import NUMBER, TIME, tokens

_PART = re.compile(r"\s*(<n>|<time>|~\d|[\[\]()|?]|\{[a-z_]+\}|\*?[^\s\[\]()|?{}<>~*]+\*?|\*)")
_WORD = r"[^ .,:]{1,40} "
N_BEGINNING = 2
_NUMBER_BEGINNINGS = frozenset(first + second for first in digits for second in f"{digits} ")


class PatternError(ValueError):
    """A pattern that cannot be read; the message says what to write instead."""


@dataclass(frozen=True, slots=True)
class Word:
    """One token: a literal, or a beginning or an end of a word."""

    text: str
    kind: str = "exact"  # exact | prefix | suffix | number | time | any


@dataclass(frozen=True, slots=True)
class Gap:
    """Up to `size` words of any kind."""

    size: int


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several rows."""

    rows: tuple[tuple["Node", ...], ...]


Node = Word | Gap | Choice
Row = tuple[Node, ...]


class Parser:
    """Reads patterns, given the named lists and the number words."""

    def __init__(self, *, lists: Mapping[str, Sequence[str]], numbers: Mapping[str, int]) -> None:
        self._numbers = numbers
        self._lists = {
            name: Choice(tuple(row for entry in dict.fromkeys(entries) for row in self._words(entry)))
            for name, entries in lists.items()
        }

    def parse(self, pattern: str) -> Row:
        """Return the parsed pattern. Raises PatternError if it cannot be read or begins with anything but a word."""
        parts = _parts(pattern)
        row, rest = self._rows(parts, 0, closing="")
        if rest != len(parts):
            raise PatternError(f'"{pattern}": {parts[rest]!r} closes nothing; remove it or open it before')
        result = _single(row)
        for word, _ in split_first(result):
            if word.kind == "any":
                raise PatternError(f'"{pattern}" begins with a gap or *; begin with a word, a list or <n>')
        return result

    def _rows(self, parts: Sequence[str], at: int, *, closing: str) -> tuple[Choice, int]:
        rows: list[list[Node]] = [[]]
        while at < len(parts) and parts[at] not in (")", "]"):
            part = parts[at]
            if part == "|":
                rows.append([])
            elif part == "?":
                if not rows[-1]:
                    raise PatternError('"?" stands behind nothing; put it behind a group in round brackets')
                rows[-1][-1] = Choice(((rows[-1][-1],), ()))
            elif part in "([":
                close = ")" if part == "(" else "]"
                choice, at = self._rows(parts, at + 1, closing=close)
                rows[-1].append(choice if close == ")" else Choice((*choice.rows, ())))
            else:
                rows[-1].extend(self._nodes(part))
            at += 1
        if closing and (at == len(parts) or parts[at] != closing):
            raise PatternError(f'a bracket is not closed; add "{closing}"')
        return Choice(tuple(tuple(row) for row in rows)), at

    def _nodes(self, part: str) -> Row:
        if part[0] == "{":
            name = part[1:-1]
            if name not in self._lists:
                raise PatternError(f"{part} names no list; use one of {', '.join(sorted(self._lists))} or add it to [lists]")
            return (self._lists[name],)
        if part[0] == "~":
            return (Gap(int(part[1])),)
        marks = {"<n>": Word(NUMBER, "number"), "<time>": Word(TIME, "time"), "*": Word("", "any")}
        return (marks[part],) if part in marks else _single(Choice(tuple(self._words(part))))

    def _words(self, entry: str) -> Iterator[Row]:
        row: list[Node] = []
        for piece in entry.split():
            bare = piece.strip("*")
            pieces: list[Node] = [Word(token.text) for token in tokens(bare, self._numbers)]
            if not pieces:
                raise PatternError(f'"{entry}" holds no word; write letters or digits')
            if piece.endswith("*"):
                pieces[-1] = Word(_text(pieces[-1]), "prefix")
            if piece.startswith("*"):
                pieces[0] = Word(_text(pieces[0]), "suffix")
            row.extend(pieces)
        yield tuple(row)


def split_first(row: Row) -> Iterator[tuple[Word, Row]]:
    """Yield each possible first token of `row` with what may follow it."""
    if not row:
        return
    head, rest = row[0], row[1:]
    if isinstance(head, Word):
        yield head, rest
    elif isinstance(head, Gap):
        yield Word("", "any"), rest
    else:
        for choice in head.rows:
            yield from split_first(choice + rest)


def expression(row: Row) -> str:
    """Return the regular expression of a row over tokens that are each followed by one space."""
    return "".join(map(_expression, row))


def _expression(node: Node) -> str:
    if isinstance(node, Gap):
        return f"(?:{_WORD}){{0,{node.size}}}?"
    if isinstance(node, Choice):
        rows = sorted({expression(row) for row in node.rows}, key=lambda source: (-len(source), source))
        return f"(?:{'|'.join(rows)})"
    escaped = re.escape(node.text)
    return {
        "exact": f"{escaped} ",
        "prefix": f"{escaped}[^ .]{{0,40}} ",
        "suffix": f"[^ .]{{0,40}}?{escaped} ",
        "number": r"[0-9]{1,12} ",
        "time": f"{TIME} ",
        "any": _WORD,
    }[node.kind]


def beginnings(row: Row) -> frozenset[str] | None:
    """Return the first `N_BEGINNING` characters of all that the expression of a row matches; None where that may be anything."""
    found: set[str] = set()
    for word, _ in split_first((*row, Word("", "any"))):
        if word.kind in ("any", "suffix") or (word.kind == "prefix" and len(word.text) < N_BEGINNING):
            return None
        found |= _NUMBER_BEGINNINGS if word.kind == "number" else {f"{word.text} "[:N_BEGINNING]}
    return frozenset(found)


def _parts(pattern: str) -> list[str]:
    parts, at = [], 0
    pattern = pattern.rstrip()
    while at < len(pattern):
        match = _PART.match(pattern, at)
        if match is None:
            raise PatternError(f'"{pattern}": cannot read {pattern[at:].strip()!r}; see the head of the file for what is allowed')
        parts.append(match[1])
        at = match.end()
    if not parts:
        raise PatternError("is empty; write at least one word")
    return parts


def _single(choice: Choice) -> Row:
    return choice.rows[0] if len(choice.rows) == 1 else (choice,)


def _text(node: Node) -> str:
    return node.text if isinstance(node, Word) else ""

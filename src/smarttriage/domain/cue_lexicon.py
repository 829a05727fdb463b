"""Reading `kb/cues.toml`, which people edit: every error names the file, the key and the way out."""

from collections.abc import Iterator, Mapping

from smarttriage.domain.configuration import Section
from smarttriage.domain.cue_patterns import Parser, PatternError, Row
from smarttriage.domain.cue_tokens import fold
from smarttriage.domain.cue_types import CUE_TYPES, NAMED_PEOPLE, CueType
from smarttriage.domain.cues import Lexicon
from smarttriage.domain.evidence_changes import parse_changes

LANGUAGES = ("en", "fr", "de", "nl", "es")
_CUE_KEYS = ("about", "speaks_for", "value", "tone", "negated", *LANGUAGES)


def parse_lexicon(values: Mapping[str, object], *, file: str = "cues.toml") -> Lexicon:
    """Return the lexicon of a parsed `kb/cues.toml`. Raises ConfigurationError, naming file, key and way out."""
    top = Section(values, file)
    top.only(("lists", "numbers", "negation", "cues", "changes"))
    numbers = _numbers(top.table("numbers"))
    lists = top.table("lists")
    entries = {name: lists.texts(name) for name in lists.values}
    parser = _parser(lists, entries, numbers)
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
    changes = parse_changes(top)
    return Lexicon(types=types, patterns=patterns, numbers=numbers, negation=words, window=window, changes=changes)


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


def _parser(section: Section, entries: Mapping[str, tuple[str, ...]], numbers: Mapping[str, int]) -> Parser:
    for name, words in entries.items():
        try:
            Parser(lists={name: words}, numbers=numbers)
        except PatternError as error:
            section.fail(name, str(error))
    return Parser(lists=entries, numbers=numbers)


def _patterns(section: Section, parser: Parser) -> Iterator[Row]:
    for language in LANGUAGES:
        for pattern in section.texts(language):
            try:
                yield parser.parse(pattern)
            except PatternError as error:
                section.fail(language, str(error))


def _numbers(section: Section) -> Mapping[str, int]:
    numbers: dict[str, int] = {}
    for name in section.values:
        for word, value in section.table(name).values.items():
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                section.fail(f"{name}.{word}", f"is {value!r}; write a whole number")
            numbers[fold(word)] = value
    return numbers

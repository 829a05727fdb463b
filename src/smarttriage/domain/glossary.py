"""IT words of other languages in English, so that an incident in German finds an English article. See kb/glossary.toml."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from smarttriage.domain.configuration import Section
from smarttriage.domain.cue_tokens import fold

# Languages that write compounds in one word; in others a split would be chance.
COMPOUNDING = frozenset({"de", "nl"})
LINKS = ("", "s", "n", "en", "es", "e", "er")
# What may follow a stem: endings of verbs and plurals have no more letters in these languages.
MAX_ENDING = 6
MIN_STEM = 3
MIN_PART = 3
# A compound of more characters is none; the time to split grows with the square of the length.
MAX_COMPOUND = 40
_PHRASE = re.compile(r"[_'’]")
_WORD = re.compile(r"(?<![\w.:/\\@-])[^\W\d_]+(?:-[^\W\d_]+)*(?![\w@\\/]|[.:-]\w)")


@dataclass(frozen=True, slots=True)
class Gloss:
    """A text in English as far as the glossary goes.

    Attributes:
        text: The text with known words in English; what is not known (names, codes, host names) stands as it was.
        pairs: (word as written, English) for each word that was translated, each once, in their order.
    """

    text: str
    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The words of one language, folded.

    Attributes:
        words: Word -> English; "" for small words that say nothing.
        stems: Beginning of words -> English.
        phrases: First word -> (all words, English), longest first.
        compounds: Whether words are also looked up part by part.
    """

    words: Mapping[str, str]
    stems: Mapping[str, str]
    phrases: Mapping[str, tuple[tuple[tuple[str, ...], str], ...]]
    compounds: bool

    def english(self, word: str) -> str | None:
        """Return the English of a folded word, None where it is not known."""
        if (found := self._one(word)) is not None:
            return found
        if "-" in word:
            parts = [self.english(part) for part in word.split("-") if part]
            known = [part for part in parts if part is not None]
            return " ".join(known) if len(known) == len(parts) else None
        return self._compound(word) if self.compounds and len(word) <= MAX_COMPOUND else None

    def _one(self, word: str) -> str | None:
        if (found := self.words.get(word)) is not None:
            return found
        for length in range(len(word), max(MIN_STEM, len(word) - MAX_ENDING) - 1, -1):
            if (found := self.stems.get(word[:length])) is not None:
                return found
        return None

    def _compound(self, word: str) -> str | None:
        """Return the English of the longest first part and the rest; small words are no parts."""
        for at in range(len(word) - MIN_PART, MIN_PART - 1, -1):
            if not (first := self._part(word[:at])):
                continue
            rest = word[at:]
            if second := self._one(rest) or (self._compound(rest) if len(rest) > MIN_PART else None):
                return f"{first} {second}"
        return None

    def _part(self, part: str) -> str | None:
        for link in LINKS:
            if part.endswith(link) and len(stem := part[: len(part) - len(link)]) >= MIN_PART:
                found = self.words.get(stem) or self.stems.get(stem)
                if found:
                    return found
        return None


@dataclass(frozen=True, slots=True)
class Glossary:
    """Lexicons by language code; empty where nothing is translated."""

    lexicons: Mapping[str, Lexicon]

    def gloss(self, text: str, language: str | None) -> Gloss | None:
        """Return the text in English, or None if its language has no lexicon or none of its words is known."""
        lexicon = self.lexicons.get(language or "")
        if lexicon is None:
            return None
        pairs: dict[str, str] = {}
        pieces, last, skip_to = [], 0, 0
        matches = list(_WORD.finditer(text))
        folded = [fold(match.group()) for match in matches]
        for at, match in enumerate(matches):
            if at < skip_to:
                continue
            n_words, english = _at(lexicon, folded, at)
            if english is None:
                continue
            end = matches[at + n_words - 1].end()
            pieces += [text[last : match.start()], english]
            last, skip_to = end, at + n_words
            written = " ".join(text[match.start() : end].split())
            if english and english != written.lower():
                pairs.setdefault(written, english)
        pieces.append(text[last:])
        return Gloss("".join(pieces), tuple(pairs.items())) if pairs else None


def _at(lexicon: Lexicon, folded: list[str], at: int) -> tuple[int, str | None]:
    """Return how many words from `at` on are one entry, and its English."""
    for words, english in lexicon.phrases.get(folded[at], ()):
        if tuple(folded[at : at + len(words)]) == words:
            return len(words), english
    return 1, lexicon.english(folded[at])


NO_GLOSSARY = Glossary({})


def parse_glossary(values: Mapping[str, Any], *, file: str = "glossary.toml") -> Glossary:
    """Return the glossary of a parsed `kb/glossary.toml`. Raises ConfigurationError, naming file and key.

    A table for each language, a line for each English word: `"printer" = "drucker druck* multi_gerät"`. A star stands for any
    ending, an underscore for the blank in a phrase; the line `""` lists small words that are dropped.
    """
    top = Section(values, file)
    return Glossary({code: _lexicon(top.table(code), compounds=code in COMPOUNDING) for code in values})


def _lexicon(section: Section, *, compounds: bool) -> Lexicon:
    words: dict[str, str] = {}
    stems: dict[str, str] = {}
    phrases: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for english in section.values:
        for entry in section.text(english).split():
            folded = fold(entry)
            if _PHRASE.search(folded):
                several = tuple(_PHRASE.split(folded))
                phrases.setdefault(several[0], []).append((several, english))
            elif folded.endswith("*"):
                stems.setdefault(folded[:-1], english)
            else:
                words.setdefault(folded, english)
    ordered = {first: tuple(sorted(found, key=lambda each: -len(each[0]))) for first, found in phrases.items()}
    return Lexicon(words, stems, ordered, compounds)

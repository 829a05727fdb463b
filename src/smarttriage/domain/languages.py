"""Which language a text is in, by the small words and letters that languages do not share; unsure is None."""

import unicodedata
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from smarttriage.domain.cue_tokens import fold

# Two different words: one alone may be a name or a product. Chosen on the dev half of benchmarks/data/dont_know.jsonl.
MIN_WORDS = 2
MIN_SHARE = 0.15
MIN_FOREIGN_LETTERS = 4
_FIRST_OTHER_SCRIPT = 0x370
_LATIN_AGAIN = range(0x1E00, 0x1F00)
_SYMBOLS = range(0x2000, 0x2E80)
_EDGES = ".,;:!?()[]{}<>\"'«»„“”‚‘’…*-–—¿¡"


@dataclass(frozen=True, slots=True)
class Profile:
    """What gives a language away.

    Attributes:
        supported: Whether the shipped encoder and models read it.
        words: Its small words, folded.
        letters: Letters that few other languages use, lower case.
    """

    supported: bool
    words: frozenset[str]
    letters: frozenset[str]


@dataclass(frozen=True, slots=True)
class Languages:
    """Profiles by language code, the small words of all supported languages, and small word -> codes of those that have it."""

    profiles: Mapping[str, Profile]
    shared: frozenset[str]
    speakers: Mapping[str, tuple[str, ...]]
    _recent: Callable[[str], str | None] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Remember the last answers; a suggestion asks for the language of its text several times."""
        object.__setattr__(self, "_recent", lru_cache(maxsize=64)(self._detect))

    @classmethod
    def of(cls, profiles: Mapping[str, Profile]) -> "Languages":
        """Return the languages; a small word of a supported one speaks for no other."""
        speakers: dict[str, tuple[str, ...]] = {}
        for code, profile in profiles.items():
            for word in profile.words:
                speakers[word] = (*speakers.get(word, ()), code)
        shared = frozenset[str]().union(*(profile.words for profile in profiles.values() if profile.supported))
        return cls(profiles, shared, speakers)

    def detect(self, text: str) -> str | None:
        """Return the code of the text's language, "script:NAME" for another script than Latin, or None where it is unclear.

        A language that is not supported needs twice the evidence of every supported one: a wrong refusal costs more than a
        missed one.
        """
        return self._recent(text)

    def _detect(self, text: str) -> str | None:
        if (script := foreign_script(text)) is not None:
            return f"script:{script}"
        raw = _plain_words(text)
        words = {fold(word) for word in raw}
        spoken: dict[str, list[str]] = {}
        for word in words:
            for code in self.speakers.get(word, ()):
                spoken.setdefault(code, []).append(word)
        supported = {code: len(spoken.get(code, ())) for code, profile in self.profiles.items() if profile.supported}
        best = max(supported, key=lambda code: supported[code], default=None)
        most = supported[best] if best is not None else 0
        foreign = {
            code: evidence
            for code, profile in self.profiles.items()
            if not profile.supported
            and code in spoken
            and (evidence := _foreign_evidence(profile, spoken[code], raw, self.shared))
        }
        other = max(foreign, key=lambda code: foreign[code], default=None)
        if other is not None and foreign[other] >= max(MIN_WORDS, 2 * most, MIN_SHARE * len(words)):
            return other
        return best if most >= 1 else None

    def unreadable(self, text: str, understood: Collection[str] = ()) -> bool:
        """Return whether the text is in a language that is neither supported nor among those that the model was trained on."""
        code = self.detect(text)
        if code is None or code in understood:
            return False
        profile = self.profiles.get(code)
        return profile is None or not profile.supported


def foreign_script(text: str) -> str | None:
    """Return the Unicode script (first word of the letters' names) that at least half of the letters are in, unless Latin."""
    if text.isascii():
        return None
    letters = [character for character in text if character.isalpha()]
    others = [character for character in letters if _is_foreign(character)]
    if len(others) < MIN_FOREIGN_LETTERS or 2 * len(others) < len(letters):
        return None
    names = [unicodedata.name(character, "UNKNOWN").split()[0] for character in others]
    return max(sorted(set(names)), key=names.count)


def _plain_words(text: str) -> list[str]:
    """Return the words that hold letters only; host names, paths and codes are in no language."""
    found: list[str] = []
    for token in text.split():
        if token.isalpha():
            found.append(token)
        else:
            found += filter(str.isalpha, token.strip(_EDGES).replace("’", "'").split("'"))
    return found


@lru_cache(maxsize=10_000)
def _is_foreign(character: str) -> bool:
    code = ord(character)
    if code < _FIRST_OTHER_SCRIPT or code in _LATIN_AGAIN or code in _SYMBOLS:
        return False
    return not unicodedata.name(character, "").startswith(("LATIN", "FULLWIDTH LATIN", "MATHEMATICAL", "MODIFIER"))


def _foreign_evidence(profile: Profile, spoken: Collection[str], words: Collection[str], shared: Collection[str]) -> int:
    """Return how many different words speak for the language alone; letters count only beside one of its small words.

    `spoken` are the text's small words of the language, each once. A capital inside a text is mostly a name: Łukasz may write English.
    """
    small = {word for word in spoken if word not in shared}
    if not small:
        return 0
    marked = {fold(word) for word in words if word.islower() and not profile.letters.isdisjoint(word)}
    return len(small | marked) + (len(spoken) - len(small) + 1) // 2

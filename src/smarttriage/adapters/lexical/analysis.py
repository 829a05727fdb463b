"""The one analyser of indexing and querying: text to search terms."""

import re
import unicodedata
from functools import lru_cache

import tantivy

# Longer runs (base64, hashes of hashes) are searched by nobody; tantivy itself would drop them at 65,530 bytes.
MAX_TERM_CHARS = 64
# About 3,000 words; a log dump behind them would only dilute the words in front, and cost time.
MAX_TEXT_CHARS = 20_000
_COMPOUND = re.compile(r"[^\W_]+(?:[._:/\\@#+'’-]{1,2}[^\W_]+)*")
_PART = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_APOSTROPHES = re.compile(r"['’]s?$|['’]")


def terms(text: str) -> list[str]:
    """Return the search terms of a text in their order: lower-cased, ASCII-folded, English words by their stem.

    An identifier (letters with digits, or parts joined by punctuation, or camel case) gives itself whole and its parts, so
    that 0x80070005, ORA-01555 and host-01.example.com are found exactly and by what they are made of.
    """
    found: list[str] = []
    for match in _COMPOUND.finditer(text[:MAX_TEXT_CHARS]):
        found += _terms_of(match.group())
    return found


@lru_cache(maxsize=65_536)
def _terms_of(token: str) -> tuple[str, ...]:
    parts = [part for part in _PART.findall(_APOSTROPHES.sub("", token)) if len(part) <= MAX_TERM_CHARS]
    found = [_stem(_fold(part)) for part in parts]
    if len(parts) > 1 and len(token) <= MAX_TERM_CHARS:
        found.append(_fold(token))
    for part in parts:
        pieces = _CAMEL.findall(part) if part.isascii() and part.isalnum() else []
        if len(pieces) > 1:
            found += [_stem(piece.lower()) for piece in pieces if len(piece) > 1]
    return tuple(term for term in found if term)


def _fold(token: str) -> str:
    decomposed = unicodedata.normalize("NFKD", token.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char)).encode("utf-8", "replace").decode("utf-8")


_STEMMER = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.raw()).filter(tantivy.Filter.stemmer("english")).build()


def _stem(token: str) -> str:
    if not token.isalpha():
        return token
    stems = _STEMMER.analyze(token)
    return stems[0] if stems else token

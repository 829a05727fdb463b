"""What a resolution note gives away about itself, as a few numbers that a person can check, and the model that weighs them."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from smarttriage.domain.errors import ConfigurationError
from smarttriage.domain.resolution_note import words_of

# A note that has said nothing in its first page will not say it on the second.
MAX_READ_CHARS = 4_000
_MANY_TELLING = 8
_MANY_CODES = 3
_WORD_SCALE = 4.0

# What is copied from a machine: paths, commands' options, versions, addresses, codes, host names, what stands in quotes.
_CODE = re.compile(
    r"[\w.-]*[\\/][\w\\/.%-]+|[A-Za-z]+[-_]?\d[\w.-]*|\d+(?:[.,:]\d+)+|\b\d+\b|[A-Z]{2,}[\w-]*|\w+\.[a-z]{2,}|--\w+"
    r"|\"[^\"\n]{1,80}\"|«[^»\n]{1,80}»|>\s?\w"
)
_NEGATION = re.compile(
    r"\b(?:no|not|never|nothing|none|couldn't|didn't|unknown|nobody|without|kein\w*|nicht|unbekannt|pas|aucun\w*|impossible|rien|malgré"
    r"|geen|niet|niets|sin|ningun\w*|nada)\b",
    re.IGNORECASE,
)
_OTHERS = re.compile(
    r"\b(?:team|vendor|provider|supplier|colleague\w*|guys|line|level|herself|himself|itself|they|someone|kolleg\w*|abteilung|fachabteilung"
    r"|fachbereich|lieferant\w*|équipe|opérateur|fournisseur|niveau|entre-temps|leverancier|lijn|zelf|vanzelf|proveedor|compañer\w*|nivel"
    r"|solo)\b",
    re.IGNORECASE,
)
_PERSON = re.compile(
    r"\b(?:user\w*|customer\w*|client\w*|caller|she|he|her|him|anwender\w*|benutzer\w*|kund\w*|utilisat\w*|gebruik\w*|beller|klant\w*"
    r"|usuari\w*)\b",
    re.IGNORECASE,
)
_RESTART = re.compile(
    r"\b(?:re-?boot\w*|re-?start\w*|power\s?cycl\w*|neustart|neu gestartet|redémarr\w*|herstart\w*|opnieuw opgestart|reinici\w*"
    r"|off and on|aus- und ein\w*|uit en weer aan)\b",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"\b(?:clos\w+|ticket|duplicate|geschlossen|siehe|see|clôtur\w*|ferm\w*|sluit|gesloten|melding|cierra|cerrad\w*|duplicad\w*|dubbele"
    r"|double)\b",
    re.IGNORECASE,
)
FEATURES = (
    *("follows_rules", "telling_words", "names_an_action", "length", "share_closing", "codes"),
    *("negation", "others_did_it", "names_a_person", "restart", "closes_a_ticket"),
)


def features(note: str) -> dict[str, float]:
    """Return each of `FEATURES`, 0 to about 1."""
    read = note[:MAX_READ_CHARS]
    words = words_of(read)
    n_plain = max(1, words.n_words - words.n_binding)
    found = {
        "follows_rules": words.follows_rules,
        "telling_words": min(len(words.telling), _MANY_TELLING) / _MANY_TELLING,
        "names_an_action": words.acts,
        "length": math.log1p(words.n_words) / _WORD_SCALE,
        "share_closing": words.n_closing / n_plain,
        "codes": min(len(_CODE.findall(read)), _MANY_CODES) / _MANY_CODES,
        "negation": says_no(read),
        "others_did_it": names_others(read),
        "names_a_person": _PERSON.search(read) is not None,
        "restart": restarts(read),
        "closes_a_ticket": _CLOSING.search(read) is not None,
    }
    return {name: float(value) for name, value in found.items()}


def restarts(note: str) -> bool:
    """Return whether something was switched off and on."""
    return _RESTART.search(note) is not None


def names_others(note: str) -> bool:
    """Return whether somebody else is said to have done it."""
    return _OTHERS.search(note) is not None


def says_no(note: str) -> bool:
    """Return whether something is denied."""
    return _NEGATION.search(note) is not None


@dataclass(frozen=True, slots=True)
class NoteModel:
    """A logistic regression over `FEATURES`: what each adds to the log-odds that a colleague could follow the note."""

    weights: Mapping[str, float]
    bias: float

    @classmethod
    def from_mapping(cls, raw: Mapping[str, Any], file: str) -> "NoteModel":
        """Return the model. Raises ConfigurationError where it is not of these features."""
        weights = raw.get("weights")
        if not isinstance(weights, Mapping) or set(weights) != set(FEATURES):
            raise ConfigurationError(f"{file}: weights must name exactly {', '.join(FEATURES)}; run training/train_notes.py")
        return cls({name: float(weights[name]) for name in FEATURES}, float(raw["bias"]))

    def actionable(self, note: str) -> bool:
        """Return whether a colleague could follow the note rather than not."""
        found = features(note)
        return found["length"] > 0 and self.bias + sum(self.weights[name] * value for name, value in found.items()) > 0

    def reasons(self, note: str) -> list[tuple[str, float]]:
        """Return what each feature of the note adds, the weightiest first; those that add nothing are left out."""
        added = [(name, self.weights[name] * value) for name, value in features(note).items() if value]
        return sorted(added, key=lambda each: (-abs(each[1]), each[0]))

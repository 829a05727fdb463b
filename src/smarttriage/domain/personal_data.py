"""Personal data in free text, by rules alone: what has a form (addresses, numbers with a checksum) and names where they are greeted."""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum


class PersonalData(StrEnum):
    """A kind of personal data; where two are found in one place, the first in this order wins."""

    EMAIL = "email"
    IBAN = "iban"
    CARD = "card"
    IP_ADDRESS = "ip_address"
    PHONE = "phone"
    NAME = "name"


# Network gear is told apart by its address, so masking one can cost the meaning: only on request.
DEFAULT_KINDS = frozenset(PersonalData) - {PersonalData.IP_ADDRESS}


@dataclass(frozen=True, slots=True)
class Span:
    """Personal data at [start, end) of a text."""

    kind: PersonalData
    start: int
    end: int


# Length of an IBAN by country: SWIFT, IBAN Registry (ISO 13616-2).
_IBAN_LENGTHS = {
    **dict.fromkeys(("NO",), 15),
    **dict.fromkeys(("BE",), 16),
    **dict.fromkeys(("DK", "FI", "NL", "FO", "GL"), 18),
    **dict.fromkeys(("SI", "MK"), 19),
    **dict.fromkeys(("AT", "BA", "EE", "KZ", "LT", "LU", "XK"), 20),
    **dict.fromkeys(("CH", "CR", "HR", "LI", "LV"), 21),
    **dict.fromkeys(("BG", "DE", "GB", "GE", "IE", "ME", "RS", "BH"), 22),
    **dict.fromkeys(("AE", "GI", "IL"), 23),
    **dict.fromkeys(("AD", "CZ", "ES", "MD", "PK", "RO", "SA", "SE", "SK", "TN", "VG"), 24),
    **dict.fromkeys(("PT",), 25),
    **dict.fromkeys(("IS", "TR"), 26),
    **dict.fromkeys(("FR", "GR", "IT", "MC", "SM", "MR"), 27),
    **dict.fromkeys(("AL", "CY", "DO", "HU", "LB", "PL", "GT", "AZ"), 28),
    **dict.fromkeys(("BR", "PS", "QA", "UA"), 29),
    **dict.fromkeys(("JO", "KW", "MU"), 30),
    **dict.fromkeys(("MT", "SC"), 31),
}
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[^\W_][\w-]{0,62}(?:\.[\w-]{1,63}){1,6}")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]){11,27}")
_CARD = re.compile(r"(?<![\w.,/-])\d(?:[ -]?\d){12,18}(?![\w/-])")
_IP = re.compile(r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w.]*\d)")
# With a country code, in the North American form, or any number behind a word that says that it is one.
_PHONE = re.compile(
    r"(?<![\w.+])(?:"
    r"(?:\+|00)[1-9]\d{0,2}[ ./-]{0,2}(?:\(0?\d{0,4}\)[ ./-]{0,2})?\d{1,5}(?:[ ./-]?\d{1,5}){1,6}"
    r"|(?:\(\d{3}\)[ ]?|\d{3}[.-])\d{3}[.-]\d{4}"
    r"|(?i:(?:tel(?:e(?:phone|fon|fono))?|phone|mobile|mobil|cell|handy|fax|call(?:[ ]me)?|durchwahl|ext(?:ension)?)\b"
    r"[ ]?(?:no|nr|number|nummer|at|on)?[.: ]{0,3})[(+]?\d[\d ()/.-]{3,18}\d"
    r")(?!\w)"
)
_CAPITALISED = r"[^\W\d_a-z][^\W\d_]*(?:['’-][^\W\d_]+)?"
_NAMED = rf"((?:{_CAPITALISED}\.?[ ]){{0,2}}{_CAPITALISED})"
_GREETED = re.compile(
    r"(?m)(?:^|(?<=[.!?:\n][ ])|(?<=\n))[ ]*"
    r"(?i:hi|hello|hey|dear|hallo|liebe[rs]?|sehr geehrte[rs]?|guten (?:tag|morgen)|bonjour|ch[eè]re?|hola|estimad[oa]|gentile|ciao|beste|geachte)"
    rf"[ ](?:(?i:mr|mrs|ms|dr|herr|frau|madame|monsieur|se[nñ]or(?:a)?)\.?[ ])?{_NAMED}[ ]*(?=[,!:\n-]|$)"
)
_SIGNED = re.compile(
    r"(?i:\b(?:kind|best|warm|many)?[ ]?regards|\bsincerely|\bcheers|\bthanks|\bthank you|freundlichen gr(?:ü|ue)(?:ß|ss)en"
    r"|(?:viele|beste|liebe) gr(?:ü|ue)(?:ß|ss)e|\bmfg|\bvg|\blg|\bcordialement|\bsaludos|\bsaluti|\bgroet(?:en)?)"
    rf"[ ]?[,.!]?[ ]*\r?\n\s{{0,4}}{_NAMED}[ ]*(?=\r?\n|$)"
)
_GREETED_GROUPS = (
    "all team everyone everybody colleague colleagues support service desk helpdesk it sir madam sirs there friends folks admin "
    "administrator admins customer user users hr finance group",
    "damen herren kollegen kolleginnen zusammen alle leute tous équipe equipo todos",
    "the my your our this that please thanks thank hello hi dear sent",
)
_NOT_NAMES = frozenset(word for words in _GREETED_GROUPS for word in words.split())
_MIN_PHONE_DIGITS, _MAX_PHONE_DIGITS = 7, 15  # ITU-T E.164: at most 15
_MIN_EXTENSION_DIGITS = 5


def find(text: str, kinds: Collection[PersonalData] = DEFAULT_KINDS) -> tuple[Span, ...]:
    """Return the personal data in the text in its order, no two of them overlapping."""
    taken: list[Span] = []
    for kind in PersonalData:
        if kind in kinds:
            found = [
                span
                for span in _FINDERS[kind](text)
                if not any(span.start < other.end and other.start < span.end for other in taken)
            ]
            taken.extend(found)
    return tuple(sorted(taken, key=lambda span: span.start))


def masked(text: str, kinds: Collection[PersonalData] = DEFAULT_KINDS) -> str:
    """Return the text with each piece of personal data replaced by its kind in brackets, for example "[email]"."""
    parts, end = [], 0
    for span in find(text, kinds):
        parts.extend([text[end : span.start], f"[{span.kind}]"])
        end = span.end
    return "".join([*parts, text[end:]])


def luhn_valid(digits: str) -> bool:
    """Return whether the check digit is right (ISO/IEC 7812-1, annex B)."""
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def iban_valid(compact: str) -> bool:
    """Return whether country, length and check digits of an IBAN without spaces are right (ISO 13616, ISO 7064 MOD 97-10)."""
    if len(compact) != _IBAN_LENGTHS.get(compact[:2]):
        return False
    return int("".join(str(int(character, 36)) for character in compact[4:] + compact[:4])) % 97 == 1


def _emails(text: str) -> Iterator[Span]:
    for match in _EMAIL.finditer(text) if "@" in text else ():
        yield Span(PersonalData.EMAIL, match.start(), match.end())


def _ibans(text: str) -> Iterator[Span]:
    for match in _IBAN.finditer(text):
        length = _IBAN_LENGTHS.get(match.group()[:2], 0)
        places = [place for place, character in enumerate(match.group()) if character != " "]
        if 0 < length <= len(places) and iban_valid("".join(match.group()[place] for place in places[:length])):
            yield Span(PersonalData.IBAN, match.start(), match.start() + places[length - 1] + 1)


def _cards(text: str) -> Iterator[Span]:
    for match in _CARD.finditer(text):
        digits = re.sub(r"\D", "", match.group())
        if _card_length(digits) and luhn_valid(digits):
            yield Span(PersonalData.CARD, match.start(), match.end())


def _card_length(digits: str) -> bool:
    """Return whether a network issues numbers of this beginning and length (ISO/IEC 7812, the networks' own ranges)."""
    by_beginning = {"4": (13, 16, 19), "34": (15,), "37": (15,), "36": (14,), "38": (14,), "60": (16,), "62": (16, 17, 18, 19)}
    by_beginning |= {f"5{second}": (16,) for second in "12345"} | {"64": (16,), "65": (16,), "35": (16,)}
    in_two_series = len(digits) == 16 and "2221" <= digits[:4] <= "2720"
    return in_two_series or len(digits) in by_beginning.get(digits[:1], by_beginning.get(digits[:2], ()))


def _ips(text: str) -> Iterator[Span]:
    for match in _IP.finditer(text):
        yield Span(PersonalData.IP_ADDRESS, match.start(), match.end())


def _phones(text: str) -> Iterator[Span]:
    for match in _PHONE.finditer(text):
        start = match.start() + re.search(r"[+(\d]", match.group()).start()  # type: ignore[union-attr]
        n_digits = sum(character.isdigit() for character in text[start : match.end()])
        least = _MIN_EXTENSION_DIGITS if start > match.start() else _MIN_PHONE_DIGITS
        if least <= n_digits <= _MAX_PHONE_DIGITS:
            yield Span(PersonalData.PHONE, start, match.end())


def _names(text: str) -> Iterator[Span]:
    for pattern in (_GREETED, _SIGNED):
        for match in pattern.finditer(text):
            words = match.group(1).split()
            if all(word[0].isupper() and word.strip(".").lower() not in _NOT_NAMES for word in words):
                yield Span(PersonalData.NAME, match.start(1), match.end(1))


_FINDERS: dict[PersonalData, Callable[[str], Iterator[Span]]] = {
    PersonalData.EMAIL: _emails,
    PersonalData.IBAN: _ibans,
    PersonalData.CARD: _cards,
    PersonalData.IP_ADDRESS: _ips,
    PersonalData.PHONE: _phones,
    PersonalData.NAME: _names,
}

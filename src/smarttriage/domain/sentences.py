"""Texts of incidents cut into sentences that may be quoted: without greetings, names and secrets, commands and codes as they stand."""

import itertools
import re
from collections.abc import Collection
from dataclasses import dataclass

from smarttriage.domain.cleaning import cleaned
from smarttriage.domain.courtesy import courtesy_only
from smarttriage.domain.personal_data import find as find_personal
from smarttriage.domain.resolution_note import words_of
from smarttriage.domain.secrets import find_secrets

# A text beyond this is a mail thread with its attachments; what fixed it was said before.
MAX_READ_CHARS = 20_000
_LINE = re.compile(r"[^\n]+")
_MARK = re.compile(r"\s*(?:(?:[-*•–]|\d{1,2}[.)]|[a-z][.)])\s+|#{1,6}\s+)?")
# Behind a full stop, before a capital or a digit; not behind a number, an initial or a usual abbreviation.
_BREAK = re.compile(
    r"(?<=[.!?])(?<!\b\d\.)(?<!\b[A-Za-z]\.)(?<!\b(?:bzw|inc|ext|sog|ggf|evt|vgl)\.)\s+(?=[\"'«¿¡(]?[A-ZÄÖÜÉÈÀÁÍÓÚÑÇ0-9])"
)
_GREETING = re.compile(
    r"(?i)^(?:hi|hello|hey|dear|hallo|liebe[rs]?|sehr geehrte[rs]?|guten (?:tag|morgen)|bonjour|ch[eè]re?|hola|estimad[oa]|beste|geachte)"
    r"\b[^,!:.\n]{0,40}[,!:]\s*"
)
_TITLED = re.compile(
    r"\b(?:Mr|Mrs|Ms|Herrn?|Frau|Mme|Madame|Monsieur|Sr|Sra|[Ss]eñora?|[Mm]evrouw|[Mm]eneer)\.?[ ](?P<name>[A-ZÄÖÜÉÀÁ][\w'’-]+(?:[ ][A-ZÄÖÜÉÀÁ][\w'’-]+)?)"
)
# What is searched for letter by letter: paths, options, versions, addresses, codes, cmdlets, and commands that are no words.
_COMMANDS = (
    "netsh|ipconfig|sfc|chkdsk|dism|gpupdate|gpresult|systemctl|bcdedit|diskpart|chmod|chown|kubectl|nslookup|tracert|robocopy|w32tm|certutil"
    "|nltest|klist|setspn|repadmin|msiexec|taskkill|wmic|sudo|umount|curl|wget|openssl|regsvr32|powershell|cmdkey|dsregcmd|wevtutil|iptables"
    "|journalctl|fsck|rsync|sqlcmd|iisreset|reagentc|ldapsearch|regedit|services\\.msc"
)
_CODE = re.compile(
    r"0x[0-9a-fA-F]{2,}|\b[A-Z]{2,}[-_]?\d[\w-]*|\b[A-Za-z]+[-_]\d[\w-]*|\b\w{0,40}?\d\w{0,40}[.-]\w[\w.-]{0,80}|(?<!\w)[\\/][\w\\/.%$-]{2,}"
    r"|\b[A-Za-z]:\\[^\s\"]+|(?<!\w)--?[a-zA-Z][\w-]+|\b\d{3,}\b"
    r"|\b[\w-]{1,60}\.(?:exe|dll|msi|ps1|sh|cfg|conf|ini|log|ost|pst|xml|json|service)\b|\b[\w-]{1,80}(?:Exception|Error)\b"
    rf"|\b[A-Z][a-z]+-[A-Z][A-Za-z]+\b|\b(?:{_COMMANDS})\b"
)
_MIN_NAME = 3
# Longer than any greeting or thanks.
_MAX_COURTESY_CHARS = 300
_HIDDEN = "[secret]"
_MASK = re.compile(r"\[(?:email|iban|card|ip_address|phone|name|secret)\]")
# "New password: [secret]" is of use to nobody.
_MIN_TELLING_BESIDE_SECRET = 3


@dataclass(frozen=True, slots=True)
class Sentence:
    """A quotable sentence: what may be shown, and [start, end) of its source."""

    text: str
    start: int
    end: int


def codes_of(text: str) -> list[str]:
    """Return paths, options, versions, addresses and error codes, in order."""
    return [match.group().rstrip(".,;:") for match in _CODE.finditer(text)]


def sentences(text: str, *, people: Collection[str] = ()) -> list[Sentence]:
    """Return the sentences that say something, in order; `people` are names that the record gives."""
    read = cleaned(text[:MAX_READ_CHARS])
    hidden = _hidden(read, people)
    found = []
    for line in _LINE.finditer(read):
        for start, end in _cut(read, line.start(), line.end()):
            shown = _shown(read, start, end, hidden)
            if _says_something(shown):
                found.append(Sentence(shown, start, end))
    return found


def masked_text(text: str, *, people: Collection[str] = ()) -> str:
    """Return the text with people and secrets masked and nothing else changed."""
    return _shown(text, 0, len(text), _hidden(text, people))


def _cut(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Return the sentences of a line without list marks, greeting and surrounding blanks."""
    start = _MARK.match(text, start, end).end()  # type: ignore[union-attr]
    if (greeting := _GREETING.match(text[start:end])) is not None:
        start += greeting.end()
    edges = [start, *(match.end() for match in _BREAK.finditer(text, start, end)), end]
    spans = []
    for first, last in itertools.pairwise(edges):
        stripped = text[first:last].strip()
        if stripped:
            at = text.index(stripped, first)
            spans.append((at, at + len(stripped)))
    return spans


def _hidden(text: str, people: Collection[str]) -> list[tuple[int, int, str]]:
    spans = [(start, end, _HIDDEN) for start, end in find_secrets(text)]
    spans += [(span.start, span.end, f"[{span.kind}]") for span in find_personal(text)]
    spans += [(*match.span("name"), "[name]") for match in _TITLED.finditer(text)]
    for name in _parts(people):
        spans += [(*match.span(), "[name]") for match in re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", text)]
    kept: list[tuple[int, int, str]] = []
    # A secret first: the end of a password may look like the beginning of an address.
    for start, end, mark in sorted(spans, key=lambda each: (each[2] != _HIDDEN, each[0], -each[1])):
        if all(end <= first or last <= start for first, last, _ in kept):
            kept.append((start, end, mark))
    return sorted(kept)


def _parts(people: Collection[str]) -> list[str]:
    """Return the names whole and in their parts, the longest first; a part counts if it looks like a name."""
    parts = {part for person in people for part in (person, *re.split(r"[\s,;@]+", person))}
    return sorted((part for part in parts if len(part) >= _MIN_NAME and part[0].isupper()), key=len, reverse=True)


def _shown(text: str, start: int, end: int, hidden: list[tuple[int, int, str]]) -> str:
    pieces, at = [], start
    for first, last, mark in hidden:
        if last <= start or first >= end:
            continue
        pieces += [text[at : max(at, first)], mark]
        at = min(last, end)
    return "".join((*pieces, text[at:end])) if pieces else text[start:end]


def unmasked(text: str) -> str:
    """Return the text without the marks that stand for people and secrets."""
    return _MASK.sub(" ", text)


def _says_something(sentence: str) -> bool:
    """Return whether more is left than courtesy, that it is over, and what was masked."""
    left = unmasked(sentence)
    telling = words_of(left).telling
    if _HIDDEN in sentence and len(telling) < _MIN_TELLING_BESIDE_SECRET:
        return False
    polite = len(left) <= _MAX_COURTESY_CHARS and courtesy_only(left)
    return not polite and bool(telling or codes_of(left))

"""What mail programs and politeness put around a report, blanked out: every character keeps its place, so that spans found later still hold."""

import re

from smarttriage.domain.salutations import without_salutations

# Lines as mail programs write them in English, German, French, Dutch and Spanish; they begin what an earlier mail said.
_HISTORY = re.compile(
    r"^[ \t]*(?:-{2,}[ \t]*(?:original message|ursprüngliche nachricht|message d'origine|oorspronkelijk bericht|mensaje original)"
    r"[ \t]*-{2,}|on\b[^\n]{4,120}\bwrote:|am\b[^\n]{4,120}\bschrieb[^\n]{0,80}:|le\b[^\n]{4,120}\ba écrit ?:"
    r"|op\b[^\n]{4,120}\bschreef[^\n]{0,80}:|el\b[^\n]{4,120}\bescribió:)[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
_QUOTED = re.compile(r"^[ \t]*>[^\n]*$", re.MULTILINE)
# Two of these lines one below the other head a forwarded mail; one alone may be part of a report ("To: nobody").
_HEADER = (
    r"[ \t]*\*?(?:from|sent|to|cc|bcc|date|subject|von|gesendet|an|datum|betreff|de|envoyé|à|objet|van|verzonden|aan|onderwerp|enviado|para|asunto)"
    r"\*?[ \t]?:[^\n]*"
)
_HEADERS = re.compile(rf"^{_HEADER}(?:\r?\n{_HEADER})+$", re.IGNORECASE | re.MULTILINE)
_FORWARD_MARK = re.compile(
    r"^[ \t]*(?:-{3,}[ \t]*(?:forwarded message|weitergeleitete nachricht|message transféré|doorgestuurd bericht|mensaje reenviado)[ \t]*-{3,}"
    r"|begin forwarded message:)[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
_SIGNATURE = re.compile(
    r"^(?:--[ ]?\r?\n|(?:sent from my|gesendet von meinem|envoyé de mon|verzonden vanaf mijn|enviado desde mi) [^\n]{0,40}$).{0,600}\Z",
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)
# A paragraph of its own: a report may quote such words.
_DISCLAIMER = re.compile(
    r"(?:(?<=\n\n)|(?<=\n\r\n))[^\n]{0,80}(?:this (?:e-?mail|message)[^\n]{0,60}(?:confidential|intended (?:solely|only))"
    r"|diese (?:e-?mail|nachricht) (?:enthält|ist) vertraulich|ce (?:message|courriel) (?:est|et)[^\n]{0,40}confidentiel"
    r"|dit (?:e-?mail)?bericht is (?:vertrouwelijk|uitsluitend)|este (?:mensaje|correo)[^\n]{0,40}confidencial).{0,3000}\Z",
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)
# Tags that mail is made of; <host>, <stdin> or List<String> in a report are none.
_HTML = re.compile(
    r"<(?:style|script)\b[^>]*>.{0,20000}?</(?:style|script)>|<!--.{0,2000}?-->"
    r"|</?(?:html|head|body|div|span|p|br|hr|b|i|u|em|strong|font|table|tbody|thead|tr|td|th|ul|ol|li|a|img|blockquote|meta|h[1-6])"
    r"(?:\s[^<>]{0,500})?/?>|&nbsp;",
    re.IGNORECASE | re.DOTALL,
)
# Codes that people search for; a quoted line that holds one stays readable.
_CODE = re.compile(r"\b(?:0x[0-9a-f]{4,}|[A-Z]{2,}-?\d{3,}|[\w-]+(?:Exception|Error))\b")
_VISIBLE = re.compile(r"\S")
# Each with what it cannot do without: nearly every text is past a look at that.
_ADDED = ((_HTML, "<&"), (_FORWARD_MARK, ("---", ":")), (_HEADERS, ":"), (_DISCLAIMER, ("\n\n", "\n\r\n")))
MIN_WORDS = 3


def cleaned(text: str) -> str:
    """Return the text with HTML tags, mail headers, quoted history, signature and disclaimer, greeting and closing blanked; its length stays.

    Lines of the history that hold an error code stay. Where less than three words would be left, the history is what was
    meant (a mail that was only forwarded) and stays but for its headers; a text that would be empty stays whole.
    """
    original = text
    for pattern, signs in _ADDED:
        if any(sign in text for sign in signs):
            text = pattern.sub(_blank, text)
    shorter = _SIGNATURE.sub(_blank, text)
    if (found := _HISTORY.search(shorter)) is not None:
        shorter = shorter[: found.start()] + _without_codes(shorter[found.start() :])
    if ">" in shorter:
        shorter = _QUOTED.sub(lambda match: _without_codes(match.group()), shorter)
    if len(shorter.split()) >= MIN_WORDS:
        return without_salutations(shorter)
    forwarded = _HISTORY.sub(_blank, text)
    return forwarded if forwarded.strip() else original


def _blank(match: re.Match[str]) -> str:
    return _VISIBLE.sub(" ", match.group())


def _without_codes(history: str) -> str:
    """Return the lines blank but for those that hold a code."""
    return "".join(line if _CODE.search(line) else _VISIBLE.sub(" ", line) for line in history.splitlines(keepends=True))

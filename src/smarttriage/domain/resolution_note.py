"""Whether a resolution note says what was done, so that somebody else could do it again."""

import re
from dataclasses import dataclass

# A note must keep this many words once the empty phrases are gone. "Reset the TPM and re-enrolled BitLocker" has six.
MIN_CONTENT_WORDS = 5
_EMPTY = re.compile(
    r"\b(?:(?:issue|problem|ticket|incident|case|it|this|that|everything|all|user|caller|customer|client|he|she|they)\s+)?"
    r"(?:(?:is|was|are|has|have|had|been|now|again|already)\s+)*"
    r"(?:fixed|resolved|solved|done|closed|close|closing|completed?|works?|working|ok|okay|fine|good|sorted|confirmed|happy|"
    r"called\s+back|rebooted|restarted|reboot|restart|repariert|behoben|erledigt|gelöst|geht\s+wieder|funktioniert(?:\s+wieder)?|"
    r"résolu|réglé|corrigé|terminé|fonctionne|opgelost|verholpen|werkt\s+weer|klaar|resuelto|solucionado|arreglado|listo|funciona)\b",
    re.IGNORECASE,
)
_FILLER = frozenset(
    [
        "a",
        "an",
        "and",
        "the",
        "now",
        "again",
        "so",
        "it",
        "is",
        "was",
        "are",
        "has",
        "have",
        "been",
        "all",
        "to",
        "for",
        "by",
        "of",
        "on",
        "in",
        "with",
        "please",
        "thanks",
        "thank",
        "you",
        "user",
        "caller",
        "customer",
        "ticket",
        "issue",
        "problem",
        "case",
        "as",
        "per",
        "this",
        "that",
        "he",
        "she",
        "they",
        "back",
        "und",
        "der",
        "die",
        "das",
        "ist",
        "wieder",
        "jetzt",
        "et",
        "le",
        "la",
        "les",
        "est",
        "de",
        "het",
        "een",
        "is",
        "nu",
        "y",
        "el",
        "la",
    ]
)
_WORD = re.compile(r"[^\W_][\w./:\\-]*")


@dataclass(frozen=True, slots=True)
class NoteQuality:
    """Whether a note is worth an article, and what to ask if it is not."""

    actionable: bool
    question: str | None


def assess(note: str) -> NoteQuality:
    """Return whether the note holds an action that can be repeated.

    Phrases that only say that it is over ("fixed", "user called back, works now", "rebooted") are taken away; what is left
    must still be a sentence.
    """
    rest = _EMPTY.sub(" ", note)
    content = [word for word in _WORD.findall(rest) if word.lower() not in _FILLER]
    if len(content) >= MIN_CONTENT_WORDS:
        return NoteQuality(True, None)
    return NoteQuality(False, "What did you change, and where? One sentence that a colleague could follow is enough.")

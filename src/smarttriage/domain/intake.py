"""What is refused by rule before a model is asked: nothing said, no work, a language nobody learnt, mash. See kb/intake.toml."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from smarttriage.domain.cue_tokens import fold
from smarttriage.domain.gibberish import Letters, is_gibberish
from smarttriage.domain.languages import Languages
from smarttriage.domain.suggestion import Reason

_WORD = re.compile(r"[^\W_]+(?:['’.][^\W_]+)*")
_ADDRESS = re.compile(r"https?://\S+|www\.\S+|\S+@\S+")
_REPLY = re.compile(r"^(?:(?:re|aw|wg|fw|fwd|antw|sv|rv|tr|rif)\s*:\s*)+", re.IGNORECASE)
# A thank-you or an empty text is short; a long text of small words is a long text.
MAX_PLAIN_WORDS = 30
MIN_HINTS = 2


@dataclass(frozen=True, slots=True)
class Intake:
    """The rules, folded.

    Attributes:
        filler: Words that say nothing about what is wrong.
        thanks: Words of thanks and of "it works now".
        thanks_needed: At least one of them makes filler and thanks a thank-you.
        thanks_not: None of them may stand in a thank-you.
        signature: How a line begins that ends the message.
        automatic: How subjects of mail programs begin.
        automatic_hints: Phrases of automatic replies.
        bulk_hints: Phrases of advertisements and newsletters.
        trouble: Words that make a text somebody's incident.
        languages: Profiles of languages.
        letters: What words look like.
    """

    filler: frozenset[str]
    thanks: frozenset[str]
    thanks_needed: frozenset[str]
    thanks_not: frozenset[str]
    signature: tuple[str, ...]
    automatic: tuple[str, ...]
    automatic_hints: tuple[str, ...]
    bulk_hints: tuple[str, ...]
    trouble: frozenset[str]
    languages: Languages
    letters: Letters

    def refusal(self, title: str, description: str, *, understood: Collection[str] = ()) -> Reason | None:
        """Return why the text is refused, or None. `understood` names languages that the model was trained on beside ours."""
        text = f"{title}\n{description}".strip()
        body = self._without_signature(_REPLY.sub("", title).strip(), description)
        words = _words(body)
        if not words:
            return Reason.EMPTY_TEXT if not is_gibberish(text, self.letters) else Reason.GIBBERISH
        if (plain := self._plain(words)) is not None:
            return plain
        # The subject of a reply repeats what was asked; the answer stands below.
        if _REPLY.match(title) and self._plain(_words(self._without_signature("", description))) is Reason.NO_WORK_ITEM:
            return Reason.NO_WORK_ITEM
        if self.languages.unreadable(text, understood):
            return Reason.UNSUPPORTED_LANGUAGE
        if self._automatic(title, description) or self._bulk(text):
            return Reason.NO_WORK_ITEM
        return Reason.GIBBERISH if is_gibberish(body, self.letters) else None

    def _plain(self, words: Collection[str]) -> Reason | None:
        """Return what a text is whose every word is filler or thanks."""
        known = set(words)
        if len(words) > MAX_PLAIN_WORDS or not known <= self.filler | self.thanks:
            return None
        if known & self.thanks_needed and not known & self.thanks_not:
            return Reason.NO_WORK_ITEM
        return Reason.EMPTY_TEXT if known <= self.filler else None

    def _automatic(self, title: str, description: str) -> bool:
        text = _folded(f"{title}\n{description}")
        subject = _folded(_REPLY.sub("", title) or description[:200])
        opening = next((phrase for phrase in self.automatic if subject.startswith(phrase)), None)
        rest = subject[len(opening) :].lstrip() if opening is not None else None
        if rest is not None and rest.startswith(":"):
            return True
        hints = sum(phrase in text for phrase in self.automatic_hints)
        # "Couldn't be found" is what a mail program writes below its own subject, so a bare subject needs one hint, whatever else.
        return (hints >= 1 and rest == "") or (hints >= MIN_HINTS and not self._in_trouble(text))

    def _bulk(self, text: str) -> bool:
        folded = _folded(text)
        return sum(phrase in folded for phrase in self.bulk_hints) >= MIN_HINTS and not self._in_trouble(folded)

    def _in_trouble(self, folded: str) -> bool:
        return not self.trouble.isdisjoint(_WORD.findall(folded))

    def _without_signature(self, title: str, description: str) -> str:
        lines = []
        for line in description.splitlines():
            if _folded(line).strip(" >*").startswith(self.signature):
                break
            lines.append(line)
        heading = "" if _folded(title).startswith(self.signature) else title
        return "\n".join([heading, *lines]).strip()


def _words(text: str) -> list[str]:
    return [word.replace("’", "'") for word in _WORD.findall(_folded(_ADDRESS.sub(" ", text)))]


@lru_cache(maxsize=16)  # the rules fold the same text several times
def _folded(text: str) -> str:
    """Return the text without case and accents, words and marks in place."""
    return " ".join(fold(word) for word in text.replace("’", "'").split())

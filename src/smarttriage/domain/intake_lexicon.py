"""Reading `kb/intake.toml`, which people edit: every error names the file, the key and the way out."""

from collections.abc import Iterable, Mapping

from smarttriage.domain.configuration import Section
from smarttriage.domain.cue_tokens import fold
from smarttriage.domain.gibberish import Letters
from smarttriage.domain.intake import Intake
from smarttriage.domain.languages import Languages, Profile

_TABLES = ("filler", "thanks", "signature", "automatic", "bulk", "trouble", "languages", "gibberish")


def parse_intake(values: Mapping[str, object], *, file: str = "intake.toml") -> Intake:
    """Return the rules of a parsed `kb/intake.toml`. Raises ConfigurationError, naming file, key and way out."""
    top = Section(values, file)
    top.only(_TABLES)
    filler, thanks = top.table("filler"), top.table("thanks")
    automatic, languages = top.table("automatic"), _languages(top.table("languages"))
    return Intake(
        filler=_all(filler, filler.values),
        thanks=_all(thanks, (name for name in thanks.values if name not in ("need", "not"))),
        thanks_needed=_all(thanks, ("need",)),
        thanks_not=_all(thanks, ("not",)),
        signature=_phrases(top.table("signature"), "openings"),
        automatic=_phrases(automatic, "openings"),
        automatic_hints=_phrases(automatic, "hints"),
        bulk_hints=_phrases(top.table("bulk"), "hints"),
        trouble=_all(top.table("trouble"), ("words",)),
        languages=languages,
        letters=_letters(top.table("gibberish"), languages.shared),
    )


def _all(section: Section, names: Iterable[str]) -> frozenset[str]:
    return frozenset(fold(word) for name in names for word in section.texts(name))


def _phrases(section: Section, name: str) -> tuple[str, ...]:
    """Return the phrases folded, longest first, so that the first that fits is the most telling one."""
    folded = {" ".join(fold(word) for word in phrase.split()) for phrase in section.texts(name)}
    return tuple(sorted(folded, key=lambda phrase: (-len(phrase), phrase)))


def _languages(section: Section) -> Languages:
    profiles = {}
    for code in section.values:
        entry = section.table(code)
        entry.only(("supported", "words", "letters"))
        letters = entry.values.get("letters", "")
        if not isinstance(letters, str):
            entry.fail("letters", f'is {letters!r}; write the letters as one text, for example "ąć", or leave it out')
        profiles[code] = Profile(entry.flag("supported", default=False), _all(entry, ("words",)), frozenset(letters.lower()))
    return Languages.of(profiles)


def _letters(section: Section, small: frozenset[str]) -> Letters:
    section.only(("rows", "pairs", "placeholder"))
    placeholders = _phrases(section, "placeholder")
    return Letters(section.texts("rows"), frozenset(section.text("pairs").split()), placeholders, small)

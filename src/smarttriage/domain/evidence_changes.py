"""What a text's evidence would be if one thing were otherwise: "only this team", "no workaround". The ground of counterfactuals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from smarttriage.domain.configuration import Section
from smarttriage.domain.cue_families import EvidenceFamily
from smarttriage.domain.cue_types import CUE_TYPES, Cue

# Where an added cue stands: behind every text, so that it never counts as a word of the title.
_NOWHERE = 2**31


@dataclass(frozen=True, slots=True)
class EvidenceChange:
    """One thing that could be otherwise.

    Attributes:
        id: Its key, for example "only_this_team".
        family: What kind of evidence changes.
        says: What would hold, as the words behind "if".
        drops: Cue types that would not be found any more.
        adds: The cue type that would be found instead; None: nothing.
        number: Its number, for a cue type that carries one.
    """

    id: str
    family: EvidenceFamily
    says: str
    drops: frozenset[str]
    adds: str | None = None
    number: int | None = None

    def apply(self, cues: Sequence[Cue]) -> tuple[tuple[Cue, ...], tuple[Cue, ...]]:
        """Return (the cues afterwards, those that were taken away)."""
        dropped = tuple(cue for cue in cues if cue.cue in self.drops)
        kept = tuple(cue for cue in cues if cue.cue not in self.drops)
        if self.adds is None:
            return kept, dropped
        return (*kept, Cue(_NOWHERE, _NOWHERE, self.adds, self.number)), dropped

    def changes(self, cues: Sequence[Cue]) -> bool:
        """Return whether the text says anything else yet: a change that it says already is none."""
        there = {cue.cue for cue in cues}
        return bool(there & self.drops) or (self.adds is not None and self.adds not in there)


def parse_changes(top: Section) -> tuple[EvidenceChange, ...]:
    """Return the checked list [[changes]] of a cue file. Raises ConfigurationError naming file, key and way out."""
    changes = tuple(_change(section) for section in top.tables("changes"))
    names = [change.id for change in changes]
    for name in names:
        if names.count(name) > 1:
            top.fail("changes", f'the id "{name}" stands there {names.count(name)} times; give each its own id')
    return changes


def _change(section: Section) -> EvidenceChange:
    section.only(["id", "family", "says", "drops", "adds", "number"])
    family = section.text("family")
    if family not in list(EvidenceFamily):
        section.fail("family", f'is "{family}"; write one of {", ".join(EvidenceFamily)}')
    drops = section.texts("drops")
    adds = section.text("adds") if "adds" in section.values else None
    for key, names in (("drops", drops), ("adds", (adds,) if adds else ())):
        for name in names:
            if name not in CUE_TYPES:
                section.fail(key, f'names "{name}", which is no cue type; use one of {", ".join(CUE_TYPES)}')
    if not drops and adds is None:
        section.fail("adds", "is missing, and so is drops; say which cue types appear or vanish")
    return EvidenceChange(
        section.text("id"), EvidenceFamily(family), section.text("says"), frozenset(drops), adds, _number(section.values, section)
    )


def _number(values: Mapping[str, object], section: Section) -> int | None:
    number = values.get("number")
    if number is None:
        return None
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        section.fail("number", f"is {number!r}; write a whole number from 1")
    return number

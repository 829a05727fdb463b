"""What a text's evidence would be if one thing were otherwise: "only this team", "no workaround". The ground of counterfactuals."""

from collections.abc import Mapping, Sequence, Set
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
        needs: Cue types of which the text must hold one; empty: the change makes sense for any text.
        moves: "up" or "down" where it can only raise or only lower a priority; None: either.
    """

    id: str
    family: EvidenceFamily
    says: str
    drops: frozenset[str]
    adds: str | None = None
    number: int | None = None
    moves: str | None = None
    needs: frozenset[str] = frozenset()

    def apply(self, cues: Sequence[Cue]) -> tuple[tuple[Cue, ...], tuple[Cue, ...]]:
        """Return (the cues afterwards, those that were taken away)."""
        dropped = tuple(cue for cue in cues if cue.cue in self.drops)
        kept = tuple(cue for cue in cues if cue.cue not in self.drops)
        return (kept if self.added is None else (*kept, self.added)), dropped

    @property
    def added(self) -> Cue | None:
        """The cue that would be found instead, behind the text; None for none."""
        return None if self.adds is None else Cue(_NOWHERE, _NOWHERE, self.adds, self.number)

    def allows(self, raises: bool) -> bool:
        """Return whether the change may raise (or else lower) a priority: "P4 if work has stopped" is no reason for anybody."""
        return self.moves is None or (self.moves == "up") == raises

    def changes(self, there: Set[str]) -> bool:
        """Return whether a text with these cue types says anything else: a change that it says already, or that does not concern it, is none."""
        if self.needs and self.needs.isdisjoint(there):
            return False
        return not self.drops.isdisjoint(there) or (self.adds is not None and self.adds not in there)


def parse_changes(top: Section) -> tuple[EvidenceChange, ...]:
    """Return the checked list [[changes]] of a cue file. Raises ConfigurationError naming file, key and way out."""
    changes = tuple(_change(section) for section in top.tables("changes"))
    names = [change.id for change in changes]
    for name in names:
        if names.count(name) > 1:
            top.fail("changes", f'the id "{name}" stands there {names.count(name)} times; give each its own id')
    return changes


def _change(section: Section) -> EvidenceChange:
    section.only(["id", "family", "says", "drops", "adds", "number", "moves", "needs"])
    family = section.text("family")
    if family not in list(EvidenceFamily):
        section.fail("family", f'is "{family}"; write one of {", ".join(EvidenceFamily)}')
    drops, needs = section.texts("drops"), section.texts("needs")
    adds = section.text("adds") if "adds" in section.values else None
    for key, names in (("drops", drops), ("needs", needs), ("adds", (adds,) if adds else ())):
        for name in names:
            if name not in CUE_TYPES:
                section.fail(key, f'names "{name}", which is no cue type; use one of {", ".join(CUE_TYPES)}')
    if not drops and adds is None:
        section.fail("adds", "is missing, and so is drops; say which cue types appear or vanish")
    moves = section.text("moves") if "moves" in section.values else None
    if moves not in (None, "up", "down"):
        section.fail("moves", f'is "{moves}"; write "up", "down" or leave it out')
    number = _number(section.values, section)
    return EvidenceChange(
        section.text("id"),
        EvidenceFamily(family),
        section.text("says"),
        drops=frozenset(drops),
        adds=adds,
        number=number,
        moves=moves,
        needs=frozenset(needs),
    )


def _number(values: Mapping[str, object], section: Section) -> int | None:
    number = values.get("number")
    if number is None:
        return None
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        section.fail("number", f"is {number!r}; write a whole number from 1")
    return number

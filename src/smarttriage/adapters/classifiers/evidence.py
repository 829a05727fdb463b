"""The evidence cues as extra features of a classifier, and as spans for people."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from smarttriage.adapters.classifiers.features import Altered, Place
from smarttriage.domain import cue_features
from smarttriage.domain.cue_features import CueNumbers
from smarttriage.domain.cue_types import Cue
from smarttriage.domain.cues import Lexicon
from smarttriage.domain.evidence_changes import EvidenceChange
from smarttriage.ports import TextSpan

EVIDENCE_TARGETS = ("impact", "urgency")
TOPIC_TARGETS = ("category", "sub_category")


@dataclass(frozen=True, slots=True)
class EvidenceCues:
    """`ExtraFeatures` over a lexicon. A lexicon's patterns may change without training again; its cue types are fixed."""

    lexicon: Lexicon
    _recent: Callable[[str], CueNumbers] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Remember the last texts; each is asked for its values, its places and its alternatives."""
        object.__setattr__(self, "_recent", lru_cache(maxsize=16)(self._numbers))

    @property
    def name(self) -> str:
        """Name and version of the computation."""
        return "evidence-cues-1"

    @property
    def columns(self) -> Sequence[str]:
        """One name for each number."""
        return cue_features.columns()

    def values(self, text: str) -> Sequence[float]:
        """Return one number for each column."""
        return self._recent(text).values()

    def used(self, target: str) -> Sequence[bool]:
        """Return which columns the target may read.

        Impact and urgency never see topics, so that they are not read off the category; the category never sees who is hit.
        """
        if target in TOPIC_TARGETS:
            return [not _is_evidence(name) for name in self.columns]
        return [target not in EVIDENCE_TARGETS or not _is_topic(name) for name in self.columns]

    def places(self, text: str) -> Sequence[Place]:
        """Return the cues that speak for some label, and what each column loses without the words of each.

        Cues that share words with it vanish with it; so do the combinations that they were part of.
        """
        numbers, types = self._recent(text), self.lexicon.types
        return [
            Place(_span(cue), numbers.losses(cue.start, cue.end), speaks_for)
            for cue in self.lexicon.find(text)
            if (speaks_for := types[cue.cue].speaks_for)
        ]

    def alternatives(self, text: str) -> Sequence[Altered]:
        """Return what the columns would be after each of the lexicon's changes that says something new."""
        numbers, cues = self._recent(text), self.lexicon.find(text)
        return [_altered(change, cues, numbers) for change in self.lexicon.changes if change.changes(numbers.types)]

    def _numbers(self, text: str) -> CueNumbers:
        return CueNumbers(text, self.lexicon.find(text))


def _altered(change: EvidenceChange, cues: Sequence[Cue], numbers: CueNumbers) -> Altered:
    _, dropped = change.apply(cues)
    others: dict[str, Sequence[Cue]] = {cue.cue: () for cue in dropped}
    if (added := change.added) is not None:
        others[added.cue] = (*others.get(added.cue, numbers.of(added.cue)), added)
    # Two cues may stand in the same words, which are taken away once.
    spans: dict[tuple[int, int], TextSpan] = {}
    for cue in dropped:
        spans.setdefault((cue.start, cue.end), _span(cue))
    return Altered(change, tuple(spans.values()), numbers.gains(others))


def _span(cue: Cue) -> TextSpan:
    return TextSpan(cue.start, cue.end, 0.0, cue.cue)


def _is_topic(column: str) -> bool:
    return column.startswith("topic_")


def _is_evidence(column: str) -> bool:
    return not column.startswith(("topic_", "surface."))

"""The evidence cues as extra features of a classifier, and as spans for people."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from smarttriage.domain import cue_features
from smarttriage.domain.cues import Cue, Lexicon
from smarttriage.ports import TextSpan

EVIDENCE_TARGETS = ("impact", "urgency")
TOPIC_TARGETS = ("category", "sub_category")


@dataclass(frozen=True, slots=True)
class EvidenceCues:
    """`ExtraFeatures` over a lexicon. A lexicon's patterns may change without training again; its cue types are fixed."""

    lexicon: Lexicon

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
        return cue_features.values(text, self.lexicon.find(text))

    def used(self, target: str) -> Sequence[bool]:
        """Return which columns the target may read.

        Impact and urgency never see topics, so that they are not read off the category; the category never sees who is hit.
        """
        if target in TOPIC_TARGETS:
            return [not _is_evidence(name) for name in self.columns]
        return [target not in EVIDENCE_TARGETS or not _is_topic(name) for name in self.columns]

    def spans(self, text: str, target: str, label: str) -> Sequence[tuple[int, TextSpan]]:
        """Return (column, span) of the cues that speak for the label; a span stands once for each column that it fills."""
        return [
            (column, TextSpan(cue.start, cue.end, 0.0, cue.cue))
            for cue in self.lexicon.find(text)
            if (target, label) in self.lexicon.types[cue.cue].speaks_for
            for column in _columns_of(cue)
        ]


def _columns_of(cue: Cue) -> Iterator[int]:
    for name in cue_features.filled_by(cue):
        yield cue_features.column(name)


def _is_topic(column: str) -> bool:
    return column.startswith("topic_")


def _is_evidence(column: str) -> bool:
    return not column.startswith(("topic_", "surface."))

"""Cues as numbers for a classifier: what is there, where, how often, how many people, and what comes together."""

import math
from collections.abc import Mapping, Sequence, Set
from functools import cache, lru_cache
from typing import NamedTuple, TypeAlias

from smarttriage.domain.cue_types import CUE_TYPES, Cue

# Lower bounds of the buckets of a number: one, several, a team, a department, "many" (from about 50 on a leak is high), a site.
BUCKETS = (1, 2, 5, 16, 50, 200, 1000)
NUMBERED = (
    "number_of_people",
    "number_of_outsiders",
    "number_of_devices",
    "number_of_sites",
    "named_people",
    "whole_organisation",
)
_SMALL = frozenset({"workaround_cheap", "nobody_hindered", "cosmetic", "no_date", "question"})
_HALF = frozenset({"intermittent", "workaround_costly", "slow", "serious_soon", "deadline_this_week"})
_HARD = frozenset({"no_workaround", "deadline_today", "attack_under_way", "stopped"})
_WIDE = frozenset({"whole_site", "whole_organisation", "number_of_sites"})
_GROUP = frozenset({"team", "we", "number_of_people", "named_people"})
# All that `_together` asks for.
_COMBINED = (
    _SMALL
    | _HALF
    | _HARD
    | _WIDE
    | _GROUP
    | {"deadline_today", "workaround_cheap", "first_person", "only_me", "critical_service"}
)
TOGETHER = (
    "small_only",
    "half_not_hard",
    "stopped_without_way_out",
    "today_without_cheap_way",
    "hard_not_half",
    "wide",
    "group_not_wide",
    "alone",
    "critical_and_stopped",
)
SURFACE = ("question_mark", "length")
# Cues are sparse and TF-IDF rows have norm 1: between .3 and .5 of a unit each, leave-one-writer-out macro-F1 of impact was
# best at .5 and that of urgency at .3 (tried: .2 to .5).
_SCALE = 0.4
# Tone is found, so that it can be shown and tested, but is no column: it says nothing about impact or urgency, and in any one
# collection of texts it would be learnt as if it did.
COUNTED = tuple(name for name in CUE_TYPES if not name.startswith("tone_"))
_PLACES = {name: place for place, name in enumerate(COUNTED)}
_NUMBERED_PLACES = {name: place for place, name in enumerate(NUMBERED)}
# Where each part of `columns()` begins; the first, whether a cue is there, begins at 0.
_TITLE, _COUNT, _FROM = len(COUNTED), 2 * len(COUNTED), 3 * len(COUNTED)
_SIZE = _FROM + len(NUMBERED) * len(BUCKETS)
_TOGETHER_PLACE = _SIZE + len(NUMBERED)
_SURFACE_PLACE = _TOGETHER_PLACE + len(TOGETHER)


@cache
def columns() -> tuple[str, ...]:
    """Return one name for each number of `values`."""
    names = [f"{name}.{part}" for part in ("present", "title", "count") for name in COUNTED]
    names += [f"{name}.from_{bound}" for name in NUMBERED for bound in BUCKETS]
    names += [f"{name}.size" for name in NUMBERED]
    return (*names, *(f"together.{name}" for name in TOGETHER), *(f"surface.{name}" for name in SURFACE))


def values(text: str, cues: Sequence[Cue]) -> tuple[float, ...]:
    """Return the numbers of a model text and its cues, each between 0 and about 1."""
    return CueNumbers(text, cues).values()


class _Told(NamedTuple):
    """What the numbers of one cue type depend on: how many cues there are, whether one stands in the title, their largest number."""

    n_cues: int
    in_title: bool
    largest: int


_NOTHING = _Told(0, False, 0)
# A cue type, before and after.
_Change: TypeAlias = tuple[str, _Told, _Told]


class CueNumbers:
    """The numbers of one text's cues by cue type, to be asked what would change if some types had other cues.

    Only what changes is counted anew; nearly all numbers of a text belong to types that do not.
    """

    def __init__(self, text: str, cues: Sequence[Cue]) -> None:
        self._text = text
        self._title_end = max(text.find("\n"), 0)
        self._all = cues
        self._cues: dict[str, list[Cue]] = {}
        for cue in cues:
            self._cues.setdefault(cue.cue, []).append(cue)
        self._told = {name: self._told_by(name, found) for name, found in self._cues.items()}
        self._combined = _COMBINED.intersection(self._cues)

    @property
    def types(self) -> Set[str]:
        """The cue types that were found."""
        return self._cues.keys()

    def of(self, name: str) -> Sequence[Cue]:
        """Return the cues of a type."""
        return self._cues.get(name, ())

    def values(self) -> tuple[float, ...]:
        """Return all numbers, one for each of `columns()`."""
        row = [0.0] * len(columns())
        for name, told in self._told.items():
            for place, value in _numbers(name, told).items():
                row[place] = value
        for place, value in _combinations(self._combined).items():
            row[place] = value
        row[_SURFACE_PLACE:] = [_SCALE * value for value in _surface(self._text)]
        return tuple(row)

    def gains(self, others: Mapping[str, Sequence[Cue]]) -> Mapping[int, float]:
        """Return place -> what its number gains where the cues of these types are others, for the numbers that change."""
        return _gains(
            tuple([(name, self._told.get(name, _NOTHING), self._told_by(name, cues)) for name, cues in others.items()]),
            self._combined,
        )

    def losses(self, start: int, end: int) -> dict[int, float]:
        """Return place -> what its number loses without the text between, and so without all cues that share words with it."""
        touched = {cue.cue for cue in self._all if cue.end > start and cue.start < end}
        left = {name: [cue for cue in self._cues[name] if cue.end <= start or cue.start >= end] for name in touched}
        return {place: -value for place, value in self.gains(left).items()}

    def _told_by(self, name: str, cues: Sequence[Cue]) -> _Told:
        in_title = self._title_end > 0 and any(cue.start < self._title_end for cue in cues)
        largest = max((cue.value or 0 for cue in cues), default=0) if name in _NUMBERED_PLACES else 0
        return _Told(len(cues), in_title, largest)


# What follows is the same for text after text: nearly every type has one cue, outside the title.
@lru_cache(maxsize=4_096)
def _numbers(name: str, told: _Told) -> Mapping[int, float]:
    """Return place -> number of the columns of one cue type that are not 0."""
    place = _PLACES.get(name)
    if place is None or not told.n_cues:
        return {}
    found = {place: _SCALE, _COUNT + place: _SCALE * (math.log1p(told.n_cues) / 2)}
    if told.in_title:
        found[_TITLE + place] = _SCALE
    if name in _NUMBERED_PLACES:
        found.update(_sized(_NUMBERED_PLACES[name], told.largest))
    return found


@lru_cache(maxsize=4_096)
def _gains(changes: tuple[_Change, ...], combined: frozenset[str]) -> Mapping[int, float]:
    """Return what changes of some types add to the numbers; of those that combine, `combined` are there before."""
    gained: dict[int, float] = {}
    for name, before, after in changes:
        gained.update(_gained(_numbers(name, before), _numbers(name, after)))
    gone = {name for name, _, after in changes if not after.n_cues}
    come = _COMBINED.intersection(name for name, _, after in changes if after.n_cues)
    gained.update(_gained(_combinations(combined), _combinations(combined - gone | come)))
    return gained


def _gained(old: Mapping[int, float], new: Mapping[int, float]) -> Mapping[int, float]:
    """Return place -> by how much the new number is greater, for the numbers that differ."""
    gained = {place: value - old.get(place, 0.0) for place, value in new.items()}
    gained.update({place: -value for place, value in old.items() if place not in new})
    return {place: value for place, value in gained.items() if value}


@lru_cache(maxsize=4_096)
def _combinations(present: frozenset[str]) -> Mapping[int, float]:
    """Return the combinations that hold."""
    return {_TOGETHER_PLACE + place: _SCALE for place, held in enumerate(_together(present)) if held}


def _sized(place: int, number: int) -> dict[int, float]:
    found = {_FROM + place * len(BUCKETS) + step: _SCALE for step, bound in enumerate(BUCKETS) if number >= bound}
    if number:
        found[_SIZE + place] = _SCALE * (math.log1p(number) / 5)
    return found


def _together(present: Set[str]) -> tuple[bool, ...]:
    """Return what a single cue cannot say, in the order of `TOGETHER`."""
    small, half, hard = bool(present & _SMALL), bool(present & _HALF), bool(present & _HARD)
    wide, group = bool(present & _WIDE), bool(present & _GROUP)
    return (
        small and not half and not hard,
        half and not present & {"no_workaround", "deadline_today", "attack_under_way"},
        "stopped" in present and not small and not half,
        "deadline_today" in present and "workaround_cheap" not in present,
        hard and not half,
        wide,
        group and not wide,
        not wide and not group and bool(present & {"first_person", "only_me"}),
        "critical_service" in present and "stopped" in present,
    )


def _surface(text: str) -> tuple[float, ...]:
    return 1.0 if "?" in text else 0.0, min(len(text), 800) / 800

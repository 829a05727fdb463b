"""Cues as numbers for a classifier: what is there, where, how often, how many people, and what comes together."""

import math
from collections.abc import Iterable, Mapping, Sequence, Set
from functools import cache, lru_cache

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
    row = [0.0] * len(columns())
    for place, value in filled(text, cues).items():
        row[place] = value
    return tuple(row)


def filled(text: str, cues: Sequence[Cue]) -> dict[int, float]:
    """Return place -> number of the columns that are not 0."""
    title_end = max(text.find("\n"), 0)
    found = _counted(cues, title_end)
    found.update(_combined({cue.cue for cue in cues}))
    found.update({_SURFACE_PLACE + place: _SCALE * value for place, value in enumerate(_surface(text)) if value})
    return found


class CueNumbers:
    """The numbers of one text's cues by cue type, to be asked what would change if some types had other cues.

    Only what changes is counted anew; nearly all numbers of a text belong to types that do not.
    """

    def __init__(self, text: str, cues: Sequence[Cue]) -> None:
        self._title_end = max(text.find("\n"), 0)
        self._all = cues
        self._cues: dict[str, list[Cue]] = {}
        for cue in cues:
            self._cues.setdefault(cue.cue, []).append(cue)
        self._numbers = {name: _counted(found, self._title_end) for name, found in self._cues.items()}
        self._together = _combined(self._cues.keys())

    def of(self, name: str) -> Sequence[Cue]:
        """Return the cues of a type."""
        return self._cues.get(name, ())

    def gains(self, others: Mapping[str, Sequence[Cue]]) -> dict[int, float]:
        """Return place -> what its number gains where the cues of these types are others, for the numbers that change."""
        old, new = dict[int, float](), dict[int, float]()
        for name, cues in others.items():
            old.update(self._numbers.get(name, {}))
            new.update(_counted(cues, self._title_end))
        present = (self._cues.keys() - others.keys()) | {name for name, cues in others.items() if cues}
        if present != self._cues.keys():
            old.update(self._together)
            new.update(_combined(present))
        gained = {place: value - old.get(place, 0.0) for place, value in new.items()}
        gained.update({place: -value for place, value in old.items() if place not in new})
        return {place: value for place, value in gained.items() if value}

    def losses(self, start: int, end: int) -> dict[int, float]:
        """Return place -> what its number loses without the text between, and so without all cues that share words with it."""
        touched = {cue.cue for cue in self._all if cue.end > start and cue.start < end}
        left = {name: [cue for cue in self._cues[name] if cue.end <= start or cue.start >= end] for name in touched}
        return {place: -value for place, value in self.gains(left).items()}


def _counted(cues: Sequence[Cue], title_end: int) -> dict[int, float]:
    counts: dict[str, int] = {}
    largest: dict[str, int] = {}
    found: dict[int, float] = {}
    for cue in cues:
        name = cue.cue
        if name not in _PLACES:
            continue
        counts[name] = counts.get(name, 0) + 1
        if cue.start < title_end:
            found[_TITLE + _PLACES[name]] = _SCALE
        if name in _NUMBERED_PLACES:
            largest[name] = max(largest.get(name, 0), cue.value or 0)
    for name, count in counts.items():
        found[_PLACES[name]] = _SCALE
        found[_COUNT + _PLACES[name]] = _SCALE * (math.log1p(count) / 2)
    for name, number in largest.items():
        found.update(_sized(_NUMBERED_PLACES[name], number))
    return found


def _combined(present: Iterable[str]) -> Mapping[int, float]:
    return _combined_of(_COMBINED.intersection(present))


@lru_cache(maxsize=4_096)
def _combined_of(present: frozenset[str]) -> Mapping[int, float]:
    """Return the combinations that hold; one text asks for them after each change, and few sets are common."""
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

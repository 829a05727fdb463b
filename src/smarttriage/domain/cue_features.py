"""Cues as numbers for a classifier: what is there, where, how often, how many people, and what comes together."""

import math
from collections.abc import Sequence, Set
from functools import cache

from smarttriage.domain.cues import CUE_TYPES, Cue

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


@cache
def columns() -> tuple[str, ...]:
    """Return one name for each number of `values`."""
    names = [f"{name}.{part}" for part in ("present", "title", "count") for name in COUNTED]
    names += [f"{name}.from_{bound}" for name in NUMBERED for bound in BUCKETS]
    names += [f"{name}.size" for name in NUMBERED]
    return (*names, *(f"together.{name}" for name in TOGETHER), *(f"surface.{name}" for name in SURFACE))


@cache
def column(name: str) -> int:
    """Return the place of a column."""
    return columns().index(name)


def filled_by(cue: Cue) -> tuple[str, ...]:
    """Return the columns that one find fills by itself; none for tone."""
    if cue.cue not in COUNTED:
        return ()
    names = [f"{cue.cue}.present", f"{cue.cue}.count"]
    if cue.cue in NUMBERED:
        names += [f"{cue.cue}.from_{bound}" for bound in BUCKETS if (cue.value or 0) >= bound]
    return tuple(names)


def values(text: str, cues: Sequence[Cue]) -> tuple[float, ...]:
    """Return the numbers of a model text and its cues, each between 0 and about 1."""
    title_end = max(text.find("\n"), 0)
    counts = dict.fromkeys(COUNTED, 0)
    in_title = dict.fromkeys(COUNTED, 0.0)
    largest = dict.fromkeys(NUMBERED, 0)
    for cue in cues:
        if cue.cue not in counts:
            continue
        counts[cue.cue] += 1
        if cue.start < title_end:
            in_title[cue.cue] = 1.0
        if cue.cue in largest:
            largest[cue.cue] = max(largest[cue.cue], cue.value or 0)
    present = {name for name, count in counts.items() if count}
    found = [1.0 if name in present else 0.0 for name in COUNTED]
    found += in_title.values()
    found += [math.log1p(count) / 2 for count in counts.values()]
    found += [1.0 if number >= bound else 0.0 for number in largest.values() for bound in BUCKETS]
    found += [math.log1p(number) / 5 for number in largest.values()]
    found += [1.0 if held else 0.0 for held in _together(present)]
    return tuple(_SCALE * value for value in (*found, *_surface(text)))


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

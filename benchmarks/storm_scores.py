"""How good a way is at seeing storms, and its best setting within a budget of false alarms."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from statistics import median

import numpy as np
from sklearn.metrics import adjusted_rand_score

from storm_stream import Alarm, Half, Way, World, in_half
from storm_ways import HOUR

# An alarm of the volume counts as right if so many reports of one storm stand in its hour: generous, it names no ticket.
VOLUME_REPORTS = 3


def scored(world: World, way: Way, half: Half) -> dict[str, float]:
    """Return what the way found in the half, how late, and how often it was wrong."""
    places: defaultdict[str, list[int]] = defaultdict(list)
    for name, place in in_half(world, half):
        places[name].append(place)
    found: dict[str, int] = {}
    false = again = 0
    for alarm in sorted(way.alarms, key=lambda each: each.place):
        if not half.begins <= world.stream[alarm.place].at < half.ends:
            continue
        name = named(world, alarm)
        false += not name
        again += name in found
        if name in places:
            found.setdefault(name, alarm.place)
    late = [sum(place <= at for place in places[name]) for name, at in found.items()]
    minutes = [(world.stream[at].at - world.stream[places[name][0]].at).total_seconds() / 60 for name, at in found.items()]
    return {
        "storms": len(places),
        "found": len(found),
        "share": len(found) / len(places),
        "reports_median": median(late) if late else 0.0,
        "minutes_median": median(minutes) if minutes else 0.0,
        "minutes_p90": float(np.percentile(minutes, 90)) if minutes else 0.0,
        "false_a_week": false / half.weeks,
        "again": again,
        **agreement(world, way, half),
    }


def named(world: World, alarm: Alarm) -> str:
    """Return the storm that the alarm is about: half of what it names, or, where it names only an hour, some reports of that."""
    if alarm.members:
        name, n = Counter(world.stream[place].storm for place in alarm.members).most_common(1)[0]
        return name if 2 * n >= len(alarm.members) else ""
    at = world.stream[alarm.place].at
    hour = Counter()
    place = alarm.place
    while place >= 0 and (at - world.stream[place].at).total_seconds() <= HOUR:
        hour[world.stream[place].storm] += 1
        place -= 1
    hour.pop("", None)
    name, n = hour.most_common(1)[0] if hour else ("", 0)
    return name if n >= VOLUME_REPORTS else ""


def agreement(world: World, way: Way, half: Half) -> dict[str, float]:
    """Return the adjusted Rand index over the reports of storms, and over all tickets (an ordinary one is alone)."""
    if way.clusters is None:
        return {}
    places = [n for n, one in enumerate(world.stream) if half.begins <= one.at < half.ends]
    told = [n for n in places if world.stream[n].storm]

    def index(of: Sequence[int]) -> float:
        truly = [world.stream[n].storm or f"alone {n}" for n in of]
        return float(adjusted_rand_score(truly, [way.clusters[n] or f"alone {n}" for n in of]))

    return {"ari_storms": index(told), "ari_all": index(places)}


def by_name(ways: Sequence[Way]) -> dict[str, list[Way]]:
    found: defaultdict[str, list[Way]] = defaultdict(list)
    for way in ways:
        found[way.name].append(way)
    return found


def best(world: World, ways: Sequence[Way], budget: float) -> dict[str, object]:
    """Return the setting that finds most in the first half within the budget (then the soonest), and what it does in both."""
    tuned, reported = world.halves
    bare = {id(way): scored(world, Way(way.name, way.setting, way.alarms, None), tuned) for way in ways}

    def rank(way: Way) -> tuple[bool, float, float, float]:
        of = bare[id(way)]
        within = of["false_a_week"] <= budget
        return (within, of["share"] if within else -of["false_a_week"], -of["minutes_median"], -of["false_a_week"])

    chosen = max(ways, key=rank)
    return {
        "setting": chosen.setting,
        "within": bare[id(chosen)]["false_a_week"] <= budget,
        "tuned": scored(world, chosen, tuned),
        "reported": scored(world, chosen, reported),
    }

"""A desk's stream of tickets with outages planted in it as storms of user reports."""

import csv
import gzip
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import numpy as np

from smarttriage.ports import Vectors
from storm_texts import Event, events, reports, rows, sample

SEED = 7
N_STORMS = 60
# Reports of one storm, and minutes until somebody reports: most are small, and most come within the hour.
SIZE_MEDIAN, SIZE_SPREAD, SIZES = 9, 0.6, (3, 60)
DELAY_MEDIAN_MIN, DELAY_SPREAD, LONGEST_MIN = 25.0, 0.9, 240.0
WARM_UP = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Ticket:
    """What arrives: when, what it says, and the storm that it is of ("" for an ordinary one)."""

    at: datetime
    text: str
    storm: str


@dataclass(frozen=True, slots=True)
class Alarm:
    """When a way said something (place of the ticket), and of which tickets; no tickets: only the hour is named."""

    place: int
    members: Sequence[int]


@dataclass(frozen=True, slots=True)
class Half:
    """One part of the time: what is scored in it."""

    name: str
    begins: datetime
    ends: datetime

    @property
    def weeks(self) -> float:
        return (self.ends - self.begins) / timedelta(days=7)


@dataclass(frozen=True, slots=True)
class World:
    """The stream with its (n, dim) vectors, its two halves, and which tickets the shipped model calls requests."""

    stream: Sequence[Ticket]
    vectors: Vectors
    halves: tuple[Half, Half]
    requests: Sequence[bool]


@dataclass(frozen=True, slots=True)
class Way:
    """One way with one setting: its alarms, and the cluster of each ticket where it makes any."""

    name: str
    setting: dict[str, float]
    alarms: Sequence[Alarm]
    clusters: Sequence[str] | None


def planted(data: Path) -> tuple[list[Ticket], tuple[Half, Half]]:
    """Return the stream in order of arrival, and the two halves."""
    with gzip.open(data / "kpi_servicenow" / "incidents.csv.gz", "rt", encoding="utf-8", newline="") as lines:
        arrivals = sorted(datetime.fromisoformat(row["opened_at"]).replace(tzinfo=UTC) for row in csv.DictReader(lines))
    tickets = [Ticket(at, row["text"], "") for at, row in zip(arrivals, rows(data / "it_ticket_category", "train"), strict=False)]
    middle = arrivals[len(arrivals) // 2]
    halves = Half("tuned on", arrivals[0] + WARM_UP, middle), Half("reported", middle, arrivals[-1] + timedelta(minutes=1))
    rng = random.Random(SEED)
    for half, split in zip(halves, ("train", "dev"), strict=True):
        begin = [at for at in arrivals if half.begins <= at < half.ends - timedelta(minutes=LONGEST_MIN)]
        for event in sample(events(data, split), N_STORMS, rng):
            tickets += storm(event, rng.choice(begin), rng)
    return sorted(tickets, key=lambda one: (one.at, one.storm, one.text)), halves


def storm(event: Event, begins: datetime, rng: random.Random) -> Iterator[Ticket]:
    n = min(max(round(rng.lognormvariate(np.log(SIZE_MEDIAN), SIZE_SPREAD)), SIZES[0]), SIZES[1])
    for text in reports(event, n, rng):
        after = min(rng.lognormvariate(np.log(DELAY_MEDIAN_MIN), DELAY_SPREAD), LONGEST_MIN)
        yield Ticket(begins + timedelta(minutes=after), text, event.id)


def described(world: World) -> dict[str, object]:
    sizes = Counter(one.storm for one in world.stream if one.storm)
    return {
        "tickets": sum(not one.storm for one in world.stream),
        "reports": sum(sizes.values()),
        "storms": len(sizes),
        "median_size": median(sizes.values()),
        "halves": [
            {"name": half.name, "weeks": half.weeks, "storms": len({s for s, _ in in_half(world, half)})} for half in world.halves
        ],
    }


def in_half(world: World, half: Half) -> Iterator[tuple[str, int]]:
    """Yield storm and place of the reports in the half."""
    return ((one.storm, n) for n, one in enumerate(world.stream) if one.storm and half.begins <= one.at < half.ends)

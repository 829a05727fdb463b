"""User reports of real outages, written by rule from the first public updates of the same event.

What a status page says to its readers ("we are investigating", "updates will follow") is dropped; what is left of title and updates is what
users would complain about. Each report takes some of it, says it in other words, drops some, and loses its function words like the tickets of
it_ticket_category, among which it is planted.
"""

import csv
import gzip
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

csv.field_size_limit(10**9)
# Of the page to its readers, not of what is broken.
PAGE = re.compile(
    r"\b(investigat|identified the|will (?:provide|share|post|update)|updates? (?:will|shortly|to follow)|apologi|thank|monitoring|"
    r"engineer(?:s|ing)? team|continu(?:e|ing) to|more (?:information|details)|resolved|fix (?:has|is)|working (?:on|to|with)|we have|"
    r"our team|status page|subscribe|contact support)",
    re.IGNORECASE,
)
# Headings of Google's updates, and names that name nothing.
HEADING = re.compile(r"\b(?:diagnosis|workaround|description|summary|title|incident|none at this time)\s*:", re.IGNORECASE)
NAMELESS = re.compile(r"multiple products|merged|test incident", re.IGNORECASE)
INSTANT = re.compile(r"\[\d{4}-[^\]]*\]\s*(?:\w+:\s*)?")
LATER = re.compile(r"\]\s*(?:resolved|monitoring|postmortem|completed):", re.IGNORECASE)
FUNCTION = frozenset(
    "a an the and or of to in on at by for from with as is are was were be been being has have had may might can could should would will this that "
    "these those it its we our us you your they their some when while which who what there here not no do does did due than then also".split()
)
OTHERWISE = {
    "issue": ("problem", "error", "trouble"),
    "issues": ("problems", "errors", "trouble"),
    "errors": ("failures", "problems"),
    "error": ("failure", "problem"),
    "unable": ("cannot", "impossible"),
    "unavailable": ("down", "unreachable"),
    "slow": ("delayed", "hanging"),
    "latency": ("delay", "slowness"),
    "delays": ("slowness", "hanging"),
    "degraded": ("slow", "bad"),
    "elevated": ("many", "lots"),
    "increased": ("many", "more"),
    "failing": ("broken", "failed"),
    "customers": ("users", "colleagues", "people"),
    "users": ("colleagues", "people"),
    "experiencing": ("getting", "seeing"),
    "experience": ("get", "see"),
    "access": ("open", "reach"),
    "connectivity": ("connection", "network"),
    "impacted": ("affected", "hit"),
    "affecting": ("hitting", "touching"),
    "intermittent": ("occasional", "random"),
    "performance": ("speed", "response"),
}
OPENINGS = ("hi", "hello", "hi team", "dear all", "good morning", "please help", "urgent", "hello please advise", "")
CLOSINGS = ("thanks", "regards", "please advise", "please fix asap", "thank best regards", "many colleagues affected", "")
SHORT = ("{} not working", "cannot open {}", "{} down", "problem {}", "{} error", "{} hanging since morning", "nobody can use {}")
WORD = re.compile(r"[a-z][a-z'+.-]*[a-z]|[a-z]")
# The share of a report's words that its writer leaves out.
DROPPED = 0.2


@dataclass(frozen=True, slots=True)
class Event:
    """An outage: what is said of it, and the names of what is out of order."""

    id: str
    title: str
    sentences: tuple[str, ...]
    components: tuple[str, ...]


def events(data: Path, split: str) -> list[Event]:
    """Return the outages of a split that say enough to be told in more than one way, one for each near-duplicate cluster."""
    found, clusters = [], set()
    for row in (*rows(data / "status_page_impact", split), *rows(data / "gcp_incident_severity", split)):
        event = event_of(row)
        if len(event.sentences) >= 2 and not NAMELESS.search(event.title) and row["cluster"] not in clusters:
            clusters.add(row["cluster"])
            found.append(event)
    return found


def rows(folder: Path, split: str) -> Iterator[dict[str, str]]:
    with gzip.open(folder / f"{split}.csv.gz", "rt", encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


def event_of(row: dict[str, str]) -> Event:
    updates = [part for part in row["all_updates"].split("\n---\n") if not LATER.search(part[:80])][:4]
    told = [row["first_update"], *(HEADING.sub(" ", INSTANT.sub("", part)) for part in updates)]
    said = dict.fromkeys(" ".join(each.split()) for text in told for each in re.split(r"(?<=[.!?])\s+|\n+", text))
    kept = tuple(each for each in said if not PAGE.search(each) and 20 < len(each) < 300)
    names = re.split(r"[|,]", row.get("components") or row.get("service") or "")
    components = tuple(each.strip() for each in names if each.strip() and not NAMELESS.search(each))[:3]
    return Event(row["id"], row["title"], kept, components or (row["title"],))


def reports(event: Event, n: int, rng: random.Random) -> list[str]:
    """Return n reports of the event, no two by the same choices."""
    return [report(event, rng) for _ in range(n)]


def report(event: Event, rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.2:
        body = rng.choice(SHORT).format(rng.choice(event.components))
    elif kind < 0.4:
        body = event.title
    elif kind < 0.7:
        body = f"{event.title} {rng.choice(event.sentences)}"
    else:
        body = " ".join(rng.sample(event.sentences, k=min(len(event.sentences), rng.choice((1, 2)))))
    return " ".join(part for part in (rng.choice(OPENINGS), retold(body, rng), rng.choice(CLOSINGS)) if part)


def retold(text: str, rng: random.Random) -> str:
    """Return the text without function words and numbers, some words said otherwise, some left out."""
    words = [word for word in WORD.findall(text.lower()) if word not in FUNCTION]
    kept = [word for word in words if rng.random() >= DROPPED] or words
    return " ".join(rng.choice(OTHERWISE[word]) if word in OTHERWISE and rng.random() < 0.5 else word for word in kept)


def sample(found: Sequence[Event], n: int, rng: random.Random) -> list[Event]:
    return rng.sample(list(found), k=min(n, len(found)))

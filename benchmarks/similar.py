"""Similar incidents: from which cosine is an open one a duplicate, how many different problems are shown, and what does that cost?

    python benchmarks/similar.py [--data ../shared/data] [--cache FOLDER]

Duplicates: bugs of gitbugs_duplicates that people marked as duplicates, each put to all others; the level is chosen on the train queries
(the least one at which half of the flagged are right) and reported on the dev queries. Gaps between the days of both are printed too.
Same outage: incidents of public status pages, put to all others reported within the hour; two vendors never share an outage here.
Different problems: dev tickets of it_ticket_category put to 10,000 train tickets; its column `cluster` says which are near-duplicates.
"""

import argparse
import csv
import gzip
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from report import write_results
from similar_past import asked_of, catalogue_of
from smarttriage.adapters.vector_cache import FileVectorCache
from smarttriage.bootstrap import parts
from smarttriage.domain.incident import Incident
from smarttriage.domain.interval import clopper_pearson
from smarttriage.domain.text import model_text
from smarttriage.ports import Encoder, VectorCache, Vectors
from smarttriage.services.matching import DEFAULT_MATCHES, N_NEIGHBOURS, Nearest
from smarttriage.services.similar import BOUNDS, Neighbour, clusters, similar
from smarttriage.services.training import embed
from smarttriage.testing.factories import NOON, an_incident

ROOT = Path(__file__).resolve().parent.parent
LEVELS = tuple(round(level, 2) for level in np.arange(0.5, 0.98, 0.05).tolist())
# A flag costs the agent a look at one line; a coin's throw is worth that, less is not.
PRECISION = 0.5
N_PAST, N_ASKED = 10_000, 1_000
DATE = "%d/%b/%y %H:%M"


@dataclass(frozen=True, slots=True)
class Pair:
    """Another bug beside one that was asked about: how near, and whether people called them the same."""

    near: float
    same: bool


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    options.add_argument("--cache", type=Path, help="Keep vectors here.")
    chosen = options.parse_args()
    encoder, cache = parts.encoder(n_threads=1), FileVectorCache(chosen.cache) if chosen.cache else None
    duplicates, gaps = duplicate_levels(chosen.data / "gitbugs_duplicates", encoder, cache)
    past, texts, asked = tickets(chosen.data / "it_ticket_category", encoder, cache)
    lists = found(past, texts, asked)
    variety = shown(lists, past)
    result = {
        "duplicates": duplicates,
        "level_of_train": least(duplicates["train"]),
        "in_force": BOUNDS.duplicate,
        "gap_days": gaps,
        "outages": outages(chosen.data / "status_page_impact", encoder, cache),
        "variety": variety,
        "pairs": pairs(lists, past),
        "added_ms": added_ms(lists),
    }
    write_results("similar", result, table(result))


def duplicate_levels(
    folder: Path, encoder: Encoder, cache: VectorCache | None
) -> tuple[dict[str, list[dict[str, float]]], list[float]]:
    """Return what each level does on both halves of the queries, and the days between the marked pairs."""
    bugs = {row["_id"]: row for row in read(folder / "corpus.jsonl.gz")}
    vectors = dict(
        zip(bugs, embed([model_text(b["title"], b["text"]) for b in bugs.values()], encoder=encoder, cache=cache), strict=True)
    )
    ids, all_vectors = list(bugs), np.stack(list(vectors.values()))
    points: dict[str, list[dict[str, float]]] = {}
    gaps: list[float] = []
    for split in ("train", "dev"):
        marked: dict[str, set[str]] = {}
        for line in (folder / f"qrels.{split}.tsv").read_text(encoding="utf-8").splitlines()[1:]:
            query, bug, _ = line.split("\t")
            marked.setdefault(query, set()).add(bug)
            gaps.append(abs((reported(bugs[query]) - reported(bugs[bug])).total_seconds()) / 86_400)
        put = [nearest(query, vectors[query], ids, all_vectors, same) for query, same in marked.items()]
        points[split] = [point(put, sum(len(same) for same in marked.values()), level) for level in LEVELS]
    return points, [float(np.percentile(gaps, share)) for share in (10, 25, 50, 75, 90)]


def read(path: Path) -> list[dict[str, object]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def reported(bug: dict[str, dict[str, str]]) -> datetime:
    """Return when a bug was reported; the projects write dates in more ways than one."""
    written = bug["metadata"]["created"]
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        at = datetime.strptime(written, DATE)  # noqa: DTZ007 - the zone is added below
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def nearest(query: str, vector: Vectors, ids: Sequence[str], vectors: Vectors, same: set[str]) -> list[Pair]:
    """Return the ten nearest others, as a suggestion looks at them."""
    scores = vectors @ vector
    order = [place for place in np.argsort(-scores, kind="stable").tolist() if ids[place] != query][:N_NEIGHBOURS]
    return [Pair(float(scores[place]), ids[place] in same) for place in order]


def point(put: Sequence[Sequence[Pair]], n_marked: int, level: float) -> dict[str, float]:
    flagged = [pair for each in put for pair in each if pair.near >= level]
    right = sum(pair.same for pair in flagged)
    low, high = clopper_pearson(right, len(flagged)) if flagged else (0.0, 1.0)
    return {"level": level, "flagged": len(flagged), "right": right, "marked": n_marked, "low": low, "high": high}


def least(points: Sequence[dict[str, float]]) -> float | None:
    return next((at["level"] for at in points if at["flagged"] and at["right"] >= PRECISION * at["flagged"]), None)


@dataclass(frozen=True, slots=True)
class Past:
    """Past tickets and their near-duplicate clusters."""

    incidents: Sequence[Incident]
    cluster: Sequence[str]
    vectors: Vectors


def tickets(folder: Path, encoder: Encoder, cache: VectorCache | None) -> tuple[Past, Vectors]:
    """Return the first past tickets and the vectors of the first that are asked about."""

    def rows(split: str, n: int) -> list[dict[str, str]]:
        with gzip.open(folder / f"{split}.csv.gz", "rt", encoding="utf-8", newline="") as lines:
            return [row for row, _ in zip(csv.DictReader(lines), range(n), strict=False)]

    train, dev = rows("train", N_PAST), rows("dev", N_ASKED)
    incidents = [an_incident(id=str(place), title="", description=row["text"]) for place, row in enumerate(train)]
    past = Past(
        incidents, [row["cluster"] for row in train], embed([each.text for each in incidents], encoder=encoder, cache=cache)
    )
    texts = [model_text("", row["text"]) for row in dev]
    return past, texts, embed(texts, encoder=encoder, cache=cache)


def found(past: Past, texts: Sequence[str], asked: Vectors) -> list[Nearest]:
    """Return what the service reads beside each text: both sides of the search, the floor, and further where scores are equal."""
    catalogue = catalogue_of(past.incidents, past.vectors)
    return [asked_of(catalogue, text, vector) for text, vector in zip(texts, asked, strict=True)]


def shown(lists: Sequence[Nearest], past: Past) -> dict[str, dict[str, float]]:
    """Return how many different problems a list of five shows: as ranked, collapsed, and collapsed with those read further."""
    full = [each for each in lists if len(each.neighbours) >= DEFAULT_MATCHES]
    ways = {
        "the five nearest": [[incident.id for _, incident in each.neighbours[:DEFAULT_MATCHES]] for each in full],
        "one for each cluster of the ten nearest": [ids(each.neighbours) for each in full],
        "the same, read further where scores are equal (the service)": [ids([*each.neighbours, *each.further]) for each in full],
    }
    counts = {name: [(len({past.cluster[int(i)] for i in one}), len(one)) for one in each] for name, each in ways.items()}
    flooded = [place for place, each in enumerate(counts["the five nearest"]) if each[0] < DEFAULT_MATCHES]
    return {name: summary(each, flooded) for name, each in counts.items()}


def ids(near: Sequence[Neighbour]) -> list[str]:
    return [match.id for match in similar(near, DEFAULT_MATCHES, at=NOON)]


def summary(counts: Sequence[tuple[int, int]], flooded: Sequence[int]) -> dict[str, float]:
    return {
        "lists": len(counts),
        "different": float(np.mean([different for different, _ in counts])),
        "lines": float(np.mean([lines for _, lines in counts])),
        "flooded_lists": len(flooded),
        "flooded_different": float(np.mean([counts[place][0] for place in flooded])),
        "flooded_lines": float(np.mean([counts[place][1] for place in flooded])),
    }


def pairs(lists: Sequence[Nearest], past: Past) -> dict[str, int]:
    """Return how the pairs among the ten nearest that were collapsed agree with the column `cluster`."""
    n = {"collapsed": 0, "both": 0, "clustered": 0}
    for each in lists:
        near = each.neighbours
        ours = {neighbour[1].id: number for number, members in enumerate(clusters(near)) for neighbour in members}
        for place, (_, left) in enumerate(near):
            for _, right in near[:place]:
                together, truly = ours[left.id] == ours[right.id], past.cluster[int(left.id)] == past.cluster[int(right.id)]
                n = {
                    "collapsed": n["collapsed"] + together,
                    "both": n["both"] + (together and truly),
                    "clustered": n["clustered"] + truly,
                }
    return n


def added_ms(lists: Sequence[Nearest]) -> dict[str, float]:
    """Return milliseconds of collapsing and flagging one list."""
    spent = []
    for each in lists:
        began = time.perf_counter()
        each.similar(DEFAULT_MATCHES, at=NOON)
        spent.append(1_000 * (time.perf_counter() - began))
    return {"p50": float(np.percentile(spent, 50)), "p95": float(np.percentile(spent, 95))}


def outages(folder: Path, encoder: Encoder, cache: VectorCache | None) -> list[dict[str, float]]:
    """Return, for pairs reported within the window of an outage, how many are of one vendor, by cosine."""
    csv.field_size_limit(10**9)
    rows: list[dict[str, str]] = []
    for split in ("train", "dev"):
        with gzip.open(folder / f"{split}.csv.gz", "rt", encoding="utf-8", newline="") as lines:
            rows += list(csv.DictReader(lines))
    rows.sort(key=lambda row: datetime.fromisoformat(row["created_at"]))
    at = [datetime.fromisoformat(row["created_at"]) for row in rows]
    vectors = embed([model_text("", row["text"]) for row in rows], encoder=encoder, cache=cache)
    put = []
    for left in range(len(rows)):
        for right in range(left + 1, len(rows)):
            if at[right] - at[left] > BOUNDS.outage_within:
                break
            put.append(Pair(float(vectors[left] @ vectors[right]), rows[left]["vendor"] == rows[right]["vendor"]))
    return [point([put], sum(pair.same for pair in put), level) for level in (0.0, *LEVELS)]


def table(result: dict[str, object]) -> str:
    lines = [
        "| cosine at least | train: flagged | right | precision | found of the marked | dev: flagged | right | precision, 95 % | found |"
    ]
    lines.append("|---|---|---|---|---|---|---|---|---|")
    duplicates = result["duplicates"]
    for train, dev in zip(duplicates["train"], duplicates["dev"], strict=True):
        lines.append(
            f"| {train['level']:.2f} | {train['flagged']} | {train['right']} | {share(train['right'], train['flagged'])} | "
            f"{share(train['right'], train['marked'])} | {dev['flagged']} | {dev['right']} | "
            f"{share(dev['right'], dev['flagged'])} ({dev['low']:.2f} to {dev['high']:.2f}) | {share(dev['right'], dev['marked'])} |"
        )
    gaps = ", ".join(f"{days:.1f}" for days in result["gap_days"])
    lines += [
        "",
        f"Least level on train at which half of the flagged are right: {result['level_of_train']}; in force: {result['in_force']} "
        "(`BOUNDS` in services/similar.py). No window in time is applied in this table: the bugs are years of projects without a service "
        f"desk, and the days between the marked pairs are {gaps} (10th, 25th, 50th, 75th, 90th percentile). At a desk the service flags "
        f"open incidents within {BOUNDS.duplicate_within.total_seconds() / 3600:.0f} hours only, which leaves fewer to be wrong about. "
        f"{BOUNDS.outage_reports} reports of cosine {BOUNDS.outage} within "
        f"{BOUNDS.outage_within.total_seconds() / 60:.0f} minutes make an outage.",
        "",
        "| same outage: cosine at least | pairs within the hour | of one vendor | share, 95 % | of the pairs of one vendor |",
        "|---|---|---|---|---|",
        *(
            f"| {at['level']:.2f} | {at['flagged']} | {at['right']} | {share(at['right'], at['flagged'])} "
            f"({at['low']:.2f} to {at['high']:.2f}) | {share(at['right'], at['marked'])} |"
            for at in result["outages"]
        ),
        "",
        "Two incidents of different vendors are surely not one outage; two of one vendor within the hour may be, so the share is the most that "
        "the flag can be right. No data at hand names outages one by one: the level and the number of reports stay a convention.",
        "",
        "| five similar incidents | lists | different problems | lines shown | of lists with repeats: n | different problems | lines |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, at in result["variety"].items():
        lines.append(
            f"| {name} | {at['lists']} | {at['different']:.2f} | {at['lines']:.2f} | {at['flooded_lists']} | {at['flooded_different']:.2f} | {at['flooded_lines']:.2f} |"
        )
    n, added = result["pairs"], result["added_ms"]
    lines += [
        "",
        f"Pairs among the ten nearest: {n['collapsed']} were collapsed, {n['both']} of them also share a `cluster` "
        f"({share(n['both'], n['collapsed'])}); {n['clustered']} share one ({share(n['both'], n['clustered'])} of them were collapsed). "
        f"Collapsing and flagging costs {added['p50']:.3f} ms p50, {added['p95']:.3f} ms p95, and reads nothing.",
    ]
    return "\n".join(lines)


def share(part: float, whole: float) -> str:
    return f"{part / whole:.3f}" if whole else "-"


if __name__ == "__main__":
    main()

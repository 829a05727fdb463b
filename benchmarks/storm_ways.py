"""Ways to see a storm: the service's detector under every setting, single linkage, and volume per category."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from smarttriage.bootstrap.models import open_models
from smarttriage.config import Settings
from smarttriage.domain.stream_rules import Linking, StreamPolicy
from smarttriage.domain.text import model_text
from smarttriage.ports import Encoder, VectorCache, Vectors
from smarttriage.services.stream_detector import StreamDetector
from smarttriage.services.stream_window import Report
from smarttriage.services.training import embed
from storm_stream import Alarm, Ticket, Way, World
from storm_texts import rows

COSINES, FLOORS, RARITIES, GAPS = (0.5, 0.55, 0.6, 0.65), (0.35, 0.45), (0.0005, 0.001, 0.002, 0.005), (60, 120)
SURE = 0.7
REQUEST = 0.5
N_REPORTS, SURPRISES = range(3, 11), (0.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 12.0)
LINK_COSINES, LINK_SIZES = (0.6, 0.7, 0.75, 0.8, 0.85), range(3, 16)
Z_SCORES, Z_COUNTS = (2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0), (5, 10, 15, 20)
HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Steps:
    """What settings found, kept between runs."""

    folder: Path | None

    def of(self, name: str, make: Callable[[], object]) -> object:
        if self.folder is None:
            return make()
        path = self.folder / f"{name}.json"
        if not path.is_file():
            self.folder.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(make()), encoding="utf-8")
        return json.loads(path.read_text(encoding="utf-8"))


def requests(stream: Sequence[Ticket], vectors: Vectors, encoder: Encoder) -> list[bool]:
    """Return which tickets the shipped model calls requests."""
    classifier = open_models(Settings(), encoder).classifier
    column, found = list(classifier.cards["kind"].labels).index("request"), []
    for start in range(0, len(stream), 512):
        texts = [model_text("", one.text) for one in stream[start : start + 512]]
        found += (classifier.predict_proba(texts, vectors[start : start + 512])["kind"][:, column] >= REQUEST).tolist()
    return found


def detectors(world: World, steps: Steps) -> Iterator[Way]:
    """Yield the service's detector under every setting of linking and rules, and what is left of it without its parts."""
    hows = [("detector", linking(SURE, floor, rarity, gap)) for floor in FLOORS for rarity in RARITIES for gap in GAPS]
    hows += [("detector, one cosine for all", linking(cosine, cosine, 0.0, gap)) for cosine in COSINES for gap in GAPS]
    every = [linking(SURE, 0.45, rarity, 120, frozenset()) for rarity in RARITIES]
    for name, how in hows + [("detector, requests left in", how) for how in every]:
        gap = how.gap / timedelta(minutes=1)
        key = f"detector-{how.cosine}-{how.floor}-{how.rarity}-{gap:.0f}-{len(how.not_kinds)}"
        joins = steps.of(key, lambda how=how: run(world, how))
        clusters = assigned(len(world.stream), joins)
        for least in N_REPORTS:
            for surprise in SURPRISES:
                alone = ", number of reports alone" if not surprise else ""
                setting = {"floor": how.floor, "rarity": how.rarity, "gap_min": gap, "reports": least, "surprise": surprise}
                if name == "detector" or surprise:
                    yield Way(name + alone, setting, said(joins, least, surprise), clusters)


def linking(cosine: float, floor: float, rarity: float, gap: int, not_kinds: frozenset[str] = frozenset({"request"})) -> Linking:
    span = timedelta(minutes=gap)
    return Linking(cosine, floor, rarity, 0.0, span, max(span, timedelta(hours=1)), timedelta(days=28), not_kinds)


def run(world: World, how: Linking) -> list[list[object]]:
    """Return for each join: place, cluster, places that come in, reports in the burst, surprise."""
    watch = StreamDetector(policy=StreamPolicy(how, ()), dim=world.vectors.shape[1])
    joins: list[list[object]] = []
    for place, vector in enumerate(world.vectors):
        for join in watch.arrive(a_report(world, place), vector):
            coming = [int(one) for one in join.incident_ids]
            joins.append([place, join.cluster_id, coming, join.facts.n_reports, min(join.facts.surprise, 1e6)])
    return joins


def a_report(world: World, place: int) -> Report:
    kind = "request" if world.requests[place] else None
    return Report(str(place), "default", frozenset({"everyone"}), world.stream[place].at, "", kind=kind)


def assigned(n: int, joins: Sequence[Sequence[object]]) -> list[str]:
    clusters = [""] * n
    for _, cluster, coming, _, _ in joins:
        for place in coming:
            clusters[place] = cluster
    return clusters


def said(joins: Sequence[Sequence[object]], least: int, surprise: float) -> list[Alarm]:
    """Return the first moment at which each cluster fulfils the rule."""
    members: defaultdict[str, list[int]] = defaultdict(list)
    alarms: dict[str, Alarm] = {}
    for place, cluster, coming, n, unusual in joins:
        members[cluster] += coming
        if n >= least and unusual >= surprise and cluster not in alarms:
            alarms[cluster] = Alarm(place, tuple(members[cluster]))
    return list(alarms.values())


def single_links(world: World, steps: Steps) -> Iterator[Way]:
    """Yield single linkage over all that came before, whenever: a cluster says so once it has so many members."""
    for cosine in LINK_COSINES:
        labels, alarms = steps.of(f"single-{cosine}", lambda cosine=cosine: linked(world, cosine))
        for least in LINK_SIZES:
            setting = {"cosine": cosine, "reports": least}
            yield Way("single linkage without time", setting, [Alarm(p, m) for p, m in alarms[str(least)]], labels)


def linked(world: World, cosine: float) -> tuple[list[str], dict[str, list[tuple[int, list[int]]]]]:
    labels, vectors = np.arange(len(world.stream)), world.vectors[~np.asarray(world.requests)]
    alarms: dict[str, list[tuple[int, list[int]]]] = {str(least): [] for least in LINK_SIZES}
    asked = np.flatnonzero(~np.asarray(world.requests))
    for n, place in enumerate(asked.tolist()):
        earlier = asked[:n]
        near = earlier[vectors[:n] @ vectors[n] >= cosine]
        if len(near) == 0:
            continue
        joined = np.unique(labels[near])
        before = max(int(np.count_nonzero(labels[:place] == one)) for one in joined[:50])
        labels[place] = joined[0]
        if len(joined) > 1:
            labels[:place][np.isin(labels[:place], joined)] = joined[0]
        size = int(np.count_nonzero(labels[: place + 1] == joined[0]))
        for least in LINK_SIZES:
            if before < least <= size:
                alarms[str(least)].append((place, np.flatnonzero(labels[: place + 1] == joined[0]).tolist()[-100:]))
    return [str(label) for label in labels], alarms


def categories(world: World, data: Path, encoder: Encoder, cache: VectorCache | None) -> list[str]:
    """Return the category that a model trained on other tickets gives each."""
    n = sum(not one.storm for one in world.stream)
    train = list(rows(data / "it_ticket_category", "train"))[n : n + 5_000]
    vectors = embed([model_text("", row["text"]) for row in train], encoder=encoder, cache=cache)
    model = LogisticRegression(max_iter=300).fit(vectors, [row["category"] for row in train])
    return [str(label) for label in model.predict(world.vectors)]


def volumes(world: World, category: Sequence[str]) -> Iterator[Way]:
    """Yield the count of each category in the last hour against the same hours of the days before."""
    looks = counted(world, category)
    for z in Z_SCORES:
        for least in Z_COUNTS:
            alarms, quiet = [], {}
            for place, kind, n, score in looks:
                at = world.stream[place].at
                if n >= least and score >= z and at >= quiet.get(kind, at):
                    alarms.append(Alarm(place, ()))
                    quiet[kind] = at + timedelta(hours=2)
            yield Way("volume per category", {"z": z, "reports": least}, alarms, None)


def counted(world: World, category: Sequence[str]) -> list[tuple[int, str, int, float]]:
    """Return for each ticket: place, category, how many of it in the last hour, z-score against the same hour of like days before."""
    lately: defaultdict[str, list[float]] = defaultdict(list)
    hourly: defaultdict[tuple[str, bool, int], Counter[object]] = defaultdict(Counter)
    days: defaultdict[bool, dict[object, None]] = defaultdict(dict)
    looks = []
    for place, (ticket, kind) in enumerate(zip(world.stream, category, strict=True)):
        second, day, weekend = ticket.at.timestamp(), ticket.at.date(), ticket.at.weekday() >= 5
        if world.requests[place]:
            continue
        lately[kind] = [at for at in lately[kind] if at > second - HOUR] + [second]
        past = [each for each in days[weekend] if each != day][-20:]
        counts = [hourly[kind, weekend, ticket.at.hour][each] for each in past] or [0]
        score = (len(lately[kind]) - np.mean(counts)) / max(float(np.std(counts)), 1.0)
        looks.append((place, kind, len(lately[kind]), float(score)))
        hourly[kind, weekend, ticket.at.hour][day] += 1
        days[weekend].setdefault(day)
    return looks

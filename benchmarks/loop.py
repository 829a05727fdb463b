"""Does the knowledge base grow by itself? Incidents one by one, from an empty knowledge base, with the loop and without it.

    python benchmarks/loop.py [--cache FOLDER]

Each incident asks for articles, is resolved (by the right article where that was among the five shown, else in words) and forgotten.
After every 20 incidents a reviewer publishes all that is proposed: the loop's drafts, or, without the loop, the draft that each
resolution makes by itself. Levels are chosen on articles that are not reported on. Writes results/loop.json, .md and .svg.
"""

import argparse
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from loop_replay import REVIEW_EVERY, Asked, Cached, Replay, replay
from loop_streams import Told, msoffice, seed_incidents
from report import RESULTS, write_results
from smarttriage.adapters.vector_cache import FileVectorCache
from smarttriage.bootstrap import parts
from smarttriage.domain.interval import clopper_pearson
from smarttriage.domain.sentences import sentences
from smarttriage.ports import Encoder
from smarttriage.services.learning import SAME_FIX
from smarttriage.services.loop import SAME_GROUP
from smarttriage.services.proposing import SAME_ARTICLE

SEED = 1
N_ARTICLES, N_FOR_CHOICE = 300, 150
LEVELS = (0.65, 0.7, 0.75, 0.8)
N_WINDOWS = 8
WITH, WITHOUT = "with the loop", "each resolution by itself"
COLOURS = {WITH: "#0b6e4f", WITHOUT: "#c05a00", "no articles, past incidents only": "#5b5b8c"}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--cache", type=Path, help="Keep vectors here.")
    chosen = options.parse_args()
    cache = FileVectorCache(chosen.cache) if chosen.cache else None
    encoder = Cached(parts.encoder(n_threads=1), cache)
    unseen = msoffice(N_FOR_CHOICE, offset=N_ARTICLES, seed=SEED)
    choice = {f"{level:.2f}": _run(encoder, unseen, with_loop=True, level=level) for level in LEVELS}
    choice |= {f"{SAME_GROUP:.2f}, article from {SAME_FIX:.2f}": _run(encoder, unseen, with_loop=True, same_fix=SAME_FIX)}
    streams = {
        "kb_msoffice": msoffice(N_ARTICLES, offset=0, seed=SEED),
        "the seed of `make run`": seed_incidents(seed=SEED),
    }
    found = {name: {how: _run(encoder, told, with_loop=how == WITH) for how in (WITH, WITHOUT)} for name, told in streams.items()}
    (RESULTS / "loop.svg").write_text(curves(found), encoding="utf-8")
    write_results("loop", {"choice": choice, "streams": found}, table(choice, found))


def _run(encoder: Encoder, told: Sequence[Told], *, with_loop: bool, **levels: float) -> dict[str, Any]:
    with replay(encoder, **levels) as services:
        asked = services.run(told, with_loop=with_loop)
        return _figures(asked) | _library(services, told)


def _figures(asked: Sequence[Asked]) -> dict[str, Any]:
    """Return recall of articles and of past incidents, of incidents whose fix had been seen before, in all and by window."""
    windows = np.array_split(np.arange(len(asked)), N_WINDOWS)
    return {
        "n": len(asked),
        "all": _recall([each for each in asked if each.known]),
        "windows": [
            {"until": int(window[-1]) + 1, "articles": asked[int(window[-1])].n_articles}
            | _recall([asked[int(at)] for at in window if asked[int(at)].known])
            for window in windows
        ],
    }


def _recall(asked: Sequence[Asked]) -> dict[str, Any]:
    found: dict[str, Any] = {"n_known": len(asked)}
    for what in ("article", "incident"):
        for k in (1, 5):
            hits = sum((getattr(each, what) or k + 1) <= k for each in asked)
            low, high = clopper_pearson(hits, len(asked)) if asked else (0.0, 1.0)
            found[f"{what}@{k}"] = {"value": hits / max(1, len(asked)), "low": low, "high": high}
    return found


def _library(services: Replay, told: Sequence[Told]) -> dict[str, Any]:
    """Return how many articles there are, of how many fixes, how many mix fixes, and how much of what was said of a fix they hold."""
    grown = services.truth()
    with services.store.begin() as records:
        bodies = {each.id: {sentence.text for sentence in sentences(each.body)} for each in records.indexable_articles()}
    said: dict[str, set[str]] = defaultdict(set)
    n_told: dict[str, int] = defaultdict(int)
    for each in told:
        said[each.fix] |= {sentence.text for sentence in sentences(each.resolution)}
        n_told[each.fix] += 1
    held: dict[str, list[float]] = defaultdict(list)
    for id_, fixes in grown.items():
        fix = fixes.most_common(1)[0][0]
        held[fix].append(len(bodies[id_] & said[fix]) / max(1, len(said[fix])))
    several = [max(held[fix]) for fix in held if n_told[fix] > 1]
    return {
        "articles": len(grown),
        "mixed": sum(len(fixes) > 1 for fixes in grown.values()),
        "fixes_told": len(said),
        "fixes_with_article": len(held),
        "twins": sum(len(each) - 1 for each in held.values()),
        "share_held": float(np.mean(several)) if several else 0.0,
    }


def table(choice: dict[str, Any], found: dict[str, Any]) -> str:
    lines = [
        "Recall of the right knowledge by incidents whose fix an earlier incident had told (others have nothing to find); without any "
        f"knowledge base it is 0. A reviewer publishes after every {REVIEW_EVERY} incidents whatever is proposed, which no reviewer should.",
        "",
    ]
    for name, runs in found.items():
        first = runs[WITH]
        lines += [
            f"### {name}: {first['n']} incidents of {first['fixes_told']} fixes, {first['all']['n_known']} of them of a fix told before",
            "",
            "| | recall@1 | recall@5, 95 % | articles | fixes that have one | twins | articles that mix fixes | held of what several said |",
            "|---|---|---|---|---|---|---|---|",
            *(_row(how, run) for how, run in runs.items()),
            f"| no articles, past incidents only | {_of(first, 'incident@1')} | {_of(first, 'incident@5', interval=True)} | 0 | 0 | | | |",
            "",
            "| after incident | " + " | ".join(str(window["until"]) for window in first["windows"]) + " |",
            "|---|" + "---|" * N_WINDOWS,
            *(
                f"| {how}: {what} | " + " | ".join(_cell(window, what) for window in run["windows"]) + " |"
                for how, run in runs.items()
                for what in ("articles", "article@1", "article@5")
            ),
            "",
        ]
    return "\n".join([*lines, *_choice(choice), "", _NOTES])


def _row(how: str, run: dict[str, Any]) -> str:
    recall = f"{_of(run, 'article@1')} | {_of(run, 'article@5', interval=True)}"
    counts = f"{run['articles']} | {run['fixes_with_article']} of {run['fixes_told']} | {run['twins']} | {run['mixed']}"
    return f"| {how} | {recall} | {counts} | {run['share_held']:.3f} |"


def _of(run: dict[str, Any], what: str, *, interval: bool = False) -> str:
    at = run["all"][what]
    return f"{at['value']:.3f} ({at['low']:.3f} to {at['high']:.3f})" if interval else f"{at['value']:.3f}"


def _cell(window: dict[str, Any], what: str) -> str:
    if what == "articles":
        return str(window["articles"])
    return f"{window[what]['value']:.2f}" if window["n_known"] else "-"


def _choice(choice: dict[str, Any]) -> list[str]:
    return [
        f"Levels, on {N_FOR_CHOICE} other articles of kb_msoffice; in force: {SAME_GROUP:.2f}, and {SAME_ARTICLE:.2f} for the article that "
        "tells a fix already.",
        "",
        "| incidents are of one fix from | recall@1 | recall@5, 95 % | articles | fixes that have one | twins | articles that mix fixes | held |",
        "|---|---|---|---|---|---|---|---|",
        *(_row(level, run) for level, run in choice.items()),
    ]


_NOTES = (
    "kb_msoffice: up to three reports of each article, each with other sentences of its symptoms, and the article's text as the resolution, "
    "each engineer leaving out another third of the sentences. The seed: real-style notes whose right answer is the seed article that "
    "they name; an article there covers a dozen different problems, so that an earlier incident of the same article seldom told "
    "the same fix, and neither articles nor past incidents find much."
)


def curves(found: dict[str, Any]) -> str:
    """Return an SVG: recall@5 over the stream, one panel for each."""
    panels = "".join(_panel(name, runs, 20 + 380 * place) for place, (name, runs) in enumerate(found.items()))
    legend = "".join(
        f'<circle cx="{40 + 240 * place}" cy="262" r="4" fill="{colour}"/><text x="{50 + 240 * place}" y="266">{how}</text>'
        for place, (how, colour) in enumerate(COLOURS.items())
    )
    size = f'width="{400 * len(found)}" height="280"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="11">{panels}{legend}</svg>\n'


def _panel(name: str, runs: dict[str, Any], left: int) -> str:
    marks = "".join(
        f'<text x="{left}" y="{224 - 180 * share:.0f}">{share:.1f}</text>'
        f'<line x1="{left + 22}" x2="{left + 350}" y1="{220 - 180 * share:.0f}" y2="{220 - 180 * share:.0f}" stroke="#ddd"/>'
        for share in (0.0, 0.5, 1.0)
    )
    lines = [(how, [window["article@5"]["value"] for window in run["windows"]]) for how, run in runs.items()]
    lines.append((list(COLOURS)[2], [window["incident@5"]["value"] for window in runs[WITH]["windows"]]))
    paths = "".join(_path(values, left, COLOURS[how]) for how, values in lines)
    n = runs[WITH]["n"]
    title = f'<text x="{left + 22}" y="20">recall@5, {name.replace("`", "")}</text>'
    return f'{title}{marks}{paths}<text x="{left + 22}" y="238">0</text><text x="{left + 300}" y="238">{n} incidents</text>'


def _path(values: Sequence[float], left: int, colour: str) -> str:
    points = " ".join(
        f"{left + 22 + 328 * (at + 1) / len(values):.0f},{220 - 180 * value:.0f}" for at, value in enumerate(values)
    )
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'


if __name__ == "__main__":
    main()

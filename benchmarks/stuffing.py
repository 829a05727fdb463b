"""Does the check for stuffed articles find made-up ones and let real ones pass?

    python benchmarks/stuffing.py [--data ../shared/data]

Real articles: kb_msoffice, stackfaq_webapps, runbooks_alerts and the seed. Every second one is looked at for choosing the bounds of
`domain.stuffing`, the others are reported. Stuffed ones are made of the reported ones with a fixed seed, in five kinds; the baseline takes an
article whose share of distinct words is below what 99 % of the articles for choosing have. The kinds are made up by the author of the check.
"""

import argparse
import gzip
import json
import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from report import write_results
from smarttriage.adapters.articles import read_articles
from smarttriage.domain.stuffing import signs

ROOT = Path(__file__).resolve().parent.parent
SETS = ("kb_msoffice", "stackfaq_webapps", "runbooks_alerts")
SEED, N_STUFFED = 5, 200
TOPICS = "vpn outlook printer password wifi teams sap citrix email laptop monitor network login account server dns proxy phone backup excel".split()
Texts = tuple[str, str]


def main() -> None:
    """Run everything and write benchmarks/results/stuffing.json and .md."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    chosen = options.parse_args()
    real = {name: list(articles(chosen.data / name / "corpus.jsonl.gz")) for name in SETS} | {"seed": list(seed())}
    looked_at = [text for rows in real.values() for text in rows[::2]]
    least = float(np.quantile([distinct(text) for text in looked_at if long(text)], 0.01))
    reported = {name: rows[1::2] for name, rows in real.items()}
    rng, base = random.Random(SEED), [text for rows in reported.values() for text in rows if long(text)]
    stuffed = {name: [make(rng.choice(base), rng) for _ in range(N_STUFFED)] for name, make in KINDS.items()}

    def shares(rows: Sequence[Texts]) -> dict[str, float]:
        return {
            "n": len(rows),
            "check": float(np.mean([bool(signs(*text)) for text in rows])),
            "distinct words": float(np.mean([long(text) and distinct(text) < least for text in rows])),
        }

    result = {
        "chosen on": shares(looked_at),
        "real": {name: shares(rows) for name, rows in reported.items()},
        "stuffed": {name: shares(rows) for name, rows in stuffed.items()},
    }
    write_results("stuffing", result, table(result))


def articles(path: Path) -> Sequence[Texts]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [(row["title"], row["text"]) for row in map(json.loads, lines)]


def seed() -> Sequence[Texts]:
    return [(str(row.values["title"]), str(row.values["body"])) for row in read_articles(ROOT / "kb" / "articles")]


def words(text: Texts) -> list[str]:
    return re.findall(r"\w+", " ".join(text).lower())


def long(text: Texts) -> bool:
    return len(words(text)) >= 40


def distinct(text: Texts) -> float:
    found = words(text)
    return len(set(found)) / len(found)


def one_word(text: Texts, rng: random.Random) -> Texts:
    word = rng.choice(TOPICS)
    spread = [part for token in text[1].split()[:120] for part in ((token, word) if rng.random() < 0.4 else (token,))]
    return f"{text[0]} {word}", " ".join(spread)


def dumped(text: Texts, rng: random.Random) -> Texts:
    return text[0], f"{text[1]}\n{', '.join(rng.choices(TOPICS, k=60))}"


def dumped_bare(text: Texts, rng: random.Random) -> Texts:
    return text[0], f"{text[1]}\n{' '.join(rng.choices(TOPICS, k=200))}"


def again(text: Texts, rng: random.Random) -> Texts:
    line = f"my {rng.choice(TOPICS)} does not work what can I do"
    return text[0], "\n".join([line] * rng.randint(20, 40)) + "\n" + "\n".join(text[1].splitlines()[:10])


def only_keywords(text: Texts, rng: random.Random) -> Texts:
    return " ".join(rng.choices(TOPICS, k=8)), "; ".join(" ".join(rng.choices(TOPICS, k=2)) for _ in range(50))


KINDS: dict[str, Callable[[Texts, random.Random], Texts]] = {
    "one word between the others": one_word,
    "60 keywords with commas under a real article": dumped,
    "200 keywords without commas under a real article": dumped_bare,
    "one line 20 to 40 times": again,
    "keywords alone": only_keywords,
}


def table(result: dict[str, object]) -> str:
    """Return the Markdown table."""
    on = result["chosen on"]
    lines = [
        f"Bounds chosen on {on['n']} real articles, {on['check']:.2%} of which are taken for stuffed.",
        "",
        "| articles | n | taken for stuffed | baseline: share of distinct words |",
        "|---|---|---|---|",
    ]
    for kind in ("real", "stuffed"):
        lines += [
            f"| {kind}: {name} | {row['n']} | {row['check']:.2%} | {row['distinct words']:.2%} |"
            for name, row in result[kind].items()
        ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()

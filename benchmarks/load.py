"""Does learning slow the answers? Suggestions while resolutions come in, beside the same suggestions while none do.

    python benchmarks/load.py [--incidents 100000] [--articles 5000] [--requests 1000] [--rounds 8] [--keep FOLDER]

Loads real tickets (it_ticket_category, again with another unit's number once all are in) and real articles (kb_msoffice, stackfaq_webapps,
runbooks_alerts, likewise) with `smarttriage import`, starts `smarttriage serve` on them, and sends the same tickets of the dev split one after
the other: alone, while 1,000 incidents an hour are opened and resolved over the same API, and while 10,000 are. The three follow each other in
every round in another order, so that a slow minute of the machine hits all of them; what is reported is the ratio within a round.
`--keep` leaves the loaded data folder there for another run.
"""

import argparse
import csv
import gzip
import http.client
import itertools
import json
import random
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from latency import KEY, PORTS, Server, smarttriage
from report import write_results

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "data"
KNOWLEDGE = ("kb_msoffice", "stackfaq_webapps", "runbooks_alerts")
# Resolutions an hour: none, what a large desk has, and ten times that.
RATES = (0, 1_000, 10_000)
SEED = 11
# What was begun in a block may end before the next one.
PAUSE_S = 3.0


@dataclass(frozen=True, slots=True)
class Block:
    """One stretch of suggestions: resolutions an hour, latencies in ms, resolutions in it, seconds."""

    rate: int
    latencies: list[float]
    n_resolved: int
    seconds: float

    @property
    def p95(self) -> float:
        return float(np.percentile(self.latencies, 95))


def main() -> None:
    """Run everything and write benchmarks/results/load.json and .md."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--incidents", type=int, default=100_000)
    options.add_argument("--articles", type=int, default=5_000)
    options.add_argument("--requests", type=int, default=1_000, help="in each block")
    options.add_argument("--rounds", type=int, default=8)
    options.add_argument("--keep", type=Path, help="Keep the loaded data folder here.")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        loaded = chosen.keep or Path(folder) / "loaded"
        if not (loaded / "complete").exists():
            load(loaded, chosen.incidents, chosen.articles)
        data_dir = Path(folder) / "data"
        shutil.copytree(loaded, data_dir)
        with Server(data_dir, PORTS[0]) as server:
            server.quiet()
            blocks = run(server, chosen.requests, chosen.rounds)
            memory = server.rss_mb()
    result = {
        "incidents": chosen.incidents,
        "articles": chosen.articles,
        "rounds": chosen.rounds,
        "requests": chosen.requests,
        "rss_mb": memory,
        "rates": {str(rate): figures(blocks, rate) for rate in RATES},
    }
    write_results("load", result, table(result))


def load(data_dir: Path, n_incidents: int, n_articles: int) -> None:
    """Import the articles and the past incidents."""
    data_dir.mkdir(parents=True, exist_ok=True)
    articles, tickets = data_dir / "articles.jsonl", data_dir / "tickets.csv"
    with articles.open("w", encoding="utf-8") as lines:
        for n, row in enumerate(itertools.islice(again(knowledge), n_articles)):
            lines.write(json.dumps({**row, "id": f"kb-{n}"}) + "\n")
    with tickets.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(["id", "text"])
        for n, (round_, row) in enumerate(itertools.islice(numbered("train"), n_incidents)):
            writer.writerow([n, f"{row} unit {round_}" if round_ else row])
    into = ["--data-dir", str(data_dir), "--json"]
    subprocess.run([*smarttriage(), "import", "articles", str(articles), *into], check=True, stdout=subprocess.DEVNULL)
    mapping = ["--map", "description=text", "--map", "source_id=id"]
    subprocess.run([*smarttriage(), "import", "incidents", str(tickets), *mapping, *into], check=True, stdout=subprocess.DEVNULL)
    with Server(data_dir, PORTS[0]):  # builds and saves the indexes
        pass
    (data_dir / "complete").touch()


def knowledge() -> Iterator[dict[str, str]]:
    for name in KNOWLEDGE:
        with gzip.open(DATA / name / "corpus.jsonl.gz", "rt", encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                yield {"title": row["title"] or row["text"][:80], "body": row["text"] or row["title"]}


def again(rows: Callable[[], Iterator[dict[str, str]]]) -> Iterator[dict[str, str]]:
    for round_ in itertools.count():
        for row in rows():
            yield {**row, "title": f"{row['title']} (edition {round_})"} if round_ else row


def numbered(split: str) -> Iterator[tuple[int, str]]:
    for round_ in itertools.count():
        with gzip.open(DATA / "it_ticket_category" / f"{split}.csv.gz", "rt", encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                yield round_, row["text"]


def run(server: Server, n_requests: int, rounds: int) -> list[Block]:
    """Return the blocks of all rounds."""
    asked = [text for _, text in itertools.islice(numbered("dev"), n_requests)]
    coming = numbered("dev")
    for _ in range(n_requests):  # what is asked is not what comes in
        next(coming)
    notes = resolutions()
    block(server, asked[:100], 0, coming, notes)  # warm
    order, blocks = list(RATES), []
    for _ in range(rounds):
        random.Random(SEED + len(blocks)).shuffle(order)
        for rate in order:
            # Another number in each block: a text that came before is not encoded again.
            blocks.append(block(server, [f"{text} {len(blocks)}" for text in asked], rate, coming, notes))
            time.sleep(PAUSE_S)
    return blocks


def resolutions() -> Iterator[str]:
    rows = [json.loads(line) for line in (ROOT / "kb" / "incidents.jsonl").read_text(encoding="utf-8").splitlines()]
    return itertools.cycle([row["resolution"]["text"] for row in rows if row.get("resolution")])


def block(server: Server, asked: list[str], rate: int, coming: Iterator[tuple[int, str]], notes: Iterator[str]) -> Block:
    """Ask for suggestions one after the other, at the rate given opening and resolving incidents beside."""
    stop, resolved = threading.Event(), []
    beside = threading.Thread(target=resolve, args=(server, rate, coming, notes, stop, resolved))
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    started, latencies = time.perf_counter(), []
    if rate:
        beside.start()
    for text in asked:
        before = time.perf_counter()
        post(connection, "/v1/suggestions", {"description": text})
        latencies.append((time.perf_counter() - before) * 1000)
    seconds = time.perf_counter() - started
    stop.set()
    if rate:
        beside.join()
    return Block(rate, latencies, len(resolved), seconds)


def resolve(
    server: Server, rate: int, coming: Iterator[tuple[int, str]], notes: Iterator[str], stop: threading.Event, done: list[str]
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    due = time.perf_counter()
    while not stop.is_set():
        made = post(connection, "/v1/incidents", {"description": next(coming)[1]})
        post(connection, f"/v1/incidents/{made['id']}/resolution", {"text": next(notes), "category": "application"})
        done.append(made["id"])
        due += 3600 / rate
        stop.wait(max(0.0, due - time.perf_counter()))


def post(connection: http.client.HTTPConnection, path: str, body: dict[str, str]) -> dict[str, object]:
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    connection.request("POST", path, json.dumps(body), headers)
    response = connection.getresponse()
    answer = json.loads(response.read())
    if response.status not in (200, 201):
        raise RuntimeError(f"{path} answered {response.status}: {answer}")
    return answer


def figures(blocks: list[Block], rate: int) -> dict[str, object]:
    """Return what suggestions took at a rate, and the ratio to the idle block of the same round."""
    of = [one for one in blocks if one.rate == rate]
    idle = [one for one in blocks if one.rate == 0]
    ratios = [one.p95 / other.p95 for one, other in zip(of, idle, strict=True)]
    medians = [statistics.median(one.latencies) / statistics.median(other.latencies) for one, other in zip(of, idle, strict=True)]
    drawn = np.random.default_rng(SEED).choice(ratios, size=(2_000, len(ratios)))
    low, high = np.percentile(np.median(drawn, axis=1), [2.5, 97.5])
    return {
        "resolved": sum(one.n_resolved for one in of),
        "an_hour": sum(one.n_resolved for one in of) / sum(one.seconds for one in of) * 3600,
        "p50_ms": statistics.median(statistics.median(one.latencies) for one in of),
        "p95_ms": statistics.median(one.p95 for one in of),
        "p50_ratio": statistics.median(medians),
        "p95_ratio": statistics.median(ratios),
        "p95_ratio_interval": [float(low), float(high)],
        "p95_ratios": ratios,
    }


def table(result: dict[str, object]) -> str:
    """Return the Markdown table."""
    lines = [
        f"{result['incidents']} past incidents, {result['articles']} articles; {result['rounds']} rounds of {result['requests']} suggestions "
        f"a block; RSS at the end {result['rss_mb']} MB.",
        "",
        "| resolutions an hour asked for | done | p50 ms | p95 ms | p50 beside idle | p95 beside idle, median of rounds (95 % bootstrap) | rounds |",
        "|---|---|---|---|---|---|---|",
    ]
    for rate, of in result["rates"].items():
        low, high = of["p95_ratio_interval"]
        rounds = ", ".join(f"{ratio:.2f}" for ratio in of["p95_ratios"])
        lines.append(
            f"| {rate} | {of['resolved']} ({of['an_hour']:.0f} an hour) | {of['p50_ms']:.2f} | {of['p95_ms']:.2f} | {of['p50_ratio']:.3f} "
            f"| {of['p95_ratio']:.3f} ({low:.3f} to {high:.3f}) | {rounds} |"
        )
    at = result["rates"]["1000"]["p95_ratio"]
    lines += ["", f"Goal: at 1,000 an hour p95 at most 1.10 of idle: {'reached' if at <= 1.1 else 'missed'} ({at:.3f})."]
    return "\n".join(lines)


if __name__ == "__main__":
    main()

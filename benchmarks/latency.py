"""How long a suggestion takes over HTTP with 20,000 incidents loaded, where the time goes, how many a second, start-up and memory.

    python benchmarks/latency.py [--incidents 20000] [--requests 200]

Loads real tickets (../shared/data/it_ticket_category/train.csv.gz) into a fresh data folder with `smarttriage import incidents`,
starts `smarttriage serve` on it and asks over loopback with texts of 15, 60 and 200 tokens. The encoder alone is timed in the
same run, so that the share of everything else is a ratio and not a pair of single times.
"""

import argparse
import gzip
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from report import machine, write_results
from smarttriage.bootstrap import parts

ROOT = Path(__file__).resolve().parent.parent
TICKETS = ROOT.parent / "shared" / "data" / "it_ticket_category" / "train.csv.gz"
KEY = "benchmark-key"
WORDS = (
    "our whole sales team on the second floor loses the vpn every ten minutes since the update this morning, calls break off and "
    "the order form in the browser has to be typed again; restarting the laptop helps for a while but then the error 809 is back "
).split()
TOKENS = (15, 60, 200)
CLIENTS = (1, 8)
GOAL = 1.25


def main() -> None:
    """Run everything and write benchmarks/results/latency.json and .md."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--incidents", type=int, default=20_000)
    options.add_argument("--requests", type=int, default=200, help="for each length and number of clients")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder)
        loaded = load(data_dir, chosen.incidents)
        texts = {n: text_of(n) for n in TOKENS}
        with Server(data_dir) as server:
            rows = [measure(server, texts[n], n, clients, chosen.requests) for n in TOKENS for clients in CLIENTS]
            memory = server.rss_mb()
            start = server.start_s
        with Server(data_dir) as again:
            restart = again.start_s
    encoder_ms = {n: time_encoder(texts[n], chosen.requests) for n in TOKENS}
    result = {
        "incidents": chosen.incidents,
        "import": loaded,
        "start_s": {"first": round(start, 2), "second": round(restart, 2)},
        "rss_mb": memory,
        "encoder_alone_ms_p50": encoder_ms,
        "rows": rows,
    }
    write_results("latency", result, table(result))


def load(data_dir: Path, n: int) -> dict[str, float]:
    """Import the first n tickets; return how long it took."""
    with gzip.open(TICKETS, "rt", encoding="utf-8") as lines:
        head = [line for line, _ in zip(lines, range(n + 1), strict=False)]
    sample = data_dir / "tickets.csv"
    sample.write_text("".join(head), encoding="utf-8")
    command = [
        "import",
        "incidents",
        str(sample),
        "--map",
        "description=text",
        "--map",
        "source_id=id",
        "--data-dir",
        str(data_dir),
        "--json",
    ]
    started = time.perf_counter()
    answer = subprocess.run([*smarttriage(), *command], check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - started
    return {"seconds": round(seconds, 1), "rows_per_s": round(n / seconds, 1), "added": json.loads(answer.stdout)["added"]}


def smarttriage() -> list[str]:
    """Return the command as installed beside this Python."""
    return [str(Path(sys.executable).parent / "smarttriage")]


def text_of(n_tokens: int) -> str:
    """Return a text that the encoder's tokenizer cuts into about `n_tokens`, the two frame tokens included."""
    tokenizer = parts.encoder()._tokenizer
    words = (WORDS * 8)[: n_tokens * 2]
    while len(tokenizer.encode(" ".join(words)).ids) > n_tokens:
        words = words[:-1]
    return " ".join(words)


class Server:
    """`smarttriage serve` in a process of its own."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.port = 8765

    def __enter__(self) -> "Server":
        started = time.perf_counter()
        environment = {**os.environ, "SMARTTRIAGE_BOOTSTRAP_KEY": KEY, "SMARTTRIAGE_LOG_LEVEL": "error"}
        command = [*smarttriage(), "serve", "--data-dir", str(self.data_dir), "--port", str(self.port)]
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not self._ready():
            if self.process.poll() is not None or time.perf_counter() - started > 120:
                raise RuntimeError("the server did not become ready")
            time.sleep(0.05)
        self.start_s = time.perf_counter() - started
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(30)

    def _ready(self) -> bool:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except OSError:
            return False

    def rss_mb(self) -> int:
        """Return the resident memory of the process."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) // 1024


def measure(server: Server, text: str, n_tokens: int, clients: int, n: int) -> dict[str, object]:
    """Send n requests from that many clients; return latency, its parts and requests per second."""
    seen: list[tuple[float, dict[str, float]]] = []
    lock = threading.Lock()

    def client(share: int, offset: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        for number in range(share):
            # Another number in each text: nothing along the way may answer from a memory of the same text.
            body = json.dumps({"title": "", "description": f"{text} {offset + number}"})
            before = time.perf_counter()
            connection.request("POST", "/v1/suggestions", body, headers)
            response = connection.getresponse()
            answer = json.loads(response.read())
            assert response.status in (200, 201), answer
            with lock:
                seen.append(((time.perf_counter() - before) * 1000, answer["timing_ms"]))

    client(10, 10_000_000)
    seen.clear()
    threads = [threading.Thread(target=client, args=(n // clients, number * n)) for number in range(clients)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    latencies = sorted(latency for latency, _ in seen)
    parts_p50 = {name: round(statistics.median(spent[name] for _, spent in seen), 2) for name in seen[0][1]}
    beside = statistics.median(latency - spent["encode"] for latency, spent in seen)
    inside = statistics.median(spent["total"] - spent["encode"] for _, spent in seen)
    return {
        "tokens": n_tokens,
        "clients": clients,
        "p50_ms": round(statistics.median(latencies), 2),
        "p95_ms": round(latencies[int(len(latencies) * 0.95)], 2),
        "requests_per_s": round(len(seen) / seconds, 1),
        "parts_ms_p50": parts_p50,
        "beside_encoder_ms_p50": round(beside, 2),
        "beside_encoder_in_service_ms_p50": round(inside, 2),
    }


def time_encoder(text: str, n: int) -> float:
    """Return the encoder's own median in this process, one text in, one thread."""
    encoder = parts.encoder()
    times = []
    for number in range(n):
        before = time.perf_counter()
        encoder.encode([f"{text} {number}"])
        times.append((time.perf_counter() - before) * 1000)
    return round(statistics.median(times), 2)


def table(result: dict[str, object]) -> str:
    """Return the Markdown table."""
    lines = [
        f"{result['incidents']} incidents; start to ready {result['start_s']['first']} s, again {result['start_s']['second']} s; "
        f"RSS {result['rss_mb']} MB; import {result['import']['rows_per_s']} rows/s",
        "",
        "| tokens | clients | p50 ms | p95 ms | requests/s | encode | classify | search | store "
        "| beside the encoder: in the service, p50 ms | with HTTP and the client, p50 ms | encoder alone, p50 ms | whole / encoder |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in result["rows"]:
        spent = row["parts_ms_p50"]
        lines.append(
            f"| {row['tokens']} | {row['clients']} | {row['p50_ms']} | {row['p95_ms']} | {row['requests_per_s']} | {spent['encode']} "
            f"| {spent['classify']} | {spent['search']} | {spent['store']} | {row['beside_encoder_in_service_ms_p50']} "
            f"| {row['beside_encoder_ms_p50']} "
            f"| {result['encoder_alone_ms_p50'][row['tokens']]} | {row['p50_ms'] / result['encoder_alone_ms_p50'][row['tokens']]:.2f} |"
        )
    alone = [row["p50_ms"] / result["encoder_alone_ms_p50"][row["tokens"]] for row in result["rows"] if row["clients"] == 1]
    reached = max(alone) < GOAL
    lines += [
        "",
        f"Goal: a whole suggestion of one client in less than {GOAL} x the encoder's own time on the same text: "
        f"{'reached' if reached else 'missed'} ({min(alone):.2f} at best, {max(alone):.2f} at worst). With {max(CLIENTS)} clients requests wait for "
        "each other, and the ratio says how long.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stderr.write(f"{machine()}\n")
    main()

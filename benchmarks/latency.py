"""How long a suggestion takes over HTTP with 20,000 incidents loaded, where the time goes, how many a second, start-up and memory.

    python benchmarks/latency.py [--incidents 20000] [--requests 200] [--before CHECKOUT]
    SMARTTRIAGE_ENCODER=fast python benchmarks/latency.py

Loads real tickets (../shared/data/it_ticket_category/train.csv.gz) into a fresh data folder with `smarttriage import incidents`,
starts `smarttriage serve` on it, lets it finish its first passes over them, and asks over loopback with texts of 15, 60 and 200
tokens. The encoder alone, one client, several clients and one client whose texts come again take turns in rounds, so that what
else the machine does falls on all of them alike; processor time is given beside the clock's, because it depends on that less.
With `--before` another checkout serves a copy of the data, and both are asked in turn; it must read the same tables and have the same encoder.
The second command writes latency_fast.
"""

import argparse
import gzip
import http.client
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from latency_tables import table
from report import machine, write_results
from smarttriage.bootstrap import parts
from smarttriage.config import EncoderSize, Settings
from smarttriage.ports import Encoder

ROOT = Path(__file__).resolve().parent.parent
TICKETS = ROOT.parent / "shared" / "data" / "it_ticket_category" / "train.csv.gz"
KEY = "benchmark-key"
WORDS = (
    "our whole sales team on the second floor loses the vpn every ten minutes since the update this morning, calls break off and "
    "the order form in the browser has to be typed again; restarting the laptop helps for a while but then the error 809 is back "
).split()
TOKENS = (15, 60, 200)
CLIENTS = (1, 8)
ROUNDS = 5
PORTS = (8765, 8766)
# Seconds of hardly any processor time after which a service's first passes over the incidents count as done.
QUIET_S = 3


def main() -> None:
    """Run everything and write benchmarks/results/latency.json and .md."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--incidents", type=int, default=20_000)
    options.add_argument("--requests", type=int, default=200, help="for each length and number of clients")
    options.add_argument("--before", type=Path, help="another checkout that is asked in turn")
    chosen = options.parse_args()
    texts = {n: text_of(n) for n in TOKENS}
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder) / "data"
        data_dir.mkdir()
        loaded = load(data_dir, chosen.incidents)
        former_dir = shutil.copytree(data_dir, Path(folder) / "before") if chosen.before else None
        with Server(data_dir, PORTS[0]) as server:
            first = server.start_s
            if chosen.before:
                with Server(former_dir, PORTS[1], chosen.before) as former:
                    found = in_turns([server, former], texts, chosen.requests)
                    former_facts = {"start_s": round(former.start_s, 2), "rss_mb": former.rss_mb()}
            else:
                found, former_facts = in_turns([server], texts, chosen.requests), None
            memory = server.rss_mb()
        with Server(data_dir, PORTS[0]) as again:
            second = again.start_s
    encoder = found.pop("encoder")
    result = {
        "incidents": chosen.incidents,
        "import": loaded,
        "start_s": {"first": round(first, 2), "second": round(second, 2)},
        "rss_mb": memory,
        "encoder_alone_ms_p50": {n: encoder[n].p50() for n in TOKENS},
        "encoder_alone_cpu_ms": {n: encoder[n].cpu_ms() for n in TOKENS},
        "rows": [samples.row() for samples in found[PORTS[0]].values()],
        "before": former_facts and former_facts | {"rows": [samples.row() for samples in found[PORTS[1]].values()]},
    }
    write_results(
        "latency" if Settings().encoder is EncoderSize.QUALITY else f"latency_{Settings().encoder}", result, table(result)
    )


@dataclass
class Samples:
    """What was measured of one kind of request, over all rounds.

    Attributes:
        tokens: Length of the text.
        clients: How many asked at once.
        again: Whether all asked with one and the same text.
        seen: (latency in ms, the service's own `timing_ms`) of each request.
        seconds: By the clock.
        cpu_s: Processor time of the one who answered.
    """

    tokens: int
    clients: int
    again: bool = False
    seen: list[tuple[float, dict[str, float]]] = field(default_factory=list)
    seconds: float = 0.0
    cpu_s: float = 0.0

    def p50(self) -> float:
        """Return the median latency in ms."""
        return round(statistics.median(latency for latency, _ in self.seen), 2)

    def cpu_ms(self) -> float:
        """Return the processor time of one request in ms."""
        return round(self.cpu_s / len(self.seen) * 1000, 2)

    def row(self) -> dict[str, object]:
        """Return what is reported."""
        latencies = sorted(latency for latency, _ in self.seen)
        beside = statistics.median(latency - spent["encode"] for latency, spent in self.seen)
        inside = statistics.median(spent["total"] - spent["encode"] for _, spent in self.seen)
        return {
            "tokens": self.tokens,
            "clients": self.clients,
            "again": self.again,
            "p50_ms": self.p50(),
            "p95_ms": round(latencies[int(len(latencies) * 0.95)], 2),
            "requests_per_s": round(len(self.seen) / self.seconds, 1),
            "cpu_ms": self.cpu_ms(),
            "parts_ms_p50": {
                name: round(statistics.median(spent[name] for _, spent in self.seen), 2) for name in self.seen[0][1]
            },
            "beside_encoder_ms_p50": round(beside, 2),
            "beside_encoder_in_service_ms_p50": round(inside, 2),
        }


def in_turns(servers: "list[Server]", texts: dict[int, str], n: int) -> dict[object, dict[object, Samples]]:
    """Return "encoder" -> by length, and by port the samples of each kind of request; n requests of each, in rounds."""
    kinds = [(tokens, clients, False) for tokens in TOKENS for clients in CLIENTS] + [(tokens, 1, True) for tokens in TOKENS]
    found: dict[object, dict[object, Samples]] = {server.port: {kind: Samples(*kind) for kind in kinds} for server in servers}
    found["encoder"] = {tokens: Samples(tokens, 0) for tokens in TOKENS}
    encoder = parts.encoder()
    for server in servers:
        server.quiet()
        ask(server, Samples(0, 1), texts[60], 20, 10_000_000)
    numbers = itertools.count(0, n)
    for turn in range(ROUNDS):
        for kind in kinds:
            first = next(numbers)
            text = texts[kind[0]]
            if kind[1] == 1 and not kind[2]:
                time_encoder(encoder, found["encoder"][kind[0]], text, n // ROUNDS)
            for server in servers if turn % 2 == 0 else reversed(servers):
                ask(server, found[server.port][kind], text, n // ROUNDS, first)
    return found


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
    """`smarttriage serve` in a process of its own, of another checkout where one is given."""

    def __init__(self, data_dir: Path, port: int, checkout: Path | None = None) -> None:
        self.data_dir = data_dir
        self.port = port
        self.path = {} if checkout is None else {"PYTHONPATH": str(checkout.resolve() / "src")}

    def __enter__(self) -> "Server":
        started = time.perf_counter()
        environment = {**os.environ, **self.path, "SMARTTRIAGE_BOOTSTRAP_KEY": KEY, "SMARTTRIAGE_LOG_LEVEL": "error"}
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

    def cpu_s(self) -> float:
        """Return the processor time of the process so far, of all its threads."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def quiet(self) -> None:
        """Wait until nothing goes on in the process."""
        still = 0
        while still < QUIET_S:
            before = self.cpu_s()
            time.sleep(1)
            still = still + 1 if self.cpu_s() - before < 0.03 else 0


def ask(server: Server, samples: Samples, text: str, n: int, first: int) -> None:
    """Send n requests from the clients of the samples and add what they took."""
    lock = threading.Lock()

    def client(share: int, offset: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        for number in range(share):
            # Another number in each text: nothing along the way may answer from a memory of the same text, unless that is asked.
            described = text if samples.again else f"{text} {offset + number}"
            body = json.dumps({"title": "", "description": described})
            before = time.perf_counter()
            connection.request("POST", "/v1/suggestions", body, headers)
            response = connection.getresponse()
            answer = json.loads(response.read())
            assert response.status in (200, 201), answer
            with lock:
                samples.seen.append(((time.perf_counter() - before) * 1000, answer["timing_ms"]))

    share = max(1, n // samples.clients)
    threads = [threading.Thread(target=client, args=(share, first + number * share)) for number in range(samples.clients)]
    cpu, started = server.cpu_s(), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    samples.seconds += time.perf_counter() - started
    samples.cpu_s += server.cpu_s() - cpu


def time_encoder(encoder: Encoder, samples: Samples, text: str, n: int) -> None:
    """Add n times of the encoder in this process, one text in, one thread."""
    for number in range(n):
        cpu, before = time.thread_time(), time.perf_counter()
        encoder.encode([f"{text} {number}"])
        samples.seen.append(((time.perf_counter() - before) * 1000, {}))
        samples.cpu_s += time.thread_time() - cpu


if __name__ == "__main__":
    sys.stderr.write(f"{machine()}\n")
    main()

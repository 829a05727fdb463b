"""smarttriage beside what one would pick instead, which is all-MiniLM-L6-v2: the same texts, the same machine, one run.

    python benchmarks/peers.py --weights FOLDER --base FOLDER --python PYTHON [--documents 5000] [--requests 240] [--work FOLDER] [--only NAME ...]

The documents are the articles of kb_msoffice and, up to --documents, tickets of it_ticket_category. Every server builds its index from the
texts, is stopped, and is started again over what it saved (cold start: until the first answer). Then the dev queries of kb_msoffice are asked
(quality), and tickets of the dev split, none twice, by one client and by eight. The others answer the ten nearest texts. Ours answer a whole
suggestion (five targets, articles and similar incidents, with reasons, stored before it is answered) and, in rows of their own, what the
others answer: a search of the articles, by words and by meaning, with reasons. Nothing else runs beside.

--weights is all-MiniLM-L6-v2 as sentence-transformers loads it, --base the same as training/export_encoder.py writes it, int8 (for the bare
server and chroma's client); ours are the encoders that are shipped. --python is an interpreter with the peers: pip install torch==2.13.0 sentence-transformers 'txtai[api]' chromadb qdrant-client haystack-ai \
    sentence-transformers-haystack hayhooks
"""

import argparse
import contextlib
import csv
import gzip
import http.client
import itertools
import json
import os
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np

from latency import KEY, smarttriage
from peers_plot import plot
from report import RESULTS, write_results
from smarttriage.adapters.encoders.onnx import OnnxEncoder
from smarttriage.bootstrap.retrieval import read_judged
from smarttriage.services.ranking_metrics import ndcg_at
from smarttriage.services.retrieval import LEAST_CHANCE

HERE = Path(__file__).resolve().parent
DATA = HERE.parent.parent / "shared" / "data"
PORT = 8791
CLIENTS = (1, 8)
START_S = 900
Ask = Callable[[http.client.HTTPConnection, str], list[str]]


@dataclass(frozen=True, slots=True)
class Peer:
    """One server: how it is built and started, and how it is asked for the ids of the ten best."""

    name: str
    start: Sequence[str]
    ask: Ask
    folder: Path
    build: Sequence[Sequence[str]] = ()


def main() -> None:
    """Run everything and write benchmarks/results/peers.json and .md."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--weights", type=Path, required=True, help="all-MiniLM-L6-v2 as sentence-transformers loads it.")
    options.add_argument("--base", type=Path, required=True, help="all-MiniLM-L6-v2 as training/export_encoder.py writes it.")
    options.add_argument("--python", type=Path, required=True, help="An interpreter that has the peers.")
    options.add_argument("--documents", type=int, default=5_000)
    options.add_argument("--requests", type=int, default=240, help="for each number of clients")
    options.add_argument("--work", type=Path, default=HERE.parent / ".cache" / "peers", help="Indexes and finished rows.")
    options.add_argument("--only", nargs="+", help="Names of rows.")
    given = options.parse_args()
    work = given.work.resolve()
    corpus = documents(work, given.documents)
    rows = []
    for peer in peers(work, corpus, given.weights, given.base, given.python):
        kept = work / f"{peer.name.replace('/', ' ')}.json"
        if not kept.exists() and (not given.only or peer.name in given.only):
            print(f"{peer.name} ...", file=sys.stderr, flush=True)
            kept.write_text(json.dumps(measured(peer, given.requests, given.documents)), encoding="utf-8")
        if kept.exists():
            rows.append(json.loads(kept.read_text(encoding="utf-8")))
    result = {"documents": given.documents, "requests": given.requests, "rows": rows}
    write_results("peers", result, table(result))
    (RESULTS / "peers.svg").write_text(plot([row for row in rows if "processes" not in row["name"]]), encoding="utf-8")


def documents(work: Path, n: int) -> Path:
    """Return the corpus, one {"id", "title", "text"} a line; `text` is what every peer reads."""
    path = work / f"corpus-{n}.jsonl"
    if not path.exists():
        work.mkdir(parents=True, exist_ok=True)
        with gzip.open(DATA / "kb_msoffice" / "corpus.jsonl.gz", "rt", encoding="utf-8") as lines:
            rows = [{"id": row["_id"], "title": row["title"], "body": row["text"]} for row in map(json.loads, lines)]
        for number, text in enumerate(itertools.islice(tickets("train"), max(0, n - len(rows)))):
            rows.append({"id": f"ticket-{number}", "title": text[:60], "body": text})
        path.write_text(
            "".join(json.dumps({**row, "text": f"{row['title']}\n{row['body']}"}) + "\n" for row in rows), encoding="utf-8"
        )
        articles = "".join(json.dumps({"id": row["id"], "title": row["title"], "body": row["body"]}) + "\n" for row in rows)
        (work / f"articles-{n}.jsonl").write_text(articles, encoding="utf-8")
    return path


def tickets(split: str) -> "itertools.chain[str]":
    with gzip.open(DATA / "it_ticket_category" / f"{split}.csv.gz", "rt", encoding="utf-8", newline="") as lines:
        return itertools.chain([row["text"] for row in csv.DictReader(lines)])


def peers(work: Path, corpus: Path, weights: Path, base: Path, python: Path) -> list[Peer]:
    def scripted(name: str, script: str, interpreter: Path, ask: Ask, *more: object) -> Peer:
        folder = work / script
        command = [str(interpreter), str(HERE / "peers" / f"{script}.py"), str(PORT), str(corpus), str(folder), *map(str, more)]
        return Peer(name, command, ask, folder)

    articles = corpus.with_name(corpus.name.replace("corpus", "articles"))

    def own_one(name: str, size: str, *more: str, ask: Ask = suggest) -> Peer:
        folder, command = work / f"smarttriage-{size}", ["env", f"SMARTTRIAGE_ENCODER={size}", *smarttriage()]
        build = [[*command, "import", "articles", str(articles), "--data-dir", str(folder), "--json"]]
        serve = [*command, "serve", "--data-dir", str(folder), "--port", str(PORT), *more]
        return Peer(name, serve, ask, folder, build)

    own = Path(sys.executable)
    vectors = work / "bare" / "vectors.npy"
    return [
        own_one("smarttriage", "quality"),
        own_one("smarttriage, 2 processes", "quality", "--processes", "2"),
        own_one("smarttriage, fast", "fast"),
        own_one("smarttriage, search", "quality", ask=find),
        own_one("smarttriage, search, 2 processes", "quality", "--processes", "2", ask=find),
        own_one("smarttriage, search, fast", "fast", ask=find),
        scripted("bare FastAPI + int8 + flat FAISS", "bare", own, search, base),
        scripted("sentence-transformers + FastAPI", "st_fastapi", python, search, weights),
        scripted("qdrant-client local + FastAPI", "qdrant_local", python, search, weights),
        scripted("txtai API", "txtai_api", python, txtai, weights),
        scripted("chroma server, int8 in the client", "chroma_server", python, Chroma(base), vectors),
        scripted("haystack + hayhooks", "hayhooks_memory", python, hayhooks, weights),
    ]


def post(connection: http.client.HTTPConnection, path: str, body: object) -> object:
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    connection.request("POST", path, json.dumps(body), headers)
    return read(connection)


def read(connection: http.client.HTTPConnection) -> object:
    response = connection.getresponse()
    raw = response.read()
    if response.status not in (200, 201):
        raise OSError(f"{response.status}: {raw[:300]!r}")
    return json.loads(raw)


def suggest(connection: http.client.HTTPConnection, text: str) -> list[str]:
    return [match["id"] for match in post(connection, "/v1/suggestions", {"description": text, "k": 10})["articles"]]


def find(connection: http.client.HTTPConnection, text: str) -> list[str]:
    found = post(connection, "/v1/search", {"text": text, "k": 10, "collections": ["articles"]})
    return [match["id"] for match in found["articles"]]


def search(connection: http.client.HTTPConnection, text: str) -> list[str]:
    return [hit["id"] for hit in post(connection, "/search", {"text": text})]


def txtai(connection: http.client.HTTPConnection, text: str) -> list[str]:
    connection.request("GET", f"/search?query={quote(text)}&limit=10")
    return [hit["id"] for hit in read(connection)]


def hayhooks(connection: http.client.HTTPConnection, text: str) -> list[str]:
    return [hit["id"] for hit in post(connection, "/search/run", {"text": text})["result"]]


class Chroma:
    """Asks chroma's server with vectors of the int8 encoder, encoded in the client."""

    def __init__(self, base: Path) -> None:
        self._collection: str | None = None
        self._encoder = OnnxEncoder.open(base)

    def __call__(self, connection: http.client.HTTPConnection, text: str) -> list[str]:
        base = "/api/v2/tenants/default_tenant/databases/default_database/collections"
        if self._collection is None:
            connection.request("GET", base)
            self._collection = next(row["id"] for row in read(connection) if row["name"] == "docs")
        vector = self._encoder.encode([text])
        found = post(connection, f"{base}/{self._collection}/query", {"query_embeddings": vector.tolist(), "n_results": 10})
        return list(found["ids"][0])


def measured(peer: Peer, n_requests: int, n_documents: int) -> dict[str, object]:
    """Return the row of a peer."""
    if peer.build and not (peer.folder / "build.json").exists():
        started = time.perf_counter()
        for command in peer.build:
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment())
        (peer.folder / "build.json").write_text(json.dumps(time.perf_counter() - started), encoding="utf-8")
    with Running(peer):
        pass
    build_s = json.loads((peer.folder / "build.json").read_text(encoding="utf-8"))
    with Running(peer) as server:
        row: dict[str, object] = {
            "name": peer.name,
            "cold_start_s": server.start_s,
            "build_texts_per_s": n_documents / build_s,
        }
        row["ndcg"], row["answered"] = quality(peer)
        asked = tickets("dev")
        clock = [timed(peer, list(itertools.islice(asked, n_requests)), clients) for clients in CLIENTS]
        return {**row, "clients": dict(zip(map(str, CLIENTS), clock, strict=True)), "rss_mb": server.rss_mb()}


def environment() -> dict[str, str]:
    return {
        **os.environ,
        "SMARTTRIAGE_BOOTSTRAP_KEY": KEY,
        "SMARTTRIAGE_LOG_LEVEL": "error",
        "HF_HUB_OFFLINE": "1",
        "ANONYMIZED_TELEMETRY": "false",
    }


class Running:
    """A server in a process group of its own, ready once it has answered."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer

    def __enter__(self) -> "Running":
        self.peer.folder.mkdir(parents=True, exist_ok=True)
        self.log = (self.peer.folder / "server.log").open("ab")
        started = time.perf_counter()
        self.process = subprocess.Popen(
            self.peer.start, env=environment(), stdout=self.log, stderr=self.log, start_new_session=True
        )
        while True:
            try:
                self.peer.ask(http.client.HTTPConnection("127.0.0.1", PORT, timeout=60), "outlook does not start")
                break
            except (OSError, http.client.HTTPException, StopIteration) as error:
                late = time.perf_counter() - started > START_S
                if late or self.process.poll() is not None:
                    self.__exit__()
                    raise RuntimeError(f"{self.peer.name} did not answer ({error}); see {self.log.name}") from error
                time.sleep(0.05)
        self.start_s = time.perf_counter() - started
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(60)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.log.close()

    def rss_mb(self) -> int:
        """Return the resident memory of the server and what it started."""
        found = subprocess.run(["ps", "-o", "rss=", "--sid", str(self.process.pid)], capture_output=True, text=True, check=True)
        return sum(map(int, found.stdout.split())) // 1024


def quality(peer: Peer) -> tuple[dict[str, float], list[str]]:
    """Return nDCG@10 of each dev query of kb_msoffice, and which of them were answered at all."""
    folder = DATA / "kb_msoffice"
    judged = read_judged([folder / "queries.dev.jsonl.gz"], [folder / "qrels.dev.tsv"])
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
    found = {query: peer.ask(connection, text) for query, text in judged.texts.items()}
    return {query: ndcg_at(ids, judged.qrels[query]) for query, ids in found.items()}, [
        query for query, ids in found.items() if ids
    ]


def timed(peer: Peer, texts: Sequence[str], clients: int) -> dict[str, float]:
    """Return latency and requests a second."""
    spent: list[float] = []

    def client(share: Sequence[str]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=120)
        for text in share:
            before = time.perf_counter()
            peer.ask(connection, text)
            spent.append((time.perf_counter() - before) * 1000)

    client(texts[:10])
    spent.clear()
    threads = [threading.Thread(target=client, args=(texts[number::clients],)) for number in range(clients)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    p95, p99 = np.percentile(spent, [95, 99])
    return {"p50": statistics.median(spent), "p95": float(p95), "p99": float(p99), "per_s": len(spent) / seconds}


def table(result: dict[str, object]) -> str:
    """Return the Markdown table."""
    lines = [
        f"{result['documents']} documents, {result['requests']} tickets for each number of clients.",
        "",
        "| server | answers | build, texts/s | 50k would take, min | cold start s | RSS MB | nDCG@10 kb_msoffice dev: all queries | those that smarttriage answers | 1 client p50 / p95 / p99 ms | per s | 8 clients p50 / p95 / p99 ms | per s |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    answered = result["rows"][0]["answered"]
    for row in result["rows"]:
        one, eight = row["clients"]["1"], row["clients"]["8"]
        build = row["build_texts_per_s"]
        scores = row["ndcg"]
        whole = row["name"].startswith("smarttriage") and "search" not in row["name"]
        what = "a whole suggestion, stored" if whole else "ten nearest texts"
        lines.append(
            f"| {row['name']} | {what} | {build:.0f} | {50_000 / build / 60:.1f} | {row['cold_start_s']:.1f} | {row['rss_mb']} | {np.mean(list(scores.values())):.4f} | {np.mean([scores[query] for query in answered]):.4f} "
            f"| {one['p50']:.1f} / {one['p95']:.1f} / {one['p99']:.1f} | {one['per_s']:.0f} "
            f"| {eight['p50']:.1f} / {eight['p95']:.1f} / {eight['p99']:.1f} | {eight['per_s']:.0f} |"
        )
    lines += [
        "",
        f"A suggestion says nothing where the first article has less than {LEAST_CHANCE:.0%} chance: {len(answered)} of {len(result['rows'][0]['ndcg'])} queries "
        "are answered, and its silence counts 0 over all queries; a search says everything. smarttriage reads every passage of an article, the others its first 256 tokens, which is "
        "most of what its build costs.",
        "",
        "`50k would take` is computed from the texts a second of this run. chroma is built from vectors that were there, so its build is the "
        "insertion alone, and its queries are encoded in the client's process. A text is answered by all on the same two cores that the client "
        "runs on.",
        "",
        "![Quality against latency](results/peers.svg)",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()

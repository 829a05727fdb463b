"""Does a second stage pay? Late interaction over the first twenty, and what a cross-encoder would cost.

    python benchmarks/rerank.py [--data ../shared/data] [--cache FOLDER] [--students FOLDER]

Late interaction (Khattab, Zaharia: ColBERT, SIGIR 2020): of each token of the query the nearest token of the record's best passage, averaged.
The token vectors are the encoder's own last layer, before its mean: the query's come for nothing, those of the records would be stored. The
first twenty of the hybrid search in use are ordered anew by (1 - share) x its score + share x that. The share is chosen on train queries of
kb_msoffice, runbooks_alerts and gitbugs_duplicates (at most 300 of each): of all shares whose mean nDCG@10 is within one standard error (of the
paired difference) of the best, the least. A cross-encoder is timed only: one with the layers of a shipped or given encoder has to read every
pair of query and passage, which is what costs, whatever it has learnt. Needs the `train` extra (onnx).
"""

import argparse
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from report import write_results
from retrieval import CHOOSING, SETS, JudgedSet, K, Scores, ndcg, opened, rankings, weighted
from smarttriage.adapters.encoders.manifest import MODEL, TOKENIZER
from smarttriage.adapters.encoders.onnx import feed
from smarttriage.adapters.vector_cache import FileVectorCache
from smarttriage.bootstrap import parts
from smarttriage.services.retrieval import DENSE_WEIGHT

ROOT = Path(__file__).resolve().parent.parent
TOP = 20
SHARES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
MAX_TRAIN = 300
MAX_TOKENS = 256
N_TIMED = 60
Matrix = NDArray[np.float32]


class TokenEncoder:
    """The vectors of a text's tokens: (n_tokens, dim) float32 of L2 norm 1, the two frame tokens left out."""

    def __init__(self, folder: Path) -> None:
        model = onnx.load(str(folder / MODEL))
        last = [node for node in model.graph.node if node.op_type == "LayerNormalization"][-1].output[0]
        model.graph.output.append(onnx.helper.make_tensor_value_info(last, onnx.TensorProto.FLOAT, None))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._last = last
        self._session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)

    def of(self, text: str) -> Matrix:
        ids = np.array([self._tokenizer.encode(text).ids], dtype=np.int64)
        states = self._session.run([self._last], feed(self._session, ids))[0]
        rows = states.reshape(-1, states.shape[-1])[1:-1]
        return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), dtype=np.float32)

    def read(self, length: int) -> float:
        """Return the milliseconds that one text of so many tokens takes."""
        ids = np.full((1, length), 1_000, dtype=np.int64)
        started = time.perf_counter()
        self._session.run([self._last], feed(self._session, ids))
        return (time.perf_counter() - started) * 1_000

    def n_tokens(self, text: str) -> int:
        return len(self._tokenizer.encode(text).ids)


@dataclass(frozen=True, slots=True)
class Asked:
    """One set's queries that are looked at: their candidates with the hybrid and the late score, whether they are dev queries."""

    judged: JudgedSet
    candidates: Sequence[Sequence[tuple[str, float, float]]]
    taken: NDArray[np.bool_]

    def scores(self, share: float) -> Scores:
        """Return the nDCG@10 of each query with that share; what was not looked at has nan."""
        ids = [
            [id_ for id_, _, _ in sorted(found, key=lambda one: (-((1 - share) * one[1] + share * one[2]), one[0]))[:K]]
            for found in self.candidates
        ]
        return np.where(self.taken, ndcg(self.judged, ids), np.nan)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    options.add_argument("--cache", type=Path, default=ROOT / ".cache" / "vectors")
    options.add_argument(
        "--students", type=Path, nargs="*", default=[], help="More encoders whose layers a cross-encoder could have."
    )
    chosen = options.parse_args()
    folder, cache = parts.encoder_folder(), FileVectorCache(chosen.cache)
    tokens = TokenEncoder(folder)
    asked = [looked_at(opened(name, chosen.data, cache), tokens) for name in SETS]
    table_of = {share: [one.scores(share) for one in asked] for share in SHARES}
    share = pick(
        {at: [dev_or_train(row, one, dev=False) for row, one in zip(rows, asked, strict=True)] for at, rows in table_of.items()}
    )
    result = {
        "share": share,
        "train": {str(at): [float(dev_or_train(row, one, dev=False).mean()) for row, one in zip(rows, asked, strict=True)] for at, rows in table_of.items()},
        "dev": {name: figures(table_of[0.0][at], table_of[share][at], asked[at]) for at, name in enumerate(SETS)},
        "cost": cost(asked, tokens, [folder, *chosen.students]),
    }  # fmt: skip
    write_results("rerank", result, table(result))


def looked_at(judged: JudgedSet, tokens: TokenEncoder) -> Asked:
    train = np.flatnonzero(~judged.is_dev)[:MAX_TRAIN]
    taken = judged.is_dev.copy()
    taken[train] = True
    words = dict(zip(judged.pieces.owners, judged.pieces.texts, strict=True))
    held: dict[str, Matrix] = {}
    fuse, found = weighted(1 - DENSE_WEIGHT), []
    for at, ((dense, lexical), text) in enumerate(zip(rankings(judged), judged.queries.texts.values(), strict=True)):
        first = fuse(judged.search, dense, lexical)[:TOP]
        query = tokens.of(text).astype(np.float16) if taken[at] else None
        row = []
        for candidate in first:
            part = dense.parts.get(candidate.id) or lexical.parts.get(candidate.id) or f"{candidate.id}#0"
            if query is not None and part not in held:
                held[part] = tokens.of(words[part]).astype(np.float16)
            row.append((candidate.id, candidate.score, late(query, held[part]) if query is not None else 0.0))
        found.append(row)
    return Asked(judged, found, taken)


def late(query: NDArray[np.float16], record: NDArray[np.float16]) -> float:
    """Return the mean over the query's tokens of the cosine to the nearest token of the record."""
    if not len(query) or not len(record):
        return 0.0
    return float((query.astype(np.float32) @ record.astype(np.float32).T).max(axis=1).mean())


def dev_or_train(scores: Scores, one: Asked, *, dev: bool) -> Scores:
    return scores[one.taken & (one.judged.is_dev == dev)]


def pick(scores: Mapping[float, Sequence[Scores]]) -> float:
    """Return the least share that cannot be told from the best on the sets that choose."""
    sets = {share: rows[: len(CHOOSING)] for share, rows in scores.items()}
    means = {share: float(np.mean([row.mean() for row in rows])) for share, rows in sets.items()}
    best = max(means, key=lambda share: means[share])
    within = []
    for share, rows in sets.items():
        differences = [top - row for top, row in zip(sets[best], rows, strict=True)]
        error = float(np.sqrt(sum(each.var(ddof=1) / len(each) for each in differences))) / len(rows)
        within += [share] if means[best] - means[share] <= error else []
    return min(within)


def figures(before: Scores, after: Scores, one: Asked) -> dict[str, float]:
    old, new = dev_or_train(before, one, dev=True), dev_or_train(after, one, dev=True)
    gain = new - old
    return {
        "queries": len(gain),
        "hybrid": float(old.mean()),
        "late interaction": float(new.mean()),
        "gain": float(gain.mean()),
        "error": float(gain.std(ddof=1) / np.sqrt(len(gain))),
    }


def cost(asked: Sequence[Asked], tokens: TokenEncoder, folders: Sequence[Path]) -> dict[str, object]:
    """Return what ordering twenty anew costs on one thread, beside one run of the encoder on the query."""
    judged = asked[0].judged
    texts = list(judged.queries.texts.values())[:N_TIMED]
    passages = judged.pieces.texts[: TOP * 5]
    stored = [tokens.of(text).astype(np.float16) for text in passages]
    spent, query_ms = [], []
    for n, text in enumerate(texts):
        started = time.perf_counter()
        query = tokens.of(text).astype(np.float16)
        between = time.perf_counter()
        for record in stored[n % 5 :: 5]:
            late(query, record)
        spent.append((time.perf_counter() - between) * 1_000)
        query_ms.append((between - started) * 1_000)
    lengths = [min(tokens.n_tokens(texts[0]) + tokens.n_tokens(passage), MAX_TOKENS) for passage in passages]
    pairs = {}
    for folder in folders:
        reader = TokenEncoder(folder)
        twenty = [sum(reader.read(length) for length in lengths[n::5]) for n in range(5)]
        pairs[folder.name] = statistics.median(twenty)
    return {
        "query_ms": statistics.median(query_ms),
        "late_ms": statistics.median(spent),
        "kib_a_passage": float(np.mean([each.nbytes for each in stored])) / 1024,
        "pair_tokens": statistics.median(lengths),
        "cross_ms": pairs,
    }


def table(result: Mapping[str, object]) -> str:
    lines = [
        f"Share of late interaction, chosen on train queries: {result['share']:g}.",
        "",
        "| dev queries, nDCG@10 | queries | hybrid | with late interaction | gain | standard error of that |",
        "|---|---|---|---|---|---|",
    ]
    for name, row in result["dev"].items():
        lines.append(
            f"| {name} | {row['queries']} | {row['hybrid']:.4f} | {row['late interaction']:.4f} | {row['gain']:+.4f} | {row['error']:.4f} |"
        )
    lines += ["", f"| train queries, nDCG@10, share | {' | '.join(SETS)} |", f"|---|{'---|' * len(SETS)}"]
    lines += [f"| {share} | {' | '.join(f'{value:.4f}' for value in row)} |" for share, row in result["train"].items()]
    of = result["cost"]
    lines += [
        "",
        f"Ordering twenty anew, one thread, p50: {of['late_ms']:.2f} ms for late interaction in NumPy (encoding the query: {of['query_ms']:.2f} ms) and "
        f"{of['kib_a_passage']:.0f} KiB of token vectors for each passage at 2 bytes a number, beside 0.75 KiB for its one vector.",
        "",
        f"| layers of | twenty pairs of {of['pair_tokens']:.0f} tokens (median), ms | times the query's encoding |",
        "|---|---|---|",
    ]
    lines += [f"| {name} | {ms:.0f} | {ms / of['query_ms']:.0f} |" for name, ms in of["cross_ms"].items()]
    lines += [
        "",
        "A cross-encoder on twenty passages is beyond the whole budget of a suggestion (1.25 times the encoder's own time) before it has learnt "
        "anything, so none was trained.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()

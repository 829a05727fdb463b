"""Dense, lexical and hybrid search on four judged sets; how the fusion was chosen.

    python benchmarks/retrieval.py [--data ../shared/data] [--cache FOLDER]

Writes benchmarks/results/retrieval.json and .md. Of the train queries of kb_msoffice, runbooks_alerts and gitbugs_duplicates only those are
asked that the encoder's training held out ("train" below); depth and weight of the fusion are chosen on them. What is in force stays while its
mean nDCG@10 over the three sets is within one standard error (of the paired difference) of the best; else BM25's share of the best pair is taken,
and of the depths within one standard error with that share the shallowest, which costs least. That what is in force stays was added to the rule
after dev had been seen: runbooks_alerts and gitbugs_duplicates have some 20 queries each here, and the best pair changed with each of them.
With these the handicap of long articles is chosen on the same queries: the least within one standard error of the best. That titles are searched
alone, and that there is a handicap, was seen to help on the train queries (of all-MiniLM-L6-v2 as well, which knows none of them) before dev was
asked. stackfaq_webapps does not enter a choice, but its results were known when the rules were written down; a difference there of less than the
printed standard error means "the same".
A weight for each collection is chosen by the same rule on that collection's train queries alone and reported beside the common one.
When nothing is suggested: benchmarks/silence.py.
"""

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from report import write_results
from smarttriage.adapters.indexes.faiss import FaissIndex
from smarttriage.adapters.lexical import exact, tantivy
from smarttriage.adapters.lexical.tantivy import TantivyIndex
from smarttriage.adapters.vector_cache import FileVectorCache
from smarttriage.bootstrap import parts
from smarttriage.bootstrap.retrieval import read_documents
from smarttriage.domain.article import is_title
from smarttriage.domain.fusion import Candidate, reciprocal_rank
from smarttriage.ports import Encoder, Vectors
from smarttriage.services.ranking_metrics import ndcg_at
from smarttriage.services.retrieval import (
    DENSE_WEIGHT,
    DEPTH,
    EVERYTHING,
    HANDICAP,
    INCIDENTS,
    HybridSearch,
    Ranking,
)
from smarttriage.services.retrieval_evaluation import ALLOWED, JudgedQueries, Parts, build_search, parts_of, score_sides
from smarttriage.services.training import embed
from unseen import read_queries

ROOT = Path(__file__).resolve().parent.parent
CHOOSING = ("kb_msoffice", "runbooks_alerts", "gitbugs_duplicates")
SETS = (*CHOOSING, "stackfaq_webapps")
# Its records are reports, each query one of them: searched as the service searches past incidents, the others as articles.
INCIDENT_SET = "gitbugs_duplicates"
DEPTHS = (50, 100, 200)
HANDICAPS = (0.0, 0.005, 0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05)
LEXICAL_WEIGHTS = (0.0, 0.02, 0.04, 0.06, 0.08, 0.1, 0.12, 0.14, 0.16, 0.2, 0.3)
K = 10
N_LATENCY = 20_000
Scores = NDArray[np.float64]
Fuse = Callable[[HybridSearch, Ranking, Ranking], list[Candidate]]


@dataclass(frozen=True, slots=True)
class JudgedSet:
    """One data set, indexed and encoded."""

    name: str
    search: HybridSearch
    title_once: HybridSearch
    untitled: HybridSearch
    queries: JudgedQueries
    vectors: Vectors
    is_dev: NDArray[np.bool_]
    pieces: Parts
    piece_vectors: Vectors

    @property
    def exclude_self(self) -> bool:
        return self.name == INCIDENT_SET


def opened(
    name: str, data: Path, cache: FileVectorCache, encoder: Encoder | None = None, *, folder: Path | None = None
) -> JudgedSet:
    """Return a set indexed by the encoder of `folder`, by default the shipped one, with the queries that it was not trained on."""
    queries = read_queries(data / name, "train", "dev", encoder=folder)
    dev = read_queries(data / name, "dev")
    encoder = encoder or parts.encoder(n_threads=2)
    pieces = parts_of(read_documents(data / name / "corpus.jsonl.gz"), as_incidents=name == INCIDENT_SET)
    vectors = embed(pieces.texts, encoder=encoder, cache=cache)

    def built(these: Parts, vectors: Vectors) -> HybridSearch:
        dense = FaissIndex(encoder_id=encoder.encoder_id, dim=encoder.dim)
        return build_search(these, vectors, dense=dense, lexical=TantivyIndex())

    once = [None if words is None else text for text, words in zip(pieces.texts, pieces.words, strict=True)]
    kept = [place for place, part in enumerate(pieces.owners) if not is_title(part)]
    owners = list(pieces.owners.items())
    texts, words = ([each[place] for place in kept] for each in (pieces.texts, pieces.words))
    untitled = Parts(dict(owners[place] for place in kept), texts, words, pieces.sizes)

    return JudgedSet(
        name=name,
        search=built(pieces, vectors),
        title_once=built(replace(pieces, words=once), vectors),
        untitled=built(untitled, vectors[kept]),
        queries=queries,
        vectors=embed(list(queries.texts.values()), encoder=encoder, cache=cache),
        is_dev=np.array([query in dev.texts for query in queries.texts]),
        pieces=pieces,
        piece_vectors=vectors,
    )


def rankings(
    judged: JudgedSet, *, depth: int = DEPTH, search: HybridSearch | None = None, without: Mapping[str, set[str]] | None = None
) -> list[tuple[Ranking, Ranking]]:
    """Return both sides' records for each query, without the query itself and what `without` names."""
    found = search or judged.search
    found = replace(found, settings=replace(found.settings, depth=depth))
    pairs = []
    for (query, text), vector in zip(judged.queries.texts.items(), judged.vectors, strict=True):
        hidden = ({query} if judged.exclude_self else set()) | (without or {}).get(query, set())
        dense = found.nearest(vector, K, allowed=ALLOWED, without=hidden)
        pairs.append((dense, found.worded(text, K, allowed=ALLOWED, without=hidden)))
    return pairs


def ndcg(judged: JudgedSet, ids: Sequence[Sequence[str]]) -> Scores:
    return np.array(
        [ndcg_at(ranking, judged.queries.qrels[query]) for query, ranking in zip(judged.queries.texts, ids, strict=True)]
    )


def weighted(lexical_weight: float, handicap: float = HANDICAP) -> Fuse:
    settings = replace(EVERYTHING, dense_weight=1 - lexical_weight, handicap=handicap)
    return lambda search, dense, lexical: replace(search, settings=settings).fused(dense, lexical)


def rrf(_search: HybridSearch, dense: Ranking, lexical: Ranking) -> list[Candidate]:
    return reciprocal_rank(dense.records, lexical.records)


def fused(judged: JudgedSet, pairs: Sequence[tuple[Ranking, Ranking]], fuse: Fuse) -> Scores:
    return ndcg(judged, [[candidate.id for candidate in fuse(judged.search, *pair)[:K]] for pair in pairs])


def one_side(judged: JudgedSet, pairs: Sequence[tuple[Ranking, Ranking]], side: int) -> Scores:
    return ndcg(judged, [[record for record, _ in pair[side].records[:K]] for pair in pairs])


def choose(
    scores: Mapping[tuple[float, int], Sequence[Scores]], in_force: tuple[float, int] | None = None
) -> tuple[tuple[float, int], list[dict[str, float]]]:
    """Return the (BM25's share, depth) that the rule of this module picks, and the figures it was picked from.

    Nothing is in force for a set or an encoder by itself: then only the rule for a change is asked.
    """
    means = {pair: float(np.mean([each.mean() for each in sets])) for pair, sets in scores.items()}
    best = max(means, key=lambda pair: means[pair])
    figures = []
    for (share, depth), sets in scores.items():
        error = standard_error(scores[best], sets)
        behind = means[best] - means[share, depth]
        figures.append({"share": share, "depth": depth, "train_mean": means[share, depth], "behind": behind, "error": error})
    same = [int(row["depth"]) for row in figures if row["share"] == best[0] and row["behind"] <= row["error"]]
    stays = any((row["share"], row["depth"]) == in_force and row["behind"] <= row["error"] for row in figures)
    return in_force if stays and in_force else (best[0], min(same)), figures


def chosen_handicap(sets: Sequence[JudgedSet], scores: Mapping[float, Sequence[Scores]]) -> tuple[float, list[dict[str, float]]]:
    """Return the least handicap that is within one standard error of the best on train, and the figures it was picked from."""
    train = {
        handicap: [row[~judged.is_dev] for row, judged in zip(rows[: len(CHOOSING)], sets, strict=False)]
        for handicap, rows in scores.items()
    }
    means = {handicap: float(np.mean([each.mean() for each in rows])) for handicap, rows in train.items()}
    best = max(means, key=lambda handicap: means[handicap])
    figures = []
    for handicap, rows in train.items():
        behind, error = means[best] - means[handicap], standard_error(train[best], rows)
        figures.append({"handicap": handicap, "train_mean": means[handicap], "behind": behind, "error": error})
    return min(row["handicap"] for row in figures if row["behind"] <= row["error"]), figures


def standard_error(scores: Sequence[Scores], others: Sequence[Scores]) -> float:
    """Return the standard error of the difference of two ways, each the mean over sets of their means over queries."""
    differences = [mine - other for mine, other in zip(scores, others, strict=True)]
    return float(np.sqrt(sum(each.var(ddof=1) / len(each) for each in differences))) / len(differences)


def own_weight(judged: JudgedSet, scores: Mapping[tuple[float, int], Scores]) -> dict[str, float]:
    """Return what the rule of this module picks on this set alone, and what that is worth on its dev queries."""
    (share, depth), _ = choose({key: [row[~judged.is_dev]] for key, row in scores.items()})
    common = scores[round(1 - DENSE_WEIGHT, 2), DEPTH][judged.is_dev]
    gain = scores[share, depth][judged.is_dev] - common
    return {
        "share": share,
        "depth": depth,
        "dev": float(common.mean() + gain.mean()),
        "dev, common weight": float(common.mean()),
        "gain": float(gain.mean()),
        "error": float(gain.std(ddof=1) / np.sqrt(len(gain))),
    }


def own_table(own: Mapping[str, Mapping[str, float]]) -> str:
    lines = [
        "| set | BM25's share | depth | dev nDCG@10 | with the common weight | gain | error of that |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {row['share']:g} | {row['depth']:g} | {row['dev']:.4f} | {row['dev, common weight']:.4f} | {row['gain']:+.4f} "
        f"| {row['error']:.4f} |"
        for name, row in own.items()
    ]
    return "\n".join(lines)


def with_query_terms(n: int, sets: Sequence[JudgedSet], fuse: Fuse) -> list[float]:
    """Return the train nDCG@10 of each set if n distinct query terms are searched."""
    before = tantivy.MAX_QUERY_TERMS
    tantivy.MAX_QUERY_TERMS = exact.MAX_QUERY_TERMS = n
    try:
        return [float(fused(each, rankings(each), fuse)[~each.is_dev].mean()) for each in sets]
    finally:
        tantivy.MAX_QUERY_TERMS = exact.MAX_QUERY_TERMS = before


def latency(sets: Sequence[JudgedSet]) -> dict[str, dict[str, float]]:
    """Return milliseconds of one search over N_LATENCY records, all of them visible to the caller or nine in ten."""
    words = [words or text for judged in sets for text, words in zip(judged.pieces.texts, judged.pieces.words, strict=True)]
    vectors = np.concatenate([judged.piece_vectors for judged in sets])
    rows = np.arange(N_LATENCY) % len(words)
    ids, labels = [f"r{row}" for row in range(N_LATENCY)], [["a"] if row % 10 else ["b"] for row in range(N_LATENCY)]
    dense, lexical = FaissIndex(encoder_id="latency", dim=vectors.shape[1]), TantivyIndex()
    dense.add(ids, vectors[rows], labels)
    lexical.add(ids, [words[row] for row in rows], labels)
    search = HybridSearch(dense.snapshot(), lexical.snapshot(), {}, INCIDENTS)
    everything = " ".join(words[:2_000]).split()
    figures = {}
    for n_words in (10, 40, 150, 1_000):
        asked = [" ".join(everything[at * n_words : (at + 1) * n_words]) for at in range(100)]
        for caller, allowed in (("sees all", ["a", "b"]), ("sees 9 of 10", ["a"])):
            sides = {
                "dense": lambda at: search.nearest(vectors[at], K, allowed=allowed),  # noqa: B023
                "lexical": lambda at: search.worded(asked[at], K, allowed=allowed),  # noqa: B023
                "hybrid": lambda at: search.search(asked[at], vectors[at], K, allowed=allowed),  # noqa: B023
            }
            row = {}
            for name, side in sides.items():
                spent = [_ms(side, at) for at in range(len(asked))]
                row |= {f"{name} p50": float(np.percentile(spent, 50)), f"{name} p95": float(np.percentile(spent, 95))}
            figures[f"{n_words} words, caller {caller}"] = row
    return figures


def _ms(side: Callable[[int], object], at: int) -> float:
    started = time.perf_counter()
    side(at)
    return (time.perf_counter() - started) * 1_000


def table(rows: Mapping[str, Sequence[float]]) -> str:
    head = f"| nDCG@10 | {' | '.join(SETS)} | mean |\n|---|{'---|' * (len(SETS) + 1)}\n"
    return head + "\n".join(
        f"| {name} | {' | '.join(f'{x:.4f}' for x in row)} | {np.mean(row):.4f} |" for name, row in rows.items()
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, default=ROOT / ".." / "shared" / "data")
    options.add_argument("--cache", type=Path, default=ROOT / ".cache" / "vectors")
    given = options.parse_args()
    cache = FileVectorCache(given.cache)
    sets = [opened(name, given.data, cache) for name in SETS]
    pairs = {depth: [rankings(each, depth=depth) for each in sets] for depth in DEPTHS}
    once = [rankings(each, search=each.title_once) for each in sets]
    untitled = [rankings(each, search=each.untitled) for each in sets]

    def each_set(score: Callable[[JudgedSet, int], Scores]) -> list[Scores]:
        return [score(judged, at) for at, judged in enumerate(sets)]

    def fused_all(share: float, depth: int) -> list[Scores]:
        return each_set(lambda judged, at: fused(judged, pairs[depth][at], weighted(share)))

    grid = {(share, depth): fused_all(share, depth) for depth in DEPTHS for share in LEXICAL_WEIGHTS}
    on_train = {
        key: [row[~judged.is_dev] for row, judged in zip(rows[: len(CHOOSING)], sets, strict=False)] for key, rows in grid.items()
    }
    chosen, figures = choose(on_train, (round(1 - DENSE_WEIGHT, 2), DEPTH))
    best = max(figures, key=lambda row: row["train_mean"])
    handicapped = {
        handicap: each_set(lambda judged, at: fused(judged, pairs[DEPTH][at], weighted(1 - DENSE_WEIGHT, handicap)))  # noqa: B023
        for handicap in HANDICAPS
    }
    handicap, handicaps = chosen_handicap(sets, handicapped)
    in_use = weighted(1 - DENSE_WEIGHT)
    scored = {
        "dense": each_set(lambda judged, at: one_side(judged, pairs[DEPTH][at], 0)),
        "lexical": each_set(lambda judged, at: one_side(judged, pairs[DEPTH][at], 1)),
        "RRF (k = 60)": each_set(lambda judged, at: fused(judged, pairs[DEPTH][at], rrf)),
        f"hybrid in use (BM25 {1 - DENSE_WEIGHT:.2g}, {DEPTH} deep)": fused_all(1 - DENSE_WEIGHT, DEPTH),
        f"best on train (BM25 {best['share']:g}, {best['depth']} deep)": grid[best["share"], int(best["depth"])],
        "BM25 0.1, 200 deep": grid[0.1, 200],
        "BM25 0.2, 100 deep": grid[0.2, 100],
        "in use, no handicap": handicapped[0.0],
        "in use, without titles alone": each_set(lambda judged, at: fused(judged, untitled[at], in_use)),
        "in use, neither": each_set(lambda judged, at: fused(judged, untitled[at], weighted(1 - DENSE_WEIGHT, 0.0))),
        "in use, title once": each_set(lambda judged, at: fused(judged, once[at], in_use)),
        "lexical, title once": each_set(lambda judged, at: one_side(judged, once[at], 1)),
    }
    hybrid = scored[f"hybrid in use (BM25 {1 - DENSE_WEIGHT:.2g}, {DEPTH} deep)"]
    gains = {judged.name: {} for judged in sets}
    for name in ("dense", "lexical"):
        for judged, mine, other in zip(sets, hybrid, scored[name], strict=True):
            error = float((mine - other).std(ddof=1) / np.sqrt(len(mine)))
            gains[judged.name] |= {f"over {name}": float((mine - other).mean()), f"error of that ({name})": error}
    both = {name: [float(each.mean()) for each in rows] for name, rows in scored.items()}
    train, dev = (
        {name: [float(row[pick(judged)].mean()) for row, judged in zip(rows, sets, strict=True)] for name, rows in scored.items()}
        for pick in (lambda judged: ~judged.is_dev, lambda judged: judged.is_dev)
    )
    terms = {f"{n} query terms": with_query_terms(n, sets, in_use) for n in (16, 32, 64)}
    own = {judged.name: own_weight(judged, {key: rows[at] for key, rows in grid.items()}) for at, judged in enumerate(sets)}
    cost = latency(sets)
    sides = {
        judged.name: {
            name: side.as_json()
            for name, side in score_sides(
                judged.search, judged.queries, judged.vectors, exclude_self=judged.exclude_self, timer=time.perf_counter
            ).items()
        }
        for judged in sets
    }
    result = {
        "dev_and_train": both, "train": train, "dev": dev, "sides": sides, "grid": figures, "chosen": chosen, "gains": gains,
        "handicaps": handicaps, "chosen_handicap": handicap,
        "in_use": {"dense_weight": DENSE_WEIGHT, "depth": DEPTH, "handicap": HANDICAP}, "query_terms_train": terms, "each": own, "latency_ms": cost,
    }  # fmt: skip
    write_results(
        "retrieval", result, text(both, train, dev, sides, gains, figures, chosen, handicaps, handicap, terms, own, cost)
    )


def text(both, train, dev, sides, gains, figures, chosen, handicaps, handicap, terms, own, cost) -> str:  # type: ignore[no-untyped-def]
    weights = "| BM25's share | depth | train mean of the three sets | behind the best | standard error of that |\n|---|---|---|---|---|\n"
    weights += "\n".join(
        f"| {row['share']} | {row['depth']} | {row['train_mean']:.4f} | {row['behind']:.4f} | {row['error']:.4f} |"
        for row in figures
    )
    lengths = "| handicap | train mean of the three sets | behind the best | standard error of that |\n|---|---|---|---|\n"
    lengths += "\n".join(
        f"| {row['handicap']:g} | {row['train_mean']:.4f} | {row['behind']:.4f} | {row['error']:.4f} |" for row in handicaps
    )
    headings = list(next(iter(gains.values())))
    won = f"| hybrid in use, nDCG@10 | {' | '.join(headings)} |\n|---|{'---|' * len(headings)}\n" + "\n".join(
        f"| {name} | {' | '.join(f'{row[key]:+.4f}' for key in headings)} |" for name, row in gains.items()
    )
    timed = list(next(iter(cost.values())))
    costs = f"| ms, query | {' | '.join(timed)} |\n|---|{'---|' * len(timed)}\n" + "\n".join(
        f"| {name} | {' | '.join(f'{row[key]:.2f}' for key in timed)} |" for name, row in cost.items()
    )
    names = list(next(iter(sides.values()))["dense"])
    details = f"| set | side | {' | '.join(names)} |\n|---|---|{'---|' * len(names)}\n" + "\n".join(
        f"| {name} | {side} | {' | '.join(f'{row[key]:.4g}' for key in names)} |"
        for name, rows in sides.items()
        for side, row in rows.items()
    )
    return "\n\n".join(
        [
            "## dev + train queries", table(both), won,
            "## dev queries only", table(dev),
            "## train queries only", table({**train, **terms}),
            "## Every metric, dev + train", details,
            f"## How BM25's share and the depth were chosen: {chosen[0]:g}, {chosen[1]} deep", weights,
            f"## How the handicap of long articles was chosen: {handicap:g}", lengths,
            "## A weight for each collection, chosen on its own train queries", own_table(own),
            f"## What one search costs over {N_LATENCY:,} records, its encoding not counted", costs,
        ]
    )  # fmt: skip


if __name__ == "__main__":
    main()

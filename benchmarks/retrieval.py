"""Dense, lexical and hybrid search on four judged sets; how the fusion and the relevance floor were chosen.

    python benchmarks/retrieval.py [--data ../shared/data] [--cache FOLDER]

Writes benchmarks/results/retrieval.json and .md. Depth and weight of the fusion are chosen on the train queries of kb_msoffice,
runbooks_alerts and gitbugs_duplicates: of all pairs whose mean nDCG@10 over the three sets is within one standard error (of the
paired difference) of the best pair, the one with the smallest share of BM25, then the shallowest: what the data cannot tell from
the best should disturb the stronger side least and cost least. stackfaq_webapps does not enter the choice, but its results were
known when this rule was written down; a difference there of less than the printed standard error means "the same".
When nothing is suggested is chosen on the train queries of kb_msoffice: as they are, and with every relevant article taken away;
and on the train queries of runbooks_alerts and gitbugs_duplicates put to the articles of kb_msoffice, where none is right.
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
from smarttriage.bootstrap.retrieval import read_documents, read_judged
from smarttriage.domain.fusion import Candidate, reciprocal_rank
from smarttriage.ports import Encoder, Vectors
from smarttriage.services.ranking_metrics import ndcg_at
from smarttriage.services.retrieval import (
    ARTICLES,
    DENSE_WEIGHT,
    DEPTH,
    EVERYTHING,
    INCIDENTS,
    TENTH,
    FusionSettings,
    HybridSearch,
    Ranking,
)
from smarttriage.services.retrieval import fused as in_one_order
from smarttriage.services.retrieval import relevant as shown_of
from smarttriage.services.retrieval_evaluation import ALLOWED, JudgedQueries, Parts, build_search, parts_of, score_sides
from smarttriage.services.training import embed

ROOT = Path(__file__).resolve().parent.parent
CHOOSING = ("kb_msoffice", "runbooks_alerts", "gitbugs_duplicates")
SETS = (*CHOOSING, "stackfaq_webapps")
DEPTHS = (50, 100, 200)
LEXICAL_WEIGHTS = (0.0, 0.02, 0.04, 0.06, 0.08, 0.1, 0.12, 0.14, 0.16, 0.2, 0.3)
K = 10
# The margin keeps this share of the right first suggestions.
KEPT = 0.95
N_LATENCY = 20_000
Scores = NDArray[np.float64]
Fuse = Callable[[Ranking, Ranking], list[Candidate]]


@dataclass(frozen=True, slots=True)
class JudgedSet:
    """One data set, indexed and encoded."""

    name: str
    search: HybridSearch
    title_once: HybridSearch
    queries: JudgedQueries
    vectors: Vectors
    is_dev: NDArray[np.bool_]
    pieces: Parts
    piece_vectors: Vectors

    @property
    def exclude_self(self) -> bool:
        return self.name == "gitbugs_duplicates"


def opened(name: str, data: Path, cache: FileVectorCache, encoder: Encoder | None = None) -> JudgedSet:
    folder, encoder = data / name, encoder or parts.encoder(n_threads=2)
    files = [
        [folder / f"{kind}.{split}.{end}" for split in ("train", "dev")]
        for kind, end in (("queries", "jsonl.gz"), ("qrels", "tsv"))
    ]
    queries, dev = read_judged(*files), read_judged(files[0][1:], files[1][1:])
    pieces = parts_of(read_documents(folder / "corpus.jsonl.gz"))
    vectors = embed(pieces.texts, encoder=encoder, cache=cache)

    def built(these: object) -> HybridSearch:
        dense = FaissIndex(encoder_id=encoder.encoder_id, dim=encoder.dim)
        return build_search(these, vectors, dense=dense, lexical=TantivyIndex())  # type: ignore[arg-type]

    return JudgedSet(
        name=name,
        search=built(pieces),
        title_once=built(replace(pieces, words=pieces.texts)),
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


def weighted(lexical_weight: float) -> Fuse:
    settings = replace(EVERYTHING, dense_weight=1 - lexical_weight)
    return lambda dense, lexical: in_one_order(dense, lexical, settings)


def rrf(dense: Ranking, lexical: Ranking) -> list[Candidate]:
    return reciprocal_rank(dense.records, lexical.records)


def fused(judged: JudgedSet, pairs: Sequence[tuple[Ranking, Ranking]], fuse: Fuse) -> Scores:
    return ndcg(judged, [[candidate.id for candidate in fuse(*pair)[:K]] for pair in pairs])


def one_side(judged: JudgedSet, pairs: Sequence[tuple[Ranking, Ranking]], side: int) -> Scores:
    return ndcg(judged, [[record for record, _ in pair[side].records[:K]] for pair in pairs])


def choose(scores: Mapping[tuple[float, int], Sequence[Scores]]) -> tuple[tuple[float, int], list[dict[str, float]]]:
    """Return the (BM25's share, depth) that the rule of this module picks, and the figures it was picked from."""
    means = {pair: float(np.mean([each.mean() for each in sets])) for pair, sets in scores.items()}
    best = max(means, key=lambda pair: means[pair])
    figures = []
    for (share, depth), sets in scores.items():
        differences = [top - each for top, each in zip(scores[best], sets, strict=True)]
        error = float(np.sqrt(sum(each.var(ddof=1) / len(each) for each in differences))) / len(sets)
        behind = means[best] - means[share, depth]
        figures.append({"share": share, "depth": depth, "train_mean": means[share, depth], "behind": behind, "error": error})
    return min((row["share"], int(row["depth"])) for row in figures if row["behind"] <= row["error"]), figures


def margin(candidates: Sequence[Candidate]) -> float:
    return candidates[0].score - (candidates[TENTH - 1].score if len(candidates) >= TENTH else 0.0)


def put_to(articles: JudgedSet, asking: JudgedSet, fuse: Fuse) -> list[list[Candidate]]:
    """Return the candidates that the train queries of another set find among the articles."""
    rows = zip(asking.queries.texts.values(), asking.vectors, asking.is_dev, strict=True)
    search = articles.search
    return [
        fuse(search.nearest(vector, K, allowed=ALLOWED), search.worded(text, K, allowed=ALLOWED))
        for text, vector, is_dev in rows
        if not is_dev
    ]


def answered(judged: JudgedSet, fuse: Fuse) -> tuple[list[list[Candidate]], list[list[Candidate]], NDArray[np.bool_]]:
    """Return the candidates of each query, those with every relevant record taken away, and whether the first of all is right."""
    right_ids = {query: {record for record, grade in row.items() if grade > 0} for query, row in judged.queries.qrels.items()}
    found = [fuse(*pair) for pair in rankings(judged)]
    right = np.array([each[0].id in right_ids[query] for each, query in zip(found, judged.queries.texts, strict=True)])
    return found, [fuse(*pair) for pair in rankings(judged, without=right_ids)], right


def calibrated(sets: Sequence[JudgedSet], fuse: Fuse) -> dict[str, float]:
    """Return the four constants of services/retrieval.py as this data gives them."""
    articles = sets[0]
    found, gone, right = answered(articles, fuse)
    train = ~articles.is_dev
    unrelated = [each[0].score for asking in sets[1:3] for each in put_to(articles, asking, fuse)]
    return {
        "floor": float(np.median(unrelated)),
        "margin": float(np.quantile([margin(found[at]) for at in np.flatnonzero(train & right)], 1 - KEPT)),
        "certain": float(np.quantile([gone[at][0].score for at in np.flatnonzero(train)], KEPT)),
        "floor without margin": float(np.quantile(unrelated, KEPT)),
    }


def silence(judged: JudgedSet, fuse: Fuse, settings: FusionSettings, rows: NDArray[np.bool_]) -> dict[str, float]:
    """Return how often something is suggested, and how often that and its absence are right, half the queries being answerable."""
    found, gone, right = (np.array(each, dtype=object)[rows] for each in answered(judged, fuse))
    shown = np.array([bool(shown_of(each, settings)) for each in found])
    silent = np.array([not shown_of(each, settings) for each in gone])
    right = right.astype(bool)
    n_silent = int((~shown).sum() + silent.sum())
    return {
        "answerable shown": float(shown.mean()),
        "right first kept": float(shown[right].mean()),
        "first right of shown": float(right[shown].mean()) if shown.any() else 0.0,
        "unanswerable silent": float(silent.mean()),
        "silence right": float(silent.sum() / n_silent) if n_silent else 0.0,
        "first right of shown, half unanswerable": float(right[shown].sum() / max(int(shown.sum() + (~silent).sum()), 1)),
    }


def floor_rows(sets: Sequence[JudgedSet], fuse: Fuse) -> dict[str, dict[str, float]]:
    rules = {
        "in use": ARTICLES,
        "score >= 0.65": replace(EVERYTHING, floor=0.65),
        "score >= 0.5": INCIDENTS,
    }
    rows = {}
    for name, settings in rules.items():
        for judged in sets:
            for split, chosen in (("train", ~judged.is_dev), ("dev", judged.is_dev)):
                if split == "train" or judged is sets[0]:
                    rows[f"{name}, {judged.name} {split}"] = silence(judged, fuse, settings, chosen)
    return rows


def unrelated_silent(sets: Sequence[JudgedSet], fuse: Fuse) -> dict[str, float]:
    return {
        asking.name: float(np.mean([not shown_of(each, ARTICLES) for each in put_to(sets[0], asking, fuse)]))
        for asking in sets[1:]
    }


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
    words = [text for judged in sets for text in judged.pieces.words]
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

    def each_set(score: Callable[[JudgedSet, int], Scores]) -> list[Scores]:
        return [score(judged, at) for at, judged in enumerate(sets)]

    def fused_all(share: float, depth: int) -> list[Scores]:
        return each_set(lambda judged, at: fused(judged, pairs[depth][at], weighted(share)))

    grid = {(share, depth): fused_all(share, depth) for depth in DEPTHS for share in LEXICAL_WEIGHTS}
    on_train = {
        key: [row[~judged.is_dev] for row, judged in zip(rows[: len(CHOOSING)], sets, strict=False)] for key, rows in grid.items()
    }
    chosen, figures = choose(on_train)
    best = max(figures, key=lambda row: row["train_mean"])
    in_use = weighted(1 - DENSE_WEIGHT)
    scored = {
        "dense": each_set(lambda judged, at: one_side(judged, pairs[DEPTH][at], 0)),
        "lexical": each_set(lambda judged, at: one_side(judged, pairs[DEPTH][at], 1)),
        "RRF (k = 60)": each_set(lambda judged, at: fused(judged, pairs[DEPTH][at], rrf)),
        f"hybrid in use (BM25 {1 - DENSE_WEIGHT:.2g}, {DEPTH} deep)": fused_all(1 - DENSE_WEIGHT, DEPTH),
        f"best on train (BM25 {best['share']:g}, {best['depth']} deep)": grid[best["share"], int(best["depth"])],
        "BM25 0.1, 200 deep": grid[0.1, 200],
        "BM25 0.2, 100 deep": grid[0.2, 100],
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
    floor = {
        "calibrated": calibrated(sets, in_use),
        "rows": floor_rows(sets, in_use),
        "unrelated_silent": unrelated_silent(sets, in_use),
    }
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
        "in_use": {"dense_weight": DENSE_WEIGHT, "depth": DEPTH}, "query_terms_train": terms, "floor": floor, "latency_ms": cost,
    }  # fmt: skip
    write_results("retrieval", result, text(both, train, dev, sides, gains, figures, chosen, terms, floor, cost))


def text(both, train, dev, sides, gains, figures, chosen, terms, floor, cost) -> str:  # type: ignore[no-untyped-def]
    weights = "| BM25's share | depth | train mean of the three sets | behind the best | standard error of that |\n|---|---|---|---|---|\n"
    weights += "\n".join(
        f"| {row['share']} | {row['depth']} | {row['train_mean']:.4f} | {row['behind']:.4f} | {row['error']:.4f} |"
        for row in figures
    )
    headings = list(next(iter(gains.values())))
    won = f"| hybrid in use, nDCG@10 | {' | '.join(headings)} |\n|---|{'---|' * len(headings)}\n" + "\n".join(
        f"| {name} | {' | '.join(f'{row[key]:+.4f}' for key in headings)} |" for name, row in gains.items()
    )
    columns = list(next(iter(floor["rows"].values())))
    floors = f"| rule, queries | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}\n" + "\n".join(
        f"| {name} | {' | '.join(f'{row[key]:.3f}' for key in columns)} |" for name, row in floor["rows"].items()
    )
    used = {
        "floor": ARTICLES.floor,
        "margin": ARTICLES.margin,
        "certain": ARTICLES.certain,
        "floor without margin": INCIDENTS.floor,
    }
    timed = list(next(iter(cost.values())))
    costs = f"| ms, query | {' | '.join(timed)} |\n|---|{'---|' * len(timed)}\n" + "\n".join(
        f"| {name} | {' | '.join(f'{row[key]:.2f}' for key in timed)} |" for name, row in cost.items()
    )
    constants = "; ".join(f"{name} {value:.3f} (in use {used[name]:g})" for name, value in floor["calibrated"].items())
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
            "## When nothing is suggested", f"Calibrated here: {constants}.", floors,
            "Train queries of other sets put to the kb_msoffice articles that get no suggestion: "
            + ", ".join(f"{name} {share:.3f}" for name, share in floor["unrelated_silent"].items()) + ".",
            f"## What one search costs over {N_LATENCY:,} records, its encoding not counted", costs,
        ]
    )  # fmt: skip


if __name__ == "__main__":
    main()

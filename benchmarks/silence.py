"""When nothing is suggested, how often that is right, and whether the stated confidence of the first suggestion holds.

    python benchmarks/silence.py [--data ../shared/data] [--cache FOLDER]
    SMARTTRIAGE_ENCODER=fast python benchmarks/silence.py [...]

Writes benchmarks/results/silence.json and .md, the second command silence_fast. Every judged query is asked twice: as it is, and with every article that answers it
taken away, so that half of all questions have no answer. The chance that the first record is right is a logistic model of its score
and of how far it stands above the tenth record, fitted on the train queries of five sets (each weighs the same; `seed` is our own
knowledge base, asked with the seed incidents in English that name an article). The least chance is the largest step of 0.02 at which
silence is right 8 times in 10 on the train queries of every knowledge base that has enough of them which the encoder was not trained on
(runbooks_alerts has 22; gitbugs_duplicates is no knowledge base; the seed has no queries to hold out). Rows "left out" are judged by a model that was fitted without that set.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from report import write_results
from retrieval import SETS, Fuse, JudgedSet, K, opened, rankings, weighted
from smarttriage.adapters.articles import read_articles
from smarttriage.adapters.indexes.faiss import FaissIndex
from smarttriage.adapters.lexical.tantivy import TantivyIndex
from smarttriage.adapters.vector_cache import FileVectorCache
from smarttriage.bootstrap import parts
from smarttriage.bootstrap.indexing import searches_of
from smarttriage.config import EncoderSize, Settings
from smarttriage.domain.fusion import Candidate
from smarttriage.domain.text import model_text
from smarttriage.services.retrieval import (
    DENSE_WEIGHT,
    EVERYTHING,
    TENTH,
    ChanceModel,
    FusionSettings,
    HybridSearch,
    relevant,
)
from smarttriage.services.retrieval_evaluation import ALLOWED, Document, JudgedQueries, build_search, parts_of
from smarttriage.services.training import embed

ROOT = Path(__file__).resolve().parent.parent
KNOWLEDGE_BASES = ("kb_msoffice", "runbooks_alerts", "stackfaq_webapps")
ENOUGH_QUERIES = 100
STEPS = tuple(round(0.02 * step, 2) for step in range(1, 16))
RIGHT = 0.8
BINS = 5
FUSE = weighted(1 - DENSE_WEIGHT)
ARTICLES, INCIDENTS = searches_of(parts.encoder())
# Past incidents have no titles of their own in the index, and no handicap.
FUSE_INCIDENTS = weighted(1 - DENSE_WEIGHT, handicap=0.0)
Rows = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Asked:
    """The candidates of each query, those with every right record taken away, and whether the first of all is right."""

    name: str
    found: list[list[Candidate]]
    gone: list[list[Candidate]]
    right: Rows
    is_dev: Rows

    def both(self, rows: Rows) -> tuple[list[list[Candidate]], Rows, Rows]:
        """Return the candidates of both, whether the first is right, and whether there is an answer at all."""
        at = np.flatnonzero(rows)
        right = np.concatenate([self.right[at], np.zeros(len(at), bool)])
        return [*(self.found[i] for i in at), *(self.gone[i] for i in at)], right, np.arange(2 * len(at)) < len(at)


def asked(judged: JudgedSet) -> Asked:
    answers = {query: {record for record, grade in row.items() if grade > 0} for query, row in judged.queries.qrels.items()}
    found = [FUSE(judged.search, *pair) for pair in rankings(judged)]
    gone = [FUSE(judged.search, *pair) for pair in rankings(judged, without=answers)]
    right = np.array(
        [bool(each) and each[0].id in answers[query] for each, query in zip(found, judged.queries.texts, strict=True)]
    )
    return Asked(judged.name, found, gone, right, judged.is_dev)


def seed_incidents() -> list[dict]:  # type: ignore[type-arg]
    rows = [json.loads(line) for line in (ROOT / "kb/incidents.jsonl").read_text("utf-8").splitlines()]
    return [row for row in rows if row["language"] == "en"]


def seed_set(cache: FileVectorCache) -> JudgedSet:
    encoder = parts.encoder(n_threads=2)
    articles = [row.values for row in read_articles(ROOT / "kb/articles")]
    pieces = parts_of([Document(each["id"], each["title"].strip(), each["body"].strip()) for each in articles])
    vectors = embed(pieces.texts, encoder=encoder, cache=cache)
    asking = [row for row in seed_incidents() if (row["resolution"] or {}).get("article_id")]
    texts = {str(at): model_text(row["title"], row["description"]) for at, row in enumerate(asking)}
    queries = JudgedQueries(texts, {str(at): {row["resolution"]["article_id"]: 1} for at, row in enumerate(asking)})
    dense = FaissIndex(encoder_id=encoder.encoder_id, dim=encoder.dim)
    search = build_search(pieces, vectors, dense=dense, lexical=TantivyIndex())
    asked_vectors = embed(list(texts.values()), encoder=encoder, cache=cache)
    return JudgedSet("seed", search, search, search, queries, asked_vectors, np.zeros(len(texts), bool), pieces, vectors)


def unrelated(
    search: HybridSearch, texts: Sequence[str], vectors: NDArray[np.float32], fuse: Fuse = FUSE
) -> list[list[Candidate]]:
    return [
        fuse(search, search.nearest(vector, K, allowed=ALLOWED), search.worded(text, K, allowed=ALLOWED))
        for text, vector in zip(texts, vectors, strict=True)
    ]


def traits(candidates: Sequence[Candidate]) -> tuple[float, float]:
    """Return the first score and how far it stands above the tenth record, as ChanceModel reads them."""
    if not candidates:
        return 0.0, 0.0
    return candidates[0].score, candidates[0].score - (candidates[TENTH - 1].score if len(candidates) >= TENTH else 0.0)


def fitted(sets: Sequence[Asked]) -> ChanceModel:
    train = [each.both(~each.is_dev) for each in sets]
    x = np.array([traits(candidates) for found, _, _ in train for candidates in found])
    y = np.concatenate([right for _, right, _ in train])
    weight = np.concatenate([np.full(len(right), len(y) / len(train) / len(right)) for _, right, _ in train])
    # So weak a penalty that it is none: three numbers from thousands of rows.
    model = LogisticRegression(C=1e6, max_iter=1_000).fit(x, y, sample_weight=weight)
    return ChanceModel(float(model.intercept_[0]), *(float(each) for each in model.coef_[0]))


def judge(each: Asked, rows: Rows, settings: FusionSettings) -> dict[str, float]:
    """Return how often something is suggested, and how often that and its absence are right, half having no answer."""
    found, right, answerable = each.both(rows)
    shown = np.array([bool(relevant(candidates, settings)) for candidates in found])
    stated = np.array([settings.chance(candidates) for candidates in found])
    return {
        "n": int(rows.sum()),
        "answerable shown": float(shown[answerable].mean()),
        "right first kept": float(shown[right].mean()),
        "first right of shown answerable": float(right[shown & answerable].mean()) if shown.any() else 0.0,
        "unanswerable silent": float((~shown)[~answerable].mean()),
        "silence right": float((~answerable)[~shown].mean()) if (~shown).any() else 1.0,
        "first right of shown": float(right[shown].mean()) if shown.any() else 0.0,
        "stated for shown": float(stated[shown].mean()) if shown.any() else 0.0,
    }


def least_chance(sets: Sequence[Asked], chance: ChanceModel) -> tuple[float, dict[str, dict[str, float]]]:
    table = {
        f"{step:.2f}": {
            each.name: judge(each, ~each.is_dev, replace(ARTICLES, chance=chance, least_chance=step))["silence right"]
            for each in sets
        }
        for step in STEPS
    }
    deciding = [each.name for each in sets if each.name in KNOWLEDGE_BASES and (~each.is_dev).sum() >= ENOUGH_QUERIES]
    kept = [float(step) for step, row in table.items() if all(row[name] >= RIGHT for name in deciding)]
    return max(kept, default=0.0), table


def reliability(sets: Sequence[Asked], settings: FusionSettings) -> list[dict[str, float]]:
    """Return stated and true shares of right first suggestions on dev, in bins of equal size."""
    stated, right = [], []
    for each in sets:
        found, is_right, _ = each.both(each.is_dev)
        for candidates, hit in zip(found, is_right, strict=True):
            if relevant(candidates, settings):
                stated.append(settings.chance(candidates))
                right.append(hit)
    order = np.argsort(stated)
    return [
        {"n": len(rows), "stated": float(np.array(stated)[rows].mean()), "right": float(np.array(right)[rows].mean())}
        for rows in np.array_split(order, BINS)
    ]


def rows_of(sets: Sequence[Asked], chance: ChanceModel) -> dict[str, dict[str, float]]:
    rules = {
        "in use": ARTICLES,
        "score >= 0.65": replace(EVERYTHING, floor=0.65),
        f"score >= {INCIDENTS.floor:g}": replace(EVERYTHING, floor=INCIDENTS.floor),
    }
    rows = {}
    for each in sets:
        left_out = replace(ARTICLES, chance=fitted([other for other in sets if other is not each]))
        for rule, settings in {**rules, "left out": left_out}.items():
            for split, chosen in (("train", ~each.is_dev), ("dev", each.is_dev)):
                if chosen.any():
                    rows[f"{each.name} {split}, {rule}"] = judge(each, chosen, settings)
    return rows


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, default=ROOT / ".." / "shared" / "data")
    options.add_argument("--cache", type=Path, default=ROOT / ".cache" / "vectors")
    given = options.parse_args()
    cache = FileVectorCache(given.cache)
    judged = [*(opened(name, given.data, cache) for name in SETS), seed_set(cache)]
    sets = [asked(each) for each in judged]
    chance = fitted(sets)
    chosen, steps = least_chance(sets, chance)
    silent, scores, of_incidents = {}, [], []
    for articles in (judged[0], judged[-1]):
        for asking in judged:
            # The seed's incidents may well ask what the Microsoft articles answer, and the other way round.
            if asking is articles or {asking.name, articles.name} == {"kb_msoffice", "seed"}:
                continue
            rows = np.flatnonzero(~asking.is_dev)
            texts = list(asking.queries.texts.values())
            these, vectors = [texts[row] for row in rows], asking.vectors[rows]
            found = unrelated(articles.search, these, vectors)
            silent[f"{asking.name} to {articles.name}"] = float(np.mean([not relevant(each, ARTICLES) for each in found]))
            if articles is judged[0] and asking.name in ("runbooks_alerts", "gitbugs_duplicates"):
                scores += [each[0].score for each in found]
                of_incidents += [each[0].score for each in unrelated(articles.untitled, these, vectors, FUSE_INCIDENTS)]
    noise = [model_text(row["title"], row["description"]) for row in seed_incidents() if row["kind"] == "other"]
    encoded = embed(noise, encoder=parts.encoder(n_threads=2), cache=cache)
    silent["seed texts that are no incident to seed"] = float(
        np.mean([not relevant(each, ARTICLES) for each in unrelated(judged[-1].search, noise, encoded)])
    )
    calibrated = {
        "intercept": (chance.intercept, ARTICLES.chance.intercept),
        "of score": (chance.of_score, ARTICLES.chance.of_score),
        "of margin": (chance.of_margin, ARTICLES.chance.of_margin),
        "least chance": (chosen, ARTICLES.least_chance),
        "floor": (float(np.median(scores)), ARTICLES.floor),
        "floor without chance": (float(np.quantile(of_incidents, 0.95)), INCIDENTS.floor),
    }
    rows, bins = rows_of(sets, chance), reliability([each for each in sets if each.name in KNOWLEDGE_BASES], ARTICLES)
    name = "silence_fast" if Settings().encoder is EncoderSize.FAST else "silence"
    result = {"calibrated": calibrated, "steps": steps, "rows": rows, "unrelated_silent": silent, "reliability_dev": bins}
    write_results(name, result, text(calibrated, steps, rows, silent, bins))


def grid(head: str, rows: Mapping[str, Mapping[str, float]]) -> str:
    columns = list(next(iter(rows.values())))
    lines = [f"| {head} | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
    lines += [
        f"| {name} | {' | '.join(f'{row[key]:d}' if key == 'n' else f'{row[key]:.3f}' for key in columns)} |"  # type: ignore[str-format]
        for name, row in rows.items()
    ]
    return "\n".join(lines)


def text(calibrated, steps, rows, silent, bins) -> str:  # type: ignore[no-untyped-def]
    constants = "; ".join(f"{name} {here:.3g} (in use {used:g})" for name, (here, used) in calibrated.items())
    total = sum(row["n"] for row in bins)
    error = sum(row["n"] * abs(row["stated"] - row["right"]) for row in bins) / total
    missed = [name for name, row in rows.items() if name.endswith("dev, in use") and row["silence right"] < RIGHT]
    verdict = f"Silence right at least {RIGHT:.0%} of the time on dev: " + (
        f"missed on {', '.join(name.removesuffix(' dev, in use') for name in missed)}." if missed else "reached on every set."
    )
    return "\n\n".join(
        [
            f"Fitted here: {constants}.",
            verdict,
            grid("queries, rule", rows),
            "Silence right on train, by the least chance; `seed` counts silence as wrong also where its article is there but not first.",
            grid("least chance", steps),
            f"Stated and true share of right first suggestions on the dev queries of {', '.join(KNOWLEDGE_BASES)}, in {BINS} bins of "
            f"equal size (expected calibration error {error:.3f}):",
            grid("bin", {str(at + 1): row for at, row in enumerate(bins)}),
            "Share of unrelated questions that get no suggestion:",
            grid("questions", {name: {"silent": share} for name, share in silent.items()}),
        ]
    )


if __name__ == "__main__":
    main()

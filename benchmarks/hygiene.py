"""From which cosine two articles are proposed for merging, how many twins that finds, and what the whole report costs.

    python benchmarks/hygiene.py [--data ../shared/data] [--cache FOLDER]

Writes benchmarks/results/hygiene.json and .md. Into the articles of kb_msoffice, twins of some are planted by rule: shortened (a fifth
of the sentences gone, another title), turned round (sentences in reverse order) and reworded (common words replaced by others). The
cosine is chosen on one half of the planted twins and reported on the other. The knowledge base has twins of its own, which nobody
labelled: a pair of real articles counts as right if it is in nearly the same words or if a query of the set has both as its answers.
"""

import argparse
import random
import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from report import write_results
from smarttriage.adapters.vector_cache import FileVectorCache
from smarttriage.bootstrap import parts
from smarttriage.bootstrap.retrieval import read_documents, read_judged
from smarttriage.domain.article import Article, passage_text, passages
from smarttriage.domain.links import anchors_of, broken_links
from smarttriage.ports import Encoder, Vectors
from smarttriage.services.hygiene import TWIN, Twins, twins
from smarttriage.services.retrieval_evaluation import Document, JudgedQueries
from smarttriage.services.training import embed

ROOT = Path(__file__).resolve().parent.parent
LEVELS = (0.8, 0.85, 0.875, 0.9, 0.925, 0.95, 0.975)
N_PLANTED = 120
# Four of five proposals are to be right: the rule by which benchmarks/same_fix.py chooses, too.
RIGHT = 0.8
NOW = datetime(2026, 1, 1, tzinfo=UTC)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_WORDS = {
    "select": "choose",
    "click": "press",
    "error": "failure",
    "issue": "trouble",
    "following": "below",
    "occurs": "happens",
    "because": "since",
    "cannot": "are not able to",
    "open": "start",
    "message": "notice",
    "user": "person",
    "users": "people",
    "resolve": "mend",
    "fix": "mend",
    "problem": "trouble",
}
_WORD = re.compile(rf"\b({'|'.join(_WORDS)})\b", re.IGNORECASE)


def shortened(text: str, draw: random.Random) -> str:
    sentences = _SENTENCE.split(text)
    return "\n".join(sentence for sentence in sentences if draw.random() >= 0.2) or text


def turned(text: str, _draw: random.Random) -> str:
    return "\n".join(reversed(_SENTENCE.split(text)))


def reworded(text: str, _draw: random.Random) -> str:
    return _WORD.sub(lambda match: _WORDS[match[1].lower()], text)


KINDS: Mapping[str, Callable[[str, random.Random], str]] = {"shortened": shortened, "turned": turned, "reworded": reworded}


def an_article(document: Document) -> Article:
    return Article(document.id, "t", document.title, document.text, NOW, NOW)


def planted(corpus: Sequence[Document]) -> list[Document]:
    """Return the twins, each named after its kind and its original."""
    draw = random.Random(0)
    chosen = draw.sample([each for each in corpus if len(_SENTENCE.split(each.text)) >= 5], N_PLANTED)
    made = []
    for place, (kind, rule) in enumerate(KINDS.items()):
        for original in chosen[place :: len(KINDS)]:
            title = f"How to handle: {reworded(original.title, draw)}"
            made.append(Document(f"{kind}|{original.id}", title, rule(original.text, draw)))
    return made


def article_vectors(articles: Sequence[Article], encoder: Encoder, cache: FileVectorCache) -> Vectors:
    """Return the (n, dim) means of the passages, rows of norm 1, as services/hygiene.py makes them."""
    pieces = [passage_text(each.title, passage.text) for each in articles for passage in passages(each.id, each.body)]
    counts = [len(passages(each.id, each.body)) for each in articles]
    vectors = embed(pieces, encoder=encoder, cache=cache)
    ends = np.cumsum(counts)
    means = np.stack([vectors[end - count : end].mean(axis=0) for end, count in zip(ends, counts, strict=True)])
    return np.asarray(means / np.linalg.norm(means, axis=1, keepdims=True), dtype=np.float32)


def same_answers(judged: JudgedQueries) -> set[frozenset[str]]:
    """Return the pairs of articles that one query has as its answers."""
    answers = ([article for article, grade in grades.items() if grade > 0] for grades in judged.qrels.values())
    return {frozenset((left, right)) for found in answers for left in found for right in found if left != right}


def figures(pairs: Sequence[Twins], half: set[str], linked: set[frozenset[str]], level: float) -> dict[str, float | int | None]:
    """Return what a level finds: planted twins of a half, and the real pairs with how many of them are known to be right."""
    near = [pair for pair in pairs if pair.cosine >= level]
    of_twins = {name for pair in near for name in (pair.keep, pair.merge) if name in half and _is_twin(pair)}
    real = [pair for pair in near if "|" not in pair.keep + pair.merge]
    known = sum(pair.same_words or frozenset((pair.keep, pair.merge)) in linked for pair in real)
    own = [pair for pair in near if not {pair.keep, pair.merge}.isdisjoint(half)]
    right = sum(_is_twin(pair) for pair in own) + known
    total = len(own) + len(real)
    return {
        "level": level,
        "recall": len(of_twins) / len(half),
        **{kind: _share([name in of_twins for name in half if name.startswith(kind)]) for kind in KINDS},
        "n_real": len(real),
        "n_known_right": known,
        "precision": right / total if total else None,
    }


def _is_twin(pair: Twins) -> bool:
    first, second = sorted((pair.keep, pair.merge), key=lambda name: "|" in name)
    return "|" in second and second.split("|")[1] == first


def _share(found: Sequence[bool]) -> float:
    return sum(found) / len(found)


def main() -> None:
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    arguments.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "smarttriage" / "vectors")
    given = arguments.parse_args()
    folder, cache, encoder = given.data / "kb_msoffice", FileVectorCache(given.cache), parts.encoder(n_threads=2)
    corpus = read_documents(folder / "corpus.jsonl.gz")
    judged = read_judged(
        [folder / f"queries.{split}.jsonl.gz" for split in ("train", "dev")],
        [folder / f"qrels.{split}.tsv" for split in ("train", "dev")],
    )
    made = planted(corpus)
    articles = [an_article(document) for document in (*corpus, *made)]
    vectors = article_vectors(articles, encoder, cache)
    started = time.perf_counter()
    pairs = twins(articles, vectors, least=min(LEVELS))
    seconds = time.perf_counter() - started
    started = time.perf_counter()
    anchors = {article.id: anchors_of(article.body) for article in articles}
    broken = sum(bool(broken_links(article.body, anchors=anchors)) for article in articles)
    link_seconds = time.perf_counter() - started
    names = [document.id for document in made]
    linked = same_answers(judged)
    choosing = [figures(pairs, set(names[::2]), linked, level) for level in LEVELS]
    reported = [figures(pairs, set(names[1::2]), linked, level) for level in LEVELS]
    result = {
        "n_articles": len(articles),
        "chosen": next(one["level"] for one in choosing if (one["precision"] or 0) >= RIGHT),
        "shipped": TWIN,
        "choosing": choosing,
        "reported": reported,
        "twins_seconds": round(seconds, 2),
        "links_seconds": round(link_seconds, 2),
        "n_with_broken_links": broken,
    }
    write_results("hygiene", result, table(result))


def table(result: Mapping[str, object]) -> str:
    """Return the text of the section."""
    lines = [
        f"{result['n_articles']} articles, {N_PLANTED} of them planted twins. The least cosine at which four of five proposals are known to "
        f"be right on the first half: {result['chosen']}; shipped: {result['shipped']}. On the second half:",
        "",
        f"| cosine | planted twins found | {' | '.join(KINDS)} | real pairs proposed | known to be right | known right of all |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in result["reported"]:  # type: ignore[attr-defined]
        kinds = " | ".join(f"{one[kind]:.0%}" for kind in KINDS)
        precision = "-" if one["precision"] is None else f"{one['precision']:.0%}"
        lines.append(
            f"| {one['level']} | {one['recall']:.0%} | {kinds} | {one['n_real']} | {one['n_known_right']} | {precision} |"
        )
    lines += [
        "",
        "Known right is a lower bound for the real pairs: in nearly the same words, or answers of one query; nobody judged the others.",
        f"All pairs compared in {result['twins_seconds']} s, all links looked at in {result['links_seconds']} s "
        f"({result['n_with_broken_links']} articles have one that cannot work, most of them tabs of the vendor's own pages).",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()

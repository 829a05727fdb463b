"""How far from the weights that training started from the shipped encoder should stand: all the way fits the trained queries best, half way forgets less.

    python benchmarks/encoder_share.py --weights WHEEL_OR_FOLDER --trained FOLDER [--shares 0 0.5 1] [--data ../shared/data] [--cache FOLDER]

--weights is all-MiniLM-L6-v2; --trained holds `quality` and `fast`, the --work folders of training/train_encoder.py (one may be missing). Each
blend of what the last stage started from and what it ended at is exported to int8 as it would be shipped and asked the train queries that the
recipe holds out, over the records that answer them and as many others as fit (N_PASSAGES a set), dense and hybrid with each share of BM25.
Writes benchmarks/results/encoder_share_<size>.json and .md. Needs the `train` extra.
"""

import argparse
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from safetensors.torch import load_file, save_file

from report import write_results
from retrieval import CHOOSING, INCIDENT_SET, LEXICAL_WEIGHTS, JudgedSet, Scores, fused, one_side, rankings, weighted
from smarttriage.adapters.encoders.onnx import OnnxEncoder
from smarttriage.adapters.indexes.faiss import FaissIndex
from smarttriage.adapters.lexical.tantivy import TantivyIndex
from smarttriage.adapters.vector_cache import FileVectorCache
from smarttriage.bootstrap.retrieval import read_documents
from smarttriage.config import EncoderSize
from smarttriage.domain.article import passages
from smarttriage.services.retrieval_evaluation import Document, Fold, JudgedQueries, build_search, parts_of
from smarttriage.services.training import embed
from unseen import of_fold, read_train

ROOT = Path(__file__).resolve().parent.parent
SHARES = (0.0, 0.35, 0.7, 1.0)
N_PASSAGES = 3_000
WEIGHTS = "model.safetensors"
sys.path.insert(0, str(ROOT / "training"))


@dataclass(frozen=True, slots=True)
class Plan:
    """What is blended: the size, the weights of all-MiniLM-L6-v2 and the --work folder of the training."""

    size: EncoderSize
    weights: Path
    work: Path

    @property
    def trained(self) -> Path:
        """Where the last stage ended."""
        return self.work / "trained_adapt"

    @property
    def recipe(self) -> Path:
        """The recipe."""
        return ROOT / "training" / "recipes" / f"encoder_{self.size}.toml"


def few_documents(documents: Sequence[Document], queries: JudgedQueries) -> list[Document]:
    """Return the records that answer the queries, then others in their order, up to about N_PASSAGES passages."""
    right = {record for grades in queries.qrels.values() for record in grades}
    chosen, n_passages = [], 0
    for document in sorted(documents, key=lambda each: each.id not in right):
        if document.id not in right and n_passages >= N_PASSAGES:
            break
        chosen.append(document)
        n_passages += len(passages(document.id, document.text))
    return chosen


def opened(name: str, data: Path, cache: FileVectorCache, encoder: OnnxEncoder, fold: Fold) -> JudgedSet:
    """Return the set with the queries held out over a part of its records."""
    queries = of_fold(read_train(data / name), fold)
    documents = few_documents(read_documents(data / name / "corpus.jsonl.gz"), queries)
    pieces = parts_of(documents, as_incidents=name == INCIDENT_SET)
    vectors = embed(pieces.texts, encoder=encoder, cache=cache)
    dense = FaissIndex(encoder_id=encoder.encoder_id, dim=encoder.dim)
    search = build_search(pieces, vectors, dense=dense, lexical=TantivyIndex())
    asked = embed(list(queries.texts.values()), encoder=encoder, cache=cache)
    return JudgedSet(name, search, search, search, queries, asked, np.zeros(len(queries.texts), bool), pieces, vectors)


def scores(judged: JudgedSet) -> dict[str, Scores]:
    """Return nDCG@10 of each query: dense, and hybrid by BM25's share."""
    pairs = rankings(judged)
    return {"dense": one_side(judged, pairs, 0)} | {
        f"{share:g}": fused(judged, pairs, weighted(share)) for share in LEXICAL_WEIGHTS if share
    }


def exported(plan: Plan, share: float, scratch: Path) -> Path:
    """Return the int8 folder of the blend at `share`."""
    import export_encoder  # noqa: PLC0415 - torch and transformers, which only this needs

    source = export_encoder.find_source(plan.weights, scratch)
    stage = plan.work / "after_distil"
    start, trained = load_file((stage if stage.is_dir() else source.folder) / WEIGHTS), load_file(plan.trained / WEIGHTS)
    blend = {name: start[name].lerp(tensor, share) if tensor.is_floating_point() else tensor for name, tensor in trained.items()}
    folder = scratch / "blend"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(plan.trained, folder, ignore=shutil.ignore_patterns(WEIGHTS))
    save_file(blend, folder / WEIGHTS, metadata={"format": "pt"})
    weights = replace(export_encoder.student(folder, plan.recipe), name=f"{plan.size}-{share:g}")
    texts = export_encoder.real_texts(sorted((ROOT / "kb" / "articles").glob("*.md")), 50)
    shutil.rmtree(scratch / "encoder", ignore_errors=True)
    return export_encoder.build(source, weights, scratch, texts)


def main() -> None:
    """Blend, export, ask, write."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--weights", type=Path, required=True)
    options.add_argument("--trained", type=Path, required=True)
    options.add_argument("--shares", type=float, nargs="+", default=SHARES)
    options.add_argument("--data", type=Path, default=ROOT / ".." / "shared" / "data")
    options.add_argument("--cache", type=Path, default=ROOT / ".cache" / "vectors")
    given = options.parse_args()
    for size in EncoderSize:
        plan = Plan(size, given.weights, given.trained / size)
        if plan.trained.is_dir():
            measure(plan, given.shares, given.data, FileVectorCache(given.cache))


def measure(plan: Plan, shares: Sequence[float], data: Path, cache: FileVectorCache) -> None:
    """Measure one size and write its table."""
    fold, found = Fold.parse(tomllib.loads(plan.recipe.read_text("utf-8"))["held_out"]), {}
    with tempfile.TemporaryDirectory() as scratch:
        for share in shares:
            encoder = OnnxEncoder.open(exported(plan, share, Path(scratch)), n_threads=2)
            found[share] = {name: scores(opened(name, data, cache, encoder, fold)) for name in CHOOSING}
    counts = {name: len(each["dense"]) for name, each in next(iter(found.values())).items()}
    result = {
        f"{share:g}": {name: {side: float(each.mean()) for side, each in by_side.items()} for name, by_side in sets.items()}
        for share, sets in found.items()
    }
    write_results(f"encoder_share_{plan.size}", {"n_queries": counts, "ndcg": result}, table(result, counts))


def table(result: Mapping[str, Mapping[str, Mapping[str, float]]], counts: Mapping[str, int]) -> str:
    """Return the means over the sets by share of the trained weights and of BM25, and each set at the best."""
    columns = list(next(iter(next(iter(result.values())).values())))
    means = {
        share: {key: float(np.mean([each[key] for each in sets.values()])) for key in columns} for share, sets in result.items()
    }
    lines = [
        f"Held-out train queries: {', '.join(f'{n} of {name}' for name, n in counts.items())}; mean nDCG@10 of the three sets.",
        "",
        f"| share of the trained weights | dense | {' | '.join(f'BM25 {key}' for key in columns[1:])} |",
        f"|---|{'---|' * len(columns)}",
    ]
    lines += [f"| {share} | {' | '.join(f'{row[key]:.4f}' for key in columns)} |" for share, row in means.items()]
    lines += ["", f"| each set at its row's best | BM25's share | {' | '.join(counts)} |", f"|---|---|{'---|' * len(counts)}"]
    for share, row in means.items():
        best = max(columns, key=lambda key: row[key])
        lines.append(f"| {share} | {best} | {' | '.join(f'{result[share][name][best]:.4f}' for name in counts)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()

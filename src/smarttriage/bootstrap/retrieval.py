"""Evaluation of the search from files, as the command line and the benchmarks ask for it."""

import time
from collections.abc import Sequence
from pathlib import Path

from smarttriage.adapters.beir import read_corpus, read_qrels, read_queries
from smarttriage.adapters.indexes.faiss import FaissIndex
from smarttriage.adapters.lexical.tantivy import TantivyIndex
from smarttriage.adapters.vector_cache import FileVectorCache
from smarttriage.bootstrap import parts
from smarttriage.bootstrap.training import N_THREADS
from smarttriage.domain.errors import InvalidInput
from smarttriage.services.retrieval_evaluation import Document, JudgedQueries, SideScores, evaluate_retrieval
from smarttriage.services.training import Progress


def read_judged(queries: Sequence[Path], qrels: Sequence[Path]) -> JudgedQueries:
    """Return the queries that have a judgement. Raises InvalidInput if a file cannot be used or no query has one."""
    texts, judged = read_queries(queries), read_qrels(qrels)
    kept = {query: text for query, text in texts.items() if query in judged}
    if not kept:
        raise InvalidInput(f"None of the {len(texts)} queries is judged in {', '.join(map(str, qrels))}.", field="qrels")
    return JudgedQueries(kept, {query: judged[query] for query in kept})


def read_documents(path: Path) -> list[Document]:
    """Return the corpus. Raises InvalidInput if it cannot be used or is empty."""
    documents = [Document(*row) for row in read_corpus(path)]
    if not documents:
        raise InvalidInput(f"{path} holds no record.", field="corpus")
    return documents


def evaluate_search(
    *,
    corpus: Path,
    queries: Sequence[Path],
    qrels: Sequence[Path],
    exclude_self: bool,
    cache: Path | None,
    progress: Progress,
) -> dict[str, SideScores]:
    """Return the scores of dense, lexical and hybrid search. Raises InvalidInput if a file cannot be used."""
    documents, judged = read_documents(corpus), read_judged(queries, qrels)
    encoder = parts.encoder(n_threads=N_THREADS)
    return evaluate_retrieval(
        documents,
        judged,
        encoder=encoder,
        dense=FaissIndex(encoder_id=encoder.encoder_id, dim=encoder.dim),
        lexical=TantivyIndex(),
        exclude_self=exclude_self,
        timer=time.perf_counter,
        cache=FileVectorCache(cache) if cache else None,
        progress=progress,
    )

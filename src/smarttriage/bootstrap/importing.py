"""Imports from the command line, and the seed of an empty data folder."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from safetensors import safe_open

from smarttriage.adapters.articles import read_articles
from smarttriage.adapters.tabular import read_rows
from smarttriage.bootstrap import parts
from smarttriage.bootstrap.indexing import INDEX_FOLDER, new_indexing
from smarttriage.bootstrap.models import open_models
from smarttriage.bootstrap.resources import shipped
from smarttriage.config import Settings
from smarttriage.domain.errors import InvalidInput
from smarttriage.ports import Encoder, Store
from smarttriage.services.import_rows import Row, mapped, parse_map
from smarttriage.services.importing import IMPORTER, SEEDER, ImportReport, ImportService, importer
from smarttriage.services.live import Models

Progress = Callable[[ImportReport], None]
SEED_FACT = "seed"
SEED_SOURCE = "seed"
SEED_VECTORS = "seed_vectors.safetensors"
# Import is bulk work: one text per core.
IMPORT_THREADS = 2


def import_articles(path: Path, *, data_dir: Path | None, progress: Progress, accept_warnings: bool = False) -> ImportReport:
    """Import the articles at `path` into the data folder's store; return what happened."""
    rows = (Row(row.place, row.values, row.problem) for row in read_articles(path))
    return _run(data_dir, lambda service: service.articles(rows, progress=progress, accept_warnings=accept_warnings))


def import_incidents(
    path: Path, *, columns: list[str], source: str | None, data_dir: Path | None, progress: Progress
) -> ImportReport:
    """Import the incidents of a table into the data folder's store; return what happened."""
    if not path.is_file():
        raise InvalidInput(f"{path}: there is no such file", field="path")
    rows = mapped(_table(path), parse_map(columns))
    name = source or path.name.split(".")[0]
    return _run(data_dir, lambda service: service.incidents(rows, source=name, progress=progress))


def seed(*, store: Store, encoder: Encoder, models: Models) -> None:
    """Fill an empty store with the shipped articles and incidents, once; their vectors come along, so that it takes seconds."""
    with store.begin() as records:
        if records.fact(SEED_FACT) is not None:
            return
    kb = shipped("kb")
    _load_vectors(kb / SEED_VECTORS, store=store, encoder=encoder)
    service = ImportService(store=store, encoder=encoder, models=models, clock=parts.clock, principal=importer(SEEDER))
    rows = (Row(row.place, row.values, row.problem) for row in read_articles(kb / "articles"))
    service.articles(rows, progress=_quiet, accept_warnings=True)
    service.incidents(seed_rows(kb / "incidents.jsonl"), source=SEED_SOURCE, progress=_quiet)
    with store.begin(write=True) as records:
        records.put_fact(SEED_FACT, models.taxonomy.version)


def seed_rows(path: Path) -> Iterator[Row]:
    """Yield the shipped incidents under the names of an import."""
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            values = json.loads(line)
            resolution = values.pop("resolution") or {}
            values |= {
                "source_id": values.pop("id"),
                "resolution": resolution.get("text"),
                "article_id": resolution.get("article_id"),
            }
            yield Row(f"{path}:{number}", values)


def _table(path: Path) -> Iterator[Row]:
    for row in read_rows(path):
        yield Row(f"{path}:{row.line}", row.values, row.problem)


def _run(data_dir: Path | None, work: Callable[[ImportService], ImportReport]) -> ImportReport:
    settings = Settings() if data_dir is None else Settings(data_dir=data_dir)
    store, encoder = parts.store(settings), parts.encoder(n_threads=IMPORT_THREADS)
    try:
        models = open_models(settings, encoder)
        seed(store=store, encoder=encoder, models=models)
        service = ImportService(store=store, encoder=encoder, models=models, clock=parts.clock, principal=importer(IMPORTER))
        report = work(service)
        # Indexes are saved here, so that the next start of the service only reads them.
        indexing = new_indexing(store=store, encoder=encoder)
        indexing.open(settings.data_dir / INDEX_FOLDER)
        indexing.save(settings.data_dir / INDEX_FOLDER)
        return report
    finally:
        store.close()


def _load_vectors(path: Path, *, store: Store, encoder: Encoder) -> None:
    """Store the shipped vectors if they are of this encoder; others would be of no use."""
    if not path.is_file():
        return
    with safe_open(str(path), framework="numpy") as file:
        if (file.metadata() or {}).get("encoder_id") != encoder.encoder_id:
            return
        hashes = json.loads(file.metadata()["hashes"])
        rows = file.get_tensor("vectors").astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    with store.begin(write=True) as records:
        records.add_vectors(encoder.encoder_id, dict(zip(hashes, rows, strict=True)))


def _quiet(_: ImportReport) -> None:
    """The seed needs no progress: it takes seconds."""

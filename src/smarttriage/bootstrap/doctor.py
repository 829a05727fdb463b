"""The data doctor on files, as the command line asks for it."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from smarttriage.adapters.classifiers.cross_fit import LinearCrossFitter
from smarttriage.adapters.classifiers.folds import text_groups
from smarttriage.adapters.table_copy import check_copy, write_copy
from smarttriage.adapters.tabular import read_rows
from smarttriage.adapters.vector_cache import FileVectorCache
from smarttriage.bootstrap import parts
from smarttriage.bootstrap.training import N_THREADS
from smarttriage.domain.doctor import ADDED_COLUMNS, Examination, FixPlan, Place
from smarttriage.ports import Vectors
from smarttriage.services.doctor import DoctorOptions, Instruments, examine
from smarttriage.services.doctor_rows import DoctorColumns, DoctorRow, DoctorTable
from smarttriage.services.training import Progress, embed


@dataclass(frozen=True, slots=True)
class Consultation:
    """An examination, the copy that was written (None: none was asked for), and what it took.

    Attributes:
        examination: What was found.
        plan: What the copy changes, or would change.
        copy: Where the copy lies.
        encoder_id: Whose vectors were used; None: no embedding.
        total_s: Seconds in all.
    """

    examination: Examination
    plan: FixPlan
    copy: Path | None
    encoder_id: str | None
    total_s: float


def consult(
    *,
    files: Sequence[Path],
    columns: DoctorColumns,
    options: DoctorOptions,
    fix: Path | None,
    embedding: bool,
    cache: Path | None,
    progress: Progress,
) -> Consultation:
    """Return what is wrong with the rows of the files; write a fixed copy if `fix` names a file.

    Raises:
        InvalidInput: A file or a column is not there, or the copy cannot be written where it is wanted.
    """
    started = time.perf_counter()
    if fix:
        check_copy(files, fix)
    table = DoctorTable.read(_rows(files, columns), columns)
    encode, encoder_id = _embedding(cache, progress) if embedding else (None, None)
    examination, plan = examine(table, Instruments(LinearCrossFitter(), text_groups, encode, progress), options)
    if fix:
        write_copy(files, fix, edits=plan.edits, added=ADDED_COLUMNS)
    return Consultation(examination, plan, fix, encoder_id, time.perf_counter() - started)


def _rows(files: Sequence[Path], columns: DoctorColumns) -> Iterator[DoctorRow]:
    for path in files:
        for row in read_rows(path, columns.named):
            yield DoctorRow(Place(str(path), row.line), row.values, row.problem)


def _embedding(cache: Path | None, progress: Progress) -> tuple[Callable[[Sequence[str]], Vectors], str]:
    encoder = parts.encoder(n_threads=N_THREADS)
    kept = FileVectorCache(cache) if cache else None
    return lambda texts: embed(texts, encoder=encoder, cache=kept, progress=progress), encoder.encoder_id

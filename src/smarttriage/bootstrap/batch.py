"""Predictions of a whole file, as the command line asks for them."""

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smarttriage import __version__
from smarttriage.adapters.answer_table import LINE, write_answers
from smarttriage.adapters.step_folder import StepFolder
from smarttriage.adapters.tabular import read_rows
from smarttriage.adapters.vector_cache import FileVectorCache
from smarttriage.bootstrap import parts
from smarttriage.bootstrap.models import open_models
from smarttriage.bootstrap.training import N_THREADS
from smarttriage.config import Settings
from smarttriage.domain.errors import InvalidInput
from smarttriage.services.batch import PORTION, BatchRow, answered, batch_row
from smarttriage.services.live import Models
from smarttriage.services.training import Progress, embed

STEPS_SUFFIX = ".steps"
_READ_AT_ONCE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """What to predict, from where and whereto.

    Attributes:
        file: CSV, JSON Lines or Parquet.
        text_columns: Of several the first is the title.
        out: A .csv or .jsonl file; written at once when all rows are answered.
        kept_columns: Columns that stand in the answer as they are, for example the id.
        cache: Folder that keeps vectors.
        resume: Whether the portions are used that a stopped run finished.
        portion: Rows that are answered and kept at once.
    """

    file: Path
    text_columns: Sequence[str]
    out: Path
    kept_columns: Sequence[str] = ()
    cache: Path | None = None
    resume: bool = False
    portion: int = PORTION


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What was written, and how long each part took.

    Attributes:
        version: Of the model that answered.
        n: Rows answered.
        n_left_out: Rows that could not be read.
        filled: Target -> rows whose field holds a value.
        reasons: Target -> reason code -> rows.
        seconds: "open" for encoder and model, "predict" for the rest.
    """

    out: Path
    version: str
    n: int
    n_left_out: int
    filled: Mapping[str, int]
    reasons: Mapping[str, Mapping[str, int]]
    seconds: Mapping[str, float]


def predict_file(
    request: BatchRequest, settings: Settings, *, progress: Progress, on_problem: Callable[[str], None]
) -> BatchResult:
    """Write the predicted fields of every row of a file; each row that cannot be read is told to `on_problem` and left out.

    Raises:
        InvalidInput: The file or a column cannot be used, `out` cannot be written, or the finished portions are of another run.
        BundleError: The model cannot be used.
    """
    started = time.perf_counter()
    check(request)
    # Asked before anything is opened: a missing column is told at once, in JSON Lines too.
    total = sum(row.problem is None for row in read_rows(request.file, _named(request)))
    encoder = parts.encoder(n_threads=N_THREADS)
    models = open_models(settings, encoder)
    steps = StepFolder.open(steps_of(request.out), fingerprint=_fingerprint(request, models), resume=request.resume)
    cache = FileVectorCache(request.cache) if request.cache else None
    opened, problems, targets = time.perf_counter(), _Problems(on_problem), list(models.classifier.cards)
    found = answered(
        batch_rows(request, problems),
        models=models,
        encode=lambda texts: embed(texts, encoder=encoder, cache=cache),
        finished=steps,
        total=total,
        progress=progress,
        portion=request.portion,
    )
    tally = Tally.of(targets)
    write_answers(request.out, tally.counting(found), kept=request.kept_columns, targets=targets)
    steps.discard()
    seconds = {"open": opened - started, "predict": time.perf_counter() - opened}
    return BatchResult(request.out, models.classifier.version, tally.n, problems.n, tally.filled, tally.reasons, seconds)


class _Problems:
    """Counts what it tells."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell, self.n = tell, 0

    def __call__(self, line: str) -> None:
        self.n += 1
        self._tell(line)


def _fingerprint(request: BatchRequest, models: Models) -> str:
    """Return what two runs share whose portions may stand in one file."""
    facts = [
        _digest(request.file),
        list(request.text_columns),
        list(request.kept_columns),
        request.portion,
        models.classifier.version,
        models.encoder.encoder_id,
        sorted((target, mode.value) for target, mode in models.modes.items()),
        repr(models.rules.rules),
        __version__,
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def check(request: BatchRequest) -> None:
    """Return nothing if the answers can be written. Raises InvalidInput that says why not."""
    out = request.out
    if out.suffix.lower() not in (".csv", ".jsonl"):
        raise InvalidInput(f"{out}: the answers are written as .csv or .jsonl; give it a name that ends so.", field="out")
    if not out.resolve().parent.is_dir():
        raise InvalidInput(f"There is no folder {out.parent}; make it first.", field="out")
    if out.is_dir():
        raise InvalidInput(f"{out} is a folder; name a file.", field="out")
    if out.exists() and request.file.exists() and out.samefile(request.file):
        raise InvalidInput(f"{out} is the input itself; give the answers another name.", field="out")
    if not request.text_columns:
        raise InvalidInput("Name at least one text column.", field="text_column")
    if twice := [name for name in request.kept_columns if request.kept_columns.count(name) > 1 or name == LINE]:
        raise InvalidInput(f"Column {twice[0]!r} would stand twice among the answers; keep it once.", field="keep")


def steps_of(out: Path) -> Path:
    """Return the folder beside `out` that holds the finished portions while a run lasts."""
    return out.with_name(out.name + STEPS_SUFFIX)


def batch_rows(request: BatchRequest, on_problem: Callable[[str], None]) -> Iterator[BatchRow]:
    """Yield the rows that can be read; a row without text is one of them and is answered as such."""
    for row in read_rows(request.file, _named(request)):
        if row.problem is not None:
            on_problem(f"{request.file}, line {row.line}: {row.problem}")
            continue
        texts = [row.values.get(name) or "" for name in request.text_columns]
        yield batch_row(row.line, texts, {name: row.values.get(name) for name in request.kept_columns})


@dataclass(slots=True)
class Tally:
    """Counts the answers that pass."""

    filled: Counter[str]
    reasons: Mapping[str, Counter[str]]
    n: int = 0

    @classmethod
    def of(cls, targets: Iterable[str]) -> "Tally":
        """Return one that has counted nothing yet."""
        names = list(targets)
        return cls(Counter(dict.fromkeys(names, 0)), {name: Counter() for name in names})

    def counting(self, portions: Iterable[Sequence[Mapping[str, Any]]]) -> Iterator[Sequence[Mapping[str, Any]]]:
        """Yield the portions as they are, counted."""
        for several in portions:
            self.n += len(several)
            for one in several:
                for target, field in one["fields"].items():
                    self.filled[target] += field["value"] is not None
                    if field["reason"]:
                        self.reasons[target][field["reason"]] += 1
            yield several


def _named(request: BatchRequest) -> list[str]:
    return list(dict.fromkeys([*request.text_columns, *request.kept_columns]))


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_READ_AT_ONCE):
            digest.update(block)
    return digest.hexdigest()

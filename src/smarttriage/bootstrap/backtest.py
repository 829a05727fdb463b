"""A backtest from a file, as the command line and the benchmarks ask for it."""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from zoneinfo import ZoneInfo

from smarttriage import __version__
from smarttriage.adapters.step_folder import StepFolder, write_atomically
from smarttriage.adapters.tabular import read_rows
from smarttriage.adapters.vector_cache import FileVectorCache
from smarttriage.bootstrap import parts
from smarttriage.bootstrap.classifiers import sklearn_trainer
from smarttriage.bootstrap.training import N_THREADS
from smarttriage.domain.effort import Effort
from smarttriage.domain.errors import InvalidInput
from smarttriage.ports import Encoder, FittedClassifier, Trainer, VectorCache, Vectors
from smarttriage.services.backtest import MakeTrainer, Walk
from smarttriage.services.backtest_answers import FinishedSteps, NothingKept, StepAnswers
from smarttriage.services.backtest_history import Columns, History, TableRow, read_history
from smarttriage.services.backtest_page import page
from smarttriage.services.backtest_plan import Plan
from smarttriage.services.backtest_report import Conditions, Report, report
from smarttriage.services.training import Progress, embed

STATE_FOLDER = "state"
VECTOR_FOLDER = "vectors"
REPORT, PAGE = "report.json", "report.html"
# Texts encoded between two writes of the cache: what a stop costs at most, about 10 s on two cores.
ENCODED_AT_ONCE = 2_048


@dataclass(frozen=True, slots=True)
class BacktestRequest:
    """What to walk and how.

    Attributes:
        file: The export.
        columns: Which column says what.
        zone: IANA name of the time zone, for example "Europe/Berlin".
        time_format: A `strptime` format where times are not recognised by themselves.
        plan: Steps and fits; its zone is set from `zone`.
        target_precision: What the thresholds are chosen for.
        effort: The assumption behind the time saved.
        out: Folder of the report and of what a resumed run needs; None: nothing is written.
        cache: Folder that keeps vectors; default: in `out`.
        resume: Whether steps that are finished in `out` are used.
    """

    file: Path
    columns: Columns
    zone: str = "UTC"
    time_format: str | None = None
    plan: Plan = field(default_factory=Plan)
    target_precision: float = 0.9
    effort: Effort = field(default_factory=lambda: Effort(1.0, 2.0))
    out: Path | None = None
    cache: Path | None = None
    resume: bool = False


@dataclass(frozen=True, slots=True)
class Backtested:
    """A report, the walk it was made of, and how long each part took."""

    report: Report
    history: History
    steps: Sequence[StepAnswers]
    seconds: Mapping[str, float]


def backtest(request: BacktestRequest, *, progress: Progress) -> Backtested:
    """Walk the file and return the report, written into `request.out` too.

    Raises:
        InvalidInput: The file, a column, the time zone or the finished steps cannot be used.
    """
    started = time.perf_counter()
    encoder = parts.encoder(n_threads=N_THREADS)
    plan = replace(request.plan, zone=_zone(request.zone))
    if request.resume and request.out is None:
        raise InvalidInput("--resume needs the --out folder of the run that was stopped.", field="resume")
    history = read_history(
        table_rows(request.file, request.columns), request.columns, zone=plan.zone, time_format=request.time_format
    )
    finished = _finished(request, history, plan, encoder)
    kept = request.cache or (request.out / VECTOR_FOLDER if request.out else None)
    vectors = encoded(history.texts, encoder=encoder, cache=FileVectorCache(kept) if kept else None, progress=progress)
    ready = time.perf_counter()
    make_trainer = trainer_maker(encoder.encoder_id, target_precision=request.target_precision)
    steps = Walk(history, vectors, plan, make_trainer=make_trainer, finished=finished, progress=progress).run()
    found = report(history, steps, _conditions(request, plan, encoder))
    if request.out:
        write_atomically(request.out / REPORT, json.dumps(found.as_json(), ensure_ascii=False, indent=1) + "\n")
        write_atomically(request.out / PAGE, page(found))
    seconds = {"read_and_encode": ready - started, "walk": time.perf_counter() - ready}
    return Backtested(found, history, steps, seconds)


def table_rows(path: Path, columns: Columns) -> Iterator[TableRow]:
    """Yield the rows of a file with the named columns only."""
    for row in read_rows(path, columns.named):
        yield TableRow(row.line, {name: row.values.get(name) for name in columns.named}, row.problem)


def encoded(
    texts: Sequence[str],
    *,
    encoder: Encoder,
    cache: VectorCache | None,
    progress: Progress,
    at_once: int = ENCODED_AT_ONCE,
) -> Vectors:
    """Return the vectors; what the cache lacks is encoded and kept in portions, so that a stop costs one portion."""
    if cache is not None:
        known = cache.get(encoder.encoder_id, texts)
        missing = list(dict.fromkeys(text for text, vector in zip(texts, known, strict=True) if vector is None))
        for start in range(0, len(missing), at_once):
            progress("encode", start, len(missing))
            embed(missing[start : start + at_once], encoder=encoder, cache=cache)
        if missing:
            progress("encode", len(missing), len(missing))
    return embed(texts, encoder=encoder, cache=cache, progress=progress)


def trainer_maker(encoder_id: str, *, target_precision: float) -> MakeTrainer:
    """Return what makes the default trainer of a fit."""

    def make(labels: Mapping[str, Sequence[str | None]], *, kept_recipes: Mapping[str, str]) -> Trainer[FittedClassifier]:
        return replace(sklearn_trainer(encoder_id, labels, target_precision=target_precision), kept_recipes=kept_recipes)

    return make


def _finished(request: BacktestRequest, history: History, plan: Plan, encoder: Encoder) -> FinishedSteps:
    if request.out is None:
        return NothingKept()
    facts = [history.sha256(), repr(plan), request.target_precision, encoder.encoder_id, __version__]
    fingerprint = hashlib.sha256(json.dumps(facts).encode()).hexdigest()
    return StepFolder.open(request.out / STATE_FOLDER, fingerprint=fingerprint, resume=request.resume)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise InvalidInput(
            f"{name!r} is no time zone; write an IANA name, for example Europe/Berlin.", field="time_zone"
        ) from None


def _conditions(request: BacktestRequest, plan: Plan, encoder: Encoder) -> Conditions:
    columns = request.columns
    named = {"time": columns.time, "text": ", ".join(columns.texts), **columns.targets}
    optional = {"known_at": columns.known_at, "resolution": columns.resolution}
    return Conditions(
        source=request.file.name,
        columns={**named, **{name: column for name, column in optional.items() if column}},
        zone=request.zone,
        target_precision=request.target_precision,
        encoder_id=encoder.encoder_id,
        plan=plan,
        effort=request.effort,
    )

"""Evaluation reports from bundles and files, as the command line asks for them."""

from collections.abc import Callable, Sequence
from pathlib import Path

from smarttriage.adapters.bundles import read_attachment, read_bundle, read_manifest
from smarttriage.bootstrap import parts
from smarttriage.bootstrap.bundles import codecs
from smarttriage.bootstrap.lineage import learning_curves
from smarttriage.bootstrap.training import N_THREADS, read_training_rows
from smarttriage.domain.errors import BundleError, InvalidInput
from smarttriage.services.lineage import REPORT_FILE, ROWS_FILE, read_rows_file
from smarttriage.services.model_page import page
from smarttriage.services.model_report import ModelReport, report_of_rows, with_learning
from smarttriage.services.promotion import Fingerprints, unseen_rows
from smarttriage.services.training import Progress, TrainingRows, embed


def kept_report(folder: Path) -> str:
    """Return the report that the training wrote. Raises BundleError if the bundle has none."""
    content = read_attachment(folder, REPORT_FILE)
    if content is None:
        raise BundleError(f"{folder} keeps no report of its training; give labelled rows with --data.")
    return content.decode("utf-8")


def report_on(
    folder: Path,
    *,
    files: Sequence[Path],
    targets: Sequence[str],
    text_columns: Sequence[str],
    learning_curve: bool,
    progress: Progress,
    on_problem: Callable[[str], None],
) -> str:
    """Return the report page of a bundle on labelled files.

    Raises:
        BundleError: The bundle does not match its manifest or was made for another encoder.
        InvalidInput: A file, a column or a target cannot be used.
    """
    classifier, encoder = read_bundle(folder, codecs=codecs()), parts.encoder(n_threads=N_THREADS)
    if classifier.encoder_id not in (None, encoder.encoder_id):
        message = (
            f"{folder} was trained on the encoder {classifier.encoder_id}, this one is {encoder.encoder_id}; train it again."
        )
        raise BundleError(message)
    rows = read_training_rows(files, targets or list(classifier.cards), text_columns, on_problem=on_problem)
    vectors = embed(rows.texts, encoder=encoder, progress=progress)
    report = report_of_rows(classifier, rows, vectors, read_manifest(folder))
    if learning_curve:
        report = with_learning(report, learning_curves(rows, vectors, seed=0))
    return page(_with_warning(report, rows, read_rows_file(read_attachment(folder, ROWS_FILE))))


def outside(folder: Path, out: Path) -> Path:
    """Return `out`. Raises InvalidInput for a file inside the bundle, which would no longer match its manifest."""
    if folder.resolve() in out.resolve().parents:
        raise InvalidInput(
            f"{out} is inside the bundle, which holds only what its manifest names; write it elsewhere.", field="out"
        )
    return out


def _with_warning(report: ModelReport, rows: TrainingRows, seen: Fingerprints | None) -> ModelReport:
    _, n_seen, _ = unseen_rows(rows.texts, seen)
    if not n_seen:
        return report
    note = f"{n_seen} of {len(rows.texts)} rows are rows that the model was trained on: these figures are too good."
    return ModelReport(report.manifest, report.rows, report.targets, (note,))
